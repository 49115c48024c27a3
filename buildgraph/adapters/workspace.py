"""The project folder: its documents, the hashes of what lies below ``layers/``, and durable writes of text files."""

from __future__ import annotations

import hashlib
import os
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
        """The text of every ``manifests/**/*.yaml``, by path."""
        folder = self.root / "manifests"
        return {path.relative_to(self.root).as_posix(): self._read(path) for path in sorted(folder.rglob("*.yaml"))}

    def read_text(self, path: str) -> str | None:
        """The text of a file of the project, or None when it is missing."""
        file = self.root / path
        return self._read(file, limit=None) if file.is_file() else None

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
            files = dict(_describe(Path(folder.path)))
            tests[folder.name] = {path: what for path, what in files.items() if _is_test(path)}
            content[folder.name] = {path: what for path, what in files.items() if not _is_test(path)}
        return content, tests

    def hash_file(self, path: Path) -> str:
        """sha256 of one file."""
        return _hash(path)

    def _read(self, path: Path, limit: int | None = _MAX_MANIFEST) -> str:
        shown = (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()
        try:
            if limit is not None and path.stat().st_size > limit:
                raise UsageError(f"larger than {limit} bytes", where=shown, hint="split it")
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"not UTF-8 at byte {error.start}", where=shown) from error
        except OSError as error:
            raise EnvironmentFault(f"cannot be read: {error.strerror}", where=shown) from error


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


def _describe(folder: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=_name)
    for entry in found:
        path = f"{prefix}{entry.name}"
        if entry.name in IGNORED:
            continue
        if entry.is_symlink():
            yield path, f"link:{os.readlink(entry.path)}"  # noqa: PTH115 - the target as written
        elif entry.is_dir():
            inner = list(_describe(Path(entry.path), f"{path}/"))
            yield from inner or [(path, "empty")]
        else:
            executable = plain_mode(entry.stat().st_mode) == EXECUTABLE_MODE
            yield path, f"{'x' if executable else '-'}:{_hash(Path(entry.path))}"


def _hash(path: Path) -> str:
    """sha256 of a file that did not change while it was read."""
    for _ in range(_ATTEMPTS):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            after = os.fstat(file.fileno())
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            return digest.hexdigest()
    raise EnvironmentFault("it changes while it is read", where=str(path), hint="stop the writer and run again")
