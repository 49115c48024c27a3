"""The store's own documents: no bit of them flips unnoticed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import layout
from buildgraph.errors import EnvironmentFault
from tests.fakes.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRIES: list[layout.IndexEntry] = [
    {"digest": digest_of(name.encode()), "size": 3, "annotations": {layout.REF_NAME: name}} for name in ("b", "a")
]


def flips(data: bytes) -> Iterator[bytes]:
    for position in range(len(data)):
        for bit in range(8):
            yield data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def test_the_index_comes_back_sorted() -> None:
    entries = layout.read_index(layout.index_text(ENTRIES))
    assert entries is not None
    assert [layout.name_of(entry) for entry in entries] == ["a", "b"]
    assert [layout.name_of(entry) for entry in layout.without(entries, "a")] == ["b"]
    assert json.loads(layout.index_text(ENTRIES))["schemaVersion"] == 2


def test_fault_07_no_bit_of_the_index_flips_unnoticed() -> None:
    assert [data for data in flips(layout.index_text(ENTRIES)) if layout.read_index(data) is not None] == []


def test_fault_07_no_bit_of_the_format_flips_unnoticed() -> None:
    assert layout.read_format(layout.format_text()) == layout.FORMAT
    assert {layout.read_format(data) for data in flips(layout.format_text())} == {None}


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"store": "1"}', b"\xff", b"null"])
def test_what_names_no_format_is_damaged(text: bytes) -> None:
    assert layout.read_format(text) is None


def test_fault_15_another_format_is_refused_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    layout.check_format(None, tmp_path)
    layout.check_format(layout.FORMAT, tmp_path)
    with pytest.raises(EnvironmentFault, match="format 7"):
        layout.check_format(7, tmp_path)
