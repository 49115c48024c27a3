"""Waiting for work that asks a server, which may say nothing for a long time, without holding up who wants to stop."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from buildgraph.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.ports import Cancel

T = TypeVar("T")
POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0


def wait_for(work: Callable[[], T], cancel: Cancel, *, stopped: str) -> T:
    """What ``work`` gives or raises; ``Interrupted`` soon after the user asks, even while a server says nothing."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    # A daemon: waiting for a server's first byte must not hold up the exit.
    threading.Thread(target=run, daemon=True).start()
    while not cancel.is_set() and not future.done():
        wait([future], POLL_SECONDS)
    wait([future], GRACE_SECONDS)
    if future.done():
        return future.result()
    raise Interrupted(stopped)
