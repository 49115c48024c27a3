"""The node's programs as processes: started so that they outlive this one, found again, ended with all of theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.cluster.machine import find_pod_processes
from buildgraph.adapters.cluster.record import Process
from buildgraph.adapters.proctable import list_pids, start_time, with_descendants
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MARK = "BUILDGRAPH_CLUSTER"
"""In the environment of all programs of a node, also those that they start: the state directory."""
GRACE_SECONDS = 3.0
KILL_SECONDS = 20.0
POLL_SECONDS = 0.1


def start(argv: Sequence[str], *, log: Path, environ: Mapping[str, str], state: Path) -> Process:
    """Start a program in a session of its own; it is left alone when this process ends."""
    with log.open("ab") as sink:
        child = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**environ, MARK: str(state)},
            cwd="/",
            start_new_session=True,
        )
    child.returncode = 0  # nobody waits for it
    started = Process(pid=child.pid, started=start_time(child.pid) or 0)
    # The kernel shows a new program's environment only some milliseconds later; until then it would not be found.
    _wait(lambda: _is_marked(started.pid, state) or not started.alive, GRACE_SECONDS)
    return started


def find_marked(state: Path) -> frozenset[int]:
    """The processes of the node of this state directory, but for those in containers."""
    return frozenset(pid for pid in list_pids() if _is_marked(pid, state) and start_time(pid) is not None)


def end(program: Process) -> None:
    """End one program: TERM, and KILL when that does not do."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if program.alive:
            with suppress(ProcessLookupError):
                os.kill(program.pid, number)
        if _wait(lambda: not program.alive, GRACE_SECONDS):
            return


def end_all(state: Path, *, gently: Sequence[Process], pods: bool, seconds: float = KILL_SECONDS) -> bool:
    """End all processes of a node, those in its containers too; False when there was none.

    ``gently``: they get some seconds to end by themselves. ``pods``: the machine's pods are this node's.
    ``EnvironmentFault`` when some are there ``seconds`` after the first KILL.
    """
    first = _find_all(state, pods=pods)
    for program in gently:
        if program.alive:
            with suppress(ProcessLookupError):
                os.kill(program.pid, signal.SIGTERM)
    _wait(lambda: not any(program.alive for program in gently), GRACE_SECONDS)
    deadline = time.monotonic() + seconds
    left = first
    while left:
        _kill(state, pods=pods)
        _wait(lambda: not _find_all(state, pods=pods), min(seconds, 1.0))
        left = _find_all(state, pods=pods)
        if left and time.monotonic() > deadline:
            raise EnvironmentFault(f"the node's processes {sorted(left)} do not end")
    return bool(first)


def _is_marked(pid: int, state: Path) -> bool:
    with suppress(OSError):  # it ended meanwhile
        return f"{MARK}={state}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _kill(state: Path, *, pods: bool) -> None:
    """Stopped first, they start nothing that would be missed."""
    known: frozenset[int] = frozenset()
    while new := _find_all(state, pods=pods) - known:
        _signal(new, signal.SIGSTOP)
        known |= new
    _signal(known, signal.SIGKILL)


def _find_all(state: Path, *, pods: bool) -> frozenset[int]:
    found = with_descendants(find_marked(state)) | (find_pod_processes() if pods else frozenset())
    return frozenset(pid for pid in found if start_time(pid) is not None)


def _signal(pids: frozenset[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait(is_done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
