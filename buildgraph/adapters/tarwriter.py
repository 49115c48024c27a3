"""The one tar writer: every layer, however made, gets its bytes here."""

from __future__ import annotations

import hashlib
import tarfile
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, Self

import zstandard

from buildgraph.adapters.paths import check_path, parents
from buildgraph.errors import BuildFailure, Interrupted
from buildgraph.model import Compression, Entry, EntryType, LayerBlob

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

    from buildgraph.ports import BlobStore, BlobWriter, Cancel, Progress

WRITER_FORMAT = 1
CHUNK = 1 << 20
LEVEL = 3
# One thread or many give the same bytes; 0 (no worker at all) gives others.
THREADS = 2
DIRECTORY_MODE = 0o755
LINK_MODE = 0o777
MAX_OWNER = (1 << 31) - 1
_BLOCK = tarfile.BLOCKSIZE
_TYPES = {
    EntryType.FILE: tarfile.REGTYPE,
    EntryType.DIRECTORY: tarfile.DIRTYPE,
    EntryType.SYMLINK: tarfile.SYMTYPE,
    EntryType.HARDLINK: tarfile.LNKTYPE,
}


class _Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class LayerWriter:
    """Writes one layer into the store; a context manager that leaves nothing behind without ``finish``.

    Entries come in the producer's order, parents first; directories that nobody added are made (0755, 0:0).
    ``epoch`` in seconds is every entry's time; ``progress`` hears the bytes of the uncompressed tar.
    """

    def __init__(self, blobs: BlobStore, *, epoch: int, compression: Compression, progress: Progress) -> None:
        """Nothing is opened before the context is entered."""
        self._blobs = blobs
        self._epoch = epoch
        self._compression = compression
        self._progress = progress
        self._stack = ExitStack()
        self._entries: dict[str, Entry] = {}
        self._hash = hashlib.sha256()
        self._written = 0

    def __enter__(self) -> Self:
        """Open a blob in the store."""
        self._blob: BlobWriter = self._stack.enter_context(self._blobs.create_blob())
        self._encoder = _make_encoder(self._compression)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the blob unless it was finished."""
        self._stack.__exit__(kind, error, trace)

    def add(self, entry: Entry, content: BinaryIO | None = None) -> Entry:
        """Append an entry; a file's ``content`` holds exactly ``entry.size`` bytes. The entry as written.

        ``BuildFailure`` for a path that is there already, a parent that is no directory, a whiteout, an owner beyond
        31 bits, a hard link to what is not earlier in this layer, content of another length or (where the entry has
        one) sha256.
        """
        path = check_path(entry.path)
        if path in self._entries:
            raise BuildFailure(f"/{path} is there twice")
        if path.rpartition("/")[2].startswith(".wh."):
            raise BuildFailure(f"/{path} is a whiteout; a layer only adds")
        if not (0 <= entry.uid <= MAX_OWNER and 0 <= entry.gid <= MAX_OWNER):
            raise BuildFailure(f"/{path} belongs to {entry.uid}:{entry.gid}, which programs take for other numbers")
        self._add_parents(path)
        added = self._normal(entry)
        self._write_header(added)
        if added.type is EntryType.FILE:
            added = replace(added, sha256=self._write_content(added, content))
        self._entries[path] = added
        return added

    def finish(self) -> LayerBlob:
        """End the tar, publish the blob, keep its file index."""
        self._write(bytes(2 * _BLOCK))
        self._flush()
        digest, size = self._blob.commit()
        self._blobs.save_files(digest, tuple(self._entries.values()))
        diff_id = f"sha256:{self._hash.hexdigest()}" if self._encoder else digest
        return LayerBlob(
            digest=digest,
            diff_id=diff_id,
            media_type=self._compression.media_type,
            size=size,
            unpacked=self._written,
        )

    def _add_parents(self, path: str) -> None:
        for parent in parents(path):
            known = self._entries.get(parent)
            if known is None:
                self.add(Entry(parent, EntryType.DIRECTORY, DIRECTORY_MODE))
            elif known.type is not EntryType.DIRECTORY:
                raise BuildFailure(f"/{path} lies below /{parent}, which is no directory")

    def _normal(self, entry: Entry) -> Entry:
        """The entry with what its type leaves open filled in."""
        if entry.type is EntryType.FILE:
            return replace(entry, mode=entry.mode & 0o7777, target="")
        if entry.type is EntryType.DIRECTORY:
            return replace(entry, mode=entry.mode & 0o7777, size=0, target="", sha256="")
        if not entry.target or "\0" in entry.target:
            raise BuildFailure(f"/{entry.path} is a link to nowhere")
        if entry.type is EntryType.SYMLINK:
            return replace(entry, mode=LINK_MODE, size=0, sha256="")
        first = self._entries.get(entry.target)
        if first is None or first.type is not EntryType.FILE:
            raise BuildFailure(
                f"/{entry.path} is a hard link to /{entry.target}, which is no earlier file of this layer"
            )
        return replace(entry, mode=first.mode, uid=first.uid, gid=first.gid, size=0, sha256="")

    def _write_header(self, entry: Entry) -> None:
        info = tarfile.TarInfo(entry.path)
        info.type = _TYPES[entry.type]
        info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.uid, entry.gid, self._epoch
        info.size, info.linkname = entry.size, entry.target
        self._write(write_header(info))

    def _write_content(self, entry: Entry, content: BinaryIO | None) -> str:
        file_hash = hashlib.sha256()
        left = entry.size
        while left and content:
            chunk = content.read(min(CHUNK, left))
            if not chunk:
                break
            file_hash.update(chunk)
            self._write(chunk)
            self._progress(self._written, None)
            left -= len(chunk)
        if left or (content and content.read(1)):
            raise BuildFailure(f"/{entry.path} does not hold the {entry.size} bytes that were announced")
        if entry.sha256 and entry.sha256 != file_hash.hexdigest():
            raise BuildFailure(f"/{entry.path} changed while it was read")
        self._write(bytes(-entry.size % _BLOCK))
        return file_hash.hexdigest()

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self._written += len(data)
        if self._encoder:
            self._hash.update(data)
            data = self._encoder.compress(data)
        if data:
            self._blob.write(data)

    def _flush(self) -> None:
        if self._encoder:
            self._blob.write(self._encoder.flush())


def _make_encoder(compression: Compression) -> _Encoder | None:
    if compression is Compression.NONE:
        return None
    compressor = zstandard.ZstdCompressor(
        level=LEVEL, threads=THREADS, write_checksum=False, write_content_size=False, write_dict_id=False
    )
    return compressor.compressobj()


def write_header(info: tarfile.TarInfo) -> bytes:
    """A plain ustar header where everything fits, else one with PAX records before it."""
    if info.name.isascii() and info.linkname.isascii():
        try:
            return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
        except ValueError:  # too long, or too large
            pass
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def cancelling(progress: Progress, cancel: Cancel) -> Progress:
    """``progress`` that raises ``Interrupted`` once the run is cancelled: a writer asks with every chunk."""

    def report(done: int, total: int | None) -> None:
        if cancel.is_set():
            raise Interrupted("the layer was not finished")
        progress(done, total)

    return report
