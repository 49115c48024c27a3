"""A Fetcher whose world is a mapping."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from buildgraph.errors import IntegrityError, Interrupted, NetworkFault
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel, Progress


def make_artifact(coordinate: str, content: bytes, *, file: str = "") -> Artifact:
    """The locked artifact of some content; its file is named after the coordinate unless said."""
    name = file or coordinate.rpartition(":")[2].rpartition("/")[2].replace("==", "-") + ".bin"
    return Artifact(coordinate=coordinate, file=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


class FakeFetcher:
    """Offers ``contents`` (coordinate → bytes) as files below ``folder``; counts what it is asked for."""

    def __init__(self, folder: Path, contents: Mapping[str, bytes]) -> None:
        """``fetched`` lists the coordinates that were brought, ``dropped`` those given up, in order."""
        self._folder = folder
        self._contents = contents
        self.fetched: list[str] = []
        self.dropped: list[str] = []

    def fetch(self, artifacts: Sequence[Artifact], *, progress: Progress, cancel: Cancel) -> None:
        """Write the files that are not there yet."""
        total = sum(artifact.size for artifact in artifacts)
        for artifact in artifacts:
            if cancel.is_set():
                raise Interrupted("the download was stopped")
            if not self.has(artifact):
                self._bring(artifact)
        progress(total, total)

    def path(self, artifact: Artifact) -> Path:
        """Where the file is, or will be."""
        return self._folder / artifact.sha256 / artifact.file

    def has(self, artifact: Artifact) -> bool:
        """True when it was brought and not dropped."""
        return self.path(artifact).is_file()

    def drop(self, artifact: Artifact) -> None:
        """Forget it."""
        self.dropped.append(artifact.coordinate)
        self.path(artifact).unlink(missing_ok=True)

    def _bring(self, artifact: Artifact) -> None:
        content = self._contents.get(artifact.coordinate)
        if content is None:
            raise NetworkFault(f"{artifact.coordinate}: no repository is known for it")
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise IntegrityError(f"{artifact.coordinate}: other bytes")
        self.fetched.append(artifact.coordinate)
        self.path(artifact).parent.mkdir(parents=True, exist_ok=True)
        self.path(artifact).write_bytes(content)
