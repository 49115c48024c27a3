from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.app.session import open_session
from buildgraph.app.starting import start_project
from buildgraph.errors import UsageError
from buildgraph.model import Image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["demo", "my-images.2"])
def test_a_new_project_is_a_sound_catalogue_that_lacks_only_its_lock(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new"
    written = start_project(folder, name)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(written)
    session = open_session(folder, store=tmp_path / "store", lock_file=None, environ={})
    assert set(session.catalogue.nodes) == {"os", name}
    image = session.catalogue.nodes[name]
    assert isinstance(image, Image)
    assert image.layers == ("os",)
    assert session.catalogue.groups["default"] == (name,)
    assert not session.lock.entries


def test_no_mark_of_the_templates_is_left(tmp_path: Path) -> None:
    for path in start_project(tmp_path, "demo"):
        assert "@" not in path
        assert "@NAME@" not in (tmp_path / path).read_text()


@pytest.mark.parametrize("name", ["os", "default", "all", "../x", "/abs", "a/b", ".", "..", "", "Upper", "-x", "a\nb"])
def test_fault_31_a_name_that_would_not_do_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a project"):
        start_project(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md exists already"):
        start_project(tmp_path, "demo")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_project_is_not_started_twice(tmp_path: Path) -> None:
    start_project(tmp_path, "demo")
    with pytest.raises(UsageError, match="there is a project already"):
        start_project(tmp_path, "demo")
