"""What is read of an archive, and the limits; the corpus of good and bad ones is in ``tests/faults``."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from buildgraph.adapters.archive import open_archive
from buildgraph.adapters.inflow import Limits
from buildgraph.errors import BuildFailure
from buildgraph.model import Entry, EntryType
from tests.faults.packing import folder, hard, link, make_tar, make_zip, member

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEW, SMALL, EARLY = Limits(members=3), Limits(unpacked=20_000), Limits(floor=1 << 20)


GOOD = make_tar(folder("d"), member("d/a", b"hello" * 200), member("d/b", b"x"))
GOOD_ZIP = make_zip(("d/", b"", 0o40755), ("d/a", b"hello" * 200, 0o100755), ("d/b", b"x", 0))


def read(tmp_path: Path, data: bytes, *, limits: Limits | None = None, keep_setid: bool = False) -> dict[str, Entry]:
    """All entries by path, every content read; checks that content has the announced size."""
    path = tmp_path / "sample.archive"
    path.write_bytes(data)
    found = {}
    with open_archive(path, limits=limits or Limits(), keep_setid=keep_setid) as members:
        for entry, content in members:
            assert (len(content.read()) if content else 0) == entry.size
            found[entry.path] = entry
    assert list(tmp_path.iterdir()) == [path]
    return found


def test_modes_come_from_the_archive_or_are_plain(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD_ZIP)
    assert [entry.mode for entry in found.values()] == [0o755, 0o755, 0o644]
    assert read(tmp_path, make_tar(member("a", mode=0o640)))["a"].mode == 0o640


def test_fault_33_set_id_bits_are_dropped_unless_kept(tmp_path: Path) -> None:
    data = make_tar(member("su", mode=0o6755))
    assert read(tmp_path, data)["su"].mode == 0o755
    assert read(tmp_path, data, keep_setid=True)["su"].mode == 0o6755
    assert read(tmp_path, make_zip(("su", b"", 0o104755)))["su"].mode == 0o755


def test_owners_and_targets_are_kept(tmp_path: Path) -> None:
    info, content = member("a", b"abc")
    info.uid, info.gid = 185, 42
    found = read(tmp_path, make_tar((info, content), link("l", "a"), hard("h", "./a")))
    assert found["a"] == Entry("a", EntryType.FILE, 0o644, 185, 42, 3)
    assert found["l"].target == "a"
    assert found["h"].target == "a"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_fault_33_a_bomb_is_refused_before_it_unfolds(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = pack(make_tar(member("zeros", bytes(8 << 20))))
    with pytest.raises(BuildFailure, match="times its size"):
        read(tmp_path, data, limits=EARLY)


def test_fault_33_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailure, match="times its size"):
        read(tmp_path, make_zip(("zeros", bytes(80 << 20), 0)))


@pytest.mark.parametrize("pack", [make_tar, lambda *named: make_zip(*((i.name, c, 0o100644) for i, c in named))])
def test_fault_33_more_than_the_limits_allow_is_refused(tmp_path: Path, pack: Callable[..., bytes]) -> None:
    with pytest.raises(BuildFailure, match="more than 3 members"):
        read(tmp_path, pack(*(member(str(number)) for number in range(4))), limits=FEW)
    with pytest.raises(BuildFailure, match="more than 20000 bytes"):
        read(tmp_path, pack(member("a", b"x" * 19_999), member("b", b"xx")), limits=SMALL)


def test_members_that_nobody_reads_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "sample.tar.gz"
    path.write_bytes(gzip.compress(GOOD))
    with open_archive(path) as members:
        assert [entry.path for entry, _ in members] == ["d", "d/a", "d/b"]


def test_a_reader_may_stop_early(tmp_path: Path) -> None:
    path = tmp_path / "sample.tar.gz"
    path.write_bytes(gzip.compress(GOOD))
    with open_archive(path) as members:
        entry, _ = next(members)
    assert entry.path == "d"


def test_a_fault_of_the_reader_is_not_blamed_on_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "sample.tar"
    path.write_bytes(GOOD)
    with pytest.raises(ValueError, match="mine"), open_archive(path) as members:
        raise ValueError("mine" + next(members)[0].path)


def test_fault_33_the_target_of_a_link_in_a_zip_is_not_read_when_it_is_too_long(tmp_path: Path) -> None:
    data = make_zip(("a", b"x" * 5000, 0o120777), compression=zipfile.ZIP_STORED)
    unreadable = data.replace(b"x" * 5000, b"y" * 5000)
    with pytest.raises(BuildFailure, match="a is a link to nowhere"):
        read(tmp_path, unreadable)
