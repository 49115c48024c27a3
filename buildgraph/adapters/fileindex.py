"""The file index of a layer: as sealed bytes (zstd of JSON, one column for each field), and made from a blob."""

from __future__ import annotations

import hashlib
import json
import tarfile
from itertools import starmap
from typing import TYPE_CHECKING, Protocol

import zstandard

from buildgraph.adapters.disk import CHUNK, seal, unseal
from buildgraph.model import Entry, EntryType, FileIndex

if TYPE_CHECKING:
    from typing import BinaryIO

FORMAT = 1
MAX_BYTES = 1 << 30
SUFFIX = ".index"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_FIELDS = ("path", "type", "mode", "uid", "gid", "size", "target", "sha256")
_TYPES = {
    tarfile.REGTYPE: EntryType.FILE,
    tarfile.DIRTYPE: EntryType.DIRECTORY,
    tarfile.SYMTYPE: EntryType.SYMLINK,
    tarfile.LNKTYPE: EntryType.HARDLINK,
}


def encode(index: FileIndex) -> bytes:
    """The index as bytes that know when they are damaged."""
    columns = {field: [getattr(entry, field) for entry in index] for field in _FIELDS}
    text = json.dumps({"format": FORMAT, **columns}, separators=(",", ":"))
    return seal(zstandard.ZstdCompressor(level=3).compress(text.encode()))


def decode(sealed: bytes) -> FileIndex:
    """The index; ``ValueError`` when the bytes are damaged or of another format."""
    data = unseal(sealed)
    if data is None:
        raise ValueError("the seal is broken")
    try:
        document = json.loads(zstandard.ZstdDecompressor().decompress(data, max_output_size=MAX_BYTES))
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if document.get("format") != FORMAT:
        raise ValueError(f"file index of format {document.get('format')}")
    types = {str(kind): kind for kind in EntryType}
    columns = [document[field] for field in _FIELDS]
    columns[1] = [types[kind] for kind in columns[1]]
    return tuple(starmap(Entry, zip(*columns, strict=True)))


def make_index(blob: BinaryIO) -> FileIndex:
    """The index of a layer's blob, as its writer kept it; reads to the end. ``ValueError`` when it is no layer."""
    try:
        with tarfile.open(fileobj=open_tar(blob), mode="r|", bufsize=CHUNK) as tar:  # type: ignore[call-overload]
            return tuple(_make_entry(tar, member) for member in tar)
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise ValueError(f"not a layer: {error}") from error
    finally:
        # A reader that verifies does so with its last byte.
        while blob.read(CHUNK):
            pass


class Stream(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


def open_tar(blob: Stream) -> Stream:
    """The uncompressed tar of a layer's blob."""
    rest = _Rejoined(blob.read(len(ZSTD_MAGIC)), blob)
    if not rest.head.startswith(ZSTD_MAGIC):
        return rest
    return zstandard.ZstdDecompressor().stream_reader(rest, read_across_frames=True)  # type: ignore[arg-type]


class _Rejoined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: Stream) -> None:
        self.head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        head, self.head = self.head[:size], self.head[size:]
        return head or self._rest.read(size)


def _make_entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    kind = _TYPES.get(member.type)
    if kind is None:
        raise ValueError(f"/{member.name} has type {member.type!r}")
    return Entry(
        path=member.name,
        type=kind,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        size=member.size,
        target=member.linkname,
        sha256=_hash(tar, member) if kind is EntryType.FILE else "",
    )


def _hash(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = tar.extractfile(member)
    assert content is not None
    found = hashlib.sha256()
    while chunk := content.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()
