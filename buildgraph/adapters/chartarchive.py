"""Packages of charts: one tar in one gzip, whose bytes depend on nothing but the files and the epoch."""

from __future__ import annotations

import struct
import tarfile
import zlib
from typing import TYPE_CHECKING

from buildgraph.adapters.tarwriter import write_header

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODE = 0o644
_BLOCK = tarfile.BLOCKSIZE
# Deflate, no flags, no time, no hint, an unknown system: nothing of this machine.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED = 0xFFFF


def make_package(name: str, files: Mapping[str, bytes], *, epoch: int) -> bytes:
    """A ``.tgz`` of the files below a folder called ``name``, sorted; mode 0644, owner 0:0, the epoch for a time."""
    members = (_member(f"{name}/{path}", files[path], epoch) for path in sorted(files))
    return _store(b"".join(members) + bytes(2 * _BLOCK))


def _member(path: str, data: bytes, epoch: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.mode, info.mtime, info.size = _MODE, epoch, len(data)
    return write_header(info) + data + bytes(-len(data) % _BLOCK)


def _store(data: bytes) -> bytes:
    """A gzip of stored blocks: other builds of zlib compress to other bytes, and a chart is small as it is."""
    blocks = []
    for start in range(0, len(data), _STORED):
        block = data[start : start + _STORED]
        is_last = start + _STORED >= len(data)
        blocks.append(struct.pack("<BHH", is_last, len(block), len(block) ^ _STORED) + block)
    return _GZIP_HEADER + b"".join(blocks) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
