from __future__ import annotations

import hashlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.workspace import Workspace, find_root
from buildgraph.errors import EnvironmentFault, ManifestError, UsageError
from buildgraph.manifest.document import MAX_BYTES, parse_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import FrameType


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A project with one layer of all kinds of files; its folder."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/project.yaml").write_text("project: x\n")
    folder = tmp_path / "layers/tool"
    (folder / "files/sub").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "files/run.sh").write_text("#!/bin/sh\n")
    (folder / "files/run.sh").chmod(0o755)
    (folder / "files/sub/conf").write_text("a = 1\n")
    (folder / "files/link").symlink_to("sub/conf")
    (folder / "test_tool.py").write_text("def test(): ...\n")
    (folder / "testdata").mkdir()
    (folder / "testdata/input.csv").write_text("1,2\n")
    return folder


def content(layer: Path) -> Mapping[str, str]:
    return Workspace(layer.parents[1]).hash_layers()[0][layer.name]


def list_tests(layer: Path) -> Mapping[str, str]:
    return Workspace(layer.parents[1]).hash_layers()[1][layer.name]


def change(path: str, text: str) -> Callable[[Path], object]:
    return lambda layer: (layer / path).write_text(text)


def test_a_tree_names_every_file_with_what_it_is(layer: Path) -> None:
    tree = content(layer)
    assert sorted(tree) == ["Dockerfile", "files/link", "files/run.sh", "files/sub/conf"]
    assert tree["files/link"] == "link:sub/conf"
    assert tree["files/run.sh"].startswith("x:")
    assert tree["files/sub/conf"].startswith("-:")


@pytest.mark.parametrize(
    "act",
    [
        lambda layer: os.utime(layer / "files/sub/conf", (1, 1)),
        lambda layer: (layer / "files/sub/conf").chmod(0o600),
        lambda layer: (layer / "files/sub/conf").chmod(0o666),
        lambda layer: (layer / "files/run.sh").chmod(0o700),
        lambda layer: (layer / "files/sub").chmod(0o700),
        change("test_tool.py", "other"),
        change("testdata/input.csv", "3,4\n"),
    ],
    ids=["mtime", "umask", "open umask", "umask of a program", "mode of a folder", "test", "test data"],
)
def test_what_does_not_shape_a_layer_does_not_change_its_tree(layer: Path, act: Callable[[Path], object]) -> None:
    before = content(layer)
    act(layer)
    assert content(layer) == before


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        (change("files/sub/conf", "a = 2\n"), {"files/sub/conf"}),
        (change("Dockerfile", "FROM parent\n"), {"Dockerfile"}),
        (lambda layer: (layer / "files/sub/conf").chmod(0o755), {"files/sub/conf"}),
        (lambda layer: (layer / "files/run.sh").chmod(0o644), {"files/run.sh"}),
        (lambda layer: (layer / "files/run.sh").rename(layer / "files/go.sh"), {"files/run.sh", "files/go.sh"}),
        (lambda layer: (layer / "files/sub/conf").chmod(0o654), {"files/sub/conf"}),
        (change("files/new", "new"), {"files/new"}),
        (lambda layer: (layer / "files/empty").mkdir(), {"files/empty"}),
    ],
    ids=[
        "content",
        "Dockerfile",
        "executable",
        "no longer executable",
        "renamed",
        "for a group",
        "new",
        "empty folder",
    ],
)
def test_what_shapes_a_layer_changes_its_tree(layer: Path, act: Callable[[Path], object], changed: set[str]) -> None:
    before = content(layer)
    act(layer)
    after = content(layer)
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == changed


def test_a_link_counts_by_its_target_and_not_by_what_is_there(layer: Path) -> None:
    link = layer / "files/link"
    link.unlink()
    link.symlink_to("/nowhere")
    assert content(layer)["files/link"] == "link:/nowhere"


