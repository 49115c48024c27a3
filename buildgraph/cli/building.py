"""Commands that build: ``build``, ``test``, ``plan``, ``load``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import Context, pass_context, print_json, say, stoppable, uses_store
from buildgraph.cli.names import complete_target
from buildgraph.cli.options import (
    allow_unsupported_option,
    examples,
    jobs_option,
    json_option,
    parse_secrets,
    pick_targets,
    secret_option,
    target_option,
    targets_argument,
    view_options,
)
from buildgraph.errors import BuildgraphError, ExitCode

if TYPE_CHECKING:
    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.cli.options import Showing
    from buildgraph.history import Result


@click.command(
    epilog=examples(
        "buildgraph build --target spark-4.1-gpu",
        "buildgraph build jdbc-drivers --no-load",
        "buildgraph build all --jobs 4 --progress plain",
        "buildgraph build --target spark-4.1 --force jdk-17",
        "buildgraph build spark-4.1.0-gpu --allow-unsupported",
    )
)
@targets_argument
@target_option
@jobs_option
@click.option("--fail-fast", is_flag=True, help="Start nothing more after the first failure.")
@click.option("--no-test", is_flag=True, help="Build and compose only; nothing of it can be pinned.")
@click.option("--no-load", is_flag=True, help="Leave the images out of the engine.")
@click.option(
    "--force", multiple=True, metavar="TARGET", help="Make these again; repeatable.", shell_complete=complete_target
)
@click.option("--keep-sources", is_flag=True, help="Keep downloads after the layers that hold them are made.")
@allow_unsupported_option
@secret_option
@view_options
@json_option
@pass_context
@uses_store
def build(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    jobs: int | None,
    *,
    fail_fast: bool,
    no_test: bool,
    no_load: bool,
    force: tuple[str, ...],
    keep_sources: bool,
    allow_unsupported: bool,
    secrets: tuple[str, ...],
    showing: Showing,
    as_json: bool,
) -> None:
    """Build and test the targets and all that they need, and load the images into Docker.

    Nothing is done for what the store already holds with the same inputs. A failed node blocks only what needs it;
    nodes that cannot be built as things are, such as unsupported images, are named last.
    """
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes

    session = _open(context, allow_unsupported=allow_unsupported)
    planned = plan_targets(
        session,
        pick_targets(context, patterns, more),
        wishes=Wishes(test=not no_test, load=not no_load),
        force=force,
    )
    _carry_out(
        session,
        planned,
        jobs,
        fail_fast=fail_fast,
        keep_sources=keep_sources,
        secrets=secrets,
        showing=showing,
        as_json=as_json,
    )


@click.command(epilog=examples("buildgraph test spark-4.1-gpu", "buildgraph test jdbc-drivers --again"))
@targets_argument
@target_option
@jobs_option
@click.option("--again", is_flag=True, help="Run the tests even where a pass is recorded.")
@secret_option
@view_options
@json_option
@pass_context
@uses_store
def test(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    jobs: int | None,
    *,
    again: bool,
    secrets: tuple[str, ...],
    showing: Showing,
    as_json: bool,
) -> None:
    """Run the tests of the targets and of what they are made of; whatever is not built yet is built first."""
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes

    wishes = Wishes(load=False, retest=again)
    planned = plan_targets(context.session, pick_targets(context, patterns, more), wishes=wishes)
    _carry_out(
        context.session,
        planned,
        jobs,
        fail_fast=False,
        keep_sources=False,
        secrets=secrets,
        showing=showing,
        as_json=as_json,
    )


@click.command(
    epilog=examples(
        "buildgraph plan --target spark-4.1-gpu",
        "buildgraph plan all --json",
        "buildgraph plan spark-4.1.0-gpu --allow-unsupported",
    )
)
@targets_argument
@target_option
@click.option("--no-test", is_flag=True, help="Plan without tests.")
@click.option("--no-load", is_flag=True, help="Plan without loading images into the engine.")
@click.option(
    "--force",
    multiple=True,
    metavar="TARGET",
    help="Plan as if these had to be made again.",
    shell_complete=complete_target,
)
@allow_unsupported_option
@json_option
@pass_context
def plan(
    context: Context,
    patterns: tuple[str, ...],
    more: tuple[str, ...],
    *,
    no_test: bool,
    no_load: bool,
    force: tuple[str, ...],
    allow_unsupported: bool,
    as_json: bool,
) -> None:
    """Say what a build would do, and why. Asks no engine, starts nothing, writes nothing."""
    from buildgraph.app.planning import plan_targets
    from buildgraph.plan import Wishes
    from buildgraph.report import describe_plan, describe_refusals, format_plan, format_refusals

    wishes = Wishes(test=not no_test, load=not no_load)
    session = _open(context, allow_unsupported=allow_unsupported)
    planned = plan_targets(session, pick_targets(context, patterns, more), wishes=wishes, force=force)
    refused = planned.plan.refused
    if as_json:
        steps = describe_plan(planned.plan, planned.keys, planned.records)
        print_json({"steps": steps, "refused": describe_refusals(refused)})
    else:
        click.echo("\n".join([format_plan(planned.plan), *([format_refusals(refused)] if refused else [])]))
    sys.exit(_judge(planned))


@click.command(epilog=examples("buildgraph load spark-4.1-gpu"))
@targets_argument
@target_option
@json_option
@pass_context
@uses_store
def load(context: Context, patterns: tuple[str, ...], more: tuple[str, ...], *, as_json: bool) -> None:
    """Put images that are built and tested into Docker (again); only layers that it lacks are sent."""
    from buildgraph.app.building import load_images
    from buildgraph.app.planning import plan_targets
    from buildgraph.errors import BuildFailure
    from buildgraph.plan import Wishes

    targets = pick_targets(context, patterns, more)
    planned = plan_targets(context.session, targets, wishes=Wishes(load=False))
    if planned.plan.steps:
        lacking = ", ".join(dict.fromkeys(step.node for step in planned.plan.steps))
        raise BuildFailure(f"not built and tested: {lacking}", hint=f"run: buildgraph build {' '.join(targets)}")
    with stoppable() as cancel:
        references = load_images(context.session, planned, cancel=cancel)
    if as_json:
        print_json({"loaded": list(references)})
    elif references:
        click.echo("\n".join(references))
    _tell_refusals(planned)
    sys.exit(_judge(planned))


def _open(context: Context, *, allow_unsupported: bool) -> Session:
    if not allow_unsupported:
        return context.session
    from buildgraph.app import session

    return session.allow_unsupported(context.session)


def _judge(planned: Planned) -> ExitCode:
    """How a command ends that did all that it could: not everything asked for is done when something was refused."""
    return ExitCode.FAILED if planned.plan.refused else ExitCode.OK


def _tell_refusals(planned: Planned) -> None:
    from buildgraph.app.building import tame
    from buildgraph.report import format_refusals

    if planned.plan.refused:
        say(tame(format_refusals(planned.plan.refused), os.environ))


def _carry_out(
    session: Session,
    planned: Planned,
    jobs: int | None,
    *,
    fail_fast: bool,
    keep_sources: bool,
    secrets: tuple[str, ...],
    showing: Showing,
    as_json: bool,
) -> None:
    if not planned.plan.steps:
        _tell_idle(planned, as_json=as_json)
        reported = _report(session, planned, "", showing)
        sys.exit(_judge(planned) or reported)
    from buildgraph.app.building import RunOptions, run_plan, show_run
    from buildgraph.app.preflight import check_needs

    session = replace(session, secret_files=parse_secrets(secrets))
    check_needs(session, planned)
    options = RunOptions(jobs=jobs, fail_fast=fail_fast, keep_sources=keep_sources)
    with stoppable() as cancel, show_run(showing.progress, showing.color) as emit:
        result, records = run_plan(session, planned, options, emit=emit, cancel=cancel)
    if as_json:
        from buildgraph.report import describe_result

        print_json(describe_result(result, planned.plan, planned.keys, records))
    reported = _report(session, planned, result.run, showing)
    _conclude(result, planned, as_json=as_json)
    sys.exit(result.exit_code or reported)


def _tell_idle(planned: Planned, *, as_json: bool) -> None:
    from buildgraph.report import describe_plan, describe_refusals, format_plan

    if as_json:
        steps = describe_plan(planned.plan, planned.keys, planned.records)
        print_json({"run": None, "seconds": 0, "steps": steps, "refused": describe_refusals(planned.plan.refused)})
    else:
        click.echo(format_plan(planned.plan))
    _tell_refusals(planned)


def _report(session: Session, planned: Planned, run: str, showing: Showing) -> ExitCode:
    """Write the reports that were asked for; one that cannot be written hides nothing of how the run ended."""
    forms = {"html": showing.report, "junit": showing.junit}
    is_wanted = any(forms.values()) or os.environ.get("GITHUB_STEP_SUMMARY") or os.environ.get("GITHUB_OUTPUT")
    if not is_wanted:
        return ExitCode.OK
    from buildgraph.app.reporting import make_idle_run, read_reported, tell_github, write_report

    try:
        kept = read_reported(session, run) if run else make_idle_run(session, planned)
        for form, output in forms.items():
            if output:
                write_report(kept, form, output)
        tell_github(kept, os.environ)
    except BuildgraphError as error:
        say(f"error: {error}")
        return error.exit_code
    return ExitCode.OK


def _conclude(result: Result, planned: Planned, *, as_json: bool) -> None:
    """The summary, then, last on the screen, what failed and what was refused."""
    from buildgraph.app.building import read_tails, tame
    from buildgraph.report import format_failures, format_summary

    summary = format_summary(result, planned.plan)
    if as_json:
        say(summary)
    else:
        click.echo(summary)
    if result.failed:
        say(tame(format_failures(result, read_tails(result)), os.environ))
    if result.is_interrupted:
        say("interrupted; what was finished is kept")
    _tell_refusals(planned)


COMMANDS = (build, test, plan, load)
