from __future__ import annotations

import io
import itertools
import tarfile
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.repack import repack_tar
from buildgraph.errors import BuildFailure
from buildgraph.model import Compression, Entry, EntryType
from tests.fakes.inputs import EPOCH, ignore_progress
from tests.fakes.store import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from buildgraph.model import LayerBlob


def member(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    info.mtime = 1_234_567
    info.uname = info.gname = "somebody"
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


MEMBERS = (
    folder("./"),
    folder("opt/"),
    member("opt/tool", b"#!/bin/sh\n", mode=0o755, uid=185),
    member("opt/data", b"1234"),
    member("opt/current", type=tarfile.SYMTYPE, linkname="tool"),
)


def repack(
    tmp_path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], blobs: MemoryBlobs, *, name: str = "in.tar"
) -> LayerBlob:
    path = tmp_path / name
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return repack_tar(path, blobs, epoch=EPOCH, compression=Compression.NONE, progress=ignore_progress)


def read(blobs: MemoryBlobs, blob: LayerBlob) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(blobs.blobs[blob.digest])) as tar:
        return {info.name: info for info in tar}


def test_every_member_passes_through_the_one_tar_writer(tmp_path: Path) -> None:
    blobs = MemoryBlobs()
    blob = repack(tmp_path, MEMBERS, blobs)
    members = read(blobs, blob)
    assert list(members) == ["opt", "opt/current", "opt/data", "opt/tool"]
    assert {info.mtime for info in members.values()} == {EPOCH}
    assert {info.uname for info in members.values()} == {""}
    assert (members["opt/tool"].mode, members["opt/tool"].uid) == (0o755, 185)
    assert blobs.files[blob.digest][0] == Entry("opt", EntryType.DIRECTORY, 0o755)


def test_the_order_of_the_other_program_does_not_matter(tmp_path: Path) -> None:
    blobs = MemoryBlobs()
    digests = {repack(tmp_path, order, blobs).digest for order in itertools.permutations(MEMBERS, len(MEMBERS))}
    assert len(digests) == 1


def test_its_times_names_and_leading_dots_do_not_matter(tmp_path: Path) -> None:
    blobs = MemoryBlobs()
    plain = repack(tmp_path, [member("a", b"x")], blobs)
    other = repack(tmp_path, [member("./a", b"x", mtime=9, uname="other", pax_headers={"comment": "y"})], blobs)
    assert plain == other


def test_content_stays_with_its_path(tmp_path: Path) -> None:
    blobs = MemoryBlobs()
    blob = repack(tmp_path, [member("z", b"last"), member("a", b"first")], blobs)
    with tarfile.open(fileobj=io.BytesIO(blobs.blobs[blob.digest])) as tar:
        files = {info.name: file.read() for info in tar if (file := tar.extractfile(info))}
    assert files == {"a": b"first", "z": b"last"}


@pytest.mark.parametrize(
    "members",
    [
        (member("b", b"content"), link("a", "b"), link("c", "b")),
        (member("a", b"content"), link("b", "a"), link("c", "a")),
        (member("./c", b"content"), link("./a", "./c"), link("./b", "./c")),
    ],
)
def test_the_first_name_of_a_file_in_path_order_is_the_file_and_the_others_link_to_it(
    tmp_path: Path, members: tuple[tuple[tarfile.TarInfo, bytes], ...]
) -> None:
    blobs = MemoryBlobs()
    written = read(blobs, repack(tmp_path, members, blobs))
    assert {name: (info.type, info.linkname) for name, info in written.items()} == {
        "a": (tarfile.REGTYPE, ""),
        "b": (tarfile.LNKTYPE, "a"),
        "c": (tarfile.LNKTYPE, "a"),
    }


def test_a_path_that_stands_twice_is_what_it_was_last(tmp_path: Path) -> None:
    blobs = MemoryBlobs()
    blob = repack(tmp_path, [member("a", b"old"), member("a", b"newer")], blobs)
    assert [entry.size for entry in blobs.files[blob.digest]] == [5]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("../evil", b"x"), "not a relative path"),
        (member("/etc/passwd", b"x"), "is absolute"),
        (member("dev/null", type=tarfile.CHRTYPE), "device"),
        (member("pipe", type=tarfile.FIFOTYPE), "pipe"),
        (link("a", "nowhere"), "a hard link to /nowhere, which is not there"),
        (link("a", "../../etc/passwd"), "not a relative path"),
    ],
)
def test_fault_33_what_no_layer_may_hold_is_refused_and_nothing_is_stored(
    tmp_path: Path, bad: tuple[tarfile.TarInfo, bytes], reason: str
) -> None:
    blobs = MemoryBlobs()
    with pytest.raises(BuildFailure, match=reason):
        repack(tmp_path, [member("good", b"x"), bad], blobs)
    assert blobs.blobs == {}


def test_fault_33_a_file_below_a_link_is_refused(tmp_path: Path) -> None:
    members = [member("lib", type=tarfile.SYMTYPE, linkname="/etc"), member("lib/passwd", b"x")]
    with pytest.raises(BuildFailure, match="/lib, which is no directory"):
        repack(tmp_path, members, MemoryBlobs())


@pytest.mark.parametrize("end", [b"", bytes(511), b"x" * 512 + bytes(1024)], ids=["none", "short", "a damaged header"])
def test_a_tar_that_does_not_end_as_a_tar_is_refused_and_nothing_is_stored(tmp_path: Path, end: bytes) -> None:
    buffer, blobs = io.BytesIO(), MemoryBlobs()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info, data = member("a", b"x")
        tar.addfile(info, io.BytesIO(data))
        whole = tar.offset
    path = tmp_path / "cut.tar"
    path.write_bytes(buffer.getvalue()[:whole] + end)
    with pytest.raises(BuildFailure, match=r"^cut\.tar: it does not end as a tar does"):
        repack_tar(path, blobs, epoch=EPOCH, compression=Compression.NONE, progress=ignore_progress)
    assert blobs.blobs == {}
