"""Images in the node's containerd: straight from the store, only what it lacks, under the names that CRI looks up."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.adapters.cluster import inside
from buildgraph.adapters.cluster.texts import CONTAINERD_SOCKET
from buildgraph.adapters.imagetar import stream_oci_archive
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted
from buildgraph.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

    from buildgraph.adapters.cluster.record import Process
    from buildgraph.model import Composition
    from buildgraph.ports import BlobStore, Cancel

NAMESPACE = "k8s.io"
"""Where CRI, and with it the kubelet, looks."""
IMPORT = ("images", "import", "-")
WAIT_SECONDS = 600.0


def list_names(reference: str, digest: str) -> tuple[str, str]:
    """The names of an image: as a person writes it, and as CRI looks it up where the reference has a digest.

    ``docker.io/a/b:1@sha256:…`` is looked up without its tag; a name without a registry is one of docker.io.
    """
    parsed = parse_reference(reference)
    return str(parsed), f"{parsed.registry}/{parsed.repository}@{digest}"


def command(holder: Process, *words: str) -> list[str]:
    """The words that run containerd's client."""
    return inside.wrap(holder, ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", NAMESPACE, *words])


def ask(holder: Process, *words: str, cancel: Cancel) -> tuple[str, ...]:
    """The words that containerd's client prints; ``EnvironmentFault`` with its last line when it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            printed = process.output(
                command(holder, *words),
                scratch=Path(scratch),
                cancel=cancel,
                env=inside.environment(),
                timeout=WAIT_SECONDS,
            )
        except BuildFailure as failure:
            raise EnvironmentFault(failure.what) from failure
    return tuple(printed.split())


def held_blobs(holder: Process, *, cancel: Cancel) -> frozenset[str]:
    """Digests of all that containerd keeps."""
    return frozenset(ask(holder, "content", "ls", "--quiet", cancel=cancel))


def list_images(holder: Process, *, cancel: Cancel) -> frozenset[str]:
    """Names of all images that containerd has."""
    return frozenset(ask(holder, "images", "ls", "--quiet", cancel=cancel))


def load(
    holder: Process, composition: Composition, references: Sequence[str], blobs: BlobStore, *, cancel: Cancel
) -> int:
    """Put an image into containerd, unpacked, under its references and its digest; the bytes of layers sent for it."""
    names = tuple(dict.fromkeys(name for one in references for name in list_names(one, composition.digest)))
    held = held_blobs(holder, cancel=cancel)
    try:
        _send(holder, stream_oci_archive(composition, names, blobs, held=held), cancel=cancel)
    except EnvironmentFault:
        if held.isdisjoint(layer.digest for layer in composition.layers):
            raise
        # What it was to lean on is gone or damaged.
        held = frozenset()
        _send(holder, stream_oci_archive(composition, names, blobs, held=held), cancel=cancel)
    lacking = set(names) - list_images(holder, cancel=cancel)
    if lacking:
        names_text = ", ".join(sorted(lacking))
        raise EnvironmentFault(f"containerd took {names_text} but does not show it", hint="load it again")
    return sum({layer.digest: layer.size for layer in composition.layers if layer.digest not in held}.values())


def load_program(holder: Process, name: str, program: Path, *, user: str, cancel: Cancel) -> None:
    """Make an image of one static program, and load it; nothing where the name is there."""
    if name not in list_images(holder, cancel=cancel):
        _send(holder, stream_program(name, program, user=user), cancel=cancel)


def stream_program(name: str, program: Path, *, user: str) -> Iterator[bytes]:
    """An archive as ``docker save`` writes it of an image that holds one program and starts it."""
    layer = _tar({program.name: program.read_bytes()}, mode=0o755)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    yield _tar({"config.json": _dump(config), "manifest.json": _dump(manifest), "layer.tar": layer}, mode=0o644)


def _send(holder: Process, archive: Iterator[bytes], *, cancel: Cancel) -> None:
    """Let containerd's client read an archive while it is made."""
    with tempfile.TemporaryFile() as complaint:
        child = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            command(holder, *IMPORT),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaint,
            env=inside.environment(),
            start_new_session=True,
        )
        try:
            assert child.stdin is not None
            _feed(child.stdin, archive, cancel=cancel)
            code = _wait(child, cancel=cancel)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        if code:
            complaint.seek(0)
            lines = complaint.read().decode("utf-8", errors="replace").strip().splitlines()
            raise EnvironmentFault(f"containerd refused an image: {lines[-1] if lines else process.describe(code)}")


def _feed(sink: IO[bytes], archive: Iterator[bytes], *, cancel: Cancel) -> None:
    with suppress(BrokenPipeError), sink:  # its exit code says what it refused
        for chunk in archive:
            if cancel.is_set():
                raise Interrupted("sending an image to the node was stopped")
            sink.write(chunk)


def _wait(child: subprocess.Popen[bytes], *, cancel: Cancel) -> int:
    """The client unpacks when it has read all."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(process.POLL_SECONDS)
        if cancel.is_set():
            raise Interrupted("unpacking an image on the node was stopped")


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _dump(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
