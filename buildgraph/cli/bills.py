"""Commands that say what is in a node: ``sbom``, ``licences``."""

from __future__ import annotations

from pathlib import Path

import click

from buildgraph.cli.context import Context, pass_context, print_json, save_text, uses_store
from buildgraph.cli.names import complete_target
from buildgraph.cli.options import examples, json_option

target_argument = click.argument("target", metavar="NODE", shell_complete=complete_target)


@click.command(epilog=examples("buildgraph sbom spark-4.1-gpu", "buildgraph sbom spark-4.1 --output spark.cdx.json"))
@target_argument
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file, not to standard output.")
@click.option(
    "--format", "form", type=click.Choice(["cyclonedx"]), default="cyclonedx", help="The format: CycloneDX 1.6, JSON."
)
@pass_context
@uses_store
def sbom(context: Context, target: str, *, output: Path | None, form: str) -> None:
    """Say what is in a built image or layer: every package, jar and runtime, for scanners to read."""
    from buildgraph import __version__
    from buildgraph.app.billing import read_bill
    from buildgraph.bill.cyclonedx import format_cyclonedx

    formats = {"cyclonedx": format_cyclonedx}
    text = formats[form](read_bill(context.session, target), version=__version__)
    if output is None:
        click.echo(text, nl=False)
    else:
        save_text(text, output)


@click.command(epilog=examples("buildgraph licences spark-4.1-gpu", "buildgraph licences jdbc-drivers --json"))
@target_argument
@json_option
@pass_context
@uses_store
def licences(context: Context, target: str, *, as_json: bool) -> None:
    """List what is in a built node with its licence, where its text stands, and what may not be passed on freely."""
    from buildgraph.app.billing import read_bill
    from buildgraph.bill.table import describe_licences, format_licences

    bill = read_bill(context.session, target)
    if as_json:
        print_json(describe_licences(bill))
    else:
        click.echo(format_licences(bill))


COMMANDS = (sbom, licences)
