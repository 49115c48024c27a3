"""Images that tests start beside the one under test, in a real engine."""

from __future__ import annotations

import os
import subprocess
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import engine
from buildgraph.adapters.address import default_state
from buildgraph.adapters.docker import DockerEngine
from buildgraph.adapters.probe import PytestProbe
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from tests.fakes.tiny import compose, write_layer, write_shell_layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.model import TestCounts

pytestmark = pytest.mark.engine

TESTS = """
import pytest

@pytest.fixture(scope="module")
def shared(session_service):
    return session_service("server", "-c", "cat /name; exec sleep 600", entrypoint=("/bin/sh",), network="bridge")

def test_the_image_of_the_node_is_started(service, container):
    server = service("server", "-c", "cat /name; exec sleep 600", entrypoint=("/bin/sh",), env={"A": "1"})
    server.wait_for(log="the server")
    own = container("-c", "cat /name; exec sleep 600", entrypoint=("/bin/sh",))
    own.wait_for(log="the tested")

@pytest.mark.parametrize("turn", [1, 2])
def test_one_may_serve_several_tests(shared, turn):
    shared.wait_for(log="the server")
    assert shared.address.count(".") == 3

def test_another_name_is_refused(service):
    with pytest.raises(pytest.fail.Exception, match="sever is no service of these tests .server.; name it"):
        service("sever")
"""


class Bench:
    """Two images in the engine under names of their own, and a probe."""

    def __init__(self, folder: Path) -> None:
        state = default_state()
        self.environ = engine.make_environment(engine.require_engine(os.environ, state), state, os.environ)
        self.folder = folder
        store = LayoutStore(folder / "store")
        self.docker = DockerEngine(store, self.environ)
        shell = write_shell_layer(store)
        self.images = {
            f"buildgraph-test/{uuid.uuid4().hex}:1": compose(
                store, shell, write_layer(store, name, {"name": f"the {name}\n".encode()})
            )
            for name in ("tested", "server")
        }

    def run(self) -> TestCounts:
        (self.folder / "test_services.py").write_text(TESTS)
        tested, server = self.images
        return PytestProbe(project=self.folder, environ=self.environ, timeout=120).run(
            "demo",
            reference=tested,
            services={"server": server},
            tests=("test_services.py",),
            inherited=(),
            params={},
            log=self.folder / "log",
            cancel=Never(),
        )

    def containers(self) -> list[str]:
        """The ids of all containers of the images, running or not."""
        words = ["docker", "ps", "--all", "--quiet"]
        words += [word for image in self.images.values() for word in ("--filter", f"ancestor={image.digest}")]
        return subprocess.run(words, env=self.environ, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    with closing(bench.docker):
        for reference, image in bench.images.items():
            bench.docker.load(image, [reference], cancel=Never())
        yield bench
        for reference in bench.images:
            bench.docker.untag(reference)


def test_services_start_by_their_nodes_names_and_leave_no_container(bench: Bench) -> None:
    counts = bench.run()
    assert (counts.passed, counts.failures) == (4, ())
    assert bench.containers() == []
