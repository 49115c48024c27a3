"""Archives that must be taken, each with the tree that it stands for.

A tree maps paths to ``dir``, ``link TARGET``, ``same PATH`` (a hard link) or ``file MODE CONTENT``.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import stat
import tarfile
import zipfile
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import zstandard

from tests.faults.packing import (
    END,
    described,
    folder,
    hard,
    header,
    link,
    make_tar,
    make_wheel,
    make_zip,
    member,
    padded,
    pax,
    pax_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.packing import Named

Tree: TypeAlias = "dict[str, str]"
DIR = "dir"
SITE = "opt/python/lib/python3.10/site-packages"
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
COMMON: tuple[Named, ...] = (
    folder("./"),
    folder("./usr"),
    folder("./usr/bin"),
    link("./bin", "/usr/bin"),
    member("./usr/bin/tool", b"#!/bin/sh\n", mode=0o755),
    hard("./usr/bin/same", "./usr/bin/tool"),
    folder("./empty"),
    member("./read-only", bytes(3000), mode=0o444),
)


def file(content: bytes = b"", mode: int = 0o644) -> str:
    return f"file {mode:o} {hashlib.sha256(content).hexdigest()[:12]}"


COMMON_TREE = {
    "usr": DIR,
    "usr/bin": DIR,
    "bin": "link /usr/bin",
    "usr/bin/tool": file(b"#!/bin/sh\n", 0o755),
    "usr/bin/same": "same usr/bin/tool",
    "empty": DIR,
    "read-only": file(bytes(3000)),
}
PLAIN = make_tar(*COMMON)
STRANGE = (" ", "-rf", "a b", "*", "$(id)", "`id`", "a\\b", "é", "日本", "x" * 255, "...", "a:b", "'", "~", "A", "a")
SETID = (member("su", b"x", mode=0o6755), folder("tmp", mode=0o1777))
LONG = "d/" * 200 + "é"
DEEP = "/".join(["d" * 100] * 20)


def members_of(*names: str) -> tuple[Named, ...]:
    return tuple(member(name, name.encode()) for name in names)


def tree_of(*names: str) -> Tree:
    folders = {name[:at]: DIR for name in names for at, letter in enumerate(name) if letter == "/"}
    return folders | {name: file(name.encode()) for name in names}


def streamed_zip() -> bytes:
    """A zip that was written to a pipe: sizes follow the content."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a")
    return bytes(pipe.data)


def commented_zip() -> bytes:
    buffer = io.BytesIO(make_zip(("a", b"a", 0)))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"made by somebody"
    return buffer.getvalue()


def large_zip64() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a", "w", force_zip64=True) as content:
        content.write(b"a")
    return buffer.getvalue()


