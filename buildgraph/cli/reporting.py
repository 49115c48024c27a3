"""Commands about runs that ended: ``report``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from buildgraph.cli.context import Context, pass_context
from buildgraph.cli.options import examples

FORMS = ("html", "junit", "json", "text", "github")


@click.command(
    epilog=examples(
        "buildgraph report",
        "buildgraph report --output report.html",
        "buildgraph report 20260102-1504 --format junit --output junit.xml",
    )
)
@click.argument("run", required=False, default="")
@click.option("--format", "form", type=click.Choice(FORMS), help="Default: what the output's name says, else text.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write to a file; default: standard output.",
)
@pass_context
def report(context: Context, run: str, form: str | None, output: Path | None) -> None:
    """Report on a RUN (the beginning of its id; the last one without): times, sizes, tests, reasons, failures."""
    from buildgraph.app.reporting import choose_form, find_reported, render, write_report
    from buildgraph.app.runs import open_runs

    is_file = output is not None and str(output) != "-"
    form = choose_form(form or "", output)
    if form == "html" and output is None and sys.stdout.isatty():
        raise click.UsageError("A page of HTML is not for a terminal: give --output FILE.")
    kept = find_reported(open_runs(context.store, os.environ), run)
    if is_file and output is not None:
        write_report(kept, form, output)
        click.echo(output)
    else:
        click.echo(render(kept, form), nl=False)


COMMANDS = (report,)
