"""What needs the network or a secret is refused before anything starts; offline nothing is connected to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.process import Never
from buildgraph.app.equipment import Equipment
from buildgraph.app.preflight import without_secrets
from buildgraph.errors import NetworkFault
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.sample import Ended, Sample

TOOL = b"#!/bin/sh\nexit 0\n"
DOCKERFILE_LAYER = """\
layer: made
kind: dockerfile
stage: intermediate
description: Made by steps
test_on: [base]
"""
FETCHED_LAYER = """\
layer: fetched
kind: files
stage: intermediate
description: From outside
sources: {tool: "url:%s"}
files:
  - {place: tool, to: /opt/fetched}
test_on: [base]
"""
QUIET = ("--no-test", "--no-load", "--progress", "quiet")


@pytest.fixture
def fetched(sample: Sample) -> Iterator[WebServer]:
    """A server that has the one source of the layer ``fetched``, which is locked."""
    with WebServer() as server:
        url = server.serve("/tool.sh", Reply(body=TOOL))
        add_layer(sample, "fetched", FETCHED_LAYER % url)
        assert sample.call("lock").code == 0
        yield server


def add_layer(sample: Sample, name: str, manifest: str) -> None:
    sample.write(f"manifests/layers/{name}.yaml", manifest)
    sample.write(f"layers/{name}/test_{name}.py", "def test_it(host):\n    assert host\n")
    sample.write(f"layers/{name}/Dockerfile", "FROM scratch\n")


def build(sample: Sample, *words: str, before: tuple[str, ...] = ()) -> Ended:
    return sample.call(*before, "build", *words, *QUIET)


def test_offline_a_source_that_the_store_lacks_ends_it_in_one_line(sample: Sample, fetched: WebServer) -> None:
    asked = len(fetched.asked)
    ended = build(sample, "fetched", "base", before=("--offline",))
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert f"the store lacks what needs the network: fetched/tool (url:{fetched.url('/tool.sh')})" in ended.err
    assert len(fetched.asked) == asked
    assert not list((sample.store / "runs").glob("*")), "nothing was started, base neither"


def test_offline_what_is_built_needs_nothing(sample: Sample, fetched: WebServer) -> None:
    assert build(sample, "fetched").code == 0
    asked = len(fetched.asked)
    assert build(sample, "fetched", before=("--offline",)).code == 0
    assert build(sample, "fetched", "--force", "fetched", before=("--offline",)).code == 3, "its source is not kept"
    assert len(fetched.asked) == asked


def test_offline_kept_sources_are_enough_to_build_again(sample: Sample, fetched: WebServer) -> None:
    assert build(sample, "fetched", "--keep-sources").code == 0
    asked = len(fetched.asked)
    ended = build(sample, "fetched", "--force", "fetched", "--keep-sources", before=("--offline",))
    assert ended.code == 0, ended.err
    assert len(fetched.asked) == asked


def test_offline_nothing_is_locked_and_a_complete_lock_is_fine(sample: Sample, fetched: WebServer) -> None:
    asked = len(fetched.asked)
    assert sample.call("--offline", "lock").code == 0
    ended = sample.call("--offline", "lock", "--update", "fetched")
    assert ended.code == 3
    assert "offline, and fetched/tool (url:" in ended.err
    assert "manifests/layers/fetched.yaml:5" in ended.err
    assert len(fetched.asked) == asked


def test_offline_no_socket_is_opened_and_no_name_is_looked_up(sample: Sample, fetched: WebServer) -> None:
    assert build(sample, "fetched", "--keep-sources").code == 0
    before = fetched.asked[:]
    words = ["--offline", "build", "all", "--force", "all", "--keep-sources", *QUIET]
    child = sample.spawn(*words, module="tests.fakes.audited")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    seen = json.loads(err.strip().splitlines()[-1])
    assert [call for call in seen["calls"] if call.startswith("socket.")] == []
    assert fetched.asked == before


def test_offline_builds_where_there_is_no_network_at_all(sample: Sample, fetched: WebServer) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a network namespace of one's own takes root and unshare")
    assert build(sample, "fetched", "--keep-sources").code == 0
    digest = read_digest(sample, "fetched")
    program = [unshare, "-n", sys.executable, "-m", "buildgraph", *sample.words]
    words = ["build", "all", "--force", "all", *QUIET]
    online = subprocess.run(
        [*program, "lock", "--update", "fetched"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert online.returncode == 3, "the server is out of reach from there"
    done = subprocess.run(
        [*program, "--offline", *words, "--keep-sources"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert read_digest(sample, "fetched") == digest
    assert fetched.asked[-1].path == "/tool.sh"


def read_digest(sample: Sample, node: str) -> str:
    (listed,) = json.loads(sample.call("list", node, "--json").out)["nodes"]
    return str(listed["digest"])


@pytest.fixture
def secretive(sample: Sample) -> Sample:
    """The sample with a layer that asks for two secrets."""
    add_layer(sample, "made", DOCKERFILE_LAYER + "secrets: {api-token: the licence server wants it, key: signing}\n")
    return sample


def test_a_secret_without_a_value_ends_it_before_the_build(secretive: Sample) -> None:
    ended = build(secretive, "made", "base")
    assert ended.code == 3
    assert ended.err == (
        "error: manifests/layers/made.yaml:1 (layer): no value for the secret api-token of made, "
        "the secret key of made; set BUILDGRAPH_SECRET_API_TOKEN, or give --secret api-token=FILE\n"
    )
    assert not list((secretive.store / "runs").glob("*"))


def test_secrets_come_from_the_environment_or_from_files(secretive: Sample) -> None:
    secretive.monkeypatch.setenv("BUILDGRAPH_SECRET_API_TOKEN", "t0ken")
    secretive.write("key.pem", "k3y\n")
    ended = build(secretive, "made", "--secret", f"key={secretive.folder / 'key.pem'}")
    assert "no value" not in ended.err
    assert "engine" in ended.err, "only the engine is missing now"
    stored = b"".join(path.read_bytes() for path in secretive.store.rglob("*") if path.is_file())
    assert b"t0ken" not in stored
    assert b"k3y" not in stored


@pytest.mark.parametrize(
    ("word", "code", "message"),
    [
        ("key", 2, "--secret number 1 is not of the form NAME=FILE"),
        ("key=/none", 3, "/none: the secret key cannot be read"),
    ],
)
def test_a_wrong_secret_is_told(secretive: Sample, word: str, code: int, message: str) -> None:
    secretive.monkeypatch.setenv("BUILDGRAPH_SECRET_API_TOKEN", "t0ken")
    ended = build(secretive, "made", "--secret", word)
    assert ended.code == code
    assert message in ended.err


def test_a_binary_secret_is_refused(secretive: Sample) -> None:
    secretive.monkeypatch.setenv("BUILDGRAPH_SECRET_API_TOKEN", "t0ken")
    secretive.write("key", "a\0b")
    ended = build(secretive, "made", "--secret", f"key={secretive.folder / 'key'}")
    assert (ended.code, "zero byte" in ended.err) == (3, True)


def test_names_of_secrets_are_in_the_key_and_no_secrets_leave_it_as_it_was(sample: Sample) -> None:
    keys = []
    for more in ("", "secrets: {}\n", "secrets: {key: signing}\n", "secrets: {key: for another reason}\n"):
        add_layer(sample, "made", DOCKERFILE_LAYER + more)
        steps = json.loads(sample.call("plan", "made", "--json").out)["steps"]
        keys += [step["key"] for step in steps if step["id"] == "build:made"]
    assert keys[0] == keys[1]
    assert keys[1] != keys[2]
    assert keys[2] == keys[3]


@pytest.mark.parametrize("name", ["ca", "ca-java", "ca-env", "Upper", "a=b"])
def test_a_name_that_is_taken_or_none_is_refused(sample: Sample, name: str) -> None:
    add_layer(sample, "made", DOCKERFILE_LAYER + f"secrets: {{'{name}': why}}\n")
    ended = sample.call("list")
    assert ended.code == 2
    assert "is not the name of a secret" in ended.err


def test_offline_no_source_is_ever_looked_for_whatever_was_planned(sample: Sample, fetched: WebServer) -> None:
    asked = len(fetched.asked)
    sample.monkeypatch.setenv("BUILDGRAPH_OFFLINE", "1")
    session = sample.session()
    entry = session.lock.find("fetched", "tool")
    assert entry is not None
    equipment = Equipment(session, emit=lambda _event: None, cancel=Never())
    with pytest.raises(NetworkFault, match="offline, and the store lacks url:"):
        equipment.fetcher.fetch(entry.artifacts, progress=lambda _done, _total: None, cancel=Never())
    assert len(fetched.asked) == asked


def test_children_that_run_no_steps_know_no_secrets() -> None:
    assert without_secrets({"PATH": "/bin", "BUILDGRAPH_SECRET_KEY": "x"}) == {"PATH": "/bin"}
