"""Values that nothing reads: a leaf that may take any other value without a single letter of a render changing."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs

from tests.charts.combinations import (
    CHARTS,
    Combination,
    application_charts,
    combinations,
    library_charts,
    load,
    load_schema,
    load_values,
)
from tests.charts.gates.alternatives import alternatives, overlap
from tests.charts.gates.mistakes import nest
from tests.charts.gates.values import describe, laid, leaves, mentioned
from tests.charts.renders import CannotRenderError, Recipe, Renders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MOST_BASES = 4
"""So many combinations are tried with one changed leaf, those first whose values are about it."""
MOST_CHANGES = 3
MOST_AT_ONCE = 6
"""So many combinations are tried with all leaves changed at once: those that set most keys, each other ones."""
ALL_SPLITS, FEW_SPLITS = 16, 3
"""So many times the leaves that a base refuses are halved: down to each alone, or so that a base costs little."""
PAIRS: tuple[Mapping[str, object], ...] = ({"ingress.enabled": True, "ingress.hosts.connectUi": "first.example"},)
FIRST_NUMBER = 7001


@dataclass(frozen=True, slots=True)
class Leaf:
    """A path in a chart's values, and the values that it may take instead of its default."""

    chart: str
    path: str
    number: int
    others: tuple[object, ...]
    default: object

    @property
    def mark(self) -> str:
        """What a render shows when it has read the first other value; empty when that has no number in it."""
        return str(self.number) if self.others and str(self.number) in json.dumps(self.others[0]) else ""


def charts_with_own_templates() -> tuple[str, ...]:
    """Charts of which none has the templates and the leaves of a later one: what holds for one holds for both.

    Of the lines of Spark that is the newest, for which all images can be built.
    """
    seen: dict[tuple[object, ...], str] = {}
    for chart in application_charts():
        paths = frozenset(path for path, _ in leaves(load_values(chart)))
        seen[tuple(templates_of(chart).values()), paths] = chart
    return tuple(seen.values())


def templates_of(chart: str) -> Mapping[str, str]:
    """The templates of a chart and of the libraries that it uses, by file."""
    folders = [CHARTS / name / "templates" for name in (chart, *library_charts())]
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(file.relative_to(CHARTS)).partition("/")[2]: file.read_text(encoding="utf-8") for file in files}


def find_unread(chart: str, renders: Renders) -> list[str]:
    """Leaves of a chart's values that change nothing in any of the combinations that are about them."""
    found = list(_leaves_to_try(chart))
    problems = [f"{leaf.path}: the schema takes no other value that was tried" for leaf in found if not leaf.others]
    with tempfile.TemporaryDirectory() as name:
        trial = _Trial(chart, renders, Path(name))
        left = [leaf for leaf in found if leaf.others]
        for bases, splits in ((_richest(chart), ALL_SPLITS), (_switched(chart), FEW_SPLITS)):
            for base in bases:
                shown = trial.find_shown(base, [leaf for leaf in left if leaf.mark], splits)
                left = [leaf for leaf in left if leaf.path not in shown]
        idle = trial.find_idle(left, trial.neighbours)
        if idle:
            others = [trial.fullest(), *trial.switches(), *_switched(chart)]
            pairs = trial.pairs()
            idle = trial.find_idle(idle, lambda leaf: [*pairs, *(base for base in others if not _sets(base, leaf))])
    return problems + [f"{leaf.path} is read by nothing" for leaf in idle]


def _leaves_to_try(chart: str) -> Iterator[Leaf]:
    """All but those whose whole path stands in a template: they are read where it stands."""
    known = mentioned([path for path, _ in leaves(load_values(chart))], list(templates_of(chart).values()))
    return (leaf for leaf in _leaves(chart) if leaf.path not in known)


@cache
def _leaves(chart: str) -> tuple[Leaf, ...]:
    schema, values = load_schema(chart), load_values(chart)
    found = []
    for number, (path, default) in enumerate(leaves(values), start=FIRST_NUMBER):
        node = describe(schema, path)
        validator = jsonschema_rs.Draft7Validator({**node, "definitions": schema.get("definitions", {})})
        taken = [other for other in alternatives(schema, node, default, number) if validator.is_valid(other)]
        found.append(Leaf(chart, path, number, tuple(taken[:MOST_CHANGES]), default))
    return tuple(found)


