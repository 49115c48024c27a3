"""A kept run → Markdown for the summary page of a GitHub job, and the digests as its output. Pure."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

from buildgraph.events import Outcome
from buildgraph.plan import Action
from buildgraph.report.figures import IMAGE, describe_outcome, find_failed, sum_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.history import Run, RunNode, RunStep

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~@])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NO_REFERENCE = re.compile(r"[^\w./:@+-]", re.ASCII)
_MADE = {Action.COMPOSE: "built", Action.TEST: "tested", Action.LOAD: "loaded"}
_BAD = {Outcome.FAILED: "**failed**", Outcome.BLOCKED: "blocked", Outcome.CANCELLED: "stopped"}


def format_markdown(run: Run, tails: Mapping[str, Sequence[str]]) -> str:
    """A table of the images, each failure to unfold, what was refused. ``tails``: step id → last lines of its log."""
    totals = sum_up(run)
    steps = f"{totals.done} of {totals.steps} steps, {totals.reused} of {len(run.nodes)} nodes reused"
    tests = f"tests: {totals.passed} passed, {totals.failures} failed, {totals.skipped} skipped"
    lines = [f"### buildgraph: {describe_outcome(run)} in {run.seconds:.1f} s", "", f"{steps}; {tests}", ""]
    images = [node for node in run.nodes if node.kind == IMAGE]
    if images:
        lines += ["| image | reference | size | tests | seconds | |", "|---|---|--:|---|--:|---|"]
        lines += [_format_row(run, image) for image in images]
        lines.append("")
    for step in find_failed(run):
        lines += _format_failure(step, tails.get(step.id, ()))
    if totals.blocked:
        lines += [f"{totals.blocked} steps were blocked by these.", ""]
    if run.refused:
        lines += [f"- {each.cause}: {_escape(str(each))}" for each in run.refused]
        lines.append("")
    return "\n".join(lines)


def format_digests(run: Run) -> str:
    """``repository:tag`` → digest of the images of which every step succeeded, as JSON on one line."""
    bad = {step.node for step in run.steps if step.outcome in _BAD}
    good = [node for node in run.nodes if node.kind == IMAGE and node.digest and node.node not in bad]
    return json.dumps({name: node.digest for node in good for name in node.references}, sort_keys=True)


def _format_row(run: Run, image: RunNode) -> str:
    steps = [step for step in run.steps if step.node == image.node]
    references = (
        "<br>".join(_format_code(f"{name}@{image.digest}") for name in image.references) if image.digest else ""
    )
    size = f"{image.size / 1e6:,.0f} MB" if image.digest else ""
    seconds = f"{sum(step.seconds for step in steps):.1f}" if steps else ""
    cells = (_escape(image.node), references, size, _format_tests(steps), seconds, _format_state(steps))
    return f"| {' | '.join(cells)} |"


def _format_tests(steps: Sequence[RunStep]) -> str:
    tests = [step for step in steps if step.action == Action.TEST and step.outcome in {Outcome.DONE, Outcome.FAILED}]
    counts = (
        (sum(step.passed for step in tests), "passed"),
        (sum(step.failed for step in tests), "**failed**"),
        (sum(len(step.skipped) for step in tests), "skipped"),
    )
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _format_state(steps: Sequence[RunStep]) -> str:
    """What happened to a node: the worst of its steps, else what was made; a node without steps is cached."""
    for outcome, word in _BAD.items():
        if any(step.outcome == outcome for step in steps):
            return word
    done = {step.action for step in steps if step.outcome == Outcome.DONE}
    return next((word for action, word in _MADE.items() if action in done), "cached")


def _format_failure(step: RunStep, tail: Sequence[str]) -> list[str]:
    """HTML, because what a log holds must not be read as Markdown; a blank line ends neither ``pre`` nor the block."""
    text = html.escape("\n".join(step.details or tail))
    title = html.escape(_CONTROL.sub(" ", f"{step.id}: {step.note}"))
    block = ["", f"<pre>{text}</pre>", ""] if text else []
    return [f"<details><summary>FAILED {title}</summary>", *block, "</details>", ""]


def _escape(text: str) -> str:
    """Plain text in a cell of a Markdown table."""
    return _MARKUP.sub(r"\\\1", html.escape(_CONTROL.sub(" ", text), quote=False))


def _format_code(text: str) -> str:
    """A reference, to be copied, in a cell of a Markdown table."""
    return f"`{_NO_REFERENCE.sub('?', text)}`"
