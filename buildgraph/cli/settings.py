"""The ``config`` group: what the network is like from here, as far as it is known."""

from __future__ import annotations

import click

from buildgraph.cli.context import Context, pass_context, print_json
from buildgraph.cli.options import examples, json_option


@click.group(epilog=examples("buildgraph config show --origin"))
def config() -> None:
    """Look at settings: mirrors, credentials, certificates."""


@config.command("show", epilog=examples("buildgraph config show", "buildgraph config show --json"))
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@json_option
@pass_context
def show(context: Context, *, origin: bool, as_json: bool) -> None:
    """Print the settings in force; passwords and user names only as ***. Connects to nothing."""
    from buildgraph.app.settings import load_settings

    entries = load_settings(context.environ).entries
    if as_json:
        print_json([{"name": entry.name, "value": entry.value, "origin": entry.origin} for entry in entries])
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        source = f"  # {entry.origin or 'nothing was said'}" if origin else ""
        click.echo(f"{entry.name.ljust(width)}  {entry.value or '-'}{source}")


COMMANDS = (config,)
