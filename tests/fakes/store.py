"""A store in memory: blobs, file indexes and texts, with the refusals of the real one."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from buildgraph.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.model import FileIndex


class MemoryWriter:
    """A blob being written into a ``MemoryBlobs``."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs
        self._data = bytearray()

    def write(self, data: bytes, /) -> int:
        self._data += data
        return len(data)

    def commit(self) -> tuple[str, int]:
        data = bytes(self._data)
        digest = digest_of(data)
        self._blobs[digest] = data
        return digest, len(data)


class MemoryBlobs:
    """A ``BlobStore``. ``spill`` is where ``blob_path`` puts a blob for whoever needs a file."""

    def __init__(self, spill: Path | None = None) -> None:
        self.blobs: dict[str, bytes] = {}
        self.files: dict[str, FileIndex] = {}
        self._spill = spill

    def has_blob(self, digest: str, size: int) -> bool:
        return digest in self.blobs and len(self.blobs[digest]) == size

    @contextmanager
    def open_blob(self, digest: str) -> Iterator[BinaryIO]:
        data = self._verified(digest)
        yield io.BytesIO(data)

    def blob_path(self, digest: str) -> Path:
        spill = self._spill or Path("/nonexistent")
        path = spill / digest.removeprefix("sha256:")
        if self._spill and digest in self.blobs:
            path.write_bytes(self.blobs[digest])
        return path

    @contextmanager
    def create_blob(self) -> Iterator[MemoryWriter]:
        yield MemoryWriter(self.blobs)

    def write_blob(self, data: bytes) -> str:
        with self.create_blob() as writer:
            writer.write(data)
            return writer.commit()[0]

    def save_files(self, digest: str, index: FileIndex) -> None:
        self.files[digest] = index

    def load_files(self, digest: str) -> FileIndex | None:
        return self.files.get(digest)

    def _verified(self, digest: str) -> bytes:
        data = self.blobs.get(digest)
        if data is None:
            raise IntegrityError(f"{digest} is not in the store")
        if digest_of(data) != digest:
            del self.blobs[digest]
            raise IntegrityError(f"{digest} holds other bytes")
        return data


class MemoryTexts:
    """A ``Texts``: folder → name → text."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, str]] = {}

    def read(self, folder: str, name: str) -> str | None:
        return self.folders.get(folder, {}).get(checked(name))

    def write(self, folder: str, name: str, text: str) -> None:
        self.folders.setdefault(folder, {})[checked(name)] = text

    def forget(self, folder: str, name: str) -> None:
        self.folders.get(folder, {}).pop(checked(name), None)

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(self.folders.get(folder, {})))


def checked(name: str) -> str:
    """The name itself; ``UsageError`` for what the real store refuses."""
    plain = name.isascii() and len(name) <= 128 and name == name.lower()
    if not plain or not name[:1].isalnum() or not all(c.isalnum() or c in "._-" for c in name):
        raise UsageError(f"{name!r} is not a name")
    return name


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
