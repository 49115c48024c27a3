"""The scenarios: ``table.yaml`` as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Values: TypeAlias = Mapping[str, Any]

TABLE = Path(__file__).with_name("table.yaml")
SETS = ("connect", "core")
"""Each run takes a set and those before it."""
_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class TableError(Exception):
    """The table contradicts itself; all that is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release of a scenario."""

    name: str
    chart: str
    presets: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    has_random_uid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario of one line of Spark, or of all lines together."""

    id: str
    name: str
    title: str
    set: str
    memory: int
    line: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    infra: tuple[str, ...] = ()
    releases: tuple[ReleaseRow, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The namespace that it has for itself."""
        return f"bg-{self.id.replace('.', '-')}"

    def check_id(self, check: str) -> str:
        """The id of one of its checks, which no other has."""
        return f"{self.id}/{check.replace('_', '-')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All scenarios, and the values that lie below those of their releases, by kind: spark, infra."""

    scenarios: tuple[Scenario, ...]
    small: Mapping[str, Values]

    def named(self, name: str) -> tuple[Scenario, ...]:
        """A scenario for each of its lines."""
        return tuple(each for each in self.scenarios if each.name == name)


def is_in(scenario: Scenario, chosen: str) -> bool:
    """Whether a run of the chosen set takes the scenario; ``all`` takes every one."""
    return chosen == "all" or SETS.index(scenario.set) <= SETS.index(chosen)


def load_table(path: Path = TABLE) -> Table:
    """The table; ``TableError`` with all that is wrong."""
    return parse_table(yaml.safe_load(path.read_text(encoding="utf-8")))


def parse_table(document: Values) -> Table:
    """The table of a document."""
    scenarios = tuple(scenario for row in document["scenarios"] for scenario in _expand(row, document["lines"]))
    problems = list(_find_problems(scenarios))
    if problems:
        raise TableError("; ".join(problems))
    return Table(scenarios=scenarios, small=document["small"])


def merge(*layers: Values) -> dict[str, Any]:
    """Values laid one over the other, as Helm does: maps are joined, anything else is replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def parse_quantity(text: str) -> int:
    """Bytes of a quantity such as 512Mi."""
    unit = text[-2:]
    return int(text[:-2]) * _UNITS[unit] if unit in _UNITS else int(text)


def _expand(row: Values, lines: Mapping[str, Mapping[str, str]]) -> Iterator[Scenario]:
    for line in row.get("lines") or ("",):
        versions = {"line": line, **lines[line]} if line else {}
        yield Scenario(
            id="-".join(part for part in (row["id"], line) if part),
            name=row["id"],
            title=row["title"],
            set=row["set"],
            memory=parse_quantity(row["memory"]),
            line=line,
            versions=versions,
            infra=tuple(row.get("infra") or ()),
            releases=tuple(_release(each, versions) for each in row["releases"]),
            checks=row["checks"],
        )


def _release(row: Values, versions: Mapping[str, str]) -> ReleaseRow:
    return ReleaseRow(
        name=row["name"],
        chart=row["chart"].format(**versions),
        presets=tuple(preset.format(**versions) for preset in row.get("presets") or ()),
        values=row.get("values") or {},
        has_random_uid=row.get("uid") == "random",
    )


def _find_problems(scenarios: Iterable[Scenario]) -> Iterator[str]:
    chosen = tuple(scenarios)
    for name, count in Counter(each.id for each in chosen).items():
        if count > 1:
            yield f"{name} is there {count} times"
    for each in chosen:
        if each.set not in SETS:
            yield f"{each.id}: {each.set} is no set"
        if not each.checks:
            yield f"{each.id} checks nothing"
