"""Commands that look after store and machine: ``verify``, ``gc``, ``doctor``."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable
from buildgraph.cli.options import examples, json_option
from buildgraph.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.app.auditing import Audit
    from buildgraph.app.cleaning import Clearing
    from buildgraph.app.diagnosis import Check
    from buildgraph.app.mending import Repair
    from buildgraph.audit import Finding
    from buildgraph.ports import Progress

_TOLD_FROM = 500_000_000
"""Bytes from which on the progress of reading is shown."""
_TENTHS = 10
_GROUPED = 3
"""So many files with the same fate are shown one by one; more of them as a sum."""


@click.command(epilog=examples("buildgraph verify", "buildgraph verify --repair", "buildgraph verify --json"))
@click.option("--repair", is_flag=True, help="Put aside what is damaged, remove what leads nowhere, remake the rest.")
@json_option
@pass_context
def verify(context: Context, *, repair: bool, as_json: bool) -> None:
    """Read the whole store and compare every file with what it should hold; exit 1 when something is wrong."""
    from buildgraph.adapters.store import LayoutStore
    from buildgraph.app.auditing import audit_store
    from buildgraph.app.mending import repair_store
    from buildgraph.app.session import find_store

    store = LayoutStore(context.store or find_store(dict(os.environ)))
    repaired: Repair | None = None
    with stoppable() as cancel:
        if repair:
            repaired = repair_store(store, progress=_tell_progress(), cancel=cancel)
            audit = repaired.after
        else:
            audit = audit_store(store, progress=_tell_progress(), cancel=cancel)
    if as_json:
        print_json({"store": str(store.root), **_describe_audit(audit), **_describe_repair(repaired)})
    else:
        click.echo("\n".join([*_repair_lines(repaired), *_audit_lines(audit)]))
    if audit.wrong:
        if not repair:
            say("run: buildgraph verify --repair")
        sys.exit(ExitCode.FAILED)


@click.command(epilog=examples("buildgraph gc --dry-run", "buildgraph gc", "buildgraph gc --yes --keep-runs 10"))
@click.option("--dry-run", is_flag=True, help="Only say what would be removed, and why.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option(
    "--keep-runs", type=click.IntRange(0), default=50, show_default=True, help="How many runs' logs and reports stay."
)
@json_option
@pass_context
def gc(context: Context, *, dry_run: bool, yes: bool, keep_runs: int, as_json: bool) -> None:
    """Remove what nothing needs: neither the catalogue as it is, nor the ledger, the newest records or the index."""
    from buildgraph.app.cleaning import clear, plan_clearing

    if not (dry_run or yes or sys.stdin.isatty()):
        raise click.UsageError("There is no terminal to ask on; add --yes to remove, or --dry-run to look.")
    now = time.time()
    planned = plan_clearing(context.session, keep_runs=keep_runs, now=now)
    if not as_json:
        click.echo(_format_clearing(planned))
    if dry_run or not planned.garbage or not (yes or click.confirm("Remove this?", err=True)):
        if as_json:
            print_json(_describe_clearing(planned, removed=False))
        return
    removed = clear(context.session, planned, keep_runs=keep_runs, now=now)
    if as_json:
        print_json(_describe_clearing(removed, removed=True))
    else:
        click.echo(f"removed {len(removed.garbage)} items, {removed.size / 1e6:.1f} MB")


@click.command(epilog=examples("buildgraph doctor", "buildgraph doctor --json"))
@json_option
@pass_context
def doctor(context: Context, *, as_json: bool) -> None:
    """Check what a build needs from this machine and say what to do; exit 3 when something is in the way."""
    from buildgraph.app.diagnosis import examine, find_failures
    from buildgraph.app.symptoms import list_probes

    probes = list_probes(context.directory, store=context.store, lock_file=context.lock_file, environ=dict(os.environ))
    checks = examine(probes)
    if as_json:
        print_json({"checks": [_describe_check(check) for check in checks]})
    else:
        click.echo("\n".join(_format_check(check) for check in checks))
    if any(find_failures(checks)):
        sys.exit(ExitCode.ENVIRONMENT)


def _tell_progress() -> Progress:
    """A line for each tenth of a large store."""
    told = 0

    def tell(done: int, total: int | None) -> None:
        nonlocal told
        tenth = _TENTHS * done // total if total else 0
        if total and total >= _TOLD_FROM and tenth > told:
            told = tenth
            say(f"read {done / 1e9:.1f} of {total / 1e9:.1f} GB")

    return tell


def _audit_lines(audit: Audit) -> list[str]:
    lines = [f"{finding.kind:<10} {finding.path}: {finding.what}" for finding in audit.wrong]
    orphans = [(finding.path, finding.size, finding.what) for finding in audit.findings[len(audit.wrong) :]]
    lines += [f"{'orphan':<10} {line}" for line in _group(orphans)]
    counts = Counter(finding.kind.value for finding in audit.findings)
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing wrong"
    return [*lines, f"{audit.files} files, {audit.size / 1e6:.1f} MB: {found}"]


def _group(items: list[tuple[str, int, str]]) -> Iterator[str]:
    """Lines for paths with sizes in bytes and what is said of each; many with the same words become a sum."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for path, size, what in items:
        groups.setdefault(what, []).append((path, size))
    for what, group in groups.items():
        if len(group) > _GROUPED:
            yield f"{len(group)} files, {sum(size for _, size in group) / 1e6:.2f} MB: {what}"
        else:
            yield from (f"{path}, {size / 1e6:.2f} MB: {what}" for path, size in group)


