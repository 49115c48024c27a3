"""A tar that some other program wrote → a layer: every member through the one tar writer, sorted by path."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

from buildgraph.adapters.archive import damage, tar_entry
from buildgraph.adapters.paths import member_path
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.errors import BuildFailure
from buildgraph.model import Entry, EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from buildgraph.model import Compression, LayerBlob
    from buildgraph.ports import BlobStore, Progress


def repack_tar(path: Path, blobs: BlobStore, *, epoch: int, compression: Compression, progress: Progress) -> LayerBlob:
    """Store the tar's members as a layer. Read by offset, so nothing is unpacked to disk.

    ``BuildFailure`` for a tar that is damaged or cut, and for members that no layer may hold.
    """
    with (
        damage(path.name),
        path.open("rb") as file,
        tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar,
        LayerWriter(blobs, epoch=epoch, compression=compression, progress=progress) as writer,
    ):
        members = {member: info for info in tar if (member := member_path(info.name))}
        _check_end(file, tar.offset)
        for entry, info in sort_members(members):
            writer.add(entry, cast("BinaryIO | None", tar.extractfile(info) if info else None))
        return writer.finish()


def _check_end(file: BinaryIO, end: int) -> None:
    """``tarfile`` takes a bad or missing header for the end of the archive; only zeros are one."""
    file.seek(end)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise BuildFailure("it does not end as a tar does")


def sort_members(
    members: Mapping[str, tarfile.TarInfo],
) -> Iterator[tuple[Entry, tarfile.TarInfo | None]]:
    """Entries by path, each file with the member that holds its content.

    Of the names of one file the first in path order is the file and the others are hard links to it, so no link is
    met before what it links to, whichever name the other program met first.
    """
    entries = {path: tar_entry(path, info) for path, info in members.items()}
    names: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.type in {EntryType.FILE, EntryType.HARDLINK}:
            names.setdefault(entry.target or path, []).append(path)
    pairs: list[tuple[Entry, tarfile.TarInfo | None]] = [
        (entry, None) for entry in entries.values() if entry.type in {EntryType.DIRECTORY, EntryType.SYMLINK}
    ]
    for original, paths in names.items():
        first, *others = sorted(paths)
        if original not in entries:
            raise BuildFailure(f"/{first} is a hard link to /{original}, which is not there")
        pairs.append((replace(entries[original], path=first), members[original]))
        pairs.extend((Entry(other, EntryType.HARDLINK, entries[original].mode, target=first), None) for other in others)
    yield from sorted(pairs, key=lambda pair: pair[0].path)
