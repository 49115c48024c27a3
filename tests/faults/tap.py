"""Sees every change that this process makes to the disk below a folder: to record them, or to spoil one of them.

It stands between the program and the operating system in a process that exists for nothing else. A change is what a
system call does: making, writing, flushing, renaming or removing a file, making, flushing or removing a folder.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import threading
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

CRASHED = 77
_REFUSED = frozenset({"create", "write", "mkdir", "fsync"})
"""What a full or failing disk refuses."""
_CREATES = os.O_CREAT | os.O_TRUNC


class Tap:
    """``crash``: the number (from 0) of the change that is not made any more; a write is made by half.

    ``refuse``: the number from which on the disk refuses what needs space, with error number ``error``.
    """

    def __init__(
        self,
        root: Path,
        *,
        tape: Path | None = None,
        crash: int | None = None,
        refuse: int | None = None,
        error: int = errno.ENOSPC,
    ) -> None:
        self._root = f"{root}{os.sep}"
        self._prefix = len(self._root)
        self._tape = tape.open("w", encoding="utf-8") if tape else None
        self._crash = crash
        self._refuse = refuse
        self._error = error
        self._count = 0
        self._mutex = threading.RLock()
        self._makers: dict[str, Callable[..., Any]] = {}

    def install(self) -> None:
        """Take the place of the operating system's calls in this process, for good."""
        for name in ("open", "fsync", "replace", "rename", "unlink", "remove", "mkdir", "rmdir", "fchmod", "fdopen"):
            self._makers[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"_{name}"))
        self._makers["io.open"] = io.open
        io.open = builtins.open = self._io_open

    def _before(self, operation: str, path: str, **more: str) -> None:
        """Die here, or write the change down."""
        if not f"{path}/".startswith(self._root):
            return
        with self._mutex:
            if self._count == self._crash:
                os._exit(CRASHED)
            self._count += 1
            if self._refuse is not None and self._count > self._refuse and operation in _REFUSED:
                raise OSError(self._error, os.strerror(self._error), path)
            if self._tape:
                entry = {"do": operation, "path": path[self._prefix :], **more}
                self._tape.write(json.dumps(entry) + "\n")
                self._tape.flush()

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & _CREATES:
            self._before("create", str(path))
        return int(self._makers["open"](path, flags, mode, dir_fd=dir_fd))

    def _io_open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, str | Path) and set(mode) & set("wax"):
            self._before("create", str(file))
        return self._makers["io.open"](file, mode, *args, **kwargs)

    def _fdopen(self, descriptor: int, *args: Any, **kwargs: Any) -> Any:
        file = self._makers["fdopen"](descriptor, *args, **kwargs)
        return _Written(file, self) if isinstance(file, io.FileIO) and file.writable() else file

    def write(self, file: io.FileIO, data: Any) -> int:
        """Write all, or half and die."""
        path = _path_of(file.fileno())
        if path.startswith(self._root) and self._count == self._crash:
            file.write(memoryview(data)[: len(data) // 2])
        self._before("write", path)
        return file.write(data)

    def _fsync(self, file: Any) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        path = _path_of(descriptor)
        if Path(path).is_dir():
            self._before("fsync-folder", path)
        else:
            content = Path(path).read_bytes() if self._tape and path.startswith(self._root) else b""
            self._before("fsync", path, content=b64encode(content).decode())
        self._makers["fsync"](descriptor)

    def _replace(self, source: Any, target: Any) -> None:
        self._before("rename", str(source), to=str(target)[self._prefix :])
        self._makers["replace"](source, target)

    _rename = _replace

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None or os.path.lexists(path):
            self._before("unlink", _whole(path, dir_fd))
        self._makers["unlink"](path, dir_fd=dir_fd)

    _remove = _unlink

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if not os.path.lexists(path):
            self._before("mkdir", str(path))
        self._makers["mkdir"](path, mode, dir_fd=dir_fd)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._before("rmdir", _whole(path, dir_fd))
        self._makers["rmdir"](path, dir_fd=dir_fd)

    def _fchmod(self, descriptor: int, mode: int) -> None:
        self._before("chmod", _path_of(descriptor))
        self._makers["fchmod"](descriptor, mode)


class _Written:
    """A raw file whose writes are seen."""

    def __init__(self, file: io.FileIO, tap: Tap) -> None:
        self._file = file
        self._tap = tap

    def write(self, data: Any) -> int:
        return self._tap.write(self._file, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _whole(path: Any, dir_fd: int | None) -> str:
    return str(path) if dir_fd is None else f"{_path_of(dir_fd)}/{path}"
