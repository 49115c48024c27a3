"""Combinations that between them render every kind of every component, for what is too dear to do with all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.charts.combinations import Combination, combinations
from tests.charts.gates.objects import COMPONENT, labels_of
from tests.charts.renders import CannotRenderError, Recipe, Renders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.charts.gates.objects import Document


def covering(chart: str, renders: Renders) -> tuple[Combination, ...]:
    """A few combinations of a chart in which every kind of every component is rendered by one."""
    parts = {each: _parts(each, renders) for each in combinations() if each.chart == chart}
    chosen: list[Combination] = []
    missing = frozenset[tuple[str, str]]().union(*parts.values())
    while missing:
        best = max(parts, key=lambda each: len(parts[each] & missing))
        chosen.append(best)
        missing -= parts[best]
    return tuple(chosen)


def install(combination: Combination, release: str, renders: Renders) -> Sequence[Document]:
    """The objects of a release of that name."""
    return renders.objects(Recipe(combination=combination, release=release))


def _parts(combination: Combination, renders: Renders) -> frozenset[tuple[str, str]]:
    try:
        objects = renders.objects(Recipe(combination=combination))
    except CannotRenderError:
        return frozenset()
    return frozenset((each.get("kind", ""), labels_of(each).get(COMPONENT, "")) for each in objects)
