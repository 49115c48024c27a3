"""Options and arguments that several commands take, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from buildgraph.cli.names import complete_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.cli.context import Context

DEFAULT_GROUP = "default"


def examples(*lines: str) -> str:
    """An epilog of commands, kept line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


targets_argument = click.argument("patterns", nargs=-1, metavar="[TARGET]...", shell_complete=complete_target)
target_option = click.option(
    "--target",
    "-t",
    "more",
    multiple=True,
    help="A node, alias, group or glob; repeatable.",
    shell_complete=complete_target,
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_VIEW_OPTIONS = (
    click.option(
        "--progress",
        type=click.Choice(["auto", "rich", "plain", "quiet", "json"]),
        default="auto",
        envvar="BUILDGRAPH_PROGRESS",
        help="How a run is shown; json: its events as lines on standard error.",
    ),
    click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours in what is shown."
    ),
    click.option("--report", type=_OUTPUT, metavar="FILE", help="Write an HTML report of the run, also when it fails."),
    click.option("--junit", type=_OUTPUT, metavar="FILE", help="Write the run's steps and tests as JUnit XML."),
)
jobs_option = click.option(
    "--jobs", "-j", type=click.IntRange(1, 256), help="Workers beside downloads; default: processors."
)

secret_option = click.option(
    "--secret", "secrets", multiple=True, metavar="NAME=FILE", help="The value of a layer's secret; repeatable."
)


allow_unsupported_option = click.option(
    "--allow-unsupported", is_flag=True, help="Take unsupported images, too; a label on them says why they are."
)


def parse_secrets(texts: tuple[str, ...]) -> dict[str, Path]:
    """Name → file of each ``--secret``."""
    pairs = [text.partition("=") for text in texts]
    if wrong := next((number for number, (name, _, file) in enumerate(pairs, 1) if not name or not file), 0):
        # What is written may be a secret itself, so it is not repeated.
        raise click.UsageError(f"--secret number {wrong} is not of the form NAME=FILE.")
    return {name: Path(file).absolute() for name, _, file in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How a run is shown while it lasts, and the reports that are written when it has ended."""

    progress: str
    color: str
    report: Path | None
    junit: Path | None


def view_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run's view; it gets them as one ``showing``."""

    @wraps(command)
    def run(
        *args: object, progress: str, color: str, report: Path | None, junit: Path | None, **options: object
    ) -> None:
        showing = Showing(progress=progress, color=color, report=report, junit=junit)
        command(*args, showing=showing, **options)

    for option in reversed(_VIEW_OPTIONS):
        run = option(run)
    return run


def pick_targets(context: Context, patterns: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """The targets that a command was given; without any the group ``default``, where the project has one."""
    targets = (*patterns, *more)
    if targets:
        return targets
    if DEFAULT_GROUP in context.session.catalogue.groups:
        return (DEFAULT_GROUP,)
    raise click.UsageError(
        "Name a target: a node, an alias, a group or a glob (see: buildgraph list);"
        f" or give manifests/project.yaml a group called {DEFAULT_GROUP}."
    )
