"""What all commands share: the options before the command, the open project, stopping, and how errors end."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from buildgraph.errors import BuildgraphError, ErrorGroup, ExitCode, Interrupted, Stale, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from buildgraph.app.session import Session


@dataclass(frozen=True, slots=False)
class Context:
    """The options that stand before the command."""

    directory: Path
    store: Path | None
    lock_file: str | None
    offline: bool = False

    @property
    def environ(self) -> dict[str, str]:
        """The environment, in which ``--offline`` stands like the variable that means the same."""
        if not self.offline:
            return dict(os.environ)
        from buildgraph.app.settings import OFFLINE

        return {**os.environ, OFFLINE: "1"}

    @cached_property
    def session(self) -> Session:
        """The project, read when a command first asks for it."""
        from buildgraph.adapters.address import default_state, foresee_id
        from buildgraph.app.session import open_session

        return open_session(
            self.directory,
            store=self.store,
            lock_file=self.lock_file,
            environ=self.environ,
            notice=lambda text: say(f"note: {text}"),
            engine_id=foresee_id(self.environ, default_state()),
        )

    def at(self, directory: Path) -> Context:
        """The same options for the project in another folder, with that project's own lock."""
        return replace(self, directory=directory, lock_file=None)


P = ParamSpec("P")
pass_context = click.make_pass_decorator(Context)


def uses_store(command: Callable[Concatenate[Context, P], None]) -> Callable[Concatenate[Context, P], None]:
    """Let nobody clean the store while the command runs: what it plans with stays."""

    @wraps(command)
    def run(context: Context, /, *args: P.args, **options: P.kwargs) -> None:
        with context.session.store.in_use(waiting=say):
            command(context, *args, **options)

    return run


def format_json(document: object) -> str:
    """One document for people and programs."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def print_json(document: object) -> None:
    """One document to standard output."""
    click.echo(format_json(document))


def say(text: str) -> None:
    """One line to standard error."""
    click.echo(text, err=True)


def save_text(text: str, output: Path) -> None:
    """Write a file that somebody asked for, atomically, and say so."""
    from buildgraph.adapters.disk import write_file

    target = output.absolute()
    if not target.parent.is_dir():
        raise UsageError("the folder is missing", where=str(target.parent), hint="make it first")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise UsageError("something other than a file is there", where=str(target), hint="name another file")
    write_file(target, text.encode(), aside=target.parent)
    say(f"wrote {output}")


@contextmanager
def checking(fine: str, *, as_json: bool) -> Iterator[None]:
    """A ``--check``: ``fine`` when nothing is stale, or whether it is, with the diff, as one document."""
    try:
        yield
    except Stale as stale:
        if not as_json:
            raise
        print_json({"up_to_date": False, "diff": stale.diff})
        raise Stale(stale.what, where=stale.where, hint=stale.hint) from stale
    if as_json:
        print_json({"up_to_date": True, "diff": ""})
    else:
        click.echo(fine)


@contextmanager
def reported_errors() -> Iterator[None]:
    """End with the error's exit code after its lines; a bug keeps its traceback."""
    try:
        yield
    except Stale as error:
        if error.diff:
            click.echo(error.diff)
        _fail(error)
    except Interrupted as error:
        say(str(error))
        sys.exit(error.exit_code)
    except BuildgraphError as error:
        _fail(error)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)


def _fail(error: BuildgraphError) -> None:
    for one in error.errors if isinstance(error, ErrorGroup) else (error,):
        say(f"error: {one}")
    sys.exit(error.exit_code)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends what runs inside as Ctrl-C does: with its unfinished files removed."""
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second ends the program at once."""
    event = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            # Nothing is waited for, and no child outlives the program.
            from buildgraph.adapters.process import kill_all

            kill_all()
            os._exit(ExitCode.INTERRUPTED)
        event.set()
        say(f"stopping ({signal.Signals(number).name}); once more to stop at once")

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
