"""A builder that writes layers agreed beforehand, and counts what it was asked to build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.errors import Interrupted
from tests.fakes.tiny import write_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import LayerBlob
    from buildgraph.ports import BlobStore, LayerInputs


@dataclass
class FakeBuilder:
    """A ``LayerBuilder``. ``contents`` maps a layer to its files; the others hold one file named after them."""

    blobs: BlobStore
    contents: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    errors: dict[str, BuildgraphError] = field(default_factory=dict)
    asked: list[LayerInputs] = field(default_factory=list)

    @property
    def built(self) -> list[str]:
        """The names of the layers that were asked for, in order."""
        return [inputs.layer.name for inputs in self.asked]

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        if inputs.cancel.is_set():
            raise Interrupted("the layer was not finished")
        self.asked.append(inputs)
        name = inputs.layer.name
        if name in self.errors:
            raise self.errors[name]
        return write_layer(self.blobs, name, self.contents.get(name, {f"opt/{name}": name.encode()})).blob
