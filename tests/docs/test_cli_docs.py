"""What the README says about the command line is what the command line is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from buildgraph.cli.main import cli
from buildgraph.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FENCED = re.findall(r"```(?:sh|console)\n(.*?)```", README, re.DOTALL)


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for child_name, child in command.commands.items():
            yield from walk(child, f"{name} {child_name}")
    else:
        yield name, command


def find_commands() -> list[str]:
    lines = [line.split("#")[0].strip().removeprefix("$ ") for block in FENCED for line in block.splitlines()]
    return sorted({line for line in lines if re.match(r"(\.venv/bin/)?buildgraph ", line)})


@pytest.mark.parametrize(("name", "command"), list(walk(cli, "buildgraph")))
def test_every_command_has_help_and_an_example(name: str, command: click.Command) -> None:
    assert command.help
    assert command.epilog is not None
    assert name in command.epilog


@pytest.mark.parametrize("line", find_commands())
def test_every_command_of_the_readme_is_one(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    context = command.make_context(command.name, words, resilient_parsing=False)
    assert not context.args


def test_the_readme_names_commands() -> None:
    assert len(find_commands()) >= 10


def test_the_table_of_exit_codes_is_complete() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]
    with click.Context(cli) as context:
        said = cli.get_help(context)
    for code in ExitCode:
        assert code.meaning in said