TARS: dict[str, tuple[Callable[[], bytes], Tree]] = {
    f"{form}_{pack}": (lambda form=form, pack=pack: PACKERS[pack](make_tar(*COMMON, form=FORMATS[form])), COMMON_TREE)
    for form, pack in product(FORMATS, PACKERS)
} | {
    "gz_in_two_parts": (lambda: gzip.compress(PLAIN[:700]) + gzip.compress(PLAIN[700:]), COMMON_TREE),
    "gz_padded": (lambda: gzip.compress(PLAIN) + bytes(512), COMMON_TREE),
    "bz2_in_two_parts": (lambda: bz2.compress(PLAIN[:700]) + bz2.compress(PLAIN[700:]), COMMON_TREE),
    "xz_in_two_parts": (lambda: lzma.compress(PLAIN[:700]) + lzma.compress(PLAIN[700:]), COMMON_TREE),
    "xz_padded": (lambda: lzma.compress(PLAIN[:700]) + bytes(8) + lzma.compress(PLAIN[700:]) + bytes(4), COMMON_TREE),
    "xz_at_its_best": (lambda: lzma.compress(PLAIN, preset=9 | lzma.PRESET_EXTREME), COMMON_TREE),
    "zst_in_two_frames": (lambda: zstandard.compress(PLAIN[:700]) + zstandard.compress(PLAIN[700:]), COMMON_TREE),
    "zst_at_its_best": (lambda: zstandard.compress(PLAIN, 19), COMMON_TREE),
    "padding_behind": (lambda: PLAIN + bytes(30_000), COMMON_TREE),
    "one_block_at_the_end": (lambda: header("a") + bytes(512), {"a": file()}),
    "gnu_long_name": (lambda: make_tar(*members_of("x" * 150), form=tarfile.GNU_FORMAT), tree_of("x" * 150)),
    "gnu_long_link": (
        lambda: make_tar(link("l", "x/" * 150 + "y"), form=tarfile.GNU_FORMAT),
        {"l": "link " + "x/" * 150 + "y"},
    ),
    "ustar_prefix": (
        lambda: make_tar(*members_of("d/" * 60 + "x"), form=tarfile.USTAR_FORMAT),
        tree_of("d/" * 60 + "x"),
    ),
    "pax_long_name": (lambda: make_tar(*members_of(LONG)), tree_of(LONG)),
    "deep": (lambda: make_tar(*members_of(DEEP)), tree_of(DEEP)),
    "pax_records_of_others": (
        lambda: pax(SCHILY__xattr__user__a="b", comment="x", mtime="1.5", uname="é") + header("a") + END,
        {"a": file()},
    ),
    "pax_for_all": (
        lambda: described(tarfile.XGLTYPE, pax_records(comment="0" * 40)) + header("a") + END,
        {"a": file()},
    ),
    "pax_size": (lambda: pax(size="3") + header("a") + padded(b"abc") + END, {"a": file(b"abc")}),
    "base_256_size": (
        lambda: header("a", raw_size=b"\x80" + bytes(10) + b"\3") + padded(b"abc") + END,
        {"a": file(b"abc")},
    ),
    "old_unix": (lambda: header("a", b"\0", size=3) + padded(b"abc") + END, {"a": file(b"abc")}),
    "contiguous": (lambda: header("a", tarfile.CONTTYPE, size=3) + padded(b"abc") + END, {"a": file(b"abc")}),
    "directory_twice": (
        lambda: make_tar(folder("d"), member("d/a"), folder("d")),
        {"d": DIR, "d/a": file()},
    ),
    "directories_left_out": (lambda: make_tar(*members_of("a/b/c")), tree_of("a/b/c")),
    "relative_symlink": (lambda: make_tar(link("bin", "usr/bin"), folder("usr")), {"bin": "link usr/bin", "usr": DIR}),
    "symlink_above_the_root": (lambda: make_tar(link("a", "../../../etc/x")), {"a": "link ../../../etc/x"}),
    "symlink_to_absent": (lambda: make_tar(link("a", "nowhere")), {"a": "link nowhere"}),
    "chain_of_symlinks": (
        lambda: make_tar(link("a", "b"), link("b", "c"), member("c")),
        {"a": "link b", "b": "link c", "c": file()},
    ),
    "two_symlinks_to_one": (
        lambda: make_tar(link("a", "c"), link("b", "c"), member("c")),
        {"a": "link c", "b": "link c", "c": file()},
    ),
    "symlink_to_dot": (lambda: make_tar(folder("d"), link("d/self", ".")), {"d": DIR, "d/self": "link ."}),
    "symlink_last": (
        lambda: make_tar(folder("d"), member("d/a"), link("e", "d")),
        {"d": DIR, "d/a": file(), "e": "link d"},
    ),
    "symlink_through_a_file_name": (lambda: make_tar(link("a", "b c\\d")), {"a": "link b c\\d"}),
    "hard_links": (
        lambda: make_tar(member("a", b"a"), hard("b", "a"), hard("c", "./a")),
        {"a": file(b"a"), "b": "same a", "c": "same a"},
    ),
    "strange_names": (lambda: make_tar(*members_of(*STRANGE)), tree_of(*STRANGE)),
    "zeros_at_the_end": (lambda: make_tar(member("a", bytes(5000))), {"a": file(bytes(5000))}),
    "zeros_at_the_end_of_a_block": (lambda: make_tar(member("a", bytes(1024))), {"a": file(bytes(1024))}),
    "holes_that_are_zeros": (
        lambda: gzip.compress(make_tar(member("a", bytes(30 << 20)))),
        {"a": file(bytes(30 << 20))},
    ),
    "large_owner": (lambda: make_tar(member("a", uid="3000000")), {"a": file()}),
    "set_id_bits": (lambda: make_tar(*SETID), {"su": file(b"x", 0o755), "tmp": DIR}),
    "ten_thousand_members": (
        lambda: make_tar(*members_of(*(str(number) for number in range(3000)))),
        tree_of(*(str(number) for number in range(3000))),
    ),
}
ZIPS: dict[str, tuple[Callable[[], bytes], Tree]] = {
    "deflated": (
        lambda: make_zip(("d/", b"", 0o40755), ("d/a", b"a" * 9, 0o100755)),
        {"d": DIR, "d/a": file(b"a" * 9, 0o755)},
    ),
    "stored": (lambda: make_zip(("a", b"abc", 0), compression=zipfile.ZIP_STORED), {"a": file(b"abc")}),
    "symlink": (lambda: make_zip(("bin", b"usr/bin", stat.S_IFLNK | 0o777)), {"bin": "link usr/bin"}),
    "no_directories": (lambda: make_zip(("a/b/c", b"a/b/c", 0)), tree_of("a/b/c")),
    "names_of_the_world": (lambda: make_zip(("日本/é", "日本/é".encode(), 0)), tree_of("日本/é")),
    "backslash": (lambda: make_zip(("a\\b", b"a\\b", 0)), tree_of("a\\b")),
    "from_a_pipe": (streamed_zip, {"a": file(b"a")}),
    "with_a_comment": (commented_zip, {"a": file(b"a")}),
    "zip64": (large_zip64, {"a": file(b"a")}),
    "set_id_bits": (lambda: make_zip(("su", b"", 0o104755)), {"su": file(b"", 0o755)}),
}
INFO = f"{SITE}/demo-1.0.dist-info"
WHEELS: dict[str, tuple[Callable[[], bytes], Tree]] = {
    "modules": (lambda: make_wheel("demo", {"demo/a.py": b"1"}), {f"{SITE}/demo/a.py": file(b"1")}),
    "data_schemes": (
        lambda: make_wheel(
            "demo",
            {
                "demo-1.0.data/data/share/x": b"x",
                "demo-1.0.data/scripts/tool": b"#!python\n",
                "demo-1.0.data/headers/demo.h": b"h",
                "demo-1.0.data/purelib/p.py": b"p",
                "demo-1.0.data/platlib/q.so": b"q",
            },
        ),
        {
            "opt/python/share/x": file(b"x"),
            "opt/python/bin/tool": file(b"#!/opt/python/bin/python3.10\n", 0o755),
            "opt/python/include/python3.10/demo/demo.h": file(b"h"),
            f"{SITE}/p.py": file(b"p"),
            f"{SITE}/q.so": file(b"q"),
        },
    ),
    "executable": (
        lambda: make_wheel("demo", {"demo/x": b"\x7fELF"}, executable="demo/x"),
        {f"{SITE}/demo/x": file(b"\x7fELF", 0o755)},
    ),
    "name_of_a_hidden_file": (lambda: make_wheel("demo", {"demo/.x": b"x"}), {f"{SITE}/demo/.x": file(b"x")}),
}
