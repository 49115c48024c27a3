"""The ``charts`` group: what charts pull, packages of them, and their way to a registry."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable
from buildgraph.cli.documenting import docs
from buildgraph.cli.names import complete_chart
from buildgraph.cli.options import examples, json_option
from buildgraph.errors import raise_all

charts_argument = click.argument("names", nargs=-1, metavar="[CHART]...", shell_complete=complete_chart)


@click.group(
    epilog=examples(
        "buildgraph charts images spark-4.1",
        "buildgraph charts package --output dist",
        "buildgraph charts push spark-4.1 --registry registry.example/team",
    )
)
def charts() -> None:
    """List what charts pull, package them, and push them to a registry.

    Without a CHART all are meant that can be installed.
    """


@charts.command(
    "images",
    epilog=examples(
        "buildgraph charts images",
        "buildgraph charts images spark-4.1 --set features.gpu.enabled=true --json",
        "buildgraph charts images spark-4.1 --values my-values.yaml",
    ),
)
@charts_argument
@click.option(
    "--values", "-f", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="A values file; repeatable."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One value, as Helm takes it; repeatable.")
@json_option
@pass_context
def chart_images(
    context: Context, names: tuple[str, ...], *, values: tuple[Path, ...], settings: tuple[str, ...], as_json: bool
) -> None:
    """List every image that a release pulls, and where it comes from.

    An image that is neither in the catalogue nor in manifests/third-party-images.yaml is an error: exit 2, after the
    list.
    """
    from buildgraph.app.charts import pick_charts
    from buildgraph.app.rendering import describe_images, find_images, format_images

    session = context.session
    with stoppable() as cancel:
        found = find_images(session, pick_charts(session, names), values=values, settings=settings, cancel=cancel)
    if as_json:
        print_json({"images": describe_images(found)})
    else:
        click.echo(format_images(found))
    raise_all(found.errors)


@charts.command(
    "package", epilog=examples("buildgraph charts package", "buildgraph charts package spark-4.1 --output dist --json")
)
@charts_argument
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="DIR", help="Where to; default: dist.")
@json_option
@pass_context
def package(context: Context, names: tuple[str, ...], *, output: Path | None, as_json: bool) -> None:
    """Package charts: the same tree gives the same bytes, on any machine.

    The charts that one needs from beside it are put inside, as its Chart.lock says.
    """
    from buildgraph.app.charts import charts_folder, package_chart, pick_charts, write_package

    session = context.session
    folder, epoch = charts_folder(session), session.catalogue.project.epoch
    packages = [package_chart(folder, name, epoch=epoch) for name in pick_charts(session, names)]
    written = [
        {
            "name": one.chart.name,
            "version": one.chart.version,
            "file": str(write_package(one, output or session.workspace.root / "dist")),
            "sha256": one.sha256,
        }
        for one in packages
    ]
    if as_json:
        print_json({"packages": written})
    else:
        click.echo(
            "\n".join(f"{one['name']} {one['version']}  {one['file']}  sha256:{one['sha256']}" for one in written)
        )


@charts.command(
    "push",
    epilog=examples(
        "buildgraph charts push --registry registry.example/team",
        "buildgraph charts push spark-4.1 --registry localhost:5000 --plain-http",
    ),
)
@charts_argument
@click.option("--registry", required=True, metavar="HOST[:PORT][/PREFIX]", help="Where to.")
@click.option("--plain-http", is_flag=True, help="Speak to the registry without encryption.")
@json_option
@pass_context
def push_packages(context: Context, names: tuple[str, ...], *, registry: str, plain_http: bool, as_json: bool) -> None:
    """Push packages of charts to an OCI registry as Helm does: by digest, then under the version.

    Credentials are those of `docker login`, with its credential helpers, or of our settings.
    """
    from buildgraph.app.charts import pick_charts
    from buildgraph.app.publishing import push_charts
    from buildgraph.app.pushing import parse_place

    session = context.session
    place = parse_place(registry)
    pushed = []
    with stoppable() as cancel:
        chosen = pick_charts(session, names)
        for one in push_charts(session, chosen, place, is_plain=plain_http, say=say, cancel=cancel):
            pushed.append(one)
            if not as_json:
                click.echo(one.reference)
    if as_json:
        print_json({"pushed": [asdict(one) for one in pushed]})


@charts.command("vendor", epilog=examples("buildgraph charts vendor", "buildgraph charts vendor spark-4.1"))
@charts_argument
@json_option
@pass_context
def vendor(context: Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Put the charts that one needs from beside it where `helm template` looks, and make its Chart.lock right."""
    from buildgraph.app.charts import pick_charts, vendor_charts

    session = context.session
    done = list(vendor_charts(session, pick_charts(session, names)))
    if as_json:
        print_json({"charts": [asdict(one) for one in done]})
    else:
        lines = [f"wrote {path}" for one in done for path in one.written]
        click.echo("\n".join(lines) or "every chart has what it needs")


charts.add_command(docs)

COMMANDS = (charts,)
