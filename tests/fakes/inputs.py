"""What a builder may read, as a plain value, and a fetcher over a folder of files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.adapters.process import Never
from buildgraph.errors import NetworkFault
from buildgraph.model import Artifact, Compression, Kind, Layer, Location, NamedLayer, Spec, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel, Progress

EPOCH = 1767225600


def ignore_progress(done: int, total: int | None) -> None:
    """Take what is reported and say nothing."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A ``LayerInputs``."""

    layer: Layer
    log: Path
    artifacts: Mapping[str, tuple[Artifact, ...]] = field(default_factory=dict)
    parents: tuple[NamedLayer, ...] = ()
    contexts: Mapping[str, NamedLayer] = field(default_factory=dict)
    base: tuple[Artifact, ...] = ()
    epoch: int = EPOCH
    platform: str = "linux/amd64"
    progress: Progress = ignore_progress
    cancel: Cancel = field(default_factory=Never)


class FolderFetcher:
    """A ``Fetcher`` whose artifacts lie in one folder already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fetch(self, artifacts: Sequence[Artifact], *, progress: Progress, cancel: Cancel) -> None:
        for artifact in artifacts:
            if cancel.is_set() or not self.has(artifact):
                raise NetworkFault(f"{artifact.file} is not in the folder")
            progress(artifact.size, artifact.size)

    def path(self, artifact: Artifact) -> Path:
        return self.folder / artifact.file

    def has(self, artifact: Artifact) -> bool:
        return self.path(artifact).exists()

    def drop(self, artifact: Artifact) -> None:
        self.path(artifact).unlink(missing_ok=True)


def make_layer(spec: Spec, kind: Kind, *, name: str = "sample", compression: Compression = Compression.ZSTD) -> Layer:
    """A layer with the spec under test and nothing else."""
    return Layer(
        name=name,
        layer=name,
        variant="",
        stage=Stage.INTERMEDIATE,
        kind=kind,
        description="",
        params={},
        parents=(),
        contexts=(),
        sources=(),
        spec=spec,
        env={},
        prepend={},
        test_on=(),
        tests=(),
        compression=compression,
        budget=None,
        location=Location(file="manifests/layers/sample.yaml", line=1),
    )
