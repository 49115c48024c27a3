"""Who uses a store: runs share it, ``gc`` and repairs have it alone. The kernel ends the claim of whoever dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults, make_folder
from buildgraph.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_POLL_SECONDS = 0.1
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextmanager
def shared(path: Path, *, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold ``path`` together with others; waits for who has it alone, after a line to ``waiting``.

    A store that cannot be written is not cleaned by anybody with these rights: there, nothing is held.
    """
    descriptor = _open(path)
    if descriptor is None:
        yield
        return
    try:
        if not _take(descriptor, fcntl.LOCK_SH):
            waiting(f"the store is being cleaned or repaired; waiting for {path}")
            _wait(descriptor, path)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold ``path`` alone if nobody else holds it; whether this is so. Never waits."""
    descriptor = _open(path)
    if descriptor is None:
        yield False
        return
    try:
        yield _take(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int | None:
    """The lock file, made when it is missing; None where it is missing and cannot be made."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with disk_faults(path.parent, f"lock {path.name}"):
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        try:
            make_folder(path.parent)
            return os.open(path, flags | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno in _REFUSED:
                return None
            raise


def _wait(descriptor: int, path: Path) -> None:
    try:
        while not _take(descriptor, fcntl.LOCK_SH):
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped while waiting for {path}") from None


def _take(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
