"""The command group and its commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from buildgraph import __version__
from buildgraph.cli.context import Context, checking, pass_context, print_json, reported_errors, say, stoppable
from buildgraph.errors import ExitCode

if TYPE_CHECKING:
    from buildgraph.app.planning import Planned
    from buildgraph.report import Result

EXIT_CODES = "\n".join(f"  {code.value:<4} {code.meaning}" for code in ExitCode)


def _examples(*lines: str) -> str:
    """An epilog of commands, kept line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nExit codes:\n{EXIT_CODES}",
)
@click.version_option(__version__, prog_name="buildgraph")
@click.option("-C", "directory", type=click.Path(path_type=Path), default=Path(), help="The project's folder.")
@click.option(
    "--store", type=click.Path(path_type=Path), envvar="BUILDGRAPH_STORE", help="Where layers and records are kept."
)
@click.option("--lock", "lock_file", envvar="BUILDGRAPH_LOCK", help="Another lock than manifests/buildgraph.lock.")
@click.pass_context
def cli(context: click.Context, directory: Path, store: Path | None, lock_file: str | None) -> None:
    """Build families of Docker images from layers that are built once, tested, and pinned by digest."""
    context.obj = Context(directory, store.absolute() if store else None, lock_file)


def main() -> None:
    """Run the program; every error ends in one line and its exit code."""
    with reported_errors():
        cli.main(prog_name="buildgraph")


