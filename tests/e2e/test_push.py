"""Images go to a real registry, Debian's, and come back from it under the digest that was pushed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ExitCode
from tests.e2e.test_build import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Project

pytestmark = pytest.mark.engine

NODE = "spark-4.1"
PACKAGE = "docker-registry"
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


@dataclass(frozen=True)
class Server:
    """A registry that runs on this machine."""

    address: str
    folder: Path

    def digest(self, repository: str, reference: str) -> str:
        """The digest that it gives for a name."""
        url = f"http://{self.address}/v2/{repository}/manifests/{reference}"
        asked = urllib.request.Request(url, headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(asked) as response:
            return str(response.headers["Docker-Content-Digest"])

    def blobs(self) -> int:
        """How many blobs it keeps, once each."""
        return len(list(self.folder.glob("docker/registry/v2/blobs/sha256/*/*/data")))


def find_program(folder: Path) -> Path:
    """The program as installed, else from Debian's package, unpacked and not installed: nothing of it is started."""
    if found := shutil.which(PACKAGE):
        return Path(found)
    if shutil.which("apt-get") is None:
        pytest.skip(f"there is no {PACKAGE} here, and no Debian to take it from")
    fetched = subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, text=True, check=False)
    packages = list(folder.glob("*.deb"))
    if fetched.returncode or not packages:
        pytest.skip(f"{PACKAGE} cannot be fetched: {fetched.stderr.strip().splitlines()[-1:]}")
    subprocess.run(["dpkg-deb", "--extract", packages[0], folder], check=True)
    return folder / "usr" / "bin" / PACKAGE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("registry")
    program = find_program(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(CONFIG.format(folder=folder / "data", address=address))
    with subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://{address}/v2/")
            yield Server(address=address, folder=folder / "data")
        finally:
            process.terminate()
    shutil.rmtree(folder)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


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
