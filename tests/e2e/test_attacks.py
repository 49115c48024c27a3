"""Fault 40 with a real engine: what attacking tests do to containers and to the image that they are given."""

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
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from buildgraph.model import Composition, TestCounts

pytestmark = pytest.mark.engine

LEAVE = """
def start(container):
    return container("-c", "sleep 600", entrypoint=("/bin/sh",))

"""
ATTACKS = {
    "leaves_a_container_and_ends": ("os._exit(0)", "pytest left no report"),
    "leaves_a_container_and_is_killed": ("os.kill(os.getpid(), 9)", "pytest died (signal 9)"),
    "leaves_a_container_and_hangs": ("time.sleep(600)", "the tests did not end within 15 s"),
    "ends_the_run_with_a_pass": ("pytest.exit('enough', returncode=0)", "only 0 of 1 tests were run to their end"),
}


class Bench:
    """An image in the engine under a name of its own, and a probe."""

    def __init__(self, folder: Path) -> None:
        state = default_state()
        self.environ = engine.make_environment(engine.require_engine(os.environ, state), state, os.environ)
        self.folder = folder
        self.store = LayoutStore(folder / "store")
        self.docker = DockerEngine(self.store, self.environ)
        marker = write_layer(self.store, "marker", {"marker": uuid.uuid4().bytes})
        self.image = compose(self.store, write_shell_layer(self.store), marker)
        self.reference = f"buildgraph-test/{uuid.uuid4().hex}:1"
        self.log = folder / "log"

    def run(self, body: str) -> TestCounts:
        """One test with a running container; ``body`` is what it does then."""
        test = self.folder / "test_attack.py"
        test.write_text(
            "import os, subprocess, time\nimport pytest\n" + LEAVE + "def test_it(container):\n"
            "    inner = start(container)\n" + "".join(f"    {line}\n" for line in body.splitlines())
        )
        probe = PytestProbe(project=self.folder, environ=self.environ, timeout=15)
        return probe.run(
            "demo",
            reference=self.reference,
            services={},
            tests=(test.name,),
            inherited=(),
            params={},
            log=self.log,
            cancel=Never(),
        )

    def containers(self) -> list[str]:
        """The ids of all containers of the image, running or not."""
        words = ["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={self.image.digest}"]
        done = subprocess.run(words, env=self.environ, capture_output=True, text=True, check=True)
        return done.stdout.split()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    with closing(bench.docker):
        bench.docker.load(bench.image, [bench.reference], cancel=Never())
        yield bench
        bench.docker.untag(bench.reference)


def still_holds(bench: Bench, image: Composition, environ: Mapping[str, str]) -> bool:
    """Whether the name still leads to the image."""
    words = ["docker", "image", "inspect", "--format", "{{.Id}}", bench.reference]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    return bench.docker.holds(image) and done.stdout.strip() in {image.digest, image.config_digest}


def test_a_run_that_does_nothing_wrong_passes_and_leaves_no_container(bench: Bench) -> None:
    counts = bench.run("assert inner.is_running()")
    assert (counts.passed, counts.failures) == (1, ())
    assert bench.containers() == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_fault_40_containers_go_however_the_tests_end(bench: Bench, attack: str) -> None:
    body, failure = ATTACKS[attack]
    counts = bench.run(body)
    assert failure in counts.failures
    assert bench.containers() == []
    assert still_holds(bench, bench.image, bench.environ)


def test_fault_40_what_a_test_changes_in_its_container_does_not_reach_the_image(bench: Bench) -> None:
    assert bench.run('assert inner.exec("/bin/sh", "-c", "echo evil > /marker").code == 0').passed == 1
    read = bench.run('assert "evil" not in inner.exec("/bin/cat", "/marker").stdout')
    assert (read.passed, read.failures) == (1, ())
    assert still_holds(bench, bench.image, bench.environ)
