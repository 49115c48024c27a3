"""Values that nothing reads: a leaf that may take any other value without a single letter of a render changing."""

from __future__ import annotations

import hashlib
import json
import tempfile
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
from tests.charts.gates.alternatives import alternatives
from tests.charts.gates.halves import find_effective
from tests.charts.gates.mistakes import nest
from tests.charts.gates.values import describe, laid, leaves, mentioned
from tests.charts.renders import CannotRenderError, Recipe, Renders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_CHANGES = 3
MOST_AT_ONCE = 6
"""So many combinations are tried with all leaves changed at once: those that set most keys, each other ones."""
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
        for base in _richest(chart):
            shown = trial.find_shown(base, [leaf for leaf in left if leaf.mark])
            left = [leaf for leaf in left if leaf.path not in shown]
        for base in trial.bases():
            read = trial.find_read(base, left)
            left = [leaf for leaf in left if leaf.path not in read]
            if not left:
                break
    return problems + [f"{leaf.path} is read by nothing" for leaf in left]


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

    def find_shown(self, base: Combination, marked: Sequence[Leaf]) -> set[str]:
        """Paths whose marks a render shows when all are changed; where that is refused, half of them at a time."""
        before = self._render(base)
        if not marked or not before:
            return set()
        changed = self._with(base, {leaf.path: leaf.others[0] for leaf in marked})
        after = self._render(changed) if self._is_valid(changed) else ""
        if after:
            return {leaf.path for leaf in marked if leaf.mark in after and leaf.mark not in before}
        half = len(marked) // 2
        parts = (marked[:half], marked[half:]) if half else ()
        return {path for part in parts for path in self.find_shown(base, part)}

    def find_read(self, base: Combination, tried: Sequence[Leaf]) -> set[str]:
        """Paths of which some other value changes the render, or is refused by a template."""
        before = self._render(base)
        read: set[str] = set()
        for values in self._rounds(base, tried) if before else ():

            def is_noticed(paths: Sequence[str], values: Mapping[str, object] = values) -> bool:
                changed = self._with(base, {path: values[path] for path in paths})
                # A template that refuses what the schema takes has read it; the schema may refuse several together.
                return self._render(changed) != before if self._is_valid(changed) else len(paths) > 1

            read |= set(find_effective([path for path in values if path not in read], is_noticed))
        return read

    def bases(self) -> Iterator[Combination]:
        """What leaves are tried in: those first in which most are read."""
        yield from _richest(self.chart)
        yield from self._pairs()
        yield self._fullest()
        yield from _switched(self.chart)
        yield from self._switches()

    @staticmethod
    def _rounds(base: Combination, leaves: Sequence[Leaf]) -> Iterator[Mapping[str, object]]:
        """A value of each leaf at a time, by path; the default is one where the base has another."""
        choices = {leaf.path: (*leaf.others, *((leaf.default,) if leaf.path in _flat(base) else ())) for leaf in leaves}
        for number in range(MOST_CHANGES + 1):
            yield {path: values[number] for path, values in choices.items() if number < len(values)}

    def _switches(self) -> Sequence[Combination]:
        """The defaults with each switch of the chart turned alone."""
        turned = [leaf for leaf in _leaves(self.chart) if _is_switch(self.chart, leaf.path)]
        return [self._with(self._defaults(), {leaf.path: other}) for leaf in turned for other in leaf.others]

    def _pairs(self) -> Sequence[Combination]:
        """The defaults with each of the switches that a template refuses alone, and what it wants beside it."""
        known = {leaf.path for leaf in _leaves(self.chart)}
        return [self._with(self._defaults(), flat) for flat in PAIRS if flat.keys() <= known]

    def _fullest(self) -> Combination:
        """The defaults with every switch turned, one after the other, that makes the render longer."""
        best, length = self._defaults(), len(self._render(self._defaults()))
        for leaf in _leaves(self.chart):
            for other in leaf.others if _is_switch(self.chart, leaf.path) else ():
                more = self._with(best, {leaf.path: other})
                if len(self._render(more)) > length:
                    best, length = more, len(self._render(more))
        return best

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


@cache
def _flat(combination: Combination) -> Mapping[str, object]:
    return dict(leaf for file in combination.files for leaf in leaves(load(file)))
