"""An engine that keeps images by reference in memory, and counts what it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.errors import EnvironmentFault, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buildgraph.model import Composition
    from buildgraph.ports import BlobStore, Cancel


@dataclass
class FakeEngine:
    """An ``Engine``. ``images`` maps a reference to a manifest's digest; ``sent`` lists the layers of each load."""

    blobs: BlobStore
    id: str = "engine-1"
    images: dict[str, str] = field(default_factory=dict)
    layers: dict[str, frozenset[str]] = field(default_factory=dict)
    sent: list[tuple[str, ...]] = field(default_factory=list)

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        if cancel.is_set():
            raise Interrupted("loading an image was stopped")
        held = {layer for image in self.images.values() for layer in self.layers[image]}
        missing = tuple(layer.digest for layer in composition.layers if layer.digest not in held)
        for digest in missing:
            with self.blobs.open_blob(digest) as blob:
                blob.read()
        self.sent.append(missing)
        self.layers[composition.digest] = frozenset(layer.digest for layer in composition.layers)
        self.images.update(dict.fromkeys(references, composition.digest))

    def holds(self, composition: Composition) -> bool:
        return composition.digest in self.images.values()

    def untag(self, reference: str) -> None:
        self.images.pop(reference, None)


class BreakingEngine(FakeEngine):
    """One that names an image and goes away before it answers."""

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        super().load(composition, references, cancel=cancel)
        raise EnvironmentFault("the engine stopped answering")
