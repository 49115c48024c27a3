"""The engine as its users meet it: containers with a root of their own, incremental loads, up and down."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from buildgraph.adapters import dockerd, engine
from buildgraph.adapters.address import default_state
from buildgraph.adapters.docker import DockerEngine
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from tests.fakes.tiny import compose, write_layer, write_shell_layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.engine

# A network and a /run of its own: the engine that serves this machine is neither seen nor disturbed.
APART = ("unshare", "--net", "--mount", "--propagation", "private", "sh", "-euc")
LIFE = """\
mount -t tmpfs none /run
"$0" -c "$1" up
"$0" -c "$1" up
test "$(readlink /run/docker.sock)" = "$2/run/docker.sock"
"$0" -c "$1" status
"$0" -c "$1" id
"$0" -c "$1" down
test ! -L /run/docker.sock
"$0" -c "$1" down
"""
COMMANDS = """\
import os, sys
from pathlib import Path
from buildgraph.adapters import address, engine
from buildgraph.adapters.process import Never
state = Path(os.environ["STATE"])
match sys.argv[1]:
    case "up": engine.up(state, os.environ, say=print, cancel=Never())
    case "down": engine.down(state, say=print)
    case "status": print(engine.read_status(state, os.environ, cancel=Never()))
    case "id":
        environ = {**os.environ, "DOCKER_HOST": engine.require_engine(os.environ, state).url}
        assert engine.connect(environ).info()["ID"] == address.foresee_id(os.environ, state) != ""
