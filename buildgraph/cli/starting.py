"""``init``: a new catalogue."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from buildgraph.cli.context import pass_context, print_json, say, stoppable
from buildgraph.cli.options import examples, json_option
from buildgraph.cli.pinning import tell_locked
from buildgraph.errors import ExitCode

if TYPE_CHECKING:
    from buildgraph.cli.context import Context


@click.command(epilog=examples("buildgraph init demo", "buildgraph init . --name demo --no-lock"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The project's and the image's name; default: the folder's.")
@click.option("--no-lock", is_flag=True, help="Only write the files; `buildgraph lock` is then the next step.")
@json_option
@pass_context
def init(context: Context, folder: Path, *, name: str | None, no_lock: bool, as_json: bool) -> None:
    """Start a new catalogue in FOLDER: one layer and one image that build, with their tests and their lock."""
    from buildgraph.app.starting import start_project

    folder = (context.directory / folder).absolute()
    written, ended = list(start_project(folder, name or folder.name)), ExitCode.OK
    if not no_lock:
        lock_file, ended = _lock(context.at(folder))
        written.append(lock_file)
    if as_json:
        print_json({"folder": str(folder), "files": written})
    else:
        click.echo("\n".join(f"wrote {path}" for path in written))
        then = ["buildgraph lock"] if no_lock else []
        say(f"next: {' && '.join([f'cd {folder.name}', *then, 'buildgraph build'])}")
    sys.exit(ended)


def _lock(context: Context) -> tuple[str, ExitCode]:
    from buildgraph.app.equipment import make_resolver
    from buildgraph.app.locking import update_lock

    session = context.session
    with stoppable() as cancel, make_resolver(session, cancel=cancel) as resolver:
        done = update_lock(session, resolver, [], output=session.lock_file, say=say, cancel=cancel)
    return session.lock_file, tell_locked(done)


COMMANDS = (init,)
