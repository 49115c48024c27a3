from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.session import open_session
from buildgraph.graph import find_closure
from buildgraph.key import compute_keys
from buildgraph.model import DockerfileSpec, Image, Kind, Layer
from tests.generate import IMAGE, PAUSE, Shape, Split, main, make_pause, name_node, write_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.model import Catalogue


def generate(folder: Path, *args: str) -> Catalogue:
    assert main([str(folder), *args]) == 0
    return open_session(folder, store=folder / "store", lock_file=None, environ={}).catalogue


def read_all(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes()) for path in files}


def edges(catalogue: Catalogue) -> set[tuple[str, str]]:
    return {(parent, name) for name, node in catalogue.nodes.items() for parent in node.reads}


def keys(folder: Path) -> dict[str, str]:
    session = open_session(folder, store=folder / "store", lock_file=None, environ={})
    nodes = find_closure(session.catalogue, session.catalogue.nodes, with_tests=True)
    found = compute_keys(session.catalogue, session.lock, session.trees, nodes)
    return {name: key.key for name, key in found.keys.items()}


def test_the_shape_is_as_asked(tmp_path: Path) -> None:
    catalogue = generate(tmp_path, "--levels", "4", "--width", "3", "--parents", "2")
    layers = [node for node in catalogue.nodes.values() if isinstance(node, Layer)]
    assert {node.name for node in layers} == {name_node(level, place) for level in range(4) for place in range(3)}
    for node in layers:
        level = int(node.name[1:4])
        assert node.kind is (Kind.DOCKERFILE if level else Kind.FILES)
        assert len(node.parents) == (2 if level else 0)
        assert all(int(parent[1:4]) == level - 1 for parent in node.parents)
    image = catalogue.nodes[IMAGE]
    assert isinstance(image, Image)
    assert image.layers == tuple(name_node(3, place) for place in range(3))


@pytest.mark.parametrize("split", list(Split))
def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(tmp_path: Path, split: Split) -> None:
    for folder, seed in (("one", 1), ("again", 1), ("other", 2)):
        write_catalogue(tmp_path / folder, Shape(levels=3, width=9, parents=2, seed=seed, split=split))
    assert read_all(tmp_path / "one") == read_all(tmp_path / "again")
    assert read_all(tmp_path / "one") != read_all(tmp_path / "other")


def test_however_manifests_are_split_the_graph_and_its_keys_are_the_same(tmp_path: Path) -> None:
    one = generate(tmp_path / "one", "--levels", "3", "--width", "5", "--files", "per-node")
    other = generate(tmp_path / "other", "--levels", "3", "--width", "5", "--files", "per-level")
    assert edges(one) == edges(other)
    assert keys(tmp_path / "one") == keys(tmp_path / "other")
    assert len(list((tmp_path / "one/manifests/layers").iterdir())) == 15
    assert len(list((tmp_path / "other/manifests/layers").iterdir())) == 3


def test_a_ladder_of_diamonds_has_two_nodes_a_rung_that_read_both_below(tmp_path: Path) -> None:
    catalogue = generate(tmp_path, "--diamonds", "4")
    assert len(edges(catalogue)) == 4 * 4 + 2
    assert all(len(node.reads) == 2 for node in catalogue.nodes.values() if not node.name.startswith("l000"))


def test_a_payload_has_that_many_bytes_and_a_pause_is_read_by_every_step(tmp_path: Path) -> None:
    catalogue = generate(tmp_path, "--levels", "2", "--width", "1", "--payload", "1000", "--build-seconds", "0.5")
    assert (tmp_path / "layers/l001-000/files/payload").stat().st_size == 1000
    node = catalogue.nodes["l001-000"]
    assert isinstance(node, Layer)
    assert (node.contexts, node.spec) == ((PAUSE,), DockerfileSpec(args={"NAME": "l001-000"}))
    assert f'RUN ["/{PAUSE}"]' in (tmp_path / "layers/l001-000/Dockerfile").read_text()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the program is for amd64")
def test_the_pause_is_a_program_that_ends_well(tmp_path: Path) -> None:
    program = tmp_path / PAUSE
    program.write_bytes(make_pause(0.01))
    program.chmod(0o755)
    assert subprocess.run([program], check=False, timeout=20).returncode == 0


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--levels", "0"], "levels times width is from 1"),
        (["--levels", "1000", "--width", "1000"], "to 200000"),
        (["--parents", "0"], "parents are from 1"),
        (["--build-seconds", "-1"], "time does not run backwards"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], what: str
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), *args])
    assert what in capsys.readouterr().err
    assert not (tmp_path / "manifests").exists()


def test_a_project_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(tmp_path, "--levels", "1", "--width", "1")
    before = read_all(tmp_path)
    assert main([str(tmp_path)]) == 1
    assert "holds a project already" in capsys.readouterr().err
    assert read_all(tmp_path) == before
