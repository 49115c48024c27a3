"""The commands below ``charts``."""

from __future__ import annotations

import click

from buildgraph.cli.documenting import docs


@click.group()
def charts() -> None:
    """What is made of the Helm charts, and for them."""


charts.add_command(docs)

COMMANDS = (charts,)
