"""Where an engine is looked for, what its failures say, and the archives that it is sent."""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from buildgraph.adapters import dockerd, engine
from buildgraph.adapters.buildkit import read_failure
from buildgraph.adapters.docker import DockerEngine, check_version
from buildgraph.adapters.imagetar import stream_docker_archive, stream_oci_archive
from buildgraph.adapters.process import Never
from buildgraph.adapters.settings import Settings
from buildgraph.adapters.toolchain import CLI, PLUGIN, Toolchain, ca_bundle, find_docker, find_toolchain, require_buildx
from buildgraph.errors import EnvironmentFault, IntegrityError
from buildgraph.model import Compression, NamedLayer
from tests.fakes.store import MemoryBlobs, digest_of
from tests.fakes.tiny import compose, write_layer

FAILED_LOG = """\
#5 [1/2] RUN make all
#5 0.069 one
#5 ERROR: process "/bin/sh -c make all" did not complete successfully: exit code: 3
------
 > [work 1/2] RUN make all:
0.069 one
0.070 make: no rule to make target 'all'
------
Dockerfile:7
--------------------
   7 | >>> RUN make all
--------------------
ERROR: failed to solve: process "/bin/sh -c make all" did not complete successfully: exit code: 3
"""


def make_program(path: Path, code: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_a_chosen_engine_that_does_not_answer_is_not_replaced(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    assert engine.find_engine(environ, tmp_path) is None
    with pytest.raises(EnvironmentFault, match=r"nothing answers at DOCKER_HOST=unix://.*unset DOCKER_HOST"):
        engine.up(tmp_path, environ, say=print, cancel=Never())


def test_an_engine_that_is_gone_is_named_with_the_way_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentFault, match=r"no Docker engine answers at unix://.*none.sock \(No such file.*: buildgraph engine up"
    ):
        DockerEngine(MemoryBlobs(), {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})


def test_each_engine_that_does_not_answer_is_told_with_its_reason(tmp_path: Path) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    with pytest.raises(EnvironmentFault, match=r"dead.sock \(Connection refused\)"):
        engine.require_engine({"DOCKER_HOST": f"unix://{dead}"}, tmp_path)


@pytest.mark.parametrize("url", ["tcp://host", "tcp://host:port", "tcp://[::1", "fd://", "host:2376", "garbage"])
def test_an_address_that_is_none_is_named_with_what_one_is(url: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        engine.connect({"DOCKER_HOST": url})
    assert caught.value.what == f"DOCKER_HOST={url} is no address of an engine"
    assert caught.value.hint == "one is unix:///var/run/docker.sock, or tcp://host:2376"


@pytest.mark.parametrize(
    "text",
    ["[]", '{"proxies": 3}', '{"auths": {"far": []}}', '{"auths": {"far": {"auth": "!"}}}'],
    ids=["no object", "no proxies", "no login", "no base64"],
)
def test_a_configuration_of_docker_that_is_none_is_said_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(EnvironmentFault, match=r"configuration cannot be read; see config\.json in"):
        engine.connect({"DOCKER_HOST": "tcp://127.0.0.1:1"})


def test_a_machine_that_cannot_run_an_engine_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buildgraph.adapters.address.DEFAULT_SOCKET", tmp_path / "none.sock")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(EnvironmentFault, match=r"takes root|on Debian only"):
        engine.up(tmp_path, {"PATH": ""}, say=print, cancel=Never(), settings=Settings(offline=True))


def test_going_down_where_nothing_was_brought_up_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    assert not engine.down(tmp_path / "none", say=said.append)
    assert not engine.down(tmp_path, say=said.append)
    assert said == ["no engine was brought up here"] * 2


def test_a_missing_tool_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0:
        with pytest.raises(EnvironmentFault, match="an engine"):
            dockerd.check_machine({"PATH": str(tmp_path)})
        return
    with pytest.raises(EnvironmentFault, match=r"mmdebstrap.*apt-get install"):
        dockerd.check_machine({"PATH": str(tmp_path)})


def test_another_process_with_the_daemons_pid_is_not_the_daemon(tmp_path: Path) -> None:
    record = tmp_path / "engine.json"
    record.write_text(json.dumps({"pid": os.getpid(), "started": 1}))
    assert dockerd.find_daemon(tmp_path) is None
    assert not dockerd.stop(tmp_path)
    assert not record.exists()


def test_a_damaged_record_is_no_daemon(tmp_path: Path) -> None:
    (tmp_path / "engine.json").write_text('{"pid"')
    assert dockerd.find_daemon(tmp_path) is None


def test_the_default_socket_is_linked_only_where_nothing_is(tmp_path: Path) -> None:
    own, default = tmp_path / "docker.sock", tmp_path / "run" / "docker.sock"
    own.touch()
    assert not engine.link_default(own, default)
    default.parent.mkdir()
    default.symlink_to(tmp_path / "gone")
    assert engine.link_default(own, default)
    assert default.readlink() == own
    assert not engine.link_default(own, default)


def test_the_default_sockets_link_is_removed_only_while_it_is_ours(tmp_path: Path) -> None:
    own, default = tmp_path / "own.sock", tmp_path / "docker.sock"
    default.symlink_to(tmp_path / "other.sock")
    engine.unlink_default(own, default)
    assert default.is_symlink()
    default.unlink()
    default.symlink_to(own)
    engine.unlink_default(own, default)
    assert not default.is_symlink()


def test_programs_get_the_address_and_a_docker_on_their_path(tmp_path: Path) -> None:
    own = make_program(dockerd.bin_path(tmp_path) / "docker", 0)
    address = engine.EngineAddress(url="unix:///x.sock", ours=True)
    found = engine.make_environment(address, tmp_path, {"PATH": "/nowhere", "LANG": "C"})
    assert found["DOCKER_HOST"] == "unix:///x.sock"
    assert found["LANG"] == "C"
    assert found["PATH"] == f"/nowhere:{own.parent}"
    host = str(make_program(tmp_path / "host" / "docker", 0).parent)
    assert engine.make_environment(address, tmp_path, {"PATH": host})["PATH"] == host


def test_the_machines_docker_comes_before_the_engines(tmp_path: Path) -> None:
    own = make_program(tmp_path / "root" / CLI, 0)
    host = make_program(tmp_path / "bin" / "docker", 0)
    assert find_docker({"PATH": str(host.parent)}, tmp_path / "root") == host
    assert find_docker({"PATH": ""}, tmp_path / "root") == own
    assert find_docker({"PATH": ""}, tmp_path) is None


@pytest.mark.parametrize(("code", "words"), [(0, "{docker} buildx"), (1, "{plugin}")])
def test_buildx_is_the_clis_where_it_works_else_the_engines_plugin(tmp_path: Path, code: int, words: str) -> None:
    docker = make_program(tmp_path / "bin" / "docker", code)
    plugin = make_program(tmp_path / "root" / PLUGIN, 0)
    found = find_toolchain({"PATH": str(docker.parent)}, tmp_path / "root", cancel=Never())
    assert " ".join(require_buildx(found)) == words.format(docker=docker, plugin=plugin)


def test_no_buildx_at_all_is_an_error_that_says_what_to_install() -> None:
    with pytest.raises(EnvironmentFault, match=r"no docker buildx.*apt-get install --yes docker-buildx"):
        require_buildx(Toolchain(docker=None, buildx=()))


def test_the_certificates_are_those_that_the_environment_names(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    assert ca_bundle({"SSL_CERT_FILE": str(bundle)}) == bundle
    assert ca_bundle({"SSL_CERT_FILE": str(tmp_path / "none")}) == ca_bundle({})


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "22.06.0-beta"])
def test_an_old_engine_is_refused(version: str) -> None:
    with pytest.raises(EnvironmentFault, match=f"version {version}".replace("+", r"\+") + ".*23 or newer"):
        check_version(version)


@pytest.mark.parametrize("version", ["23.0.0", "26.1.5+dfsg1", "dev"])
def test_a_new_or_unknown_engine_passes(version: str) -> None:
    check_version(version)


def test_a_failed_step_is_told_by_its_command_line_and_last_words() -> None:
    failure = read_failure(FAILED_LOG.splitlines(), dockerfile=Path("layers/x/Dockerfile"), log=Path("x.log"))
    assert str(failure) == "layers/x/Dockerfile:7: RUN make all failed: make: no rule to make target 'all'"
    assert failure.log == "x.log"


def test_a_step_that_said_nothing_is_told_by_its_exit_code() -> None:
    lines = [" > [1/2] RUN false:", "------", "Dockerfile:3", "ERROR: failed to solve: process: exit code: 1"]
    failure = read_failure(lines, dockerfile=Path("Dockerfile"), log=Path("x.log"))
    assert str(failure) == "Dockerfile:3: RUN false failed: process: exit code: 1"


def read_tar(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_an_oci_archive_leaves_out_what_the_engine_holds() -> None:
    blobs = MemoryBlobs()
    first, second = (write_layer(blobs, name, {name: name.encode()}) for name in ("first", "second"))
    image = compose(blobs, first, second)
    held = frozenset({first.blob.digest})
    files = read_tar(b"".join(stream_oci_archive(image, ["a/b:1", "a/b:2"], blobs, held=held)))
    digests = {f"blobs/sha256/{digest[7:]}" for digest in (image.digest, image.config_digest, second.blob.digest)}
    assert set(files) == {"oci-layout", "index.json", *digests}
    assert all(digest_of(files[name]) == f"sha256:{name[13:]}" for name in digests)
    names = [entry["annotations"]["io.containerd.image.name"] for entry in json.loads(files["index.json"])["manifests"]]
    assert names == ["docker.io/a/b:1", "docker.io/a/b:2"]


def test_a_docker_archive_holds_uncompressed_layers() -> None:
    blobs = MemoryBlobs()
    packed = write_layer(blobs, "packed", {"packed": b"x" * 9000})
    plain = write_layer(blobs, "plain", {"plain": b"y"}, compression=Compression.NONE)
    image = compose(blobs, packed, plain)
    files = read_tar(b"".join(stream_docker_archive(image, ["a/b:1"], blobs)))
    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["a/b:1"]
    assert digest_of(files[entry["Config"]]) == image.config_digest
    assert [digest_of(files[name]) for name in entry["Layers"]] == [packed.blob.diff_id, plain.blob.diff_id]


@pytest.mark.parametrize("more", [-1, 1])
def test_a_layer_of_another_length_than_recorded_stops_the_archive(more: int) -> None:
    blobs = MemoryBlobs()
    blob = write_layer(blobs, "one", {"one": b"1"}).blob
    wrong = NamedLayer(node="one", blob=replace(blob, size=blob.size + more, unpacked=blob.unpacked + more))
    image = compose(blobs, wrong)
    with pytest.raises(IntegrityError, match=rf"{blob.digest[7:]} is not {blob.size + more} bytes long, as the record"):
        b"".join(stream_oci_archive(image, ["a/b:1"], blobs, held=frozenset()))
    with pytest.raises(IntegrityError, match=rf"{blob.diff_id[7:]}.tar is not {blob.unpacked + more} bytes long"):
        b"".join(stream_docker_archive(image, ["a/b:1"], blobs))


def test_offline_no_root_is_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="offline, and the engine's root is to be made from Debian"):
        dockerd.make_root(tmp_path, say=print, cancel=Never(), settings=Settings(offline=True))
