"""Archives that must be refused, each with words of the line that refuses it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

import zstandard

from tests.faults.packing import (
    END,
    MIB,
    big_dictionary,
    described,
    folder,
    gzip_flood,
    hard,
    header,
    link,
    make_tar,
    make_wheel,
    make_zip,
    many_headers,
    member,
    padded,
    patched,
    pax,
    pax_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
GOOD = make_tar(folder("d"), member("d/a", b"hello" * 200), member("d/b", b"x"))
GOOD_ZIP = make_zip(("d/", b"", 0o40755), ("d/a", b"hello" * 200, 0o100755), ("d/b", b"x", 0))
GB = 1024
HUGE = b"\x80" + bytes(3) + b"\x7f" + bytes(7)
NEGATIVE = b"\xff" * 11 + b"\x00"


def lie_about_size() -> bytes:
    """A bzip2 member of a few KB that says 10 bytes and is gigabytes."""
    name, packed = b"a", bz2.compress(bytes(40 * MIB)) * 60
    fields = (20, 0, zipfile.ZIP_BZIP2, 0, 0, 0, len(packed), 10, 1)
    local = LOCAL + struct.pack("<5H3L2H", *fields, 0) + name + packed
    central = CENTRAL + struct.pack("<6H3L5H2L", 20, *fields, 0, 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), len(local), 0)


def overlapping() -> bytes:
    """Two members whose directory entries lead to the same bytes."""
    data = make_zip(("a", b"x" * 100, 0), ("b", b"y" * 100, 0), compression=zipfile.ZIP_STORED)
    return patched(data, CENTRAL, 42, bytes(4), skip=1)


def sparse_map() -> bytes:
    """PAX sparse 1.0: the map is the content's beginning, and as long as it says."""
    records = pax_records(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="a")
    numbers = padded(b"99999999\n" + b"1\n" * (4 * MIB))
    return described(tarfile.XHDTYPE, records) + header(size=len(numbers)) + numbers + END


