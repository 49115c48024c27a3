"""Members of tar and zip archives in their own order, streamed, with everything refused that a layer must not get."""

from __future__ import annotations

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import closing, contextmanager
from dataclasses import replace
from posixpath import dirname, normpath
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

import zstandard

from buildgraph.adapters.inflow import Inflow, Limits, decoded, open_zstd
from buildgraph.adapters.paths import join, member_path, parents
from buildgraph.errors import BuildFailure
from buildgraph.model import MEDIA_ZSTD, Entry, EntryType

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from buildgraph.model import LayerBlob
    from buildgraph.ports import BlobStore

SETID = 0o6000
MAX_LINK = 4096
MAX_GLOBALS = 100
Member: TypeAlias = "tuple[Entry, BinaryIO | None]"

_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    zstandard.ZstdError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    ValueError,
    struct.error,
)
# zipfile unpacks a piece of bzip2 or LZMA whole, however large it becomes.
_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ZIP_START, _ZIP_END, _ZIP_END_SIZE = b"PK\x03\x04", b"PK\x05\x06", 22


DEFAULT_LIMITS = Limits()


@contextmanager
def open_archive(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, keep_setid: bool = False
) -> Iterator[Iterator[Member]]:
    """The members of a tar (plain, gz, bz2, xz, zst) or zip (whl, jar), told apart by content.

    Each member is an entry (owner as the tar says, else 0:0; no sha256) with, for a file, the stream of its content,
    valid until the next member is taken. Set-id bits are dropped unless ``keep_setid``. ``BuildFailure`` for a
    damaged archive, a path that leaves it, devices, sparse files, hard links out of it, symlinks in a circle, writes
    through links, a path that is there twice, and for more than ``limits`` allow.
    """
    with path.open("rb") as file:
        members = _zip_members(file, limits) if _is_zip(file) else _tar_members(file, limits)
        with closing(_guarded(members, path.name, limits, keep_setid=keep_setid)) as guarded:
            yield guarded


@contextmanager
def open_layer(blobs: BlobStore, layer: LayerBlob) -> Iterator[Iterator[Member]]:
    """The members of a layer in the store, as written; its bytes are verified by the time that the last is taken."""
    with blobs.open_blob(layer.digest) as blob, closing(_layer_members(blob, layer)) as members:
        yield members


@contextmanager
def damage(name: str, member: str = "") -> Iterator[None]:
    """What the libraries say of a broken archive, as a ``BuildFailure`` that names it (and the member)."""
    at = f" at {member}" if member else ""
    try:
        yield
    except BuildFailure as error:
        if error.where:
            raise
        raise BuildFailure(error.what, where=name, hint="nothing is built from such an archive") from error
    except _DAMAGE as error:
        raise BuildFailure(f"the archive is damaged{at}: {error}", where=name) from error
    except OSError as error:
        # The decompressors raise these without a number; with one it is the disk's.
        if error.errno is not None:
            raise
        raise BuildFailure(f"the archive is damaged{at}: {error}", where=name) from error


class _Content:
    """A member's stream whose errors name the archive and the member."""

    def __init__(self, stream: BinaryIO, name: str, member: str) -> None:
        self._stream = stream
        self._name = name
        self._member = member

    def read(self, size: int = -1) -> bytes:
        with damage(self._name, self._member):
            return self._stream.read(size)


def _is_zip(file: BinaryIO) -> bool:
    magic = file.read(4)
    file.seek(0)
    return magic in {_ZIP_START, _ZIP_END}


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


