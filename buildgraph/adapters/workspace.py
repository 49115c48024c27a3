"""The project folder: its documents, the hashes of what lies below ``layers/``, and durable writes of text files."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import write_file
from buildgraph.adapters.tree import EXECUTABLE_MODE, IGNORED, plain_mode
from buildgraph.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT_FILE = Path("manifests/project.yaml")
_MAX_MANIFEST = 1 << 20
_CHUNK = 1 << 20
_ATTEMPTS = 3
_TEST_DATA = "testdata"


def find_root(start: Path) -> Path:
    """The nearest folder, from ``start`` upwards, that holds ``manifests/project.yaml``."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise UsageError(f"no {PROJECT_FILE} here or above", where=str(start), hint="use -C with the project's folder")


class Workspace:
    """A project on disk; paths are relative to its root and use forward slashes."""

    def __init__(self, root: Path) -> None:
        """Nothing is read yet."""
        self.root = root

    def read_manifests(self) -> Mapping[str, str]:
        """The text of every ``manifests/**/*.yaml``, by path.

        Of a file beyond the limit no more than it takes to see that; bytes that are no UTF-8 stand in it as surrogates.
        So a file that nobody can read hides nothing of what is wrong with the others.
        """
        found = sorted(_find_manifests(str(self.root / "manifests"), "manifests/"))
        return {path: self._read_start(path) for path in found}

    def read_text(self, path: str) -> str | None:
        """The text of a file of the project, or None when it is missing."""
        file = self.root / path
        return self._read(file) if file.is_file() else None

    def write_text(self, path: str, text: str) -> None:
        """Replace a file of the project, atomically; refuses to write through a symlink."""
        file = self.root / path
        for step in (file, *file.parents):
            if step == self.root:
                break
            if step.is_symlink():
                raise UsageError("it is a symlink, and nothing is written through one", where=path)
        write_file(file, text.encode(), aside=file.parent)

    def hash_layers(self) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, Mapping[str, str]]]:
        """For each folder below ``layers/``: what its layer is made from, and what its tests are.

        A file is described by ``x`` or ``-`` (executable or not) and its sha256, a link by its target; a folder only
        when it is empty. Tests are
        ``test_*.py`` and everything below ``testdata/``; mtimes and other mode bits do not count.
        """
        content: dict[str, Mapping[str, str]] = {}
        tests: dict[str, Mapping[str, str]] = {}
        for folder in _folders(self.root / "layers"):
            content[folder.name], tests[folder.name] = self.hash_layer(folder.name)
        return content, tests

    def hash_layer(self, name: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The same for one folder; nothing where there is none."""
        folder = self.root / "layers" / name
        files = dict(_describe(str(folder))) if folder.is_dir() else {}
        tests = {path: what for path, what in files.items() if _is_test(path)}
        for path, what in tests.items():
            if path.endswith(".py") and what.startswith("link:"):  # a verdict knows where it leads, not what is there
                raise UsageError("a test is a symlink", where=f"layers/{name}/{path}", hint="put the real one there")
        return {path: what for path, what in files.items() if path not in tests}, tests

    def hash_file(self, path: Path) -> str:
        """sha256 of one file."""
        return _hash(str(path))[1]

    def _read_start(self, path: str) -> str:
        try:
            start = _read_bytes(f"{self.root}/{path}", _MAX_MANIFEST + 1)
        except OSError as error:
            raise EnvironmentFault(f"cannot be read: {error.strerror}", where=path) from error
        text = start.decode("utf-8", "surrogateescape")
        return text if len(start) <= _MAX_MANIFEST else text.ljust(_MAX_MANIFEST + 1)

    def _read(self, path: Path) -> str:
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"not UTF-8 at byte {error.start}", where=self._show(path)) from error
        except OSError as error:
            raise EnvironmentFault(f"cannot be read: {error.strerror}", where=self._show(path)) from error

    def _show(self, path: Path) -> str:
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


def _find_manifests(folder: str, prefix: str) -> Iterator[str]:
    """What ends in ``.yaml`` and is a file, or a link to one or to nothing: a link to nothing is a mistake to tell."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _find_manifests(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".yaml") and _is_manifest(entry):
                yield f"{prefix}{entry.name}"


def _is_manifest(entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_file()
    path = Path(entry.path)
    return path.is_file() or not path.exists()


def _read_bytes(path: str, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        start = b""
        while len(start) < limit and (chunk := os.read(descriptor, limit - len(start))):
            start += chunk
        return start
    finally:
        os.close(descriptor)


def _folders(path: Path) -> list[os.DirEntry[str]]:
    if not path.is_dir():
        return []
    with os.scandir(path) as entries:
        return sorted((entry for entry in entries if entry.is_dir() and entry.name not in IGNORED), key=_name)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_test(path: str) -> bool:
    first, _, rest = path.partition("/")
    return first == _TEST_DATA or (not rest and first.startswith("test_") and first.endswith(".py"))


def _describe(folder: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=_name)
    for entry in found:
        path = f"{prefix}{entry.name}"
        if entry.name in IGNORED:
            continue
        if entry.is_symlink():
            yield path, f"link:{os.readlink(entry.path)}"  # noqa: PTH115 - the target as written
        elif entry.is_dir():
            inner = list(_describe(entry.path, f"{path}/"))
            yield from inner or [(path, "empty")]
        else:
            mode, digest = _hash(entry.path)
            yield path, f"{'x' if plain_mode(mode) == EXECUTABLE_MODE else '-'}:{digest}"


def _hash(path: str) -> tuple[int, str]:
    """Mode and sha256 of a file that did not change while it was read."""
    for _ in range(_ATTEMPTS):
        # Without waiting: a pipe would have to be written to first.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise UsageError("a device, a pipe or a socket is no part of a layer", where=path, hint="remove it")
            digest = hashlib.sha256()
            left = before.st_size + 1  # one byte more: whether it ends there, without following a file that grows
            while left and (chunk := os.read(descriptor, min(_CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            return before.st_mode, digest.hexdigest()
    raise EnvironmentFault("it changes while it is read", where=path, hint="stop the writer and run again")