"""


@pytest.fixture
def environ() -> Mapping[str, str]:
    state = default_state()
    return engine.make_environment(engine.require_engine(os.environ, state), state, os.environ)


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


@pytest.fixture
def docker(environ: Mapping[str, str], store: LayoutStore) -> Iterator[DockerEngine]:
    with closing(DockerEngine(store, environ)) as found:
        yield found


@pytest.fixture
def references(docker: DockerEngine) -> Iterator[tuple[str, str]]:
    """Two names that only this test uses."""
    name = f"buildgraph-test/{uuid.uuid4().hex}"
    yield f"{name}:1", f"{name}:2"
    for tag in ("1", "2"):
        docker.untag(f"{name}:{tag}")


def test_exec_lands_in_the_containers_root_not_in_the_machines(
    environ: Mapping[str, str], store: LayoutStore, docker: DockerEngine, references: tuple[str, str]
) -> None:
    marker = uuid.uuid4().hex
    layers = write_shell_layer(store), write_layer(store, "marker", {marker: b""})
    docker.load(compose(store, *layers, cmd=("/bin/sleep", "600")), [references[0]], cancel=Never())
    with run_container(environ, references[0]) as container:
        listing = call(environ, "docker", "exec", "-w", "/", container, "ls", "/").split()
    assert marker in listing
    assert "boot" not in listing
    assert set(listing) <= {marker, "bin", "lib", "lib64", "usr", "dev", "etc", "proc", "sys"} | {".dockerenv"}


def test_an_image_is_sent_without_the_layers_that_the_engine_has(
    store: LayoutStore, docker: DockerEngine, references: tuple[str, str]
) -> None:
    shared = write_layer(store, "shared", {"shared": uuid.uuid4().bytes})
    docker.load(compose(store, shared), [references[0]], cancel=Never())
    more = compose(store, shared, write_layer(store, "more", {"more": uuid.uuid4().bytes}))
    store.blob_path(shared.blob.digest).unlink()  # what is not there cannot be sent
    docker.load(more, [references[1]], cancel=Never())
    assert docker.holds(more)


class MistakenStore(LayoutStore):
    """Says that an image holds other layers than it does."""

    mistakes: Mapping[str, bytes] = {}

    @contextmanager
    def open_blob(self, digest: str) -> Iterator[BinaryIO]:
        if digest in self.mistakes:
            yield io.BytesIO(self.mistakes[digest])
            return
        with super().open_blob(digest) as blob:
            yield blob


def test_an_engine_that_lost_a_layer_is_sent_the_whole_image(
    environ: Mapping[str, str], tmp_path: Path, references: tuple[str, str]
) -> None:
    store = MistakenStore(tmp_path / "store")
    first = compose(store, write_layer(store, "first", {"first": uuid.uuid4().bytes}))
    other = compose(store, write_layer(store, "other", {"other": uuid.uuid4().bytes}))
    with closing(DockerEngine(store, environ)) as docker:
        docker.load(first, [references[0]], cancel=Never())
        store.mistakes = {first.digest: other.manifest}
        docker.load(other, [references[1]], cancel=Never())
        assert docker.holds(other)


def test_images_of_the_engine_are_listed_under_their_names(
    environ: Mapping[str, str], store: LayoutStore, docker: DockerEngine, references: tuple[str, str]
) -> None:
    image = compose(store, write_layer(store, "named", {"named": uuid.uuid4().bytes}))
    docker.load(image, references, cancel=Never())
    (shown,) = json.loads(call(environ, "docker", "image", "inspect", references[0]))
    assert sorted(shown["RepoTags"]) == sorted(references)


def test_the_status_tells_what_answers(environ: Mapping[str, str]) -> None:
    status = engine.read_status(default_state(), environ, cancel=Never())
    assert status.running
    assert int(status.version.split(".")[0]) >= 23
    assert status.containerd_store == (status.storage == "overlayfs")
    assert status.buildx


def test_up_where_an_engine_answers_only_says_so(environ: Mapping[str, str], tmp_path: Path) -> None:
    said: list[str] = []
    address = engine.up(tmp_path, environ, say=said.append, cancel=Never())
    assert address == engine.EngineAddress(url=environ["DOCKER_HOST"], ours=False)
    assert said == [f"an engine answers at {environ['DOCKER_HOST']}"]
    assert not dockerd.root_path(tmp_path).exists()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mmdebstrap") is None, reason="takes root and mmdebstrap")
def test_an_engine_of_ones_own_comes_up_once_and_goes_down_without_trace(tmp_path: Path) -> None:
    state = tmp_path.resolve() / "engine"
    state.mkdir()
    try:
        provide_root(state)
        inherited = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
        life = subprocess.run(
            [*APART, LIFE, sys.executable, COMMANDS, str(state)],
            env={**inherited, "STATE": str(state), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        log = dockerd.log_path(state)
        assert life.returncode == 0, life.stderr + (log.read_text()[-2000:] if log.exists() else "")
        socket = f"unix://{state}/run/docker.sock"
        assert life.stdout.splitlines() == [
            f"starting dockerd; its log is {log}",
            f"an engine answers at {socket}",
            "/var/run/docker.sock leads to it",
            "an engine answers at unix:///var/run/docker.sock",
            next(line for line in life.stdout.splitlines() if line.startswith("EngineStatus(") and "ours=True" in line),
            "the engine is down",
            "no engine was brought up here",
        ]
        assert not find_processes(state)
        assert not (state / "engine.json").exists()
    finally:
        dockerd.stop(state)
        shutil.rmtree(state)


def provide_root(state: Path) -> None:
    """A Debian root with Docker: a copy of the one that is there, or a new one."""
    made = dockerd.root_path(default_state())
    if made.exists():
        subprocess.run(["cp", "--archive", "--one-file-system", str(made), str(state / "root")], check=True)
    else:
        dockerd.make_root(state, say=print, cancel=Never())


def find_processes(state: Path) -> list[str]:
    """The processes that run a program of the engine's root."""
    names = ("usr/sbin/dockerd", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2")
    programs = [(state / "root" / name).stat() for name in names]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            status = (process / "exe").stat()
            found += [process.name for program in programs if os.path.samestat(program, status)]
    return found


@contextmanager
def run_container(environ: Mapping[str, str], reference: str) -> Iterator[str]:
    container = call(environ, "docker", "run", "--detach", "--network", "none", reference).strip()
    try:
        yield container
    finally:
        call(environ, "docker", "rm", "--force", "--volumes", container)


def call(environ: Mapping[str, str], *argv: str) -> str:
    return subprocess.run(argv, env=environ, check=True, capture_output=True, text=True, timeout=60).stdout
