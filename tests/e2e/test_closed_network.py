"""A step in a closed network: its certificates and secrets are there while it runs, and nowhere afterwards."""

from __future__ import annotations

import base64
import io
import json
import os
import ssl
import tarfile
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import docker
import pytest
import zstandard

from buildgraph.adapters import engine
from buildgraph.adapters.address import default_state
from buildgraph.app.session import find_store
from tests.fakes.authority import Authority, make_authority
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.project import Project

pytestmark = pytest.mark.engine

NODE = "closed-network"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
SECRET = "k3ep-this/out of everything"
MANIFEST = """\
layer: closed-network
kind: dockerfile
stage: intermediate
description: What a step reads over https with the machine's own certificates
parents: [os, python-3.10, jdk-17]
network: a server of this test, with a certificate of an authority that nobody else knows
secrets: {api-token: the server wants it}
args: {URL: "%s"}
test_on: [os]
"""
DOCKERFILE = """\
FROM parent AS build
ARG URL
COPY Fetch.java fetch.py /
ENV PATH=/opt/python/bin:/opt/java/bin:/usr/bin:/bin
RUN if python3 /fetch.py "$URL"; then exit 1; fi; echo python has refused
RUN if java /Fetch.java "$URL"; then exit 1; fi; echo java has refused
RUN --mount=type=secret,id=ca --mount=type=secret,id=ca-java --mount=type=secret,id=ca-env \\
    . /run/secrets/ca-env && python3 /fetch.py "$URL" > /python && java /Fetch.java "$URL" > /java
RUN --mount=type=secret,id=ca --mount=type=secret,id=ca-env \\
    . /run/secrets/ca-env && python3 -m pip download --no-deps --index-url "$URL/simple" --dest /wheels pkg
RUN --mount=type=secret,id=api-token cat /run/secrets/api-token && wc -c < /run/secrets/api-token > /length
RUN find /run -printf '%f\\n' > /left && env > /environment
FROM scratch
COPY --from=build /python /java /length /left /environment /opt/
"""
FETCH_PY = "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1] + '/hello').read().decode())\n"
FETCH_JAVA = """\
public class Fetch {
    public static void main(String[] words) throws Exception {
        System.out.println(new String(new java.net.URL(words[0] + "/hello").openStream().readAllBytes()));
    }
}
"""


@pytest.fixture(scope="module")
def gateway() -> str:
    """The address of this machine that build steps reach."""
    state = default_state()
    address = engine.require_engine(os.environ, state)
    client = docker.DockerClient(base_url=address.url)
    try:
        return str(client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])
    finally:
        client.close()


@pytest.fixture
def authority(tmp_path: Path, gateway: str) -> Authority:
    return make_authority(tmp_path / "authority", gateway)


@pytest.fixture
def server(gateway: str, authority: Authority) -> Iterator[WebServer]:
    try:
        running = WebServer(tls=authority.tls, host=gateway)
    except OSError as error:
        pytest.skip(f"the engine's bridge {gateway} is not on this machine: {error}")
    with running:
        running.serve("/hello", Reply(body=b"hello from inside"))
        page = b'<a href="/pkg-1.0-py3-none-any.whl">pkg-1.0-py3-none-any.whl</a>'
        running.serve("/simple/pkg/", Reply(body=page, headers={"Content-Type": "text/html"}))
        running.serve("/pkg-1.0-py3-none-any.whl", Reply(body=make_wheel()))
        yield running


def test_certificates_and_secrets_are_there_for_a_step_and_nowhere_else(
    built: Project, authority: Authority, server: WebServer, tmp_path: Path
) -> None:
    project = built.copy(tmp_path / "project")
    write_layer(project.folder, server)
    began = time.time()
    told = {**project.environ, **UNNAMED, "SSL_CERT_FILE": str(authority.ca), "BUILDGRAPH_SECRET_API_TOKEN": SECRET}
    project = replace(project, environ=told)
    done = project.run("build", NODE, "--force", NODE, "--no-test", "--no-load", "--progress", "plain")
    assert done.returncode == 0, done.stderr + read_log()
    files = read_layer(project)
    assert files["opt/python"] == files["opt/java"] == "hello from inside\n"
    assert files["opt/length"].strip() == str(len(SECRET))
    assert "ca" not in files["opt/left"].split()
    assert "SSL_CERT_FILE" not in files["opt/environment"]
    assert "python has refused" in read_log()
    assert "java has refused" in read_log()
    assert find_files(b"hello from inside", since=began), "the search sees what is in the layer"
    assert find_traces(authority, since=began, done=done) == []


# Other clients' settings of this machine would win over the authority of the test.
UNNAMED = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "PIP_CERT": ""}


def write_layer(folder: Path, server: WebServer) -> None:
    (folder / f"manifests/layers/{NODE}.yaml").write_text(MANIFEST % server.url(""))
    files = folder / f"layers/{NODE}/files"
    files.mkdir(parents=True)
    (files / "fetch.py").write_text(FETCH_PY)
    (files / "Fetch.java").write_text(FETCH_JAVA)
    (files.parent / "Dockerfile").write_text(DOCKERFILE)
    (files.parent / "test_it.py").write_text("def test_it(host):\n    assert host\n")


def make_wheel() -> bytes:
    """A wheel without anything in it but its metadata."""

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n")
        archive.writestr("pkg-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("pkg-1.0.dist-info/RECORD", "")
    return buffer.getvalue()


def read_log() -> str:
    """What the steps of the newest run printed."""
    logs = sorted(
        (find_store(os.environ) / "runs").glob("*/*closed-network*.log"), key=lambda path: path.stat().st_mtime
    )
    return logs[-1].read_text() if logs else ""


def read_layer(project: Project) -> dict[str, str]:
    """The layer's files by path."""

    done = project.run("list", NODE, "--json")
    (node,) = json.loads(done.stdout)["nodes"]
    blob = find_store(os.environ) / "blobs/sha256" / str(node["digest"]).removeprefix("sha256:")
    data = zstandard.ZstdDecompressor().decompressobj().decompress(blob.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name: archive.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]


def find_traces(authority: Authority, *, since: float, done: subprocess.CompletedProcess[str]) -> list[str]:
    """Where in what the run wrote the certificate or the secret is to be seen, in any usual spelling."""
    pem = authority.ca.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem)
    secret = SECRET.encode()
    marks = [pem.splitlines()[3].encode(), der[100:160], secret, base64.b64encode(secret), b"k3ep-this%2Fout"]
    found = [f"output: {mark!r}" for mark in marks if mark in (done.stdout + done.stderr).encode()]
    return found + [f"{path}: {mark!r}" for mark in marks for path in find_files(mark, since=since)]


def find_files(mark: bytes, *, since: float) -> list[Path]:
    """The files of the store, as they are or decompressed, that hold the mark, of those written since then."""
    found = []
    for path in find_store(os.environ).rglob("*"):
        if path.is_file() and path.stat().st_mtime >= since - 1:
            data = path.read_bytes()
            if data.startswith(ZSTANDARD):
                data += zstandard.ZstdDecompressor().decompressobj().decompress(data)
            found += [path] if mark in data else []
    return found
