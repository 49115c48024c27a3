"""Commands that look back: ``why``, ``logs``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import Context, pass_context, print_json, say
from buildgraph.cli.names import complete_node, complete_target
from buildgraph.cli.options import examples, json_option

if TYPE_CHECKING:
    from buildgraph.app.runs import KeptRun, StepLog

RUNS_COMPARED = 2


@click.command(
    epilog=examples(
        "buildgraph why spark-4.1-gpu",
        "buildgraph why jdbc-drivers --json",
        "buildgraph why spark-4.1-gpu --force jdk-17",
        "buildgraph why spark-4.1-gpu --run last",
        "buildgraph why jdbc-drivers --run 20261124-1235 --run last",
    )
)
@click.argument("node", shell_complete=complete_node)
@click.option(
    "--force",
    multiple=True,
    metavar="TARGET",
    help="Explain as if these had to be made again.",
    shell_complete=complete_target,
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="RUN",
    help="Compare this run with the one before it, or, given twice, two runs: the beginning of an id, or last.",
)
@json_option
@pass_context
def why(context: Context, node: str, *, force: tuple[str, ...], runs: tuple[str, ...], as_json: bool) -> None:
    """Say what a build would do for NODE, and which changed input it comes from; or what moved between two runs."""
    from buildgraph.reasons import describe_explanation, format_explanation

    if runs and force:
        raise click.UsageError("--force asks about the next run and --run about earlier ones; use one of them.")
    if len(runs) > RUNS_COMPARED:
        raise click.UsageError("--run can be given once or twice.")
    if runs:
        from buildgraph.app.comparing import explain_runs

        explanation = explain_runs(context.session, node, runs)
    else:
        from buildgraph.app.explaining import explain_node

        explanation = explain_node(context.session, node, force=force)
    if as_json:
        print_json(describe_explanation(explanation))
    else:
        click.echo(format_explanation(explanation))


@click.command(
    epilog=examples(
        "buildgraph logs",
        "buildgraph logs jdk-17",
        "buildgraph logs jdk-17 --step test --run last",
        "less $(buildgraph logs jdk-17 --step build --path)",
    )
)
@click.argument("node", required=False, shell_complete=complete_node)
@click.option("--run", metavar="RUN", help="Of this run: the beginning of its id, or last.")
@click.option("--step", type=click.Choice(["build", "test"]), help="Only the log of this step.")
@click.option("--path", "only_path", is_flag=True, help="Print where the logs lie.")
@json_option
@pass_context
def logs(
    context: Context, node: str | None, *, run: str | None, step: str | None, only_path: bool, as_json: bool
) -> None:
    """List the kept runs; or print the newest logs of NODE."""
    from buildgraph.app.runs import find_run, open_runs

    runs = open_runs(context.store, os.environ)
    if node is None:
        if step or only_path:
            raise click.UsageError("Name a node, too.")
        _show_runs((find_run(runs, run),) if run else runs, as_json=as_json)
        return
    _show_logs(_find_logs(context, runs, node, run=run, step=step), only_path=only_path, as_json=as_json)


def _find_logs(
    context: Context, runs: tuple[KeptRun, ...], node: str, *, run: str | None, step: str | None
) -> tuple[StepLog, ...]:
    from buildgraph.app.runs import LAST, find_logs, find_run
    from buildgraph.errors import UsageError
    from buildgraph.graph import find_target

    steps = (step,) if step else ("build", "compose", "test")
    if not any(find_logs((kept,), node, steps) for kept in runs):
        node = find_target(context.session.catalogue, node)
    if run:
        having = tuple(kept for kept in runs if find_logs((kept,), node, steps))
        runs = (find_run(having if run == LAST and having else runs, run),)
    found = find_logs(runs, node, steps)
    if not found:
        of = f" of the run {runs[0].name}" if run else ""
        raise UsageError(f"no log of {node} is kept{of}", hint="see: buildgraph logs")
    return found


def _show_logs(found: tuple[StepLog, ...], *, only_path: bool, as_json: bool) -> None:
    from buildgraph.app.runs import describe_log, read_log

    if as_json:
        print_json({"logs": [describe_log(log) for log in found]})
        return
    if only_path:
        _show_paths(found)
        return
    for log in found:
        say(f"-- {log.step} of {log.run}: {log.outcome or 'unfinished'}")
        for text in read_log(log):
            click.echo(text, nl=False)


def _show_paths(found: tuple[StepLog, ...]) -> None:
    from buildgraph.errors import UsageError

    paths = [str(log.path) for log in found if log.is_file]
    if not paths:
        raise UsageError(f"{found[0].step} left no log in the run {found[0].run}", hint="ask without --path")
    click.echo("\n".join(paths))


def _show_runs(runs: tuple[KeptRun, ...], *, as_json: bool) -> None:
    from buildgraph.app.runs import describe_run, format_runs

    if as_json:
        print_json({"runs": [describe_run(kept) for kept in runs]})
    elif runs:
        click.echo(format_runs(runs))
    else:
        say("no run is kept")


COMMANDS = (why, logs)
