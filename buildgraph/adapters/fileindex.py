"""The file index of a layer as bytes: zstd-compressed JSON, one column for each field."""

from __future__ import annotations

import json
from itertools import starmap

import zstandard

from buildgraph.model import Entry, EntryType, FileIndex

FORMAT = 1
MAX_BYTES = 1 << 30
_FIELDS = ("path", "type", "mode", "uid", "gid", "size", "target", "sha256")


def encode(index: FileIndex) -> bytes:
    """The index as bytes, with a checksum."""
    columns = {field: [getattr(entry, field) for entry in index] for field in _FIELDS}
    text = json.dumps({"format": FORMAT, **columns}, separators=(",", ":"))
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(text.encode())


def decode(data: bytes) -> FileIndex:
    """The index; ``ValueError`` when the bytes are damaged or of another format."""
    try:
        text = zstandard.ZstdDecompressor().decompress(data, max_output_size=MAX_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise ValueError(f"file index of format {document.get('format')}")
    types = {str(kind): kind for kind in EntryType}
    columns = [document[field] for field in _FIELDS]
    columns[1] = [types[kind] for kind in columns[1]]
    return tuple(starmap(Entry, zip(*columns, strict=True)))
