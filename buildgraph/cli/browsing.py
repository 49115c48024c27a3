"""Commands that show the catalogue: ``list``, ``graph``, ``matrix``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import Context, format_json, pass_context, print_json, save_text
from buildgraph.cli.options import examples, json_option, targets_argument
from buildgraph.errors import UsageError

if TYPE_CHECKING:
    from buildgraph.app.queries import Found
    from buildgraph.model import Catalogue


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
        print_json({"nodes": describe_nodes(catalogue, found.names, found.keys, found.records, found.objections)})
    else:
        click.echo(format_nodes(catalogue, found.names, found.keys, found.records, found.objections))


@click.command(
    epilog=examples(
        "buildgraph graph spark-4.1-gpu",
        "buildgraph graph all --format svg --output graph.svg",
        "buildgraph graph all --json",
    )
)
@targets_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "json", "dot", "mermaid", "svg"]),
    help="How the graph is written; default: tree.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file, not to standard output.")
@json_option
@pass_context
def graph(context: Context, patterns: tuple[str, ...], *, form: str | None, output: Path | None, as_json: bool) -> None:
    """Show what the targets are made of: an indented tree, a document, or a drawing."""
    from buildgraph.app.queries import query_nodes

    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"--json and --format {form} exclude each other.")
    found = query_nodes(context.session, patterns or ("*",), with_needs=True)
    text = _write(form or ("json" if as_json else "tree"), context.session.catalogue, found)
    if output is None:
        click.echo(text, nl=False)
    else:
        save_text(text, output)


@click.command(epilog=examples("buildgraph matrix", "buildgraph matrix --output docs/matrix.md"))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file, not to standard output.")
@pass_context
def matrix(context: Context, output: Path | None) -> None:
    """Write a Markdown page of all images and layers: tags, sizes, digests, and what cannot be built."""
    from buildgraph.app.queries import query_nodes
    from buildgraph.graph import find_closure
    from buildgraph.refusal import find_refusals
    from buildgraph.report.matrix import format_matrix

    session = context.session
    found = query_nodes(session, ("*",), with_needs=False)
    order = find_closure(session.catalogue, found.names, with_tests=False)
    refused = find_refusals(session.catalogue, session.lock, found.keys, found.names, order, with_tests=False)
    refusals = {refusal.node: f"{refusal.cause}: {refusal.reason}" for refusal in refused}
    command = "buildgraph matrix --output docs/matrix.md"
    text = format_matrix(session.catalogue, found.names, found.records, refusals, command=command)
    if output is None:
        click.echo(text, nl=False)
    else:
        save_text(text, output)


def _write(form: str, catalogue: Catalogue, found: Found) -> str:
    if form == "tree":
        from buildgraph.report import format_graph

        return f"{format_graph(catalogue, found.names)}\n"
    if form == "json":
        from buildgraph.report import describe_nodes

        nodes = describe_nodes(catalogue, found.names, found.keys, found.records, found.objections)
        edges = [{"from": parent, "to": name} for name in found.names for parent in catalogue.nodes[name].reads]
        return f"{format_json({'nodes': nodes, 'edges': edges})}\n"
    from buildgraph import diagram

    if form == "svg" and len(found.names) > diagram.MAX_DRAWN:
        what = f"{len(found.names)} nodes are more than can be drawn ({diagram.MAX_DRAWN})"
        raise UsageError(what, hint="name fewer targets, or use --format dot")
    draw = {"dot": diagram.draw_dot, "mermaid": diagram.draw_mermaid, "svg": diagram.draw_svg}[form]
    return draw(*diagram.make_diagram(catalogue, found.names, found.keys, found.records))


COMMANDS = (list_nodes, graph, matrix)
