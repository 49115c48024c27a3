"""``completion``: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import click

from buildgraph.cli.options import examples

SHELLS = ("bash", "zsh", "fish")


@click.command(epilog=examples('eval "$(buildgraph completion bash)"', "buildgraph completion fish"))
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and the names of the project's nodes."""
    from click.shell_completion import get_completion_class

    program = context.find_root()
    class_ = get_completion_class(shell)
    assert class_ is not None
    name = program.info_name or "buildgraph"
    click.echo(class_(program.command, {}, name, f"_{name.upper()}_COMPLETE").source(), nl=False)


COMMANDS = (completion,)
