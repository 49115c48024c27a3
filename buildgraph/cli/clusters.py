"""The ``cluster`` group: a Kubernetes node where there is no cluster, and images for it."""

from __future__ import annotations

import sys

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable, uses_store
from buildgraph.cli.options import examples, json_option, pick_targets, target_option, targets_argument
from buildgraph.errors import ExitCode


@click.group(
    epilog=examples(
        "buildgraph cluster up",
        "buildgraph cluster load spark-4.1",
        'eval "$(buildgraph cluster env)"',
        "buildgraph cluster down",
    )
)
def cluster() -> None:
    """Use the cluster that KUBECONFIG names, or bring up a node of one's own."""


@cluster.command("up", epilog=examples("buildgraph cluster up"))
@click.option(
    "--registry-mirror", "mirror", metavar="URL", default="", help="A registry that the node asks first for images."
)
@json_option
@pass_context
def cluster_up(context: Context, mirror: str, *, as_json: bool) -> None:
    """Make a cluster answer; does nothing when one does."""
    from buildgraph.app.clusters import bring_up, describe_cluster

    with stoppable() as cancel:
        bring_up(context.environ, mirror=mirror, say=say, cancel=cancel)
        document = describe_cluster(context.environ, cancel=cancel)
    if as_json:
        print_json(document)
    else:
        click.echo(document["kubeconfig"])


@cluster.command("down", epilog=examples("buildgraph cluster down"))
def cluster_down() -> None:
    """End the node that ``up`` started, and no other; put the machine back as it was. Its images stay."""
    from buildgraph.app.clusters import take_down

    take_down(say=say)


@cluster.command("status", epilog=examples("buildgraph cluster status --json"))
@json_option
@pass_context
def cluster_status(context: Context, *, as_json: bool) -> None:
    """Say which cluster answers; exit 3 when none does."""
    from buildgraph.app.clusters import describe_cluster

    with stoppable() as cancel:
        document = describe_cluster(context.environ, cancel=cancel)
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join(_format(document)))
    if not document["running"]:
        sys.exit(ExitCode.ENVIRONMENT)


@cluster.command("env", epilog=examples('eval "$(buildgraph cluster env)"'))
@pass_context
def cluster_env(context: Context) -> None:
    """Print shell lines that lead kubectl and helm to the cluster."""
    from buildgraph.app.clusters import export_lines

    with stoppable() as cancel:
        click.echo("\n".join(export_lines(context.environ, cancel=cancel)))


@cluster.command("load", epilog=examples("buildgraph cluster load spark-4.1-gpu"))
@targets_argument
@target_option
@json_option
@pass_context
@uses_store
def cluster_load(context: Context, patterns: tuple[str, ...], more: tuple[str, ...], *, as_json: bool) -> None:
    """Put images that are built and tested into the node, under the names that charts have; no registry, no Docker."""
    from dataclasses import asdict

    from buildgraph.app.clusters import load_images, plan_load

    planned = plan_load(context.session, pick_targets(context, patterns, more))
    loaded = []
    with stoppable() as cancel:
        for one in load_images(context.session, planned, cancel=cancel):
            loaded.append(asdict(one))
            say(f"{one.node} is in the node; sent {one.sent / 1e6:.1f} MB")
            if not as_json:
                click.echo(one.reference)
    if as_json:
        print_json({"loaded": loaded})


def _format(document: dict[str, object]) -> list[str]:
    """A line for each value; what belongs to the node by its name and a dot."""
    lines = []
    for name, value in document.items():
        parts = {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
        lines += [f"{key}: {part}" for key, part in parts.items()]
    return lines


COMMANDS = (cluster,)
