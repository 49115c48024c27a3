"""Images in a Docker engine: sends what the engine lacks, and checks that it has arrived."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from buildgraph.adapters.engine import UP_HINT, connect, has_containerd_store
from buildgraph.adapters.imagetar import stream_docker_archive, stream_oci_archive
from buildgraph.errors import EnvironmentFault, IntegrityError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import docker

    from buildgraph.model import Composition
    from buildgraph.ports import BlobStore, Cancel

OLDEST = 23
ANSWER_SECONDS = 60
LOAD_SECONDS = 1800  # how long the engine may take to unpack what it was sent
CANCEL_POLL_SECONDS = 0.2
BACK_SECONDS = 15.0  # how long an engine that went away may take to come back


class _Gone(EnvironmentFault):
    """The engine did not answer at all; what it was asked may be asked again."""


class DockerEngine:
    """An ``Engine``: what ``docker`` and the tests of images see. Serves several threads."""

    def __init__(self, blobs: BlobStore, environ: Mapping[str, str], *, patience: float = BACK_SECONDS) -> None:
        """``blobs`` holds the layers, and the manifests of images loaded before; DOCKER_HOST leads to the engine.

        ``patience``: seconds for which an engine that goes away while it is sent an image is waited for.
        Raises ``EnvironmentFault`` when the engine is gone or too old.
        """
        self._connect: Callable[[int], docker.DockerClient] = lambda seconds: connect(environ, timeout=seconds)
        self._blobs = blobs
        self._patience = patience
        with _faults():
            self._client = self._connect(ANSWER_SECONDS)
            info = self._client.info()
        self.id = str(info.get("ID", ""))
        self.version = str(info["ServerVersion"])
        check_version(self.version)
        self._containerd = has_containerd_store(info)

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        """Put the image in the engine under ``repository:tag`` references, sending only what it lacks.

        Once more from the start when the engine goes away meanwhile and is back soon.
        """
        try:
            self._load(composition, references, cancel=cancel)
        except _Gone:
            if not self._is_back(cancel):
                raise
            self._load(composition, references, cancel=cancel)

    def _load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        if not self._containerd:
            self._send(stream_docker_archive(composition, references, self._blobs), cancel=cancel)
        elif not self._load_missing(composition, references, cancel=cancel):
            archive = stream_oci_archive(composition, references, self._blobs, held=frozenset())
            self._send(archive, cancel=cancel)
        for reference in references:
            if self._find(reference) != self._id(composition):
                raise EnvironmentFault(f"the Docker engine took {reference} but does not show it", hint="load it again")

    def holds(self, composition: Composition) -> bool:
        """True when the engine has exactly this image."""
        return self._find(self._id(composition)) is not None

    def untag(self, reference: str) -> None:
        """Remove a reference (and the image, when it was the last); not an error when it is gone."""
        with _faults(), suppress(NotFound):
            self._client.images.remove(reference)

    def _is_back(self, cancel: Cancel) -> bool:
        """Wait until the engine answers again; False when that takes too long."""
        deadline = time.monotonic() + self._patience
        while not cancel.is_set():
            # On a new connection: an old one may reach what is about to end.
            with suppress(EnvironmentFault), _faults(), closing(self._connect(ANSWER_SECONDS)) as client:
                return bool(client.ping())
            if time.monotonic() > deadline:
                break
            time.sleep(CANCEL_POLL_SECONDS)
        return False

    def _load_missing(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> bool:
        """Send only the layers that no image of ours in the engine has; False when that did not do.

        An engine that was asked to lean on a layer that it lost refuses, or takes the image and does not show it.
        """
        held = self._held_layers()
        if held.isdisjoint(layer.digest for layer in composition.layers):
            return False
        try:
            self._send(stream_oci_archive(composition, references, self._blobs, held=held), cancel=cancel)
        except _Gone:
            raise
        except EnvironmentFault:
            return False
        return all(self._find(reference) == self._id(composition) for reference in references)

    def _held_layers(self) -> frozenset[str]:
        """Digests of the layers of all images in the engine whose manifests we have."""
        with _faults():
            ids = {str(image["Id"]) for image in self._client.api.images(all=True)}
        return frozenset(digest for name in ids for digest in self._read_layers(name))

    def _read_layers(self, manifest: str) -> tuple[str, ...]:
        """The layer digests of a manifest in our store; none for another's image."""
        try:
            if not self._blobs.blob_path(manifest).is_file():
                return ()
            with self._blobs.open_blob(manifest) as blob:
                document = json.loads(blob.read())
        except IntegrityError:
            return ()  # not knowing what the engine has costs a full archive, no more
        return tuple(str(layer["digest"]) for layer in document.get("layers", ()))

    def _send(self, archive: Iterator[bytes], *, cancel: Cancel) -> None:
        """``docker load``, on a connection of its own: the engine unpacks before it answers."""

        def post() -> None:
            with _faults(), closing(self._connect(LOAD_SECONDS)) as client:
                # Read to the end, error or not: the connection is let go only then.
                answer = tuple(client.api.load_image(_until(archive, cancel)))  # type: ignore[no-untyped-call]
            errors = [str(line["error"]) for line in answer if "error" in line]
            if errors:
                raise EnvironmentFault(f"the Docker engine refused an image: {errors[0]}")

        _wait_for(post, cancel)

    def _find(self, name: str) -> str | None:
        """The id of the image of that reference or id, or None."""
        with _faults():
            try:
                return self._client.images.get(name).id
            except ImageNotFound:
                return None

    def _id(self, composition: Composition) -> str:
        """With the containerd store an image's id is its manifest's digest, with the classic store its config's."""
        return composition.digest if self._containerd else composition.config_digest


def check_version(version: str) -> None:
    """Raise ``EnvironmentFault`` for an engine that is too old. A version that says nothing passes."""
    major = re.match(r"\d+", version)
    if major and int(major[0]) < OLDEST:
        raise EnvironmentFault(
            f"the Docker engine is version {version}; buildgraph needs {OLDEST} or newer", hint="update Docker"
        )


@contextmanager
def _faults() -> Iterator[None]:
    """What the client raises, as one line."""
    try:
        yield
    except APIError as error:
        raise EnvironmentFault(f"the Docker engine refused: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise _Gone("the Docker engine stopped answering", hint=UP_HINT) from error


def _until(archive: Iterator[bytes], cancel: Cancel) -> Iterator[bytes]:
    for chunk in archive:
        if cancel.is_set():
            raise Interrupted("sending an image to the engine was stopped")
        yield chunk


def _wait_for(work: Callable[[], None], cancel: Cancel) -> None:
    """Do ``work`` where a silent engine cannot keep us: its thread ends with the program if need be."""
    result: Future[None] = Future()

    def run() -> None:
        try:
            work()
            result.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            result.set_exception(error)

    threading.Thread(target=run, name="docker load", daemon=True).start()
    while True:
        try:
            return result.result(CANCEL_POLL_SECONDS)
        except NotYet:
            if not result.done() and cancel.is_set():
                raise Interrupted("loading an image was stopped") from None
