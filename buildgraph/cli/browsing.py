"""Commands that show the catalogue: ``list``, ``graph``."""

from __future__ import annotations

import click

from buildgraph.cli.context import Context, pass_context, print_json
from buildgraph.cli.options import examples, json_option, targets_argument


@click.command("list", epilog=examples("buildgraph list", "buildgraph list spark --json"))
@targets_argument
@json_option
@pass_context
def list_nodes(context: Context, patterns: tuple[str, ...], *, as_json: bool) -> None:
    """List nodes by stage: kind, digest, size, aliases."""
    from buildgraph.app.queries import query_nodes
    from buildgraph.report import describe_nodes, format_nodes

    found = query_nodes(context.session, patterns or ("*",), with_needs=False)
    catalogue = context.session.catalogue
    if as_json:
        print_json({"nodes": describe_nodes(catalogue, found.names, found.keys, found.records)})
    else:
        click.echo(format_nodes(catalogue, found.names, found.keys, found.records))


@click.command(epilog=examples("buildgraph graph spark-4.1-gpu", "buildgraph graph all --json"))
@targets_argument
@json_option
@pass_context
def graph(context: Context, patterns: tuple[str, ...], *, as_json: bool) -> None:
    """Show what the targets are made of, as an indented tree."""
    from buildgraph.app.queries import query_nodes
    from buildgraph.report import describe_nodes, format_graph

    found = query_nodes(context.session, patterns or ("*",), with_needs=True)
    catalogue = context.session.catalogue
    if as_json:
        nodes = describe_nodes(catalogue, found.names, found.keys, found.records)
        edges = [{"from": parent, "to": name} for name in found.names for parent in catalogue.nodes[name].reads]
        print_json({"nodes": nodes, "edges": edges})
    else:
        click.echo(format_graph(catalogue, found.names))


COMMANDS = (list_nodes, graph)
