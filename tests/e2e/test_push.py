"""Images go to a real registry, Debian's, and come back from it under the digest that was pushed."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ExitCode
from tests.e2e.test_build import docker

if TYPE_CHECKING:
    import subprocess

    from tests.e2e.registry import Server
    from tests.project import Project

pytestmark = pytest.mark.engine

NODE = "spark-4.1"


def push(built: Project, server: Server, *more: str) -> subprocess.CompletedProcess[str]:
    return built.run("push", NODE, "--registry", f"{server.address}/team", "--plain-http", *more)


def test_terms_come_first_each_with_its_line(built: Project, server: Server) -> None:
    done = push(built, server)
    assert done.returncode == ExitCode.FAILED
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert all(line.endswith("then push with --accept-licence") for line in lines)
    assert [line.split()[2].split(":")[1] for line in lines] == ["com.oracle.database.jdbc", "com.vertica.jdbc"]
    assert server.blobs() == 0


def test_what_was_pushed_is_what_list_shows_and_goes_back_into_docker(built: Project, server: Server) -> None:
    done = push(built, server, "--accept-licence", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    (pushed,) = json.loads(done.stdout)["pushed"]
    (node,) = built.json("list", NODE)["nodes"]
    repository = "team/spark-k8s/spark"
    assert pushed["reference"] == f"{server.address}/{repository}@{node['digest']}"
    assert {server.digest(repository, reference) for reference in (node["digest"], "4.1.1")} == {node["digest"]}
    assert pushed["sent"] > 700_000_000
    docker(built, "pull", "--quiet", pushed["reference"])
    docker(built, "rmi", pushed["reference"])


def test_fault_28_pushing_again_sends_just_the_blob_that_is_lost(built: Project, server: Server) -> None:
    assert json.loads(push(built, server, "--accept-licence", "--json").stdout)["pushed"][0]["sent"] == 0
    (layer,) = built.json("list", "jdbc-drivers")["nodes"]
    name = layer["digest"].removeprefix("sha256:")
    shutil.rmtree(server.folder / f"docker/registry/v2/blobs/sha256/{name[:2]}/{name}")
    done = push(built, server, "--accept-licence", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    sent = [line.split()[2] for line in done.stderr.splitlines() if line.startswith("sent")]
    assert sent == [layer["digest"][:19]]
