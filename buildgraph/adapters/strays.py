"""Processes that left the group they were started in: found by a mark in their environment, and ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

ROUNDS = 10
"""A process may start another between the look and the signal."""


def end_marked(mark: str) -> int:
    """Kill every process of ours whose environment holds ``mark`` (``NAME=value``); how many there were.

    One that has changed its environment is not found. Where there is no /proc, none is.
    """
    ended: set[int] = set()
    for _ in range(ROUNDS):
        found = {pid for pid in _list_processes() if pid != os.getpid() and _end(pid, mark.encode())}
        if found <= ended:
            break
        ended |= found
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
