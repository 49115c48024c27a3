"""The command ``push``."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable, uses_store
from buildgraph.cli.options import examples, json_option, pick_targets, target_option, targets_argument
from buildgraph.errors import ExitCode, UsageError


@click.command(
    epilog=examples(
        "buildgraph push spark-4.1 --registry registry.example/team --accept-licence",
        "buildgraph push spark-4.1 --registry localhost:5000 --plain-http --accept-licence",
    )
)
@targets_argument
@target_option
@click.option(
    "--registry", metavar="HOST[:PORT][/PREFIX]", help="Where to; default: the registry of manifests/project.yaml."
)
@click.option(
    "--accept-licence",
    is_flag=True,
    help="You have read the terms of what may not be passed on freely, and accept them.",
)
@click.option("--plain-http", is_flag=True, help="Speak to the registry without encryption.")
@json_option
@pass_context
@uses_store
def push(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    *,
    registry: str | None,
    accept_licence: bool,
    plain_http: bool,
    as_json: bool,
) -> None:
    """Push images that are built and tested to a registry; only what it lacks is sent.

    Credentials are those of `docker login`, with its credential helpers, or of our settings.
    """
    from buildgraph.app.pushing import open_registry, parse_place, plan_push, push_images

    session = context.session
    chosen = registry or session.catalogue.project.registry
    if not chosen:
        raise UsageError("no registry is named", hint="use --registry, or write one into manifests/project.yaml")
    place = parse_place(chosen)
    planned = plan_push(session, pick_targets(context, patterns, more), accept=accept_licence)
    opened = open_registry(session, place, is_plain=plain_http)
    pushed = []
    with stoppable() as cancel:
        for one in push_images(session, planned, place, opened, say=say, cancel=cancel):
            pushed.append(one)
            if not as_json:
                click.echo(one.reference)
    if as_json:
        print_json({"pushed": [asdict(one) for one in pushed]})
    if planned.plan.refused:
        from buildgraph.report import format_refusals

        say(format_refusals(planned.plan.refused))
        sys.exit(ExitCode.FAILED)


COMMANDS = (push,)