@cache
def _validator(chart: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft7Validator(dict(load_schema(chart)))


@dataclass(frozen=True, slots=True)
class _Trial:
    """One chart, with a folder for the values that are laid over its combinations."""

    chart: str
    renders: Renders
    scratch: Path

    def find_shown(self, base: Combination, marked: Sequence[Leaf], splits: int) -> set[str]:
        """Paths whose marks a render shows when all are changed; where that is refused, half of them at a time."""
        before = self._render(base)
        if not marked or not before:
            return set()
        changed = self._with(base, {leaf.path: leaf.others[0] for leaf in marked})
        after = self._render(changed) if self._is_valid(changed) else ""
        if after:
            return {leaf.path for leaf in marked if leaf.mark in after and leaf.mark not in before}
        half = len(marked) // 2 if splits else 0
        parts = (marked[:half], marked[half:]) if half else ()
        return {path for part in parts for path in self.find_shown(base, part, splits - 1)}

    def find_idle(self, tried: Sequence[Leaf], bases: Callable[[Leaf], Sequence[Combination]]) -> list[Leaf]:
        """Leaves that change nothing in their bases."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            read = list(pool.map(lambda leaf: self._is_read(leaf, bases(leaf)), tried))
        return [leaf for leaf, is_read in zip(tried, read, strict=True) if not is_read]

    def neighbours(self, leaf: Leaf) -> Sequence[Combination]:
        """Combinations with the leaf's neighbours in them, the nearest first."""
        own = [each for each in combinations() if each.chart == self.chart]
        return sorted(own, key=lambda each: -overlap(leaf.path, _flat(each)))[:MOST_BASES]

    def switches(self) -> Sequence[Combination]:
        """The defaults with each switch of the chart turned alone."""
        turned = [leaf for leaf in _leaves(self.chart) if _is_switch(self.chart, leaf.path)]
        return [self._with(self._defaults(), {leaf.path: other}) for leaf in turned for other in leaf.others]

    def pairs(self) -> Sequence[Combination]:
        """The defaults with each of the switches that a template refuses alone, and what it wants beside it."""
        known = {leaf.path for leaf in _leaves(self.chart)}
        return [self._with(self._defaults(), flat) for flat in PAIRS if flat.keys() <= known]

    def fullest(self) -> Combination:
        """The defaults with every switch turned, one after the other, that makes the render longer."""
        best, length = self._defaults(), len(self._render(self._defaults()))
        for leaf in _leaves(self.chart):
            for other in leaf.others if _is_switch(self.chart, leaf.path) else ():
                more = self._with(best, {leaf.path: other})
                if len(self._render(more)) > length:
                    best, length = more, len(self._render(more))
        return best

    def _is_read(self, leaf: Leaf, bases: Iterable[Combination]) -> bool:
        """True when some other value of the leaf changes some render, or is refused by a template."""
        values = (*leaf.others, leaf.default)  # a base may have another one than the default
        return any(self._changes(base, leaf.path, value) for base in bases for value in values)

    def _changes(self, base: Combination, path: str, other: object) -> bool:
        before, changed = self._render(base), self._with(base, {path: other})
        # The schema takes the value; a template that refuses it has read it.
        return bool(before) and self._is_valid(changed) and self._render(changed) != before

    def _is_valid(self, combination: Combination) -> bool:
        values = laid([load_values(self.chart), *map(load, combination.files)])
        return _validator(self.chart).is_valid(values)

    def _render(self, combination: Combination) -> str:
        try:
            return self.renders.text(Recipe(combination=combination))
        except CannotRenderError:
            return ""

    def _defaults(self) -> Combination:
        return Combination(chart=self.chart, name="defaults")

    def _with(self, base: Combination, flat: Mapping[str, object]) -> Combination:
        text = json.dumps(nest(flat))
        file = self.scratch / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
        file.write_text(text, encoding="utf-8")
        return Combination(chart=base.chart, name=base.name, files=(*base.files, file))


def _richest(chart: str) -> Iterator[Combination]:
    """A few combinations of a chart that between them set as many keys as can be."""
    left = {each: set(_flat(each)) for each in combinations() if each.chart == chart}
    for _ in range(min(MOST_AT_ONCE, len(left))):
        best = max(left, key=lambda each: len(left[each]))
        seen = left.pop(best)
        left = {each: paths - seen for each, paths in left.items()}
        yield best


def _switched(chart: str) -> Sequence[Combination]:
    """The combinations of a chart, those that set most keys first; of those with the same switches, one."""
    found: dict[frozenset[tuple[str, str]], Combination] = {}
    for each in sorted((each for each in combinations() if each.chart == chart), key=lambda each: -len(_flat(each))):
        switches = ((path, str(value)) for path, value in _flat(each).items() if _is_switch(chart, path))
        found.setdefault(frozenset(switches), each)
    return tuple(found.values())


def _is_switch(chart: str, path: str) -> bool:
    node = describe(load_schema(chart), path)
    return "enum" in node or node.get("type") == "boolean"


def _sets(base: Combination, leaf: Leaf) -> bool:
    return leaf.path in _flat(base)


@cache
def _flat(combination: Combination) -> Mapping[str, object]:
    return dict(leaf for file in combination.files for leaf in leaves(load(file)))
