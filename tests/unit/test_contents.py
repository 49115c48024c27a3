"""What is read of a layer's blob: a few texts, members of jars, versions in binaries, and always to the end."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.contents import MAX_TEXT, Interest, read_contents
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import IntegrityError
from buildgraph.model import Compression
from tests.fakes.tiny import write_layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INTEREST = Interest(
    texts=lambda path: path.endswith(".txt"),
    archives=lambda path, size: path.endswith(".jar") and size < 10_000,
    members=re.compile(r"META-INF/[A-Z]+"),
    patterns={r"lib/.*\.so": {"version": re.compile(rb"\0v([0-9]+)\0"), "other": re.compile(rb"\0w([0-9]+)\0")}},
)


def make_jar(members: Mapping[str, str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


def read(root: Path, files: Mapping[str, bytes], compression: Compression = Compression.ZSTD) -> dict[str, str]:
    store = LayoutStore(root / "store")
    layer = write_layer(store, "x", files, compression=compression)
    with store.open_blob(layer.blob.digest) as blob:
        return read_contents(blob, INTEREST)


@pytest.mark.parametrize("compression", list(Compression))
def test_texts_members_and_versions_are_read_and_nothing_else(tmp_path: Path, compression: Compression) -> None:
    files = {
        "a/b.txt": b"text \xff",
        "a/b.bin": b"no",
        "a/x.jar": make_jar({"META-INF/NOTICE": "n", "x.class": "c"}),
        "lib/l.so": b"x\0v17\0",
    }
    assert read(tmp_path, files, compression) == {
        "a/b.txt": "text \ufffd",
        "a/x.jar!META-INF/NOTICE": "n",
        "lib/l.so!version": "17",
    }


def test_a_long_text_and_a_bomb_in_a_jar_are_cut(tmp_path: Path) -> None:
    bomb = make_jar({"META-INF/NOTICE": "0" * (MAX_TEXT + 1)})
    found = read(tmp_path, {"a.txt": b"0" * (MAX_TEXT + 1), "x.jar": bomb})
    assert {path: len(text) for path, text in found.items()} == {"a.txt": MAX_TEXT, "x.jar!META-INF/NOTICE": MAX_TEXT}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"no jar",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"PK\x03\x04", b"PK\x03\x05"),
        lambda data: bytes(byte ^ (0xFF if 40 < at < 60 else 0) for at, byte in enumerate(data)),
    ],
)
def test_a_jar_that_cannot_be_read_has_no_members(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    data = damage(make_jar({"META-INF/NOTICE": "some text that is compressed, some text that is compressed"}))
    assert read(tmp_path, {"x.jar": data}) == {}


def test_a_blob_that_is_no_layer_is_one_line() -> None:
    with pytest.raises(IntegrityError, match=r"a layer cannot be read: .*verify --repair"):
        read_contents(io.BytesIO(b"nothing of the kind" * 99), INTEREST)


def test_a_damaged_blob_is_found_out(tmp_path: Path) -> None:
    store = LayoutStore(tmp_path / "store")
    layer = write_layer(store, "x", {"a.txt": b"a" * 100, "z": b"z" * 5000}, compression=Compression.NONE)
    path = store.blob_path(layer.blob.digest)
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data.replace(b"zzzz", b"yyyy"))
    with pytest.raises(IntegrityError), store.open_blob(layer.blob.digest) as blob:
        read_contents(blob, INTEREST)
