"""The command ``schema``: what editors need to know about the project's files."""

from __future__ import annotations

from pathlib import Path

import click

from buildgraph.cli.context import print_json
from buildgraph.cli.options import examples

NAMES = ("layer", "image", "project", "pins", "third-party-images", "support", "licences", "ledger", "lock")


@click.command(epilog=examples("buildgraph schema layer", "buildgraph schema --output docs/schema"))
@click.argument("name", type=click.Choice(NAMES), required=False)
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write files there instead."
)
def schema(name: str | None, output: Path | None) -> None:
    """Print the JSON Schema (2020-12) of a file of the project, or of all of them by name."""
    from buildgraph.app.schemas import make_schemas, write_schemas

    schemas = make_schemas()
    if output:
        paths = write_schemas({name: schemas[name]} if name else schemas, output)
        click.echo("\n".join(map(str, paths)))
    else:
        print_json(schemas[name] if name else schemas)


COMMANDS = (schema,)
