"""A kept run → plain text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.report.figures import describe_outcome, find_critical, find_failed, name_targets, sum_up, was_started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.history import Run, RunStep

SLOWEST = 10


def format_text(run: Run, tails: Mapping[str, Sequence[str]]) -> str:
    """Totals, what the run waited for, the slowest steps, last failures and refusals. ``tails``: last lines of logs."""
    blocks = [_format_totals(run), _format_critical(run), _format_slowest(run), _format_failures(run, tails)]
    blocks.append("\n".join(f"{each.cause}: {_one_line(str(each))}" for each in run.refused))
    return "\n\n".join(block for block in blocks if block)


def _format_totals(run: Run) -> str:
    totals = sum_up(run)
    rows = (
        ("run", f"{run.run}, began {run.began}, buildgraph {run.version}, {run.jobs} workers"),
        ("targets", name_targets(run)),
        ("outcome", f"{describe_outcome(run)} after {run.seconds:.1f} s (exit code {run.exit_code})"),
        ("steps", f"{totals.done} of {totals.steps} done, {totals.failed} failed, {totals.blocked} blocked"),
        ("nodes", f"{totals.reused} of {len(run.nodes)} reused"),
        ("tests", f"{totals.passed} passed, {totals.failures} failed, {totals.skipped} skipped"),
        ("bytes", f"{totals.fetched / 1e6:.1f} MB fetched, {totals.written / 1e6:.1f} MB of layers written"),
    )
    return "\n".join(f"{name:<8} {text}" for name, text in rows)


def _format_critical(run: Run) -> str:
    steps = {step.id: step for step in run.steps}
    return _format_steps("what the run waited for:", [steps[name] for name in find_critical(run)])


def _format_slowest(run: Run) -> str:
    started = sorted((step for step in run.steps if was_started(step)), key=lambda step: -step.seconds)
    return _format_steps("the slowest steps:", started[:SLOWEST])


def _format_steps(title: str, steps: Sequence[RunStep]) -> str:
    lines = [f"  {step.seconds:8.1f} s  {step.id}  {_one_line(step.note)}".rstrip() for step in steps]
    return "\n".join([title, *lines]) if lines else ""


def _format_failures(run: Run, tails: Mapping[str, Sequence[str]]) -> str:
    lines = []
    for step in find_failed(run):
        lines.append(f"FAILED {step.id}: {_one_line(step.note)}")
        lines += [f"  {_one_line(detail)}" for detail in step.details]
        lines += [] if step.details else [f"  | {_one_line(line)}" for line in tails.get(step.id, ())]
    blocked = sum_up(run).blocked
    return "\n".join([*lines, f"{blocked} steps were blocked by these"] if blocked else lines)


def _one_line(text: str) -> str:
    """Kept text may come from a log: nothing in it moves the reader's cursor."""
    return "".join(char if char.isprintable() else " " for char in text)
