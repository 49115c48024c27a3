"""The command group; its commands stand in the modules beside this one."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from buildgraph import __version__
from buildgraph.cli import (
    bills,
    browsing,
    building,
    charts,
    clusters,
    completion,
    engines,
    explaining,
    pinning,
    pushing,
    reporting,
    schemas,
    settings,
    starting,
    support,
    upkeep,
)
from buildgraph.cli.context import Context, reported_errors, terminable
from buildgraph.errors import ExitCode, Interrupted

# Nearly all that a command makes is kept to its end; at Python's own threshold it would be looked through all the time.
GARBAGE_THRESHOLD = 50_000
EXIT_CODES = "\n".join(f"  {code.value:<4} {code.meaning}" for code in ExitCode)


class Program(click.Group):
    """Ctrl-C outside a run ends like one within: by itself click would end it as a failed node does."""

    def invoke(self, context: click.Context) -> None:
        """Run the command."""
        try:
            super().invoke(context)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nExit codes:\n{EXIT_CODES}",
)
@click.version_option(__version__, prog_name="buildgraph")
@click.option("-C", "directory", type=click.Path(path_type=Path), default=Path(), help="The project's folder.")
@click.option(
    "--store", type=click.Path(path_type=Path), envvar="BUILDGRAPH_STORE", help="Where layers and records are kept."
)
@click.option("--lock", "lock_file", envvar="BUILDGRAPH_LOCK", help="Another lock than manifests/buildgraph.lock.")
@click.option("--offline", is_flag=True, help="Connect to nothing; what needs the network fails at once.")
@click.pass_context
def cli(context: click.Context, directory: Path, store: Path | None, lock_file: str | None, *, offline: bool) -> None:
    """Build families of Docker images from layers that are built once, tested, and pinned by digest."""
    context.obj = Context(directory, store.absolute() if store else None, lock_file, offline)


for module in (
    starting,
    building,
    browsing,
    bills,
    explaining,
    pinning,
    pushing,
    charts,
    reporting,
    completion,
    engines,
    clusters,
    schemas,
    settings,
    support,
    upkeep,
):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the program; every error ends in one line and its exit code."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    with reported_errors(), terminable():
        cli.main(prog_name="buildgraph")
