"""Commands that write what is committed: ``lock``, ``pin``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import Context, checking, pass_context, print_json, say, stoppable
from buildgraph.cli.names import complete_locked
from buildgraph.cli.options import examples, json_option, targets_argument
from buildgraph.errors import ExitCode

if TYPE_CHECKING:
    from buildgraph.app.locking import Locked


@click.command(
    epilog=examples(
        "buildgraph lock",
        "buildgraph lock --check",
        "buildgraph lock --update os",
        "buildgraph lock --update postgresql=42.7.13",
        "buildgraph lock --update os --output /tmp/today.lock",
    )
)
@click.option("--check", is_flag=True, help="Only compare with the manifests; exit 4 when out of date.")
@click.option(
    "--update",
    multiple=True,
    metavar="NAME[=VERSION]",
    help="Resolve these anew; repeatable, globs allowed.",
    shell_complete=complete_locked,
)
@click.option("--output", help="Write another file than the lock that is read.")
@json_option
@pass_context
def lock(context: Context, *, check: bool, update: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Resolve every source that is not locked yet: version, sha256, size, licence."""
    from buildgraph.app.equipment import make_resolver
    from buildgraph.app.locking import check_lock, parse_update, update_lock

    session = context.session
    if check:
        with checking(f"{session.lock_file} is up to date", as_json=as_json):
            for line in check_lock(session):
                say(f"unlocked: {line}")
        return
    updates, output = [parse_update(text) for text in update], output or session.lock_file
    with stoppable() as cancel, make_resolver(session, cancel=cancel) as resolver:
        done = update_lock(session, resolver, updates, output=output, say=say, cancel=cancel)
    if as_json:
        print_json({"resolved": done.resolved, "file": output, "unlocked": list(done.unlocked)})
    else:
        click.echo(f"{done.resolved} sources resolved; {output} is up to date")
    sys.exit(tell_locked(done))


def tell_locked(done: Locked) -> ExitCode:
    """Name what could not be locked; how a command ends that was to lock everything."""
    for line in done.unlocked:
        say(f"unlocked: {line}")
    return ExitCode.OK if done.is_done else ExitCode.FAILED


@click.command(
    epilog=examples("buildgraph pin", "buildgraph pin spark-4.1", "buildgraph pin --dry-run", "buildgraph pin --check")
)
@targets_argument
@click.option("--check", is_flag=True, help="Compare only, by key; needs no store and no engine; exit 4 when stale.")
@click.option("--dry-run", is_flag=True, help="Print the diff, write nothing.")
@json_option
@pass_context
def pin(context: Context, patterns: tuple[str, ...], *, check: bool, dry_run: bool, as_json: bool) -> None:
    """Write the digests of tested images into the ledger and the charts' files.

    With targets only these move, and all others stay pinned to what they were.
    An image whose sources cannot be had is pinned by its tag, without a digest, and named.
    """
    from buildgraph.app.pinning import check_pins, describe_unlocked, find_pin_changes, write_changes
    from buildgraph.pin import diff

    if check and patterns:
        raise click.UsageError("--check is about all pins; leave the targets out.")
    session = context.session
    for line in describe_unlocked(session):
        say(f"note: {line}")
    if check:
        with checking("charts and ledger are up to date", as_json=as_json):
            check_pins(session)
        return
    changes = find_pin_changes(session, patterns)
    if not dry_run:
        write_changes(session, changes)
    if as_json:
        print_json({"changed": [change.file for change in changes]})
    elif dry_run:
        click.echo("".join(diff(change.old, change.new, change.file) for change in changes), nl=False)
    else:
        click.echo("\n".join(f"wrote {change.file}" for change in changes) or "charts and ledger are up to date")


COMMANDS = (lock, pin)
