"""What the documentation and the help say about the command line is what the command line is."""

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

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FENCED = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?:^|\$\()(?:\.venv/bin/)?buildgraph ([^#)|;&>]+)", re.MULTILINE)


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for child_name, child in command.commands.items():
            yield from walk(child, f"{name} {child_name}")
    else:
        yield name, command


def find_commands(text: str) -> set[str]:
    """The words after ``buildgraph`` of every call in a text, also of those whose output a shell takes."""
    lines = (line.strip().removeprefix("$ ") for line in text.splitlines())
    return {found.strip() for line in lines for found in COMMAND.findall(line)}


def find_documented() -> list[str]:
    blocks = [block for file in DOCUMENTS for block in FENCED.findall(file.read_text(encoding="utf-8"))]
    return sorted(set().union(*(find_commands(block) for block in blocks)))


def parse(words: list[str]) -> None:
    """Take the words as the program would, up to calling the command; ``click.UsageError`` when it would refuse."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        _, (name, *words), _ = command.make_parser(click.Context(command)).parse_args(words)
        command = command.commands[name]
    context = command.make_context(command.name, words, resilient_parsing=False)
    assert not context.args


@pytest.mark.parametrize(("name", "command"), list(walk(cli, "buildgraph")))
def test_every_command_has_help_and_an_example(name: str, command: click.Command) -> None:
    assert command.help
    assert command.epilog is not None
    examples = find_commands(command.epilog)
    assert any(f"buildgraph {example}".startswith(name) for example in examples)
    for example in examples:
        parse(shlex.split(example))


@pytest.mark.parametrize("line", find_documented())
def test_every_documented_command_is_one(line: str) -> None:
    parse(shlex.split(line))


@pytest.mark.parametrize("line", ["bild all", "build all --quick", "lock --update", "engine start"])
def test_what_the_program_would_refuse_does_not_pass_as_documented(line: str) -> None:
    with pytest.raises((click.UsageError, KeyError)):
        parse(shlex.split(line))


def test_the_documentation_names_commands() -> None:
    assert len(find_documented()) >= 10


def test_the_table_of_exit_codes_is_complete() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]
    with click.Context(cli) as context:
        said = cli.get_help(context)
    for code in ExitCode:
        assert code.meaning in said
