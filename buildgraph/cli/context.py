"""What all commands share: the options before the command, the open project, stopping, and how errors end."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click

from buildgraph.errors import BuildgraphError, ErrorGroup, ExitCode, Stale

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from buildgraph.app.session import Session


@dataclass(frozen=True, slots=False)
class Context:
    """The options that stand before the command."""

    directory: Path
    store: Path | None
    lock_file: str | None

    @cached_property
    def session(self) -> Session:
        """The project, read when a command first asks for it."""
        from buildgraph.app.session import open_session

        return open_session(self.directory, store=self.store, lock_file=self.lock_file, environ=dict(os.environ))


pass_context = click.make_pass_decorator(Context)


def print_json(document: object) -> None:
    """One document to standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """One line to standard error."""
    click.echo(text, err=True)


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
def stoppable() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second ends the program at once."""
    event = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            os._exit(ExitCode.INTERRUPTED)
        event.set()
        say(f"stopping ({signal.Signals(number).name}); once more to stop at once")

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