_targets = click.argument("patterns", nargs=-1, metavar="[TARGET]...")
_target_option = click.option("--target", "-t", "more", multiple=True, help="A node, alias, group or glob; repeatable.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
_progress = click.option(
    "--progress", type=click.Choice(["auto", "rich", "plain", "quiet"]), default="auto", help="How a run is shown."
)
_jobs = click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Workers beside downloads; default: processors.")


@cli.command(
    epilog=_examples(
        "buildgraph build --target spark-4.1-gpu",
        "buildgraph build jdbc-drivers --no-load",
        "buildgraph build all --jobs 4 --progress plain",
        "buildgraph build --target spark-4.1 --force jdk-17",
    )
)
@_targets
@_target_option
@_jobs
@click.option("--fail-fast", is_flag=True, help="Start nothing more after the first failure.")
@click.option("--no-test", is_flag=True, help="Build and compose only; nothing of it can be pinned.")
@click.option("--no-load", is_flag=True, help="Leave the images out of the engine.")
@click.option("--force", multiple=True, metavar="TARGET", help="Make these again; repeatable.")
@click.option("--keep-sources", is_flag=True, help="Keep downloads after the layers that hold them are made.")
@_progress
@_json
@pass_context
def build(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    jobs: int | None,
    *,
    fail_fast: bool,
    no_test: bool,
    no_load: bool,
    force: tuple[str, ...],
    keep_sources: bool,
    progress: str,
    as_json: bool,
) -> None:
    """Build and test the targets and all that they need, and load the images into Docker.

    Nothing is done for what the store already holds with the same inputs. A failed node blocks only what needs it.
    """
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes

    planned = plan_targets(
        context.session,
        _pick(patterns, more),
        wishes=Wishes(test=not no_test, load=not no_load),
        force=force,
    )
    _carry_out(
        context, planned, jobs, fail_fast=fail_fast, keep_sources=keep_sources, progress=progress, as_json=as_json
    )


@cli.command(epilog=_examples("buildgraph test spark-4.1-gpu", "buildgraph test jdbc-drivers --again"))
@_targets
@_target_option
@_jobs
@click.option("--again", is_flag=True, help="Run the tests even where a pass is recorded.")
@_progress
@_json
@pass_context
def test(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    jobs: int | None,
    *,
    again: bool,
    progress: str,
    as_json: bool,
) -> None:
    """Run the tests of the targets and of what they are made of; whatever is not built yet is built first."""
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes

    wishes = Wishes(load=False, retest=again)
    planned = plan_targets(context.session, _pick(patterns, more), wishes=wishes)
    _carry_out(context, planned, jobs, fail_fast=False, keep_sources=False, progress=progress, as_json=as_json)


@cli.command(epilog=_examples("buildgraph plan --target spark-4.1-gpu", "buildgraph plan all --json"))
@_targets
@_target_option
@click.option("--no-test", is_flag=True, help="Plan without tests.")
@click.option("--force", multiple=True, metavar="TARGET", help="Plan as if these had to be made again.")
@_json
@pass_context
def plan(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    *,
    no_test: bool,
    force: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what a build would do, and why. Asks no engine, starts nothing, writes nothing."""
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes
    from buildgraph.report import describe_plan, format_plan

    wishes = Wishes(test=not no_test)
    planned = plan_targets(context.session, _pick(patterns, more), wishes=wishes, force=force)
    if as_json:
        print_json({"steps": describe_plan(planned.plan, planned.keys, planned.records)})
    else:
        click.echo(format_plan(planned.plan))


@cli.command("list", epilog=_examples("buildgraph list", "buildgraph list spark --json"))
@_targets
@_json
@pass_context
def list_nodes(context: Context, patterns: tuple[str, ...], *, as_json: bool) -> None:
    """List nodes by stage: kind, digest, size, aliases."""
    from buildgraph.app.queries import query_nodes
    from buildgraph.report import describe_nodes, format_nodes

    found = query_nodes(context.session, patterns or ("*",), with_needs=False)
    catalogue = context.session.catalogue
    if as_json:
        print_json({"nodes": describe_nodes(catalogue, found.names, found.keys, found.records)})
    else:
        click.echo(format_nodes(catalogue, found.names, found.keys, found.records))


@cli.command(epilog=_examples("buildgraph graph spark-4.1-gpu", "buildgraph graph all --json"))
@_targets
@_json
@pass_context
def graph(context: Context, patterns: tuple[str, ...], *, as_json: bool) -> None:
    """Show what the targets are made of, as an indented tree."""
    from buildgraph.app.queries import query_nodes
    from buildgraph.report import describe_nodes, format_graph

    found = query_nodes(context.session, patterns or ("*",), with_needs=True)
    catalogue = context.session.catalogue
    if as_json:
        nodes = describe_nodes(catalogue, found.names, found.keys, found.records)
        edges = [{"from": parent, "to": name} for name in found.names for parent in catalogue.nodes[name].reads]
        print_json({"nodes": nodes, "edges": edges})
    else:
        click.echo(format_graph(catalogue, found.names))


@cli.command(epilog=_examples("buildgraph load spark-4.1-gpu"))
@_targets
@_target_option
@_json
@pass_context
def load(context: Context, patterns: tuple[str, ...], more: tuple[str, ...], *, as_json: bool) -> None:
    """Put images that are built and tested into Docker (again); only layers that it lacks are sent."""
    from buildgraph.app.building import load_images
    from buildgraph.app.planning import plan_targets
    from buildgraph.errors import BuildFailure
    from buildgraph.plan import Wishes

    targets = _pick(patterns, more)
    planned = plan_targets(context.session, targets, wishes=Wishes(load=False))
    if planned.plan.steps:
        lacking = ", ".join(dict.fromkeys(step.node for step in planned.plan.steps))
        raise BuildFailure(f"not built and tested: {lacking}", hint=f"run: buildgraph build {' '.join(targets)}")
    with stoppable() as cancel:
        references = load_images(context.session, planned, cancel=cancel)
    if as_json:
        print_json({"loaded": list(references)})
    else:
        click.echo("\n".join(references))


@cli.command(
    epilog=_examples(
        "buildgraph lock",
        "buildgraph lock --check",
        "buildgraph lock --update os",
        "buildgraph lock --update postgresql=42.7.13",
        "buildgraph lock --update os --output /tmp/today.lock",
    )
)
@click.option("--check", is_flag=True, help="Only compare with the manifests; exit 4 when out of date.")
@click.option(
    "--update", multiple=True, metavar="NAME[=VERSION]", help="Resolve these anew; repeatable, globs allowed."
)
@click.option("--output", help="Write another file than the lock that is read.")
@_json
@pass_context
def lock(context: Context, *, check: bool, update: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Resolve every source that is not locked yet: version, sha256, size, licence."""
    from buildgraph.app.equipment import make_resolver
    from buildgraph.app.locking import check_lock, parse_update, update_lock

    session = context.session
    if check:
        with checking(f"{session.lock_file} is up to date", as_json=as_json):
            check_lock(session)
        return
    updates, output = [parse_update(text) for text in update], output or session.lock_file
    with stoppable() as cancel, make_resolver(session, cancel=cancel) as resolver:
        count = update_lock(session, resolver, updates, output=output, say=say, cancel=cancel)
    if as_json:
        print_json({"resolved": count, "file": output})
    else:
        click.echo(f"{count} sources resolved; {output} is up to date")


@cli.command(epilog=_examples("buildgraph pin", "buildgraph pin --dry-run", "buildgraph pin --check"))
@click.option("--check", is_flag=True, help="Compare only, by key; needs no store and no engine; exit 4 when stale.")
@click.option("--dry-run", is_flag=True, help="Print the diff, write nothing.")
@_json
@pass_context
def pin(context: Context, *, check: bool, dry_run: bool, as_json: bool) -> None:
    """Write the digests of tested images into the ledger and the charts' values files."""
    from buildgraph.app.pinning import check_pins, find_pin_changes, write_changes
    from buildgraph.pin import diff

    session = context.session
    if check:
        with checking("charts and ledger are up to date", as_json=as_json):
            check_pins(session)
        return
    changes = find_pin_changes(session)
    if not dry_run:
        write_changes(session, changes)
    if as_json:
        print_json({"changed": [change.file for change in changes]})
    elif dry_run:
        click.echo("".join(diff(change.old, change.new, change.file) for change in changes), nl=False)
    else:
        click.echo("\n".join(f"wrote {change.file}" for change in changes) or "charts and ledger are up to date")


@cli.group(epilog=_examples("buildgraph engine up", 'eval "$(buildgraph engine env)"', "buildgraph engine down"))
def engine() -> None:
    """Use the Docker engine that answers, or bring one up where there is none."""


@engine.command("up", epilog=_examples("buildgraph engine up"))
def engine_up() -> None:
    """Make an engine answer; does nothing when one does."""
    from buildgraph.app.engines import bring_up

    with stoppable() as cancel:
        click.echo(bring_up(say=say, cancel=cancel))


@engine.command("down", epilog=_examples("buildgraph engine down"))
def engine_down() -> None:
    """End the engine that ``up`` started, and no other. Its images stay for the next ``up``."""
    from buildgraph.app.engines import take_down

    take_down(say=say)


@engine.command("status", epilog=_examples("buildgraph engine status --json"))
@_json
def engine_status(*, as_json: bool) -> None:
    """Say which engine answers; exit 3 when none does."""
    from buildgraph.app.engines import describe_engine

    document = describe_engine()
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in document.items()))
    if not document["running"]:
        sys.exit(ExitCode.ENVIRONMENT)


