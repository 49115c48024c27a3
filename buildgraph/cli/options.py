"""Options and arguments that several commands take, each written once."""

from __future__ import annotations

import click


def examples(*lines: str) -> str:
    """An epilog of commands, kept line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


targets_argument = click.argument("patterns", nargs=-1, metavar="[TARGET]...")
target_option = click.option("--target", "-t", "more", multiple=True, help="A node, alias, group or glob; repeatable.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
progress_option = click.option(
    "--progress", type=click.Choice(["auto", "rich", "plain", "quiet"]), default="auto", help="How a run is shown."
)
jobs_option = click.option(
    "--jobs", "-j", type=click.IntRange(1, 256), help="Workers beside downloads; default: processors."
)


def pick_targets(patterns: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """The targets that a command was given, at least one."""
    targets = (*patterns, *more)
    if not targets:
        raise click.UsageError("Name a target: a node, an alias, a group or a glob (see: buildgraph list).")
    return targets
