"""Same inputs, same digest: a second cold build that differs in whatever must not matter."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

pytestmark = pytest.mark.engine

# One of each line of Spark is built a second time where not all are asked for.
TWICE = ("spark-4.1", "spark-3.5-iceberg")
ELSEWHERE = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "de_DE.UTF-8", "USER": "someone", "LOGNAME": "someone"}


def test_a_cold_build_on_a_differing_machine_gives_the_same_digest_for_every_node(
    built: Project, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    project = built.copy(tmp_path / "another place")
    if pytestconfig.getoption("--images") == "some":
        project = replace(project, images=TWICE)
    store = tmp_path / "empty store"
    script = 'hostname another-machine; umask 077; cd /; exec "$@"'
    done = project.run(
        "--store",
        str(store),
        "build",
        *project.targets(),
        "--no-test",
        "--no-load",
        "--progress",
        "plain",
        prefix=("unshare", "--uts", "sh", "-c", script, "sh"),
        DOCKER_HOST=_address(built),
        **ELSEWHERE,
    )
    assert done.returncode == 0, done.stderr
    again = replace(project, environ={**built.environ, "BUILDGRAPH_STORE": str(store)})
    first = {node["node"]: node["digest"] for node in built.json("list", "*")["nodes"]}
    second = {node["node"]: node["digest"] for node in again.json("list", "*")["nodes"]}
    made = {name: digest for name, digest in second.items() if digest}
    assert len(made) > len(project.images)
    assert made == {name: first[name] for name in made}


def _address(project: Project) -> str:
    line = next(line for line in project.run("engine", "env").stdout.splitlines() if "DOCKER_HOST" in line)
    return os.path.expandvars(line.partition("=")[2])