@engine.command("env", epilog=_examples('eval "$(buildgraph engine env)"'))
def engine_env() -> None:
    """Print shell lines that lead docker commands to the engine."""
    from buildgraph.app.engines import export_lines

    click.echo("\n".join(export_lines()))


def _pick(patterns: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    targets = (*patterns, *more)
    if not targets:
        raise click.UsageError("Name a target: a node, an alias, a group or a glob (see: buildgraph list).")
    return targets


def _carry_out(
    context: Context,
    planned: Planned,
    jobs: int | None,
    *,
    fail_fast: bool,
    keep_sources: bool,
    progress: str,
    as_json: bool,
) -> None:
    from buildgraph.report import describe_plan, format_plan

    if not planned.plan.steps:
        if as_json:
            print_json({"run": None, "seconds": 0, "steps": describe_plan(planned.plan, planned.keys, planned.records)})
        else:
            click.echo(format_plan(planned.plan))
        return
    from buildgraph.app.building import RunOptions, run_plan, show_run

    options = RunOptions(jobs=jobs, fail_fast=fail_fast, keep_sources=keep_sources)
    with stoppable() as cancel, show_run(progress) as emit:
        result, records = run_plan(context.session, planned, options, emit=emit, cancel=cancel)
    if as_json:
        from buildgraph.report import describe_result

        print_json(describe_result(result, planned.plan, planned.keys, records))
    _conclude(result, planned, as_json=as_json)


def _conclude(result: Result, planned: Planned, *, as_json: bool) -> None:
    """The summary, then, last on the screen, what failed."""
    from buildgraph.app.building import read_tails
    from buildgraph.report import format_failures, format_summary

    summary = format_summary(result, planned.plan)
    if as_json:
        say(summary)
    else:
        click.echo(summary)
    if result.failed:
        say(format_failures(result, read_tails(result)))
    if result.is_interrupted:
        say("interrupted; what was finished is kept")
    sys.exit(result.exit_code)
