"""Makers of archives, honest and not: plain functions from members to bytes."""

from __future__ import annotations

import binascii
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import TypeAlias

Named: TypeAlias = "tuple[tarfile.TarInfo, bytes]"
Zipped: TypeAlias = "tuple[str, bytes, int]"
BLOCK = tarfile.BLOCKSIZE
MIB = 1 << 20


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644, **pax: str
) -> Named:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, target, mode, len(content)
    info.pax_headers = dict(pax)
    return info, content


def link(name: str, target: str) -> Named:
    return member(name, kind=tarfile.SYMTYPE, target=target)


def hard(name: str, target: str) -> Named:
    return member(name, kind=tarfile.LNKTYPE, target=target)


def folder(name: str, mode: int = 0o755) -> Named:
    return member(name, kind=tarfile.DIRTYPE, mode=mode)


def make_tar(*members: Named, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_zip(*members: Zipped, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Members are name, content, mode; mode 0: of a system that has none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            # 0x20 is what MS-DOS says of a file.
            info.external_attr = mode << 16 or 0x20
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


def make_wheel(name: str, files: dict[str, bytes], entry_points: str = "", *, executable: str = "") -> bytes:
    info = f"{name}-1.0.dist-info"
    everything = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if entry_points:
        everything[f"{info}/entry_points.txt"] = entry_points.encode()
    everything[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in everything).encode()
    modes = {path: 0o100755 if path == executable else 0o100644 for path in everything}
    return make_zip(*((path, data, modes[path]) for path, data in everything.items()), compression=zipfile.ZIP_STORED)


def header(name: str = "a", kind: bytes = tarfile.REGTYPE, *, size: int = 0, raw_size: bytes = b"") -> bytes:
    """One ustar header; ``raw_size`` stands where its size would (12 bytes), and the checksum is right."""
    info, _ = member(name, kind=kind)
    info.size = size
    data = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    if raw_size:
        data[124:136] = raw_size
    return seal(data)


def seal(data: bytearray) -> bytes:
    """A header with the checksum that belongs to it."""
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def pax(**records: str) -> bytes:
    """A PAX header for the member that follows; ``__`` in a name stands for a dot."""
    return described(tarfile.XHDTYPE, pax_records(**records))


def described(kind: bytes, content: bytes) -> bytes:
    """A header that speaks of the next member (PAX records, a long name), with what it says."""
    return header("about", kind, size=len(content)) + padded(content)


def pax_records(**records: str) -> bytes:
    lines = []
    for name, value in records.items():
        rest = f" {name.replace('__', '.')}={value}\n".encode()
        length = len(rest) + len(str(len(rest) + len(str(len(rest)))))
        lines.append(str(length).encode() + rest)
    return b"".join(lines)


END = bytes(2 * BLOCK)


def gzip_flood(start: bytes, zeros: int) -> bytes:
    """A gzip stream of ``start`` and MiBs of zeros, without being as large at any time. Its last lines are missing."""
    encoder = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = encoder.compress(start) + encoder.flush(zlib.Z_FULL_FLUSH)
    return data + (encoder.compress(bytes(MIB)) + encoder.flush(zlib.Z_FULL_FLUSH)) * zeros


def big_dictionary(content: bytes) -> bytes:
    """An xz file that asks its reader for a dictionary of 3 GiB."""
    data = bytearray(lzma.compress(content))
    start = 12  # of the block's header: size, flags, filter 0x21, one byte of properties, padding, CRC32
    size = (data[start] + 1) * 4
    assert data[start + 2 : start + 4] == b"\x21\x01"
    data[start + 4] = 39
    data[start + size - 4 : start + size] = struct.pack("<I", binascii.crc32(data[start : start + size - 4]))
    return bytes(data)


def many_headers(count: int) -> bytes:
    """A packed tar of empty files, made quickly: the checksum follows the digits of the name."""
    plain = bytearray(header("0000000"))
    plain[148:156] = b" " * 8
    base = sum(plain) - 7 * ord("0")
    before, between = bytes(plain[7:148]), bytes(plain[156:])
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    names = (b"%07d" % number for number in range(count))
    packed = [packer.compress(name + before + b"%06o\0 " % (base + sum(name)) + between) for name in names]
    return b"".join([*packed, packer.compress(END), packer.flush()])


def patched(data: bytes, mark: bytes, offset: int, new: bytes, *, skip: int = 0) -> bytes:
    """``data`` with other bytes ``offset`` behind the occurrence of ``mark`` after ``skip`` others."""
    place = -1
    for _ in range(skip + 1):
        place = data.index(mark, place + 1)
    place += offset
    return data[:place] + new + data[place + len(new) :]
