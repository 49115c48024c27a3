"""Processes that left the group they were started in: found by a mark in their environment, and ended."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

ROUNDS = 50
QUIET_ROUNDS = 4
"""Looks in a row that must find nothing new. A process may start another between the list and the look at it, and one
that is just starting a program shows no environment for a moment."""
PAUSE_SECONDS = 0.02


def end_marked(mark: str) -> int:
    """Kill every process of ours whose environment holds ``mark`` (``NAME=value``); how many there were.

    One that has changed its environment is not found. Where there is no /proc, none is.
    """
    ended: set[int] = set()
    quiet = 0
    for _ in range(ROUNDS):
        found = {pid for pid in _list_processes() if pid != os.getpid() and _end(pid, mark.encode())}
        quiet = quiet + 1 if found <= ended else 0
        ended |= found
        if quiet == QUIET_ROUNDS:
            break
        time.sleep(PAUSE_SECONDS)
    return len(ended)


def _list_processes() -> list[int]:
    proc = Path("/proc")
    return [int(path.name) for path in proc.iterdir() if path.name.isdecimal()] if proc.is_dir() else []


def _end(pid: int, mark: bytes) -> bool:
    """Kill the process if it is marked and lives; the descriptor keeps its number from meaning another meanwhile."""
    with suppress(ProcessLookupError, PermissionError, FileNotFoundError):
        descriptor = os.pidfd_open(pid)
        try:
            if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return True
        finally:
            os.close(descriptor)
    return False
