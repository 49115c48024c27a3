"""What the core asks of the world. Adapters implement these; tests bring fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import BinaryIO

    from buildgraph.model import (
        Artifact,
        Composition,
        FileIndex,
        Layer,
        LayerBlob,
        NamedLayer,
        Source,
        TestCounts,
    )

Progress: TypeAlias = "Callable[[int, int | None], None]"
"""Called with bytes done and bytes in total (None: unknown)."""


class Cancel(Protocol):
    """A request to stop, set from outside; long work asks often, at least every second."""

    def is_set(self) -> bool:
        """True once the work should end (raise ``Interrupted``)."""
        ...


class BlobWriter(Protocol):
    """A blob being written. Nothing is visible in the store until ``commit``."""

    def write(self, data: bytes, /) -> int:
        """Append and hash."""
        ...

    def commit(self) -> tuple[str, int]:
        """Flush to disk, publish; the digest (``sha256:…``) and the size in bytes."""
        ...


class Blobs(Protocol):
    """Blobs by digest, to be read."""

    def has_blob(self, digest: str, size: int) -> bool:
        """True when a blob of that name and size is there (a stat, no hashing)."""
        ...

    def open_blob(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """Read a blob, verified: reading to the end raises ``IntegrityError`` on other bytes."""
        ...


class BlobStore(Blobs, Protocol):
    """Blobs that may be added to, and the file index of each layer blob."""

    def blob_path(self, digest: str) -> Path:
        """Where the blob lies, for tools that read an OCI layout themselves."""
        ...

    def create_blob(self) -> AbstractContextManager[BlobWriter]:
        """Write a new blob; leaving the context without ``commit`` leaves nothing behind."""
        ...

    def write_blob(self, data: bytes) -> str:
        """Store small content; its digest."""
        ...

    def save_files(self, digest: str, index: FileIndex) -> None:
        """Keep the file index of a layer blob."""
        ...

    def load_files(self, digest: str) -> FileIndex | None:
        """The file index of a layer blob, or None."""
        ...


class Texts(Protocol):
    """Small named documents: records, verdicts, and the like. Names are validated; writes atomic."""

    def read(self, folder: str, name: str) -> str | None:
        """The text, or None."""
        ...

    def write(self, folder: str, name: str, text: str) -> None:
        """Replace the text durably."""
        ...

    def forget(self, folder: str, name: str) -> None:
        """Take the text away durably; not an error when there is none."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """All names in a folder, sorted."""
        ...


class Fetcher(Protocol):
    """Brings locked artifacts to this machine, verified."""

    def fetch(self, artifacts: Sequence[Artifact], *, progress: Progress, cancel: Cancel) -> None:
        """Make every artifact present; ``IntegrityError`` on other bytes, ``NetworkFault`` when out of reach."""
        ...

    def path(self, artifact: Artifact) -> Path:
        """The verified file; its name is the artifact's file name."""
        ...

    def has(self, artifact: Artifact) -> bool:
        """True when the file is here already."""
        ...

    def drop(self, artifact: Artifact) -> None:
        """Forget the file; not an error when it is not there."""
        ...


class Resolver(Protocol):
    """Turns what a source asks for into exact artifacts."""

    def resolve(self, layer: Layer, source: Source, *, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        """Exact artifacts, sorted by coordinate.

        ``held`` maps package names to versions that the answer must keep (a python layer's bases).
        """
        ...


class LayerInputs(Protocol):
    """What a builder may read while it makes one layer."""

    @property
    def layer(self) -> Layer:
        """What to build."""
        ...

    @property
    def artifacts(self) -> Mapping[str, tuple[Artifact, ...]]:
        """Source name → locked artifacts, all present in the fetcher."""
        ...

    @property
    def parents(self) -> tuple[NamedLayer, ...]:
        """The built parents, in declared order."""
        ...

    @property
    def contexts(self) -> Mapping[str, NamedLayer]:
        """The other built layers that the layer declared, by node name."""
        ...

    @property
    def epoch(self) -> int:
        """Seconds; the time stamp of every file."""
        ...

    @property
    def platform(self) -> str:
        """``linux/amd64``."""
        ...

    @property
    def log(self) -> Path:
        """The step's log; programs that run append their output here."""
        ...

    @property
    def progress(self) -> Progress:
        """Reports bytes written."""
        ...

    @property
    def cancel(self) -> Cancel:
        """The request to stop."""
        ...


class LayerBuilder(Protocol):
    """Makes the layers of one kind."""

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        """Build, store the blob and its file index, say what it is."""
        ...


class Engine(Protocol):
    """A Docker engine that holds images and runs containers. ``id`` is its own: an engine made anew has another."""

    @property
    def id(self) -> str:
        """As ``docker info`` shows it."""
        ...

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        """Put the image in the engine under ``repository:tag`` references, sending only what it lacks."""
        ...

    def holds(self, composition: Composition) -> bool:
        """True when the engine has exactly this image."""
        ...

    def untag(self, reference: str) -> None:
        """Remove a reference (and the image, when it was the last); not an error when it is gone."""
        ...


class Registry(Protocol):
    """An OCI registry that takes images and charts."""

    def push(
        self,
        composition: Composition,
        repository: str,
        tags: Sequence[str],
        *,
        say: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        """Send what the registry lacks of an image, then its manifest, then point the tags at it; the bytes sent.

        The registry must give the manifest back as it was sent. ``say`` hears one line for each blob.
        """
        ...


class Probe(Protocol):
    """Runs the testinfra tests of one node against an image in the engine."""

    def run(
        self,
        node: str,
        *,
        reference: str,
        services: Mapping[str, str],
        tests: Sequence[str],
        inherited: Sequence[str],
        params: Mapping[str, str],
        log: Path,
        cancel: Cancel,
    ) -> TestCounts:
        """Run every test of ``tests`` and those marked ``inherited`` of ``inherited`` (paths in the project).

        ``services``: the references of the images that they may start beside the one under test, by node.
        """
        ...


class Clock(Protocol):
    """Elapsed time for durations; never part of a result's content."""

    def __call__(self) -> float:
        """Seconds from an arbitrary start."""
        ...
