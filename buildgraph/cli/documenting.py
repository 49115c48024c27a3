"""The command ``charts docs``."""

from __future__ import annotations

import click

from buildgraph.cli.context import Context, checking, pass_context, print_json
from buildgraph.cli.options import examples, json_option


@click.command(epilog=examples("buildgraph charts docs", "buildgraph charts docs --check"))
@click.option("--check", is_flag=True, help="Compare only; exit 4 when a file is out of date.")
@json_option
@pass_context
def docs(context: Context, *, check: bool, as_json: bool) -> None:
    """Write the charts' schemas, tables of values and scenarios from their sources.

    The sources are values.schema.yaml, values.yaml, charts/scenarios.yaml and charts/presets.
    """
    from buildgraph.app.documenting import check_pages, write_pages

    workspace = context.session.workspace
    if check:
        with checking("schemas, tables and scenarios are up to date", as_json=as_json):
            check_pages(workspace)
        return
    files = write_pages(workspace)
    if as_json:
        print_json({"changed": list(files)})
    else:
        click.echo("\n".join(f"wrote {file}" for file in files) or "schemas, tables and scenarios are up to date")
