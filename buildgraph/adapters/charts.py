"""Charts on disk: their folders, their files as a package may hold them, and folders that are made equal to a list."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults, write_file
from buildgraph.adapters.paths import check_path, parents
from buildgraph.adapters.tree import IGNORED
from buildgraph.errors import BuildFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHARTS_FOLDER = "charts"
MAX_FILE = 5 << 20
"""Helm reads no larger file in a package."""
MAX_CHART = 100 << 20
"""Helm reads no larger package."""
MAX_DEPTH = 32
_CHART_FILE = "Chart.yaml"


def find_charts(charts: Path) -> tuple[str, ...]:
    """The names of the folders below ``charts`` that hold a Chart.yaml; links are none."""
    if not charts.is_dir():
        return ()
    with os.scandir(charts) as entries:
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    return tuple(sorted(folder.name for folder in folders if os.path.lexists(Path(folder.path) / _CHART_FILE)))


def read_chart_file(folder: Path, path: str) -> str | None:
    """The text of a chart's file, or None where there is none; errors as in ``read_chart_files``."""
    file = folder / path
    if not os.path.lexists(file):
        return None
    with disk_faults(folder, f"read {path}"):
        data = _read(file, path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}", where=str(file)) from error


def read_chart_files(folder: Path, ignores: Callable[[str, bool], bool]) -> dict[str, bytes]:
    """Every file below the chart's folder by its path, in order, but those that are ignored (path, is it a folder).

    Raises:
        UsageError: for links, devices, pipes, names that a package cannot hold, and what is too large for Helm.
    """
    files: dict[str, bytes] = {}
    total = 0
    with disk_faults(folder, "read the chart"):
        for path, file in sorted(_walk(folder, "", ignores)):
            files[path] = _read(file, path)
            total += len(files[path])
            if total > MAX_CHART:
                hint = "list in .helmignore what is no part of it"
                raise UsageError(f"more than {MAX_CHART >> 20} MiB", where=str(folder), hint=hint)
    return files


def sync_files(folder: Path, files: Mapping[str, bytes], *, aside: Path) -> bool:
    """Make the folder hold exactly these files; True when something had to change. Whoever else does the same helps.

    ``aside``: a folder of the same file system, and not in this one, for unfinished files.
    """
    for step in (folder, folder.parent):
        if step.is_symlink():
            raise UsageError("it is a symlink, and nothing is written through one", where=str(step))
    folders = {parent for path in files for parent in parents(path)}
    changed = False
    with disk_faults(folder, "fill it"):
        for path, file in sorted(_walk_all(folder), reverse=True):  # what lies in a folder comes before it
            is_folder = file.is_dir() and not file.is_symlink()
            if file.is_symlink() or path not in (folders if is_folder else files):
                _remove(file, is_folder=is_folder)
                changed = True
        for path, data in files.items():
            target = folder / path
            if not target.is_file() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_file(target, data, aside=aside)
                changed = True
    return changed


def _walk(folder: Path, prefix: str, ignores: Callable[[str, bool], bool]) -> Iterator[tuple[str, Path]]:
    if prefix.count("/") > MAX_DEPTH:
        raise UsageError(f"nested deeper than {MAX_DEPTH} folders", where=str(folder))
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        path = f"{prefix}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in IGNORED or ignores(path, is_folder):
            continue
        if is_folder:
            yield from _walk(Path(entry.path), f"{path}/", ignores)
        else:
            yield path, Path(entry.path)


def _walk_all(folder: Path) -> Iterator[tuple[str, Path]]:
    """Everything below a folder, folders too; no link is followed."""
    if not folder.is_dir():
        return
    for base, folders, names in os.walk(folder):
        for name in (*folders, *names):
            file = Path(base) / name
            yield file.relative_to(folder).as_posix(), file


def _read(file: Path, path: str) -> bytes:
    try:
        check_path(path)
    except BuildFailure as error:
        raise UsageError(error.what, where=str(file.parent), hint="rename it, or list it in .helmignore") from None
    if "\\" in path:
        raise UsageError(f"{path!r} has a backslash, which Helm takes for a folder", where=str(file), hint="rename it")
    if file.is_symlink():
        raise UsageError("it is a symlink, and a package holds none", where=str(file), hint="put the real file there")
    # Without waiting: a pipe would have to be written to first.
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError("a file is wanted here, and this is something else", where=str(file), hint="remove it")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(MAX_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE:
        hint = "list it in .helmignore, or make it smaller"
        raise UsageError(f"more than the {MAX_FILE >> 20} MiB that Helm reads", where=str(file), hint=hint)
    return data


def _remove(file: Path, *, is_folder: bool) -> None:
    with suppress(FileNotFoundError):  # somebody else was faster
        if is_folder:
            file.rmdir()
        else:
            file.unlink()
