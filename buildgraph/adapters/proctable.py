"""The processes of this machine, as /proc shows them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

PROC = Path("/proc")


def start_time(pid: int) -> int | None:
    """Clock ticks since boot at which a process began, or None when there is none.

    With it a process is told from a later one of the same number.
    """
    try:
        status = (PROC / f"{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = status.rpartition(")")[2].split()  # the name before it may hold spaces
    return None if fields[0] == "Z" else int(fields[19])


def list_pids() -> list[int]:
    """All processes."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def list_inhabitants(root: Path) -> frozenset[int]:
    """The processes whose root directory is ``root``; none when there is no such directory."""
    try:
        status = root.stat()
    except FileNotFoundError:
        return frozenset()
    found = set()
    for pid in list_pids():
        with contextlib.suppress(OSError):  # it ended meanwhile, or is a zombie
            if os.path.samestat((PROC / f"{pid}/root").stat(), status):
                found.add(pid)
    return frozenset(found)


def with_descendants(pids: frozenset[int]) -> frozenset[int]:
    """Those processes and all that they started."""
    children: dict[int, list[int]] = {}
    for pid in list_pids():
        with contextlib.suppress(OSError):  # it ended meanwhile
            parent = int((PROC / f"{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found, ahead = set(pids), list(pids)
    while ahead:
        new = [child for child in children.get(ahead.pop(), ()) if child not in found]
        found.update(new)
        ahead.extend(new)
    return frozenset(found)
