"""The command ``support``: which versions fit together."""

from __future__ import annotations

import click

from buildgraph.cli.context import Context, pass_context, print_json
from buildgraph.cli.options import examples, json_option


@click.command(epilog=examples("buildgraph support", "buildgraph support --json"))
@json_option
@pass_context
def support(context: Context, *, as_json: bool) -> None:
    """Show what manifests/support.yaml says of each component, and which images it refuses."""
    from buildgraph.report.support import describe_support, format_support
    from buildgraph.support import find_objections, find_versions

    catalogue, lock = context.session.catalogue, context.session.lock
    versions, refused = find_versions(catalogue, lock), find_objections(catalogue, lock, catalogue.nodes)
    if as_json:
        print_json(describe_support(catalogue.support, versions, refused))
    elif catalogue.support.rows:
        click.echo(format_support(catalogue.support, versions, refused))
    else:
        click.echo("there is no manifests/support.yaml: no image is refused")


COMMANDS = (support,)
