"""A resolver that knows what exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.errors import NetworkFault
from tests.fakes.fetcher import make_artifact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Artifact, Layer, Source


@dataclass
class FakeResolver:
    """A ``Resolver``. ``answers`` maps a request to the exact coordinate that it resolves to."""

    answers: dict[str, str]
    asked: list[tuple[str, str]] = field(default_factory=list)
    held: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def resolve(self, layer: Layer, source: Source, *, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        self.asked.append((f"{layer.name}/{source.name}", " ".join(source.request)))
        self.held[layer.name] = dict(held)
        if missing := [request for request in source.request if request not in self.answers]:
            raise NetworkFault(f"{missing[0]} is nowhere")
        exact = [self.answers[request] for request in source.request]
        return tuple(make_artifact(coordinate, coordinate.encode()) for coordinate in sorted(exact))
