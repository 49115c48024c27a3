"""The bytes of a tar on their way to ``tarfile``: decompressed, forward only, counted and bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from buildgraph.errors import BuildFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20
HEADER_BYTES = 1 << 20
"""What may describe one member: its header, long names, PAX records. ``tarfile`` keeps all of it in memory."""
XZ_MEMORY = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive may unfold to. ``ratio`` counts once ``floor`` bytes were unpacked; sizes in bytes."""

    members: int = 250_000
    unpacked: int = 64 << 30
    ratio: int = 250
    floor: int = 64 << 20


class Inflow:
    """A file for ``tarfile`` that nobody can turn back, make wait or fill the memory with.

    ``total``: bytes so far. ``last_content``: the end of what is not zero.
    """

    def __init__(self, raw: BinaryIO, packed_size: int, limits: Limits) -> None:
        """``packed_size``: of the archive on disk, which ``limits.ratio`` is about."""
        self._raw = raw
        self._packed_size = packed_size
        self._limits = limits
        self._header_left: int | None = None
        self.total = 0
        self.last_content = 0

    @contextmanager
    def reading_headers(self) -> Iterator[None]:
        """What is read (not: skipped) meanwhile may be ``HEADER_BYTES`` long."""
        self._header_left = HEADER_BYTES
        try:
            yield
        finally:
            self._header_left = None

    def read(self, size: int = CHUNK) -> bytes:
        """Exactly ``size`` bytes, fewer at the end."""
        if self._header_left is not None:
            self._header_left -= size
            if self._header_left < 0:
                raise BuildFailure(f"a member is described by more than {HEADER_BYTES} bytes")
        parts = []
        while size > 0 and (data := self._take(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def tell(self) -> int:
        """Where the next read begins."""
        return self.total

    def seek(self, position: int) -> None:
        """Skip forward, at most to the end."""
        if position < self.total:
            raise tarfile.StreamError("a member begins before the end of another")
        while self.total < position and self._take(position - self.total):
            pass

    def drain(self) -> None:
        """Read to the end."""
        while self._take(CHUNK):
            pass

    def _take(self, size: int) -> bytes:
        data = self._raw.read(min(size, CHUNK))
        content = len(data.rstrip(b"\0"))
        if content:
            self.last_content = self.total + content
        self.total += len(data)
        if self.total > self._limits.floor and self.total > self._packed_size * self._limits.ratio:
            raise BuildFailure(f"it unpacks to more than {self._limits.ratio} times its size")
        if self.total > self._limits.unpacked:
            raise BuildFailure(f"it unpacks to more than {self._limits.unpacked} bytes")
        return data


@contextmanager
def decoded(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file's content decompressed, as its first bytes tell (gz, bz2, xz, zst); anything else as it is."""
    magic = file.read(6)
    file.seek(0)
    for prefix, decode in _DECODERS:
        if magic.startswith(prefix):
            with decode(file) as stream:
                yield cast("BinaryIO", stream)
            return
    yield file


def open_zstd(file: BinaryIO) -> zstandard.ZstdDecompressionReader:
    """The content of all frames; the library itself bounds the memory that a frame may ask for."""
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False)


@contextmanager
def _open_xz(file: BinaryIO) -> Iterator[_Xz]:
    yield _Xz(file)


class _Xz:
    """What ``lzma.open`` reads, but for files that ask for more than ``XZ_MEMORY``: it takes no such limit."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = self._start()

    def read(self, size: int) -> bytes:
        while True:
            packed = self._next_packed()
            if packed is None:
                return b""
            if data := self._decoder.decompress(packed, size):
                return data

    def _start(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def _next_packed(self) -> bytes | None:
        """What the decoder is to be fed (perhaps nothing); None behind the last stream."""
        if not self._decoder.eof:
            if not self._decoder.needs_input:
                return b""
            packed = self._file.read(CHUNK)
            if not packed:
                raise EOFError("it ends within its compressed data")
            return packed
        packed = self._decoder.unused_data
        # Streams follow one another, with zeros between them.
        while not (packed := packed.lstrip(b"\0")):
            packed = self._file.read(CHUNK)
            if not packed:
                return None
        self._decoder = self._start()
        return packed


_DECODERS = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", _open_xz),
    (b"\x28\xb5\x2f\xfd", open_zstd),
)