def sparse_chain() -> bytes:
    """Old GNU sparse: each block of the map says that one more follows."""
    first = bytearray(header(kind=tarfile.GNUTYPE_SPARSE, size=0))
    first[482] = 1
    first[148:156] = b" " * 8
    first[148:156] = b"%06o\0 " % sum(first)
    block = (b"00000000001\0" * 42) + b"\1" + bytes(7)
    return gzip.compress(bytes(first) + block * (8 * MIB // 512) + END)


TARS: dict[str, tuple[Callable[[], bytes], str]] = {
    "dot_dot": (lambda: make_tar(member("../evil")), "is not a relative path"),
    "dot_dot_inside": (lambda: make_tar(member("a/../../evil")), "is not a relative path"),
    "dot_dot_harmless": (lambda: make_tar(member("a/../b")), "is not a relative path"),
    "dot_dot_alone": (lambda: make_tar(folder("..")), "is not a relative path"),
    "dot_dot_by_pax": (lambda: pax(path="../evil") + header("good") + END, "is not a relative path"),
    "dot_dot_by_long_name": (
        lambda: described(tarfile.GNUTYPE_LONGNAME, b"../evil\0") + header("good") + END,
        "is not a relative path",
    ),
    "absolute": (lambda: make_tar(member("/etc/evil")), "is absolute"),
    "absolute_by_pax": (lambda: pax(path="/etc/evil") + header("good") + END, "is absolute"),
    "newline": (lambda: make_tar(member("a\nb")), "characters that no path"),
    "newline_by_long_name": (
        lambda: described(tarfile.GNUTYPE_LONGNAME, b"a\nRUN evil\0") + header() + END,
        "characters that no path",
    ),
    "nul_by_pax": (lambda: pax(path="a\0b") + header() + END, "characters that no path"),
    "control": (lambda: make_tar(member("a\x07b")), "characters that no path"),
    "no_utf8": (lambda: make_tar(member("a\udcff"), form=tarfile.GNU_FORMAT), "characters that no path"),
    "long_component": (lambda: make_tar(member("x" * 300)), "too long"),
    "long_path": (lambda: make_tar(member("/".join(["d" * 200] * 30))), "too long"),
    "long_path_in_bytes": (lambda: make_tar(member("/".join(["é" * 100] * 30))), "too long"),
    "write_through_symlink": (lambda: make_tar(link("d", "/etc"), member("d/passwd", b"evil")), "through d"),
    "write_through_relative_symlink": (lambda: make_tar(link("d", "../.."), member("d/e/evil")), "through d"),
    "directory_through_symlink": (lambda: make_tar(link("d", "/etc"), folder("d/evil")), "through d"),
    "below_a_file": (lambda: make_tar(member("a"), member("a/b")), "through a"),
    "hard_link_out": (lambda: make_tar(hard("a", "../../etc/passwd")), "is not a relative path"),
    "hard_link_absolute": (lambda: make_tar(hard("a", "/etc/passwd")), "is absolute"),
    "hard_link_absolute_by_pax": (
        lambda: pax(linkpath="/etc/passwd") + header("a", tarfile.LNKTYPE) + END,
        "is absolute",
    ),
    "hard_link_to_nothing": (lambda: make_tar(hard("a", "b")), "a is a hard link to b"),
    "hard_link_forward": (lambda: make_tar(hard("a", "b"), member("b")), "a is a hard link to b"),
    "hard_link_to_symlink": (lambda: make_tar(link("l", "/etc/passwd"), hard("a", "l")), "a is a hard link to l"),
    "hard_link_to_directory": (lambda: make_tar(folder("d"), hard("a", "d")), "a is a hard link to d"),
    "symlink_circle_of_one": (lambda: make_tar(link("a", "a")), "a leads in a circle"),
    "symlink_circle_of_two": (lambda: make_tar(link("a", "b"), link("b", "a")), "leads in a circle"),
    "symlink_circle_in_folders": (
        lambda: make_tar(folder("d"), link("d/a", "../b"), link("b", "/d/a")),
        "leads in a circle",
    ),
    "symlink_to_nothing": (lambda: make_tar(link("a", "")), "a is a link to nowhere"),
    "symlink_too_long": (lambda: make_tar(link("a", "x/" * 3000)), "a is a link to nowhere"),
    "character_device": (lambda: make_tar(member("null", kind=tarfile.CHRTYPE)), "null is a device"),
    "block_device": (lambda: make_tar(member("sda", kind=tarfile.BLKTYPE)), "sda is a device"),
    "pipe": (lambda: make_tar(member("pipe", kind=tarfile.FIFOTYPE)), "pipe is a device"),
    "unknown_type": (lambda: make_tar(member("x", kind=b"Z")), "x is a device"),
    "root_is_a_file": (lambda: make_tar(member("./", b"evil")), "root is no directory"),
    "sparse": (lambda: header("s", tarfile.GNUTYPE_SPARSE) + END, "s is a sparse file"),
    "sparse_map_without_end": (sparse_map, "described by more than"),
    "sparse_chain_without_end": (sparse_chain, "described by more than"),
    "twice": (lambda: make_tar(member("a"), member("a")), "a is there twice"),
    "twice_by_spelling": (lambda: make_tar(member("a"), member("./a")), "a is there twice"),
    "twice_by_global_pax": (
        lambda: described(tarfile.XGLTYPE, pax_records(path="a")) + header("x") + header("y") + END,
        "a is there twice",
    ),
    "file_then_directory": (lambda: make_tar(member("a"), folder("a")), "a is there twice"),
    "directory_then_symlink": (lambda: make_tar(folder("a"), link("a", "/etc")), "a is there twice"),
    "negative_size": (lambda: header(raw_size=NEGATIVE) + END, "smaller than nothing"),
    "negative_size_by_pax": (lambda: pax(size="-512") + header() + END, "archive is damaged|smaller than nothing"),
    "size_of_a_planet": (lambda: header(raw_size=HUGE) + END, "more than 68719476736 bytes"),
    "root_of_that_size": (lambda: header("./", raw_size=HUGE) + END, "root is no directory"),
    "size_that_is_no_number": (lambda: header(raw_size=b"12345678x901") + END, "damaged"),
    "bad_checksum": (lambda: patched(GOOD, b"ustar", -100, b"9"), "damaged"),
    "pax_record_of_a_gigabyte": (
        lambda: gzip_flood(header("about", tarfile.XHDTYPE, size=1 << 30), 1024),
        "described by more than",
    ),
    "long_name_of_a_gigabyte": (
        lambda: gzip_flood(header("about", tarfile.GNUTYPE_LONGNAME, size=1 << 30), 1024),
        "described by more than",
    ),
    "pax_headers_of_pax_headers": (lambda: header("about", tarfile.XHDTYPE) * 900 + header() + END, "damaged"),
    "records_of_all_members": (
        lambda: (
            b"".join(described(tarfile.XGLTYPE, pax_records(**{f"key{i}": "x"})) + header(str(i)) for i in range(200))
            + END
        ),
        "more than 100 records",
    ),
    "truncated_in_content": (lambda: GOOD[:1800], "damaged|does not hold"),
    "truncated_in_header": (lambda: GOOD[:700], "behind its end"),
    "truncated_before_the_end": (lambda: make_tar(member("a", b"x" * 512))[:1024], "ends too early"),
    "header_past_the_end": (lambda: make_tar(member("a", b"x" * 5000))[:600], "damaged"),
    "garbage_behind": (lambda: GOOD + b"evil", "behind its end"),
    "second_archive_behind": (lambda: GOOD + make_tar(member("hidden")), "behind its end"),
    "broken_header": (lambda: GOOD[:512] + b"\xff" * 512 + GOOD[1024:], "behind its end"),
    "empty": (lambda: b"", "damaged"),
    "text": (lambda: b"<html>please log in</html>" * 100, "damaged"),
    "gzip_truncated": (lambda: gzip.compress(GOOD)[:-20], "damaged"),
    "gzip_garbage_behind": (lambda: gzip.compress(GOOD) + b"evil", "damaged"),
    "gzip_broken": (lambda: gzip.compress(GOOD)[:30] + b"\xff" * 30 + gzip.compress(GOOD)[60:], "damaged"),
    "xz_truncated": (lambda: lzma.compress(GOOD)[:-20], "damaged"),
    "xz_garbage_behind": (lambda: lzma.compress(GOOD) + b"evil", "damaged"),
    "xz_that_wants_3_gib": (lambda: big_dictionary(GOOD), "damaged"),
    "bz2_truncated": (lambda: bz2.compress(GOOD)[:-5], "damaged"),
    "bz2_broken": (lambda: bz2.compress(GOOD)[:20] + b"\xff" * 20 + bz2.compress(GOOD)[40:], "damaged"),
    "zstd_truncated": (lambda: zstandard.compress(GOOD)[:-10], "damaged|ends too early"),
    "zstd_broken": (lambda: zstandard.compress(GOOD)[:6] + b"\xff" * 20, "damaged"),
    "gzip_of_1_gb": (lambda: gzip_flood(header(size=1 << 30), GB), "times its size"),
    "bz2_of_10_gb": (
        lambda: bz2.compress(header(size=10 << 30)) + bz2.compress(bytes(MIB)) * 10 * GB,
        "times its size",
    ),
    "xz_of_1_gb": (lambda: lzma.compress(header(size=1 << 30)) + lzma.compress(bytes(MIB)) * GB, "times its size"),
    "zstd_of_10_gb": (
        lambda: zstandard.compress(header(size=10 << 30)) + zstandard.compress(bytes(MIB)) * 10 * GB,
        "times its size",
    ),
}
LONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip_of_10_gb": (lambda: gzip_flood(header(size=10 << 30), 10 * GB), "times its size"),
    "a_million_members": (lambda: many_headers(1_000_001), "more than 250000 members"),
}
"""Tars that take seconds to be read until they are refused."""
ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "dot_dot": (lambda: make_zip(("../evil", b"", 0)), "is not a relative path"),
    "absolute": (lambda: make_zip(("/evil", b"", 0)), "is absolute"),
    "newline": (lambda: make_zip(("a\nb", b"", 0)), "characters that no path"),
    "nul": (lambda: make_zip(("aXb", b"", 0)).replace(b"aXb", b"a\0b"), "characters that no path"),
    "twice": (lambda: make_zip(("a", b"1", 0), ("b", b"2", 0)).replace(b"b", b"a"), "a is there twice"),
    "write_through_symlink": (
        lambda: make_zip(("d", b"/etc", stat.S_IFLNK | 0o777), ("d/passwd", b"evil", 0)),
        "through d",
    ),
    "symlink_circle": (lambda: make_zip(("a", b"a", stat.S_IFLNK | 0o777)), "a leads in a circle"),
    "symlink_too_long": (lambda: make_zip(("a", b"x" * 5000, stat.S_IFLNK | 0o777)), "a is a link to nowhere"),
    "symlink_no_text": (lambda: make_zip(("a", b"\xff\xfe", stat.S_IFLNK | 0o777)), "damaged"),
    "device": (lambda: make_zip(("a", b"", stat.S_IFCHR | 0o666)), "a is a device"),
    "pipe": (lambda: make_zip(("a", b"", stat.S_IFIFO | 0o666)), "a is a device"),
    "encrypted": (
        lambda: patched(patched(make_zip(("a", b"s", 0)), LOCAL, 6, b"\1"), CENTRAL, 8, b"\1"),
        "a is encrypted",
    ),
    "other_name_inside": (lambda: patched(make_zip(("good", b"x", 0)), LOCAL, 30, b"evil"), "damaged"),
    "overlapping": (overlapping, "damaged"),
    "zip64_without_its_field": (
        lambda: patched(make_zip(("a", b"x", 0)), CENTRAL, 20, b"\xff" * 8),
        "times its size|damaged",
    ),
    "bomb": (lambda: make_zip(("zeros", bytes(80 << 20), 0)), "times its size"),
    "bomb_that_lies": (lie_about_size, "packed by method 12"),
    "garbage_behind": (lambda: GOOD_ZIP + b"evil", "behind its end"),
    "second_archive_before": (lambda: GOOD_ZIP + make_zip(("hidden", b"", 0)), "before its first member|damaged"),
    "truncated": (lambda: GOOD_ZIP[:-30], "damaged"),
    "wrong_checksum": (
        lambda: make_zip(("a", b"content", 0), compression=zipfile.ZIP_STORED).replace(b"content", b"CONTENT"),
        "damaged at a",
    ),
}
WHEELS: dict[str, tuple[Callable[[], bytes], str]] = {
    "dot_dot": (lambda: make_wheel("demo", {"../../../../../evil.py": b""}), "is not a relative path"),
    "data_that_leaves": (lambda: make_wheel("demo", {"demo-1.0.data/data/../../../x": b""}), "is not a relative path"),
    "script_that_leaves": (
        lambda: make_wheel("demo", {"demo.py": b""}, "[console_scripts]\n../../../evil = demo:main\n"),
        "is not a relative path|cannot be installed",
    ),
    "script_absolute": (
        lambda: make_wheel("demo", {"demo.py": b""}, "[console_scripts]\n/etc/evil = demo:main\n"),
        "is absolute|cannot be installed",
    ),
    "unknown_scheme": (lambda: make_wheel("demo", {"demo-1.0.data/evil/x": b""}), "cannot be installed"),
    "wrong_checksum": (lambda: make_wheel("demo", {"demo.py": b"content"}).replace(b"content", b"CONTENT"), "demo"),
    "member_twice": (
        lambda: make_wheel("demo", {"aa.py": b"1", "bb.py": b"2"}).replace(b"bb.py", b"aa.py"),
        "aa.py is there twice",
    ),
    "bomb_that_lies": (lie_about_size, "packed by method 12"),
}
