from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.buildkit import BuildkitBuilder
from buildgraph.adapters.dockerfile import DockerfileBuilder
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import BuildFailure
from buildgraph.model import EMPTY, DockerfileSpec, Kind
from tests.fakes.fetcher import FakeFetcher, make_artifact
from tests.fakes.inputs import EPOCH, Inputs, ignore_progress, make_layer
from tests.fakes.tiny import write_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Layer
    from buildgraph.ports import Cancel

COORDINATE = "url:https://files.example/jdk.tar"
CONTENT = b"the jdk"


@dataclass(frozen=True, slots=True)
class Seen:
    """A path of a directory that BuildKit is given."""

    mode: int
    mtime: int
    content: str


@dataclass
class FakeBuildkit(BuildkitBuilder):
    """Writes a tar with one file and remembers what it was given."""

    calls: list[dict[str, object]] = field(default_factory=list)
    contexts: dict[str, dict[str, Seen]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def export(
        self,
        *,
        dockerfile: Path,
        context: Path,
        named: Mapping[str, str],
        args: Mapping[str, str],
        network: bool,
        secrets: Mapping[str, str] = EMPTY,
        platform: str,
        dest: Path,
        log: Path,
        cancel: Cancel,
    ) -> None:
        assert not cancel.is_set()
        log.write_text("#1 done\n")
        self.calls.append({"dockerfile": dockerfile, "args": dict(args), "network": network, "platform": platform})
        self.secrets = dict(secrets)
        places = {"context": context, **{name: Path(place) for name, place in named.items() if place.startswith("/")}}
        self.contexts = {name: look(place) for name, place in places.items()}
        self.contexts.update({name: {place: Seen(0, 0, "")} for name, place in named.items() if name not in places})
        with tarfile.open(dest, "w") as tar:
            info = tarfile.TarInfo("opt/made")
            info.size = 4
            tar.addfile(info, io.BytesIO(b"made"))


def look(folder: Path) -> dict[str, Seen]:
    found = {}
    for file in sorted(folder.rglob("*")):
        status = file.lstat()
        content = str(file.readlink()) if file.is_symlink() else file.read_text() if file.is_file() else ""
        found[str(file.relative_to(folder))] = Seen(status.st_mode & 0o777, int(status.st_mtime), content)
    return found


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


@pytest.fixture
def buildkit() -> FakeBuildkit:
    return FakeBuildkit()


@pytest.fixture
def builder(tmp_path: Path, store: LayoutStore, buildkit: FakeBuildkit) -> DockerfileBuilder:
    (tmp_path / "layers/jdk/files").mkdir(parents=True)
    (tmp_path / "layers/jdk/Dockerfile").write_text("FROM scratch\n")
    fetcher = FakeFetcher(store.sources, {COORDINATE: CONTENT})
    return DockerfileBuilder(store, fetcher, buildkit, tmp_path / "layers")


def layer(network: str = "") -> Layer:
    return make_layer(DockerfileSpec(args={"MODULES": "java.base"}, network=network), Kind.DOCKERFILE, name="jdk")


def test_the_last_stage_becomes_a_layer_of_the_store(
    builder: DockerfileBuilder, store: LayoutStore, tmp_path: Path
) -> None:
    blob = builder(Inputs(layer=layer(), log=tmp_path / "log"))
    index = store.load_files(blob.digest)
    assert index is not None
    assert [entry.path for entry in index] == ["opt", "opt/made"]
    assert store.has_blob(blob.digest, blob.size)
    assert list((store.root / "tmp").iterdir()) == [], "nothing is left behind"


def test_steps_get_the_declared_arguments_and_the_one_time(
    builder: DockerfileBuilder, buildkit: FakeBuildkit, tmp_path: Path
) -> None:
    builder(Inputs(layer=layer(), log=tmp_path / "log"))
    builder(Inputs(layer=layer(network="go.sum pins what it fetches"), log=tmp_path / "log"))
    without, with_network = buildkit.calls
    assert without == {
        "dockerfile": tmp_path / "layers/jdk/Dockerfile",
        "args": {"MODULES": "java.base", "SOURCE_DATE_EPOCH": str(EPOCH)},
        "network": False,
        "platform": "linux/amd64",
    }
    assert with_network["network"] is True


def test_inputs_are_named_contexts_and_nothing_else(
    builder: DockerfileBuilder, buildkit: FakeBuildkit, store: LayoutStore, tmp_path: Path
) -> None:
    artifact = make_artifact(COORDINATE, CONTENT, file="jdk.tar")
    fetcher = FakeFetcher(store.sources, {COORDINATE: CONTENT})
    fetcher.fetch([artifact], progress=ignore_progress, cancel=Inputs(layer=layer(), log=tmp_path).cancel)
    parents = (write_layer(store, "os", {"bin/sh": b"sh"}), write_layer(store, "tools", {"bin/cc": b"cc"}))
    python = write_layer(store, "python-dist", {"bin/python": b"py"})
    builder(
        Inputs(
            layer=layer(),
            log=tmp_path / "log",
            artifacts={"jdk": (artifact,)},
            parents=parents,
            contexts={"python-dist": python},
        )
    )
    assert set(buildkit.contexts) == {"context", "buildgraph", "sources", "parent", "python-dist"}
    assert buildkit.contexts["sources"]["jdk/jdk.tar"].content == CONTENT.decode()
    (parent,) = buildkit.contexts["parent"]
    root, _, digest = parent.removeprefix("oci-layout://").partition("@")
    assert Path(root) == store.root
    with store.open_blob(digest) as manifest:
        layers = json.load(manifest)["layers"]
    assert [each["digest"] for each in layers] == [each.blob.digest for each in parents]


def test_the_context_is_the_same_on_machines_with_other_umasks_and_times(
    builder: DockerfileBuilder, buildkit: FakeBuildkit, tmp_path: Path
) -> None:
    files = tmp_path / "layers/jdk/files"
    (files / "sub/__pycache__").mkdir(parents=True)
    (files / "sub/run.sh").write_text("#!/bin/sh\n")
    (files / "sub/conf").write_text("a = 1\n")
    (files / "link").symlink_to("sub/conf")
    (files / "sub/__pycache__/x.pyc").write_bytes(b"x")
    seen = []
    for program, plain, directory, when in ((0o755, 0o644, 0o755, 1), (0o700, 0o600, 0o700, 2_000_000_000)):
        (files / "sub/run.sh").chmod(program)
        (files / "sub/conf").chmod(plain)
        (files / "sub").chmod(directory)
        os.utime(files / "sub/conf", (when, when))
        builder(Inputs(layer=layer(), log=tmp_path / "log"))
        seen.append({path: replace(what, mtime=0) for path, what in buildkit.contexts["context"].items()})
        assert buildkit.contexts["context"]["sub/conf"].mtime == EPOCH
    assert seen[0] == seen[1]
    assert seen[0] == {
        "link": Seen(0o777, 0, "sub/conf"),
        "sub": Seen(0o755, 0, ""),
        "sub/conf": Seen(0o644, 0, "a = 1\n"),
        "sub/run.sh": Seen(0o755, 0, "#!/bin/sh\n"),
    }


def test_a_layer_without_files_has_an_empty_context(
    builder: DockerfileBuilder, buildkit: FakeBuildkit, tmp_path: Path
) -> None:
    (tmp_path / "layers/jdk/files").rmdir()
    builder(Inputs(layer=layer(), log=tmp_path / "log"))
    assert buildkit.contexts["context"] == {}


def test_a_layer_without_a_dockerfile_fails_with_the_place(builder: DockerfileBuilder, tmp_path: Path) -> None:
    (tmp_path / "layers/jdk/Dockerfile").unlink()
    with pytest.raises(BuildFailure, match=r"layers/jdk/Dockerfile: jdk has no Dockerfile"):
        builder(Inputs(layer=layer(), log=tmp_path / "log"))


def test_steps_are_offered_the_secrets_of_the_layer(
    tmp_path: Path, store: LayoutStore, buildkit: FakeBuildkit, builder: DockerfileBuilder
) -> None:
    builder(Inputs(layer=layer(), log=tmp_path / "log"))
    assert buildkit.secrets == {}
    fetcher = FakeFetcher(store.sources, {})
    trusted = DockerfileBuilder(store, fetcher, buildkit, tmp_path / "layers", secrets={"token": "s3cret"})
    trusted(Inputs(layer=layer(), log=tmp_path / "log"))
    assert buildkit.secrets == {"token": "s3cret"}
