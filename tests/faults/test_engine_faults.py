"""Fault 29: an engine that is missing, too old, or goes away at a bad moment."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.docker import DockerEngine
from buildgraph.adapters.process import Never
from buildgraph.errors import BuildFailure, EnvironmentFault
from tests.fakes.buildxscript import Buildx
from tests.fakes.engineserver import EngineServer
from tests.fakes.store import MemoryBlobs
from tests.fakes.tiny import compose, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.model import Composition

NAME = "buildgraph-test/demo:1"
GONE = r"^the Docker engine stopped answering; bring one up with: buildgraph engine up$"


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def image(blobs: MemoryBlobs) -> Composition:
    return compose(blobs, write_layer(blobs, "base", {"a": b"a" * 100_000}))


def load(server: EngineServer, blobs: MemoryBlobs, image: Composition, *, patience: float = 5) -> None:
    with closing(DockerEngine(blobs, {"DOCKER_HOST": server.url}, patience=patience)) as engine:
        engine.load(image, [NAME], cancel=Never())
        assert engine.holds(image)


def test_fault_29_an_engine_that_works_is_asked_once(tmp_path: Path, blobs: MemoryBlobs, image: Composition) -> None:
    with EngineServer(tmp_path / "s") as server:
        load(server, blobs, image)
        assert server.loads == 1


@pytest.mark.parametrize("deaf", [0, 3])
def test_fault_29_an_engine_that_dies_while_it_is_sent_an_image_and_comes_back_gets_it_again(
    tmp_path: Path, blobs: MemoryBlobs, image: Composition, deaf: int
) -> None:
    with EngineServer(tmp_path / "s", cuts=1, deaf=deaf) as server:
        load(server, blobs, image)
        assert server.loads == 2


def test_fault_29_an_engine_that_dies_again_is_given_up(tmp_path: Path, blobs: MemoryBlobs, image: Composition) -> None:
    with EngineServer(tmp_path / "s", cuts=9) as server:
        with pytest.raises(EnvironmentFault, match=GONE):
            load(server, blobs, image)
        assert server.loads == 2


def test_fault_29_an_engine_that_stays_away_is_said_in_one_line(
    tmp_path: Path, blobs: MemoryBlobs, image: Composition
) -> None:
    with EngineServer(tmp_path / "s", cuts=1, stop_after_cut=True) as server:
        with pytest.raises(EnvironmentFault, match=GONE):
            load(server, blobs, image, patience=0.3)
        assert server.loads == 1


def test_fault_29_an_engine_that_refuses_is_not_asked_again(
    tmp_path: Path, blobs: MemoryBlobs, image: Composition
) -> None:
    with EngineServer(tmp_path / "s", refusal="no space left on device") as server:
        with pytest.raises(EnvironmentFault, match=r"^the Docker engine refused: no space left on device$"):
            load(server, blobs, image)
        assert server.loads == 1


def test_fault_29_an_engine_that_complains_while_it_takes_an_image_has_refused_it(
    tmp_path: Path, blobs: MemoryBlobs, image: Composition
) -> None:
    with (
        EngineServer(tmp_path / "s", complaint="unexpected EOF") as server,
        pytest.raises(EnvironmentFault, match=r"^the Docker engine refused an image: unexpected EOF$"),
    ):
        load(server, blobs, image)


def test_fault_29_an_engine_that_took_an_image_and_does_not_show_it_is_not_believed(
    tmp_path: Path, blobs: MemoryBlobs, image: Composition
) -> None:
    with (
        EngineServer(tmp_path / "s", forgets=True) as server,
        closing(DockerEngine(blobs, {"DOCKER_HOST": server.url})) as engine,
        pytest.raises(EnvironmentFault, match=rf"^the Docker engine took {NAME} but does not show it; load it again$"),
    ):
        engine.load(image, [NAME], cancel=Never())


@pytest.mark.parametrize("version", ["20.10.24", "22.0.1"])
def test_fault_29_an_engine_below_the_floor_is_named_with_the_floor(
    tmp_path: Path, blobs: MemoryBlobs, version: str
) -> None:
    with (
        EngineServer(tmp_path / "s", version=version) as server,
        pytest.raises(EnvironmentFault, match=f"^the Docker engine is version {version}; buildgraph needs 23 or newer"),
    ):
        DockerEngine(blobs, {"DOCKER_HOST": server.url})


def test_fault_29_an_engine_that_is_missing_is_said_in_one_line(tmp_path: Path, blobs: MemoryBlobs) -> None:
    with pytest.raises(EnvironmentFault, match=r"^no Docker engine answers at unix://.*; bring one up with"):
        DockerEngine(blobs, {"DOCKER_HOST": f"unix://{tmp_path}/none"})


LOST = (
    "ERROR: failed to build: failed to receive status: rpc error: code = Unavailable desc = error reading from server"
)
STEP = "ERROR: failed to build: failed to solve: process did not complete successfully: exit code: 3"


@pytest.mark.parametrize(("failures", "calls"), [((), 1), ((LOST,), 2)])
def test_fault_29_a_build_that_lost_its_engine_is_run_once_more(
    tmp_path: Path, failures: tuple[str, ...], calls: int
) -> None:
    buildx = Buildx(tmp_path)
    buildx.export(args={}, named={}, failures=failures)
    assert len(buildx.calls()) == calls


@pytest.mark.parametrize(("failures", "calls"), [((STEP,), 1), ((LOST, LOST, ""), 2)])
def test_fault_29_a_build_that_fails_by_itself_or_again_has_failed(
    tmp_path: Path, failures: tuple[str, ...], calls: int
) -> None:
    buildx = Buildx(tmp_path)
    with pytest.raises(BuildFailure) as caught:
        buildx.export(args={}, named={}, failures=failures)
    assert "\n" not in str(caught.value)
    assert len(buildx.calls()) == calls
