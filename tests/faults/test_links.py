"""Fault 34: symlinks are content; nothing is read or written through one that leads elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.dockerfile import DockerfileBuilder
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.adapters.wheels import PythonBuilder
from buildgraph.app.planning import plan_targets
from buildgraph.errors import BuildFailure
from buildgraph.model import Compression, DockerfileSpec, Entry, EntryType, Kind, NamedLayer, PythonSpec
from buildgraph.plan import Wishes
from tests.fakes.buildxscript import Buildx
from tests.fakes.inputs import EPOCH, FolderFetcher, Inputs, ignore_progress, make_layer
from tests.fakes.tiny import write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sample import Ended, Sample

SECRET = "precious"
BUILD = ("--no-test", "--no-load", "--progress", "quiet")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is no part of the project, with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text(SECRET)
    return folder


def replace_by_link(place: Path, target: Path) -> None:
    """Let ``place`` be a symlink; what it was (if anything) is moved to the target."""
    if place.exists():
        place.replace(target)
    place.symlink_to(target)


def assert_refused(done: Ended, name: str) -> None:
    assert done.code in {1, 2, 3}, (done.code, done.err)
    assert "Traceback" not in done.err
    assert "symlink" in done.err
    assert name in done.err


def read_layer(sample: Sample, node: str) -> dict[str, str]:
    """What each path of a layer is: the target of a link, the text of a file."""
    session = sample.session()
    record = plan_targets(session, [node], wishes=Wishes(test=False, load=False)).records[node]
    assert record.layer is not None
    found = {}
    with open_layer(session.store, record.layer) as members:
        for entry, content in members:
            found[entry.path] = entry.target if entry.type is EntryType.SYMLINK else ""
            if content:
                found[entry.path] = content.read().decode()
    return found


def test_fault_34_a_link_in_a_layers_folder_is_kept_and_not_followed(sample: Sample, outside: Path) -> None:
    conf = sample.folder / "layers/extra/files/conf"
    (conf / "file").symlink_to(outside / "file")
    (conf / "folder").symlink_to(outside)
    sample.build("extra")
    found = read_layer(sample, "extra")
    assert found["etc/extra/file"] == str(outside / "file")
    assert found["etc/extra/folder"] == str(outside)
    assert not any(SECRET in text for text in found.values())


@pytest.mark.parametrize("place", ["layers/tool/files", "layers/extra/files/conf/../../files"])
def test_fault_34_nothing_is_copied_out_of_a_folder_that_is_a_link(sample: Sample, outside: Path, place: str) -> None:
    folder = (sample.folder / place).resolve()
    node = folder.parent.name
    replace_by_link(folder, outside / "moved")
    assert_refused(sample.call("build", node, *BUILD), "files")


def test_fault_34_a_test_that_is_a_link_is_refused(sample: Sample, outside: Path) -> None:
    replace_by_link(sample.folder / "layers/tool/test_tool.py", outside / "moved")
    assert_refused(sample.call("plan", "tool"), "layers/tool/test_tool.py")


@pytest.mark.parametrize("place", ["charts/app/values.yaml", "charts/app", "charts", "manifests/ledger.json"])
def test_fault_34_pins_are_not_written_through_a_link(sample: Sample, outside: Path, place: str) -> None:
    sample.build("app")
    sample.plant_verdicts("app")
    replace_by_link(sample.folder / place, outside / "moved")
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    assert_refused(sample.call("pin"), place.rpartition("/")[2])
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before


def test_fault_34_a_chart_that_is_a_link_is_not_written_through(sample: Sample, outside: Path) -> None:
    """CVE-2025-53547: the file that is written beside the values was a link to a shell's start-up file."""
    sample.write("charts/app/Chart.yaml", 'apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: "0"\n')
    replace_by_link(sample.folder / "charts/app/Chart.yaml", outside / "moved")
    before = (outside / "moved").read_bytes()
    sample.build("app")
    sample.plant_verdicts("app")
    done = sample.call("pin")
    assert "Traceback" not in done.err
    assert (outside / "moved").read_bytes() == before


def test_fault_34_the_lock_is_not_written_through_a_link(sample: Sample, outside: Path) -> None:
    (sample.folder / "manifests/buildgraph.lock").symlink_to(outside / "file")
    (outside / "file").write_text("")
    done = sample.call("lock")
    assert "Traceback" not in done.err
    assert (outside / "file").read_text() == ""
    assert done.code != 0


@pytest.mark.parametrize("place", ["", "blobs", "blobs/sha256", "records", "locks", "tmp", "files"])
def test_fault_34_a_store_is_not_written_through_a_link(sample: Sample, outside: Path, place: str) -> None:
    sample.build("base")
    folder = sample.store / place if place else sample.store
    target = outside / "moved"
    if folder.exists():
        folder.rename(target)
    else:
        target.mkdir()
    folder.symlink_to(target)
    before = sorted(outside.rglob("*"))
    assert_refused(sample.call("build", "tool", *BUILD), folder.name)
    assert sorted(outside.rglob("*")) == before


@pytest.mark.parametrize("name", ["Dockerfile", "files"])
def test_fault_34_a_dockerfile_layer_is_made_of_what_its_key_knows(tmp_path: Path, outside: Path, name: str) -> None:
    folder = tmp_path / "layers" / "sample"
    (folder / "files").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    replace_by_link(folder / name, outside / "moved")
    layer = make_layer(DockerfileSpec(args={}), Kind.DOCKERFILE)
    builder = DockerfileBuilder(
        LayoutStore(tmp_path / "store"), FolderFetcher(tmp_path), Buildx(tmp_path).builder(), tmp_path / "layers"
    )
    with pytest.raises(BuildFailure, match=f"{name}: it is a symlink"):
        builder(Inputs(layer=layer, log=tmp_path / "log"))


def test_fault_34_an_interpreter_that_leads_out_of_its_layers_is_not_run(tmp_path: Path) -> None:
    store = LayoutStore(tmp_path / "store")
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    layer = write_layer(store, "python", {"opt/python/lib/x": b""})
    link = _link_layer(store, "opt/python/bin/python3.10", str(program))
    spec = PythonSpec(prefix="/opt/python", version="3.10", platform="any")
    inputs = Inputs(layer=make_layer(spec, Kind.PYTHON), log=tmp_path / "log", parents=(layer, link))
    with pytest.raises(BuildFailure, match=r"/opt/python/bin/python3\.10 is a symlink that leads elsewhere"):
        PythonBuilder(store, FolderFetcher(tmp_path), store.scratch)(inputs)
    assert not ran.exists()


def _link_layer(store: LayoutStore, path: str, target: str) -> NamedLayer:
    with LayerWriter(store, epoch=EPOCH, compression=Compression.NONE, progress=ignore_progress) as writer:
        writer.add(Entry(path, EntryType.SYMLINK, 0o777, target=target))
        return NamedLayer(node="link", blob=writer.finish())
