"""The ``engine`` group: a Docker engine where there is none."""

from __future__ import annotations

import sys

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable
from buildgraph.cli.options import examples, json_option
from buildgraph.errors import ExitCode


@click.group(epilog=examples("buildgraph engine up", 'eval "$(buildgraph engine env)"', "buildgraph engine down"))
def engine() -> None:
    """Use the Docker engine that answers, or bring one up where there is none."""


@engine.command("up", epilog=examples("buildgraph engine up"))
@pass_context
def engine_up(context: Context) -> None:
    """Make an engine answer; does nothing when one does."""
    from buildgraph.app.engines import bring_up

    with stoppable() as cancel:
        click.echo(bring_up(context.environ, say=say, cancel=cancel))


@engine.command("down", epilog=examples("buildgraph engine down"))
def engine_down() -> None:
    """End the engine that ``up`` started, and no other. Its images stay for the next ``up``."""
    from buildgraph.app.engines import take_down

    take_down(say=say)


@engine.command("status", epilog=examples("buildgraph engine status --json"))
@json_option
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


@engine.command("env", epilog=examples('eval "$(buildgraph engine env)"'))
def engine_env() -> None:
    """Print shell lines that lead docker commands to the engine."""
    from buildgraph.app.engines import export_lines

    click.echo("\n".join(export_lines()))


COMMANDS = (engine,)