def test_a_link_to_a_folder_is_not_followed(layer: Path, tmp_path: Path) -> None:
    (layer / "files/out").symlink_to(tmp_path / "manifests")
    tree = content(layer)
    assert tree["files/out"] == f"link:{tmp_path}/manifests"
    assert not [path for path in tree if path.startswith("files/out/")]


def test_tests_and_their_data_are_apart(layer: Path) -> None:
    assert sorted(list_tests(layer)) == ["test_tool.py", "testdata/input.csv"]


def test_only_tests_beside_the_dockerfile_are_tests(layer: Path) -> None:
    (layer / "files/test_me.py").write_text("shipped")
    assert "files/test_me.py" in content(layer)
    assert "files/test_me.py" not in list_tests(layer)


def test_what_python_and_file_managers_leave_behind_is_ignored(layer: Path) -> None:
    before = content(layer)
    for name in ("__pycache__", "files/__pycache__"):
        (layer / name).mkdir()
        (layer / name / "x.pyc").write_bytes(b"x")
    (layer / "files/.DS_Store").write_bytes(b"x")
    (layer.parent / "__pycache__").mkdir()
    assert content(layer) == before
    assert sorted(Workspace(layer.parents[1]).hash_layers()[0]) == ["tool"]


def test_a_project_without_layers_has_no_trees(tmp_path: Path) -> None:
    assert Workspace(tmp_path).hash_layers() == ({}, {})


@contextmanager
def restless(path: Path, *, changes: int) -> Iterator[None]:
    """Append to the file right before each of the first ``changes`` reads of it, as another process may."""
    left = changes

    def notice(_frame: FrameType, event: str, called: object) -> None:
        nonlocal left
        if event == "c_call" and called is os.read and left > 0:
            left -= 1
            with path.open("ab") as writer:
                writer.write(b"more")

    sys.setprofile(notice)
    try:
        yield
    finally:
        sys.setprofile(None)


def test_fault_20_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.touch()
    with restless(path, changes=1):
        assert Workspace(tmp_path).hash_file(path) == hashlib.sha256(b"more").hexdigest()


def test_fault_20_a_file_that_does_not_stop_changing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.touch()
    with (
        restless(path, changes=100),
        pytest.raises(EnvironmentFault, match="it changes while it is read") as caught,
    ):
        Workspace(tmp_path).hash_file(path)
    assert caught.value.where == str(path)


def test_a_pipe_among_the_files_of_a_layer_is_refused_and_not_waited_for(layer: Path) -> None:
    os.mkfifo(layer / "files/pipe")
    with pytest.raises(UsageError, match="a pipe") as caught:
        Workspace(layer.parents[1]).hash_layers()
    assert caught.value.where == str(layer / "files/pipe")


# Documents


def test_the_root_is_the_nearest_folder_above_with_a_project(layer: Path, tmp_path: Path) -> None:
    assert find_root(tmp_path) == tmp_path
    assert find_root(layer / "files/sub") == tmp_path
    inner = tmp_path / "inner"
    (inner / "manifests").mkdir(parents=True)
    (inner / "manifests/project.yaml").write_text("project: y\n")
    assert find_root(inner / "manifests") == inner


def test_a_folder_outside_any_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no manifests/project.yaml here or above; use -C"):
        find_root(tmp_path)


def test_manifests_are_read_from_all_folders_below_manifests(layer: Path, tmp_path: Path) -> None:
    (tmp_path / "manifests/layers").mkdir()
    (tmp_path / "manifests/layers/tool.yaml").write_text("layer: tool\n")
    (tmp_path / "manifests/notes.txt").write_text("not a manifest")
    assert Workspace(layer.parents[1]).read_manifests() == {
        "manifests/project.yaml": "project: x\n",
        "manifests/layers/tool.yaml": "layer: tool\n",
    }


def test_what_is_no_text_is_left_for_the_parser_to_refuse_with_its_line(layer: Path, tmp_path: Path) -> None:
    (tmp_path / "manifests/layers").mkdir()
    (tmp_path / "manifests/layers/bad.yaml").write_bytes(b"a: x\nb: \xff\n")
    text = Workspace(layer.parents[1]).read_manifests()["manifests/layers/bad.yaml"]
    with pytest.raises(ManifestError, match=r"^bad.yaml:2: not UTF-8"):
        parse_document(text, "bad.yaml")


