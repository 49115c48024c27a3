"""Trees on disk: what no layer may hold, and what changes while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.tree import open_steady, read_tree
from buildgraph.errors import BuildFailure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["two\nlines", "bell\a"], ids=["newline", "bell"])
def test_a_file_whose_name_is_no_path_of_a_layer_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_text("")
    with pytest.raises(BuildFailure, match="characters that no path of a layer may hold"):
        list(read_tree(tmp_path))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "growing"
    file.write_bytes(b"one")

    def grow() -> None:
        with open_steady(file) as stream:
            assert stream.read() == b"one"
            file.write_bytes(b"three")

    with pytest.raises(BuildFailure) as caught:
        grow()
    assert str(caught.value) == f"{file}: the file changed while it was read; run again"


def test_a_file_that_stays_as_it_is_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "steady"
    file.write_bytes(b"one")
    with open_steady(file) as stream:
        assert stream.read() == b"one"
