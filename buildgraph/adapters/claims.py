"""Who uses which download: runs share a file, and only its last user removes it."""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults, make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PLACE_DIGITS = 15
"""A claim is a lock on one byte of a file that need not hold it; so many hexadecimal digits fit a file offset."""


class Claims:
    """Claims of this process on things that a sha256 names. The kernel ends those of a process that dies."""

    def __init__(self, path: Path) -> None:
        """``path``: the file that stands for all claims; made with the first one."""
        self._path = path
        self._mutex = threading.Lock()
        self._descriptor: int | None = None

    def share(self, sha256: str) -> None:
        """Claim it beside others; waits for whoever removes it right now, which is an instant."""
        fcntl.lockf(self._open(), fcntl.LOCK_SH, 1, _place(sha256))

    @contextmanager
    def removing(self, sha256: str) -> Iterator[bool]:
        """Give the own claim up; True when no other process has one, and while inside none gets one."""
        descriptor, place = self._open(), _place(sha256)
        # Given up first: of two that remove at once, one is the last.
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)

    def _open(self) -> int:
        with self._mutex:
            if self._descriptor is None:
                with disk_faults(self._path.parent, f"lock {self._path.name}"):
                    make_folder(self._path.parent)
                    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                    self._descriptor = os.open(self._path, flags, 0o600)
                weakref.finalize(self, os.close, self._descriptor)
            return self._descriptor


def _place(sha256: str) -> int:
    return int(sha256[:_PLACE_DIGITS], 16)
