"""Images on their way into a node's containerd: their names, their archives, and what its client says of them."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster import images
from buildgraph.adapters.cluster.record import Process
from buildgraph.adapters.process import Never
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program
from tests.fakes.store import MemoryBlobs
from tests.fakes.tiny import compose, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.model import Composition

DIGEST = f"sha256:{'1' * 64}"
HOLDER = Process(pid=1, started=1)


def _write_client(inner: Path, *, held: str = "", shown: str = "", take: str = "cat > /dev/null") -> None:
    """containerd's client. ``held``: blobs that it lists; ``shown``: images; ``take``: what it does with an archive."""
    cases = {"*content*": f"echo '{held}'", "*import*": take, "*images*": f"echo '{shown}'"}
    script = " ".join(f"{case}) {commands} ;;" for case, commands in cases.items())
    write_program(inner, "ctr", f'case "$*" in {script} esac')


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def composition(blobs: MemoryBlobs) -> Composition:
    return compose(blobs, write_layer(blobs, "app", {"bin/app": b"app"}))


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        ("spark-k8s/spark:4.1.1", ("docker.io/spark-k8s/spark:4.1.1", f"docker.io/spark-k8s/spark@{DIGEST}")),
        ("docker.io/spark-k8s/spark:4.1.1", ("docker.io/spark-k8s/spark:4.1.1", f"docker.io/spark-k8s/spark@{DIGEST}")),
        ("spark:1", ("docker.io/library/spark:1", f"docker.io/library/spark@{DIGEST}")),
        ("127.0.0.1:5000/team/spark:1", ("127.0.0.1:5000/team/spark:1", f"127.0.0.1:5000/team/spark@{DIGEST}")),
    ],
)
def test_an_image_is_found_under_its_tag_and_under_its_digest_alone(reference: str, names: tuple[str, str]) -> None:
    assert images.list_names(reference, DIGEST) == names


def test_an_image_of_one_program_has_it_at_the_top_and_runs_it_as_the_user(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    data = b"".join(images.stream_program("localhost/pause:1", program, user="65535"))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        held = {member.name: archive.extractfile(member) for member in archive}
        texts_of = {name: file.read() for name, file in held.items() if file}
    (manifest,) = json.loads(texts_of["manifest.json"])
    assert manifest["RepoTags"] == ["localhost/pause:1"]
    assert json.loads(texts_of[manifest["Config"]])["config"] == {"Entrypoint": ["/pause"], "User": "65535"}
    with tarfile.open(fileobj=io.BytesIO(texts_of[manifest["Layers"][0]])) as layer:
        assert [(member.name, member.mode) for member in layer] == [("pause", 0o755)]


def test_an_image_that_containerd_takes_is_shown_under_all_names_and_its_bytes_are_told(
    inner: Path, blobs: MemoryBlobs, composition: Composition
) -> None:
    _write_client(inner, shown=" ".join(images.list_names("app:1", composition.digest)))
    sent = images.load(HOLDER, composition, ["app:1"], blobs, cancel=Never())
    assert sent == composition.layers[0].size


def test_an_image_that_containerd_takes_but_does_not_show_is_a_fault(
    inner: Path, blobs: MemoryBlobs, composition: Composition
) -> None:
    tag, digest = images.list_names("app:1", composition.digest)
    _write_client(inner, shown=tag)
    with pytest.raises(EnvironmentFault, match=f"containerd took {digest} but does not show it; load it again"):
        images.load(HOLDER, composition, ["app:1"], blobs, cancel=Never())


def test_layers_that_containerd_lists_are_sent_only_when_it_refuses_the_image_without_them(
    inner: Path, blobs: MemoryBlobs, composition: Composition
) -> None:
    (layer,) = composition.layers
    told = {"held": layer.digest, "shown": " ".join(images.list_names("app:1", composition.digest))}
    _write_client(inner, **told)
    assert images.load(HOLDER, composition, ["app:1"], blobs, cancel=Never()) == 0
    _write_client(inner, **told, take=f"tar -tf - | grep -q {layer.digest[7:]}")
    assert images.load(HOLDER, composition, ["app:1"], blobs, cancel=Never()) == layer.size


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [("echo unpacking >&2; echo ctr: no space >&2; exit 1", "ctr: no space"), ("exit 4", "ended with exit code 4")],
)
def test_an_image_that_containerd_refuses_is_told_with_its_reason(
    complaint: str, reason: str, inner: Path, tmp_path: Path
) -> None:
    _write_client(inner, take=f"cat > /dev/null; {complaint}")
    pause = write_program(tmp_path, "pause", "")
    with pytest.raises(EnvironmentFault, match=f"containerd refused an image: {reason}$"):
        images.load_program(HOLDER, "localhost/pause:1", pause, user="65535", cancel=Never())


def test_an_image_that_containerd_has_is_not_sent_again(inner: Path, tmp_path: Path) -> None:
    _write_client(inner, shown="localhost/pause:1", take=f"touch {tmp_path}/sent")
    pause = write_program(tmp_path, "pause", "")
    images.load_program(HOLDER, "localhost/pause:1", pause, user="65535", cancel=Never())
    assert not (tmp_path / "sent").exists()


def test_a_containerd_that_does_not_answer_is_a_fault_of_the_environment(inner: Path) -> None:
    write_program(inner, "ctr", "echo 'ctr: no such socket' >&2; exit 1")
    with pytest.raises(EnvironmentFault, match="ended with exit code 1: ctr: no such socket"):
        images.list_images(HOLDER, cancel=Never())