class _Guard:
    """What has been seen of an archive, and the refusals that need to know it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0
        self._unpacked = 0
        self._types: dict[str, EntryType] = {}
        self._links: dict[str, str] = {}

    def admit(self, entry: Entry) -> None:
        """Refuse what is wrong with the entry, given those before it."""
        self._count += 1
        self._unpacked += entry.size
        if self._count > self._limits.members:
            raise BuildFailure(f"it has more than {self._limits.members} members")
        if self._unpacked > self._limits.unpacked:
            raise BuildFailure(f"it unpacks to more than {self._limits.unpacked} bytes")
        known = self._types.get(entry.path)
        if known and {known, entry.type} != {EntryType.DIRECTORY}:
            raise BuildFailure(f"{entry.path} is there twice")
        for parent in parents(entry.path):
            if self._types.get(parent, EntryType.DIRECTORY) is not EntryType.DIRECTORY:
                raise BuildFailure(f"{entry.path} would be written through {parent}, which is no directory")
        if entry.type is EntryType.HARDLINK and self._types.get(entry.target) is not EntryType.FILE:
            raise BuildFailure(
                f"{entry.path} is a hard link to {entry.target}, which is no earlier file of the archive"
            )
        if entry.type is EntryType.SYMLINK:
            self._links[entry.path] = _link_goal(entry)
        self._types[entry.path] = entry.type

    def finish(self) -> None:
        """Refuse symlinks that lead in a circle."""
        settled: set[str] = set()
        for start in self._links:
            trail: dict[str, None] = {}
            path = start
            while path in self._links and path not in settled:
                if path in trail:
                    raise BuildFailure(f"the symlink {start} leads in a circle")
                trail[path] = None
                path = self._links[path]
            settled.update(trail)


def _link_goal(entry: Entry) -> str:
    """Where a symlink leads, as a path of the archive (absolute targets start at its root)."""
    if not 0 < len(entry.target) <= MAX_LINK or "\0" in entry.target:
        raise BuildFailure(f"{entry.path} is a link to nowhere")
    target = entry.target if entry.target.startswith("/") else join("/" + dirname(entry.path), entry.target)
    return normpath("/" + target.lstrip("/")).lstrip("/")


def _guarded(members: Iterator[Member], name: str, limits: Limits, *, keep_setid: bool) -> Generator[Member]:
    guard = _Guard(limits)
    kept = 0o7777 if keep_setid else 0o7777 & ~SETID
    with damage(name):
        for entry, content in members:
            guard.admit(entry)
            stream = cast("BinaryIO", _Content(content, name, entry.path)) if content else None
            yield replace(entry, mode=entry.mode & kept), stream
        guard.finish()


def _tar_members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    size = _size(file)
    with decoded(file) as raw:
        yield from _iterate_tar(Inflow(raw, size, limits))


def _layer_members(blob: BinaryIO, layer: LayerBlob) -> Generator[Member]:
    raw = cast("BinaryIO", open_zstd(blob)) if layer.media_type == MEDIA_ZSTD else blob
    with damage(layer.digest):
        yield from _iterate_tar(Inflow(raw, layer.unpacked, DEFAULT_LIMITS))


def _iterate_tar(inflow: Inflow) -> Iterator[Member]:
    with inflow.reading_headers():
        tar = tarfile.open(fileobj=cast("BinaryIO", inflow), mode="r:", encoding="utf-8")  # noqa: SIM115 - it owns nothing
    while (info := _next_info(tar, inflow)) is not None:
        path = member_path(info.name)
        entry = tar_entry(path, info)
        if path:
            yield entry, cast("BinaryIO", tar.extractfile(info)) if entry.type is EntryType.FILE else None
    inflow.drain()
    # tarfile takes a bad header for the end of the archive; the bytes tell the difference.
    if inflow.last_content > tar.offset:
        raise BuildFailure("there is something behind its end")
    if inflow.total < tar.offset + tarfile.BLOCKSIZE:
        raise BuildFailure("it ends too early")


def _next_info(tar: tarfile.TarFile, inflow: Inflow) -> tarfile.TarInfo | None:
    with inflow.reading_headers():
        info = tar.next()
    tar.members = []  # type: ignore[attr-defined] # else a million members stay in memory
    if len(tar.pax_headers) > MAX_GLOBALS:
        raise BuildFailure(f"more than {MAX_GLOBALS} records speak of all its members")
    return info


def tar_entry(path: str, info: tarfile.TarInfo) -> Entry:
    """A tar header as the entry of ``path``; ``BuildFailure`` for what no layer holds, a root that is a file."""
    if info.issparse():
        raise BuildFailure(f"{path} is a sparse file")
    if info.size < 0:
        raise BuildFailure(f"{path} is smaller than nothing")
    if not path and not info.isdir():
        raise BuildFailure("its root is no directory")
    owner = (info.uid, info.gid)
    if info.isdir():
        return Entry(path, EntryType.DIRECTORY, info.mode, *owner)
    if info.issym():
        return Entry(path, EntryType.SYMLINK, info.mode, *owner, target=info.linkname)
    if info.islnk():
        return Entry(path, EntryType.HARDLINK, info.mode, *owner, target=member_path(info.linkname))
    if info.isreg():
        return Entry(path, EntryType.FILE, info.mode, *owner, size=info.size)
    raise BuildFailure(f"{path} is a device, a pipe or of no type that a layer may hold")


def _zip_members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    size = _size(file)
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        unpacked = sum(info.file_size for info in infos)
        if unpacked > limits.floor and unpacked > size * limits.ratio:
            raise BuildFailure(f"it unpacks to more than {limits.ratio} times its size")
        _check_zip_ends(archive, file, size)
        yield from _iterate_zip(archive, infos)


def _check_zip_ends(archive: zipfile.ZipFile, file: BinaryIO, size: int) -> None:
    """A zip begins with its first member and ends with its directory: readers disagree about anything else."""
    file.seek(max(0, size - _ZIP_END_SIZE - len(archive.comment)))
    if file.read(4) != _ZIP_END:
        raise BuildFailure("there is something behind its end")
    if min((info.header_offset for info in archive.infolist()), default=0):
        raise BuildFailure("there is something before its first member")


def _iterate_zip(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> Iterator[Member]:
    for info in infos:
        path = member_path(info.orig_filename)
        if not path:
            continue
        if info.flag_bits & 1:
            raise BuildFailure(f"{path} is encrypted")
        if info.compress_type not in _ZIP_METHODS:
            raise BuildFailure(f"{path} is packed by method {info.compress_type}; only deflate is read")
        yield from _zip_member(archive, info, path)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> Iterator[Member]:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if info.is_dir():
        yield Entry(path, EntryType.DIRECTORY, stat.S_IMODE(mode) or 0o755), None
    elif kind == stat.S_IFLNK:
        if info.file_size > MAX_LINK:
            raise BuildFailure(f"{path} is a link to nowhere")
        yield Entry(path, EntryType.SYMLINK, 0o777, target=archive.read(info).decode()), None
    elif kind in {0, stat.S_IFREG}:
        with archive.open(info) as content:
            entry = Entry(path, EntryType.FILE, stat.S_IMODE(mode) or 0o644, size=info.file_size)
            yield entry, cast("BinaryIO", content)
    else:
        raise BuildFailure(f"{path} is a device, a pipe or of no type that a layer may hold")
