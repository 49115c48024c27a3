"""A corpus of archives: what must be refused, and what must not."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, TypeAlias

import pytest
import zstandard

from buildgraph.adapters.archive import Limits, open_archive
from buildgraph.errors import BuildFailure
from buildgraph.model import Entry, EntryType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Named: TypeAlias = "tuple[tarfile.TarInfo, bytes]"
FEW, SMALL, EARLY = Limits(members=3), Limits(unpacked=20_000), Limits(floor=1 << 20)


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644
) -> Named:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, target, mode, len(content)
    return info, content


def link(name: str, target: str) -> Named:
    return member(name, kind=tarfile.SYMTYPE, target=target)


def hard(name: str, target: str) -> Named:
    return member(name, kind=tarfile.LNKTYPE, target=target)


def folder(name: str) -> Named:
    return member(name, kind=tarfile.DIRTYPE, mode=0o755)


def make_tar(*members: Named, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_zip(*members: tuple[str, bytes, int], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            # 0x20 is what MS-DOS says of a file; the mode is then unknown.
            info.external_attr = mode << 16 or 0x20
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


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


def sparse() -> bytes:
    info, _ = member("sparse")
    info.type = tarfile.GNUTYPE_SPARSE
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def encrypted() -> bytes:
    data = bytearray(make_zip(("a", b"secret", 0o100644)))
    data[6] |= 1
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    return bytes(data)


GOOD = make_tar(folder("d"), member("d/a", b"hello" * 200), member("d/b", b"x"))
GOOD_ZIP = make_zip(("d/", b"", 0o40755), ("d/a", b"hello" * 200, 0o100755), ("d/b", b"x", 0))

BAD_TARS = {
    "dot_dot": make_tar(member("../evil")),
    "dot_dot_inside": make_tar(member("a/../../evil")),
    "dot_dot_harmless": make_tar(member("a/../b")),
    "dot_dot_alone": make_tar(folder("..")),
    "absolute": make_tar(member("/etc/evil")),
    "newline": make_tar(member("a\nb")),
    "control": make_tar(member("a\x07b")),
    "no_utf8": make_tar(member("a\udcff"), form=tarfile.GNU_FORMAT),
    "long_component": make_tar(member("x" * 300)),
    "long_path": make_tar(member("/".join(["d" * 200] * 30))),
    "write_through_symlink": make_tar(link("d", "/etc"), member("d/passwd", b"evil")),
    "write_through_relative_symlink": make_tar(link("d", "../.."), member("d/e/evil")),
    "directory_through_symlink": make_tar(link("d", "/etc"), folder("d/evil")),
    "below_a_file": make_tar(member("a"), member("a/b")),
    "hard_link_out": make_tar(hard("a", "../../etc/passwd")),
    "hard_link_absolute": make_tar(hard("a", "/etc/passwd")),
    "hard_link_to_nothing": make_tar(hard("a", "b")),
    "hard_link_forward": make_tar(hard("a", "b"), member("b")),
    "hard_link_to_symlink": make_tar(link("l", "/etc/passwd"), hard("a", "l")),
    "hard_link_to_directory": make_tar(folder("d"), hard("a", "d")),
    "symlink_circle_of_one": make_tar(link("a", "a")),
    "symlink_circle_of_two": make_tar(link("a", "b"), link("b", "a")),
    "symlink_circle_in_folders": make_tar(folder("d"), link("d/a", "../b"), link("b", "/d/a")),
    "symlink_to_nothing": make_tar(link("a", "")),
    "symlink_too_long": make_tar(link("a", "x/" * 3000)),
    "character_device": make_tar(member("null", kind=tarfile.CHRTYPE)),
    "block_device": make_tar(member("sda", kind=tarfile.BLKTYPE)),
    "pipe": make_tar(member("pipe", kind=tarfile.FIFOTYPE)),
    "unknown_type": make_tar(member("x", kind=b"Z")),
    "sparse": sparse(),
    "twice": make_tar(member("a"), member("a")),
    "twice_by_spelling": make_tar(member("a"), member("./a")),
    "file_then_directory": make_tar(member("a"), folder("a")),
    "directory_then_symlink": make_tar(folder("a"), link("a", "/etc")),
    "truncated_in_content": GOOD[:1800],
    "truncated_in_header": GOOD[:700],
    "truncated_before_the_end": make_tar(member("a", b"x" * 512))[:1024],
    "garbage_behind": GOOD + b"evil",
    "second_archive_behind": GOOD + make_tar(member("hidden")),
    "broken_header": GOOD[:512] + b"\xff" * 512 + GOOD[1024:],
    "header_past_the_end": make_tar(member("a", b"x" * 5000))[:600],
    "empty": b"",
    "text": b"<html>please log in</html>" * 100,
    "gzip_truncated": gzip.compress(GOOD)[:-20],
    "gzip_garbage_behind": gzip.compress(GOOD) + b"evil",
    "gzip_broken": gzip.compress(GOOD)[:30] + b"\xff" * 30 + gzip.compress(GOOD)[60:],
    "xz_truncated": lzma.compress(GOOD)[:-20],
    "bz2_truncated": bz2.compress(GOOD)[:-5],
    "bz2_broken": bz2.compress(GOOD)[:20] + b"\xff" * 20 + bz2.compress(GOOD)[40:],
    "zstd_truncated": zstandard.compress(GOOD)[:-10],
    "zstd_broken": zstandard.compress(GOOD)[:6] + b"\xff" * 20,
}
BAD_ZIPS = {
    "dot_dot": make_zip(("../evil", b"", 0)),
    "absolute": make_zip(("/evil", b"", 0)),
    "write_through_symlink": make_zip(("d", b"/etc", stat.S_IFLNK | 0o777), ("d/passwd", b"evil", 0)),
    "symlink_circle": make_zip(("a", b"a", stat.S_IFLNK | 0o777)),
    "symlink_too_long": make_zip(("a", b"x" * 5000, stat.S_IFLNK | 0o777)),
    "symlink_no_text": make_zip(("a", b"\xff\xfe", stat.S_IFLNK | 0o777)),
    "device": make_zip(("a", b"", stat.S_IFCHR | 0o666)),
    "pipe": make_zip(("a", b"", stat.S_IFIFO | 0o666)),
    "garbage_behind": GOOD_ZIP + b"evil",
    "second_archive_before": GOOD_ZIP + make_zip(("hidden", b"", 0)),
    "truncated": GOOD_ZIP[:-30],
    "wrong_checksum": make_zip(("a", b"content", 0), compression=zipfile.ZIP_STORED).replace(b"content", b"CONTENT"),
    "encrypted": encrypted(),
}
GOOD_TARS = {
    "plain": GOOD,
    "gz": gzip.compress(GOOD),
    "gz_in_two_parts": gzip.compress(GOOD[:700]) + gzip.compress(GOOD[700:]),
    "bz2": bz2.compress(GOOD),
    "xz": lzma.compress(GOOD),
    "zst": zstandard.compress(GOOD),
    "zst_in_two_frames": zstandard.compress(GOOD[:700]) + zstandard.compress(GOOD[700:]),
    "no_members": make_tar(),
    "gnu": make_tar(member("x" * 150, b"a"), form=tarfile.GNU_FORMAT),
    "ustar": make_tar(member("d/" * 30 + "x", b"a"), form=tarfile.USTAR_FORMAT),
    "pax_long_names": make_tar(member("d/" * 200 + "é", b"a")),
    "root_entry": make_tar(folder("./"), member("./a", b"a")),
    "directory_twice": make_tar(folder("d"), member("d/a"), folder("d")),
    "absolute_symlink": make_tar(link("bin", "/usr/bin"), folder("usr"), folder("usr/bin")),
    "relative_symlink": make_tar(link("bin", "usr/bin"), folder("usr/bin")),
    "symlink_above_the_root": make_tar(link("a", "../../../etc/passwd")),
    "symlink_to_absent": make_tar(link("a", "nowhere")),
    "chain_of_symlinks": make_tar(link("a", "b"), link("b", "c"), member("c")),
    "two_symlinks_to_one": make_tar(link("a", "c"), link("b", "c"), member("c")),
    "symlink_to_dot": make_tar(folder("d"), link("d/self", ".")),
    "hard_link": make_tar(member("a", b"a"), hard("b", "a"), hard("c", "./a")),
    "strange_names": make_tar(
        *(member(name) for name in (" ", "-rf", "a b", "*", "$(id)", "é", "日本", "x" * 255, "..."))
    ),
    "zeros_at_the_end": make_tar(member("a", bytes(5000))),
    "padding_behind": GOOD + bytes(30_000),
}
GOOD_ZIPS = {
    "plain": GOOD_ZIP,
    "stored": make_zip(("a", b"abc", 0), compression=zipfile.ZIP_STORED),
    "bzip2": make_zip(("a", b"abc", 0), compression=zipfile.ZIP_BZIP2),
    "lzma": make_zip(("a", b"abc", 0), compression=zipfile.ZIP_LZMA),
    "no_members": make_zip(),
    "symlink": make_zip(("bin", b"usr/bin", stat.S_IFLNK | 0o777)),
    "no_directories": make_zip(("a/b/c", b"", 0)),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in BAD_TARS.items()])
def test_fault_33_a_bad_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BuildFailure, match=r"sample\.archive"):
        read(tmp_path, data)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in BAD_ZIPS.items()])
def test_fault_33_a_bad_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BuildFailure, match=r"sample\.archive"):
        read(tmp_path, data)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in GOOD_TARS.items()])
def test_fault_33_a_good_tar_is_read(tmp_path: Path, data: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(_plain(data)), mode="r:") as tar:
        expected = {info.name.removeprefix("./") for info in tar} - {"", "."}
    assert set(read(tmp_path, data)) == expected


def _plain(data: bytes) -> bytes:
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    for magic, unpack in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7z", lzma.decompress)):
        if data.startswith(magic):
            return unpack(data)
    return data


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in GOOD_ZIPS.items()])
def test_fault_33_a_good_zip_is_read(tmp_path: Path, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        expected = {name.rstrip("/") for name in archive.namelist()}
    assert set(read(tmp_path, data)) == expected


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
