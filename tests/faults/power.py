"""What a disk may hold after power fails, from the changes that were made to it, flushed or not."""

from __future__ import annotations

import posixpath
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Files = dict[str, bytes | None]
"""Path → content, None for a folder."""


@dataclass
class _Node:
    """A file or a folder. ``flushed``: the content that the disk has, or a folder's names as the disk has them."""

    is_folder: bool
    names: dict[str, _Node] = field(default_factory=dict)
    flushed_names: dict[str, _Node] = field(default_factory=dict)
    flushed: bytes = b""


class States:
    """The tree as the program sees it, and as much of it as was flushed."""

    def __init__(self) -> None:
        self._root = _Node(is_folder=True)

    def apply(self, change: Mapping[str, str]) -> None:
        """One entry of a ``tap``'s tape."""
        getattr(self, f"_{change['do'].replace('-', '_')}")(change)

    def after_power_loss(self) -> Iterator[Files]:
        """Strict: only flushed names and flushed content. Lazy: all names (a journal wrote them), flushed content."""
        yield dict(_walk(self._root, "", strict=True))
        yield dict(_walk(self._root, "", strict=False))

    def _create(self, change: Mapping[str, str]) -> None:
        folder, name = self._place(change["path"])
        folder.names.setdefault(name, _Node(is_folder=False))

    def _mkdir(self, change: Mapping[str, str]) -> None:
        path, name = posixpath.split(change["path"])
        folder = self._find(path) if path else self._root
        if folder and name:  # else it is the root, or the call fails and the parents are made first
            folder.names.setdefault(name, _Node(is_folder=True))

    def _write(self, change: Mapping[str, str]) -> None:
        """Nothing is on the disk before it is flushed."""

    _chmod = _write

    def _fsync(self, change: Mapping[str, str]) -> None:
        node = self._find(change["path"])
        assert node, change["path"]
        node.flushed = b64decode(change["content"])

    def _fsync_folder(self, change: Mapping[str, str]) -> None:
        node = self._find(change["path"])
        assert node, change["path"]
        node.flushed_names = dict(node.names)

    def _rename(self, change: Mapping[str, str]) -> None:
        folder, name = self._place(change["path"])
        target, new = self._place(change["to"])
        target.names[new] = folder.names.pop(name)

    def _unlink(self, change: Mapping[str, str]) -> None:
        folder, name = self._place(change["path"])
        folder.names.pop(name, None)

    _rmdir = _unlink

    def _place(self, path: str) -> tuple[_Node, str]:
        folder = self._find(posixpath.dirname(path))
        assert folder, path
        return folder, posixpath.basename(path)

    def _find(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for name in path.split("/") if path else ():
            node = node.names.get(name) if node else None
        return node


def _walk(node: _Node, path: str, *, strict: bool) -> Iterator[tuple[str, bytes | None]]:
    for name, inner in (node.flushed_names if strict else node.names).items():
        place = posixpath.join(path, name)
        yield place, None if inner.is_folder else inner.flushed
        if inner.is_folder:
            yield from _walk(inner, place, strict=strict)
