"""Durable files: written aside, flushed, renamed; read with their digest checked; disk faults as our errors."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from buildgraph.errors import EnvironmentFault, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from io import FileIO
    from pathlib import Path

Scratch: TypeAlias = "Callable[[str], AbstractContextManager[Path]]"
"""Called with a prefix, gives a temporary directory that is gone afterwards."""

CHUNK = 1 << 20
PUBLIC = 0o644
PRIVATE_DIRECTORY = 0o700
_SEAL = b'\n{"sha256": "%s"}\n'
_SEAL_SIZE = len(_SEAL % (b"0" * 64))
_HINTS = {
    errno.ENOSPC: "free some space and run again; nothing is half done",
    errno.EDQUOT: "free some space and run again; nothing is half done",
    errno.EACCES: "give this user write access, or choose another store",
    errno.EPERM: "give this user write access, or choose another store",
    errno.EROFS: "mount it for writing, or choose another store",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ELOOP: "a symlink stands where the store keeps a file; remove it",
    errno.EEXIST: "a file stands where the store keeps a directory; move it away",
    errno.ENOTDIR: "a file stands where the store keeps a directory; move it away",
    errno.EIO: "the disk reports an error; check it",
}


@contextmanager
def disk_faults(folder: Path, doing: str) -> Iterator[None]:
    """Turn what the disk refuses into an ``EnvironmentFault`` that names the directory and what was done there."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0)
        if hint is None:
            raise
        raise EnvironmentFault(
            f"cannot {doing}: {os.strerror(error.errno or 0)}", where=str(folder), hint=hint
        ) from error


def make_folder(path: Path) -> None:
    """Create a directory, private and durable, with its parents; not an error when it is there, unless as a symlink."""
    if path.is_symlink():
        raise EnvironmentFault(
            "it is a symlink, and nothing is written through one", where=str(path), hint="name the real directory"
        )
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        # Flushed files in a folder whose own name was not flushed are gone with it when power fails.
        with suppress(PermissionError):  # a parent that may be written and not read
            sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a rename in ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class PendingFile:
    """A file that appears under its final name only by ``publish``, complete and flushed, or never."""

    def __init__(self, folder: Path) -> None:
        """Open a new file in ``folder`` (made when missing)."""
        make_folder(folder)
        self._path = folder / secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0)
        self.size = 0

    def write(self, data: bytes) -> int:
        """Append all of it."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(data)
        return len(data)

    def publish(self, target: Path) -> None:
        """Flush, take the final name (over what may be there), flush the directory."""
        os.fchmod(self._file.fileno(), PUBLIC)
        os.fsync(self._file.fileno())
        self._file.close()
        make_folder(target.parent)
        self._path.replace(target)
        sync_folder(target.parent)

    def discard(self) -> None:
        """Close, and remove what was not published."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def write_file(target: Path, data: bytes, *, aside: Path) -> None:
    """Replace ``target`` durably; ``aside`` is a folder of the same file system for the unfinished file."""
    with disk_faults(target.parent, f"write {target.name} ({len(data)} bytes)"):
        pending = PendingFile(aside)
        try:
            pending.write(data)
            pending.publish(target)
        finally:
            pending.discard()


def seal(data: bytes) -> bytes:
    """``data`` and a last line that holds its sha256: a document that knows when it is damaged."""
    return data + _SEAL % hashlib.sha256(data).hexdigest().encode()


def unseal(sealed: bytes) -> bytes | None:
    """What was sealed, or None when a bit of it, or of its seal, is not what was written."""
    data = sealed[:-_SEAL_SIZE]
    return data if seal(data) == sealed else None


class VerifyingReader(io.RawIOBase):
    """Reads a file and hashes it; the read that reaches the end calls ``on_mismatch`` and raises on other bytes."""

    def __init__(self, file: FileIO, path: Path, on_mismatch: Callable[[], object]) -> None:
        """Take over ``file``, which was opened from ``path``; the path's last part is the sha256."""
        super().__init__()
        self._file = file
        self._path = path
        self._left = os.fstat(file.fileno()).st_size
        self._hash = hashlib.sha256()
        self._on_mismatch = on_mismatch

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer``; the last bytes are handed out only when the whole file is right."""
        with disk_faults(self._path.parent, f"read {self._path.name}"):
            count = self._file.readinto(buffer) or 0
        self._hash.update(memoryview(buffer)[:count])
        self._left -= count
        if count == 0 or self._left <= 0:
            self._check()
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _check(self) -> None:
        found = self._hash.hexdigest()
        if found != self._path.name:
            self._on_mismatch()
            raise IntegrityError(
                f"the blob is damaged: it holds sha256:{found}",
                where=str(self._path),
                hint="it was put aside; build again to make it anew",
            )


def open_verified(path: Path, on_mismatch: Callable[[], object]) -> BinaryIO:
    """A buffered ``VerifyingReader`` of ``path``, never through a symlink."""
    file = io.FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
    return cast("BinaryIO", io.BufferedReader(VerifyingReader(file, path, on_mismatch), CHUNK))