def _repair_lines(repaired: Repair | None) -> list[str]:
    if repaired is None:
        return []
    lines = []
    for remedy in dict.fromkeys(finding.remedy for finding in repaired.done):
        items = [(finding.path, finding.size, finding.what) for finding in repaired.done if finding.remedy is remedy]
        lines += [f"{remedy}: {line}" for line in _group(items)]
    return lines + [f"cannot be repaired: {finding.path}: {reason}" for finding, reason in repaired.refused]


def _describe_audit(audit: Audit) -> dict[str, object]:
    return {
        "files": audit.files,
        "bytes": audit.size,
        "clean": not audit.wrong,
        "findings": [_describe_finding(finding) for finding in audit.findings],
    }


def _describe_repair(repaired: Repair | None) -> dict[str, object]:
    if repaired is None:
        return {}
    return {
        "done": [_describe_finding(finding) for finding in repaired.done],
        "refused": [{**_describe_finding(finding), "reason": reason} for finding, reason in repaired.refused],
    }


def _describe_finding(finding: Finding) -> dict[str, object]:
    return {
        "class": finding.kind.value,
        "path": finding.path,
        "what": finding.what,
        "remedy": finding.remedy.value,
        "bytes": finding.size,
    }


def _format_clearing(planned: Clearing) -> str:
    lines = []
    for sort in dict.fromkeys(item.sort for item in planned.garbage):
        items = [(item.path, item.size, item.why) for item in planned.garbage if item.sort is sort]
        lines += [f"{sort:<12} {line}" for line in _group(items)]
    if not planned.is_alone:
        lines.append("the store is in use, or cannot be written: only what no run reads is listed; try again later")
    lines.append(f"{len(planned.garbage)} items, {planned.size / 1e6:.1f} MB; {planned.kept / 1e6:.1f} MB stay")
    return "\n".join(lines)


def _describe_clearing(planned: Clearing, *, removed: bool) -> dict[str, object]:
    return {
        "removed": removed,
        "in_use": not planned.is_alone,
        "bytes": planned.size,
        "kept_bytes": planned.kept,
        "items": [
            {"sort": item.sort.value, "path": item.path, "bytes": item.size, "why": item.why}
            for item in planned.garbage
        ],
    }


def _format_check(check: Check) -> str:
    return f"{check.status:<5} {check.name:<13} {check.text}" + (f"; {check.hint}" if check.hint else "")


def _describe_check(check: Check) -> dict[str, str]:
    return {"name": check.name, "status": check.status.value, "text": check.text, "hint": check.hint}


COMMANDS = (verify, gc, doctor)
