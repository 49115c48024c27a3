"""Looking for a secret in bytes: as it is, in base64, as part of an address, and in whatever is packed."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEPTH = 4
LARGEST = 64 << 20


def encode_all(value: str) -> dict[str, bytes]:
    """The value in each encoding that is looked for."""
    data = value.encode()
    return {
        "plain": data,
        "base64": base64.b64encode(b"user:" + data),
        "url": quote(value, safe="").encode(),
        "packed": gzip.compress(zstandard.compress(b"before " + data + b" behind")),
    }


def contains(haystack: bytes, value: str) -> bool:
    """Whether the value is in there, in any encoding, also within packed parts of packed parts."""
    needles = tuple(_needles(value))
    return any(needle in part for part in _unfold(haystack, DEPTH) for needle in needles)


def _needles(value: str) -> Iterator[bytes]:
    data = value.encode()
    yield data
    yield quote(value, safe="").encode()
    yield quote(value).encode()
    yield data.hex().encode()
    # Where a value begins among others decides what becomes of it; what its neighbours take part in is left out.
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data)
        kept = whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
        yield kept
        yield kept.translate(bytes.maketrans(b"+/", b"-_"))


def _unfold(data: bytes, depth: int) -> Iterator[bytes]:
    yield data
    if depth:
        for magic, unpack in _PACKED:
            start = data.find(magic)
            while start >= 0:
                for part in unpack(data[start:]):
                    yield from _unfold(part, depth - 1)
                start = data.find(magic, start + 1)


def _try(decode: Callable[[bytes], bytes]) -> Callable[[bytes], Iterator[bytes]]:
    def unpack(data: bytes) -> Iterator[bytes]:
        try:
            yield decode(data)
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, zstandard.ZstdError):
            return  # what only looked like the beginning of something packed

    return unpack


def _zip(data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return


def _gzip(data: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(data, LARGEST)


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(LARGEST)


_PACKED: tuple[tuple[bytes, Callable[[bytes], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b\x08", _try(_gzip)),
    (b"\x28\xb5\x2f\xfd", _try(_zstd)),
    (b"\xfd7zXZ\x00", _try(lambda data: lzma.LZMADecompressor().decompress(data, LARGEST))),
    (b"BZh", _try(lambda data: bz2.BZ2Decompressor().decompress(data, LARGEST))),
    (b"PK\x03\x04", _zip),
)
