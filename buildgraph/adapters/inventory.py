"""Every file of a store, as it lies on the disk: listed, read, hashed by all processors, removed."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import zstandard

from buildgraph.adapters.disk import CHUNK
from buildgraph.adapters.fileindex import Stream, open_tar
from buildgraph.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel, Progress

_TRANSIENT = frozenset({"tmp", "runs", "sources"})
Opener: TypeAlias = "Callable[[Path], BinaryIO]"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFile:
    """``path`` is relative to the store; ``changed`` is when its inode last changed, in seconds of the epoch."""

    path: str
    size: int
    is_regular: bool
    changed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """What reading a file gave. ``diff_id`` and ``unpacked`` only where they were asked for.

    ``error`` tells why the file could not be read, ``fault`` why it could not be unpacked; ``is_gone``: it vanished.
    """

    sha256: str = ""
    size: int = 0
    diff_id: str = ""
    unpacked: int = 0
    error: str = ""
    fault: str = ""
    is_gone: bool = False


def open_plain(path: Path) -> BinaryIO:
    """A file for reading, never through a symlink."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0)


def list_files(root: Path) -> tuple[tuple[StoreFile, ...], tuple[tuple[str, str], ...]]:
    """All files below ``root``, sorted by path, and the folders that could not be listed, with the reason.

    An empty folder that a run left counts as a file that is not regular.
    """
    files: list[StoreFile] = []
    refused: list[tuple[str, str]] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
            if not entries and folder != root:
                files.extend(_describe_empty(folder, root))
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(folder / entry.name)
                else:
                    files.extend(_describe(entry, folder.relative_to(root) / entry.name))
        except OSError as error:
            refused.append((folder.relative_to(root).as_posix(), os.strerror(error.errno or 0)))
    return tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(refused))


def hash_files(
    tasks: Sequence[tuple[StoreFile, bool]],
    root: Path,
    *,
    opener: Opener = open_plain,
    progress: Progress,
    cancel: Cancel,
) -> Iterator[Hashed]:
    """What each file holds, in the order of ``tasks``; True beside a file: it is a layer, and is unpacked as well.

    Hashing lets go of the interpreter, so one thread for each processor does.
    """
    total = sum(file.size for file, _ in tasks)
    done = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [
            pool.submit(_hash_file, root / file.path, opener, unpack=unpack, cancel=cancel) for file, unpack in tasks
        ]
        for (file, _), job in zip(tasks, jobs, strict=True):
            yield job.result()
            done += file.size
            progress(done, total)


def remove(root: Path, path: str) -> None:
    """Remove a file or a folder of the store; not an error when it is gone."""
    target = root / path
    if target.is_dir() and not target.is_symlink():
        with suppress(FileNotFoundError):  # somebody else removes it, too
            shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _describe_empty(folder: Path, root: Path) -> Iterator[StoreFile]:
    path = folder.relative_to(root)
    if len(path.parts) > 1 and path.parts[0] in _TRANSIENT:
        yield StoreFile(path=path.as_posix(), size=0, is_regular=False, changed=folder.lstat().st_ctime)


def _describe(entry: os.DirEntry[str], path: Path) -> Iterator[StoreFile]:
    with suppress(FileNotFoundError):  # a run that goes on removes what it has done with
        status = entry.stat(follow_symlinks=False)
        yield StoreFile(
            path=path.as_posix(),
            size=status.st_size,
            is_regular=stat.S_ISREG(status.st_mode),
            changed=status.st_ctime,
        )


def _hash_file(path: Path, opener: Opener, *, unpack: bool, cancel: Cancel) -> Hashed:
    try:
        with opener(path) as file:
            reader = _HashingReader(file, cancel)
            diff_id, unpacked, fault = _unpack(reader) if unpack else ("", 0, "")
            while reader.read(CHUNK):
                pass
    except FileNotFoundError:
        return Hashed(is_gone=True)
    except OSError as error:
        return Hashed(error=os.strerror(error.errno) if error.errno else str(error))
    return Hashed(sha256=reader.sha256, size=reader.size, diff_id=diff_id, unpacked=unpacked, fault=fault)


def _unpack(reader: Stream) -> tuple[str, int, str]:
    found, size = hashlib.sha256(), 0
    try:
        tar = open_tar(reader)
        while chunk := tar.read(CHUNK):
            found.update(chunk)
            size += len(chunk)
    except zstandard.ZstdError as error:
        return "", 0, f"it cannot be unpacked: {error}"
    return f"sha256:{found.hexdigest()}", size, ""


class _HashingReader:
    def __init__(self, file: BinaryIO, cancel: Cancel) -> None:
        self._file = file
        self._cancel = cancel
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int, /) -> bytes:
        if self._cancel.is_set():
            raise Interrupted("the store was not read to its end")
        chunk = self._file.read(size)
        self._hash.update(chunk)
        self.size += len(chunk)
        return chunk