def test_fault_32_a_huge_manifest_is_refused_unread(layer: Path, tmp_path: Path) -> None:
    with (tmp_path / "manifests/huge.yaml").open("wb") as file:
        file.truncate(1 << 34)
    text = Workspace(layer.parents[1]).read_manifests()["manifests/huge.yaml"]
    assert len(text) == MAX_BYTES + 1
    with pytest.raises(ManifestError, match=r"^huge.yaml: more than the limit of \d+ bytes"):
        parse_document(text, "huge.yaml")


def test_a_folder_or_a_pipe_is_no_manifest(layer: Path, tmp_path: Path) -> None:
    (tmp_path / "manifests/folder.yaml").mkdir()
    os.mkfifo(tmp_path / "manifests/pipe.yaml")
    assert list(Workspace(layer.parents[1]).read_manifests()) == ["manifests/project.yaml"]


def test_a_link_to_nowhere_among_the_manifests_is_one_line(layer: Path, tmp_path: Path) -> None:
    (tmp_path / "manifests/.#editor.yaml").symlink_to("user@host:1234")
    with pytest.raises(EnvironmentFault, match="cannot be read: No such file"):
        Workspace(layer.parents[1]).read_manifests()


def test_texts_are_read_as_they_are_and_missing_ones_are_none(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_bytes(b"a: 1\r\n")
    workspace = Workspace(tmp_path)
    assert workspace.read_text("values.yaml") == "a: 1\r\n"
    assert workspace.read_text("missing.yaml") is None


def test_a_text_outside_the_project_is_read_by_its_full_path(tmp_path: Path) -> None:
    (tmp_path / "other.lock").write_text("x")
    assert Workspace(tmp_path / "project").read_text(str(tmp_path / "other.lock")) == "x"


def test_a_text_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    Workspace(tmp_path).write_text("charts/values.yaml", "one\r\n")
    Workspace(tmp_path).write_text("charts/values.yaml", "two\r\n")
    assert (tmp_path / "charts/values.yaml").read_bytes() == b"two\r\n"
    assert [file.name for file in (tmp_path / "charts").iterdir()] == ["values.yaml"]


@pytest.mark.parametrize("path", ["charts/values.yaml", "charts/inner/values.yaml"])
def test_fault_34_nothing_is_written_through_a_symlink(tmp_path: Path, path: str) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / "charts").mkdir(parents=True)
    (outside / "inner").mkdir(parents=True)
    target = outside / "inner/values.yaml"
    target.write_text("precious")
    link = project / "charts" / path.split("/")[1]
    link.symlink_to(target if link.name == "values.yaml" else outside / "inner")

    with pytest.raises(UsageError, match="symlink"):
        Workspace(project).write_text(path, "overwritten")
    assert target.read_text() == "precious"
    assert [file.name for file in (outside / "inner").iterdir()] == ["values.yaml"]


def test_a_project_below_a_symlink_is_written_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "real/manifests").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    Workspace(tmp_path / "link").write_text("manifests/lock", "x")
    assert (tmp_path / "real/manifests/lock").read_text() == "x"


def test_a_text_that_is_not_utf_8_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/buildgraph.lock").write_bytes(b"{\xff")
    with pytest.raises(UsageError, match=r"^manifests/buildgraph\.lock: not UTF-8 at byte 1$"):
        Workspace(tmp_path).read_text("manifests/buildgraph.lock")


def test_a_text_that_the_system_refuses_is_said_with_its_place(tmp_path: Path) -> None:
    # A regular file whose first byte nobody may read.
    with pytest.raises(EnvironmentFault, match=r"^/proc/self/mem: cannot be read: Input/output error$"):
        Workspace(tmp_path).read_text("/proc/self/mem")
