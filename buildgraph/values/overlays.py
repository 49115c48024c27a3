"""Overlays: values files that are laid over a chart's, one after the other, as Helm's ``--values`` does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from buildgraph.values.document import Json


def lay(overlays: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """All of them as one: mappings are joined key by key, of all else the last counts."""
    return reduce(_lay, overlays, {})


def _lay(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        joined[key] = _lay(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return joined
