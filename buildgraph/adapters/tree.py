"""Trees on disk as layer entries: sorted by path, links kept as links, modes that depend on no umask."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from buildgraph.adapters.paths import check_path, join
from buildgraph.errors import BuildFailure
from buildgraph.model import Entry, EntryType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

IGNORED = frozenset({"__pycache__", ".DS_Store"})
"""What Python and file managers leave in a project's folders: in no key and in no layer."""
DIRECTORY_MODE = 0o755
EXECUTABLE_MODE = 0o755
FILE_MODE = 0o644


def plain_mode(mode: int) -> int:
    """0755 for what is executable by anyone, else 0644."""
    return EXECUTABLE_MODE if mode & 0o111 else FILE_MODE


def read_tree(root: Path, *, ignored: Collection[str] = ()) -> Iterator[tuple[Entry, Path]]:
    """All that lies below ``root``, sorted by path (so parents come first), with where each lies; owner 0:0.

    ``ignored``: names of files and folders that are left out wherever they are.
    """
    yield from ((entry_of(path, file), file) for path, file in sorted(_walk(root, "", ignored)))


def entry_of(path: str, file: Path) -> Entry:
    """The entry that ``file`` becomes at ``path``; ``BuildFailure`` for devices, pipes and sockets."""
    status = file.lstat()
    check_path(path)
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, EntryType.DIRECTORY, DIRECTORY_MODE)
    if stat.S_ISLNK(status.st_mode):
        return Entry(path, EntryType.SYMLINK, 0o777, target=str(file.readlink()))
    if stat.S_ISREG(status.st_mode):
        return Entry(path, EntryType.FILE, plain_mode(status.st_mode), size=status.st_size)
    raise BuildFailure("a layer cannot hold a device, a pipe or a socket", where=str(file))


@contextmanager
def open_steady(file: Path) -> Iterator[BinaryIO]:
    """Read a file, never through a symlink; ``BuildFailure`` when it changes meanwhile."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as stream:
        before = os.fstat(stream.fileno())
        yield stream
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BuildFailure("the file changed while it was read", where=str(file), hint="run again")


def _walk(folder: Path, prefix: str, ignored: Collection[str]) -> Iterator[tuple[str, Path]]:
    for file in folder.iterdir():
        if file.name in ignored:
            continue
        path = join(prefix, file.name)
        yield path, file
        if file.is_dir() and not file.is_symlink():
            yield from _walk(file, path, ignored)
