"""What the gates render: each application chart with its defaults, with each preset and with each scenario.

All of it is found in the tree, so a new chart, preset or scenario is gated without a word here. A preset's leading
comment says what it is; where it begins with ``With <preset>``, the preset is laid over those that it names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.charts.gates.values import find_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.charts.gates.objects import Document

PROJECT = Path(__file__).parents[2]
CHARTS = PROJECT / "charts"
PRESETS = CHARTS / "presets"
SCENARIOS = CHARTS / "scenarios"
TABLE = CHARTS / "scenarios.yaml"
_NEEDS = re.compile(r"# With ([a-z0-9][\w./-]*/[\w.-]+(?:(?:, | and )[\w./-]+/[\w.-]+)*)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """A chart and the values files that are laid over its defaults, in order."""

    chart: str
    name: str
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """What tests are called by."""
        return f"{self.chart}:{self.name}"


def application_charts() -> tuple[str, ...]:
    """The folders of charts that can be installed."""
    return tuple(sorted(name for name, metadata in _charts() if metadata.get("type", "application") == "application"))


def library_charts() -> tuple[str, ...]:
    """The folders of charts that only others use."""
    return tuple(sorted(name for name, metadata in _charts() if metadata.get("type") == "library"))


def load_chart(chart: str) -> Document:
    """A chart's metadata."""
    return load(CHARTS / chart / "Chart.yaml")


def load_values(chart: str) -> Document:
    """A chart's defaults."""
    return load(CHARTS / chart / "values.yaml")


@cache
def load_schema(chart: str) -> Document:
    """The schema of a chart's values; empty where there is none."""
    file = CHARTS / chart / "values.schema.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


@cache
def load(file: Path) -> Document:
    """A YAML file that holds a mapping."""
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return loaded


def load_scenario(file: Path) -> list[Path]:
    """The values files that make a scenario: those of the presets that it lists, or itself where it holds values."""
    loaded = load(file)
    if loaded.keys() == {"presets"}:
        return [preset_file(name) for name in loaded["presets"]]
    return [file]


def preset_file(name: str) -> Path:
    """The file of a preset, by its name below the folder."""
    return PRESETS / f"{name}.yaml"


def presets() -> tuple[str, ...]:
    """The names of all presets."""
    return tuple(sorted(str(file.relative_to(PRESETS).with_suffix("")) for file in PRESETS.rglob("*.yaml")))


def charts_of(preset: str) -> tuple[str, ...]:
    """The charts for which a scenario uses the preset; where none does, those whose schema knows its keys."""
    users = tuple(chart for chart in application_charts() if preset in _used(chart))
    return users or tuple(
        chart for chart in application_charts() if not find_unknown(load(preset_file(preset)), load_schema(chart))
    )


def needs(preset: str) -> tuple[str, ...]:
    """The presets that a preset is laid over, by its leading comment."""
    found = _NEEDS.match(preset_file(preset).read_text(encoding="utf-8"))
    return tuple(re.split(r", | and ", found.group(1))) if found else ()


@cache
def combinations() -> tuple[Combination, ...]:
    """Everything to render, each set of values once: a scenario that two names have is rendered under the first."""
    found: dict[str, Combination] = {}
    for each in (*_defaults(), *_scenarios(), *_presets(), *_of_chart_testing()):
        identity = json.dumps([each.chart, [load(file) for file in each.files]], sort_keys=True, default=str)
        found.setdefault(identity, each)
    return tuple(found.values())


def _defaults() -> Iterator[Combination]:
    yield from (Combination(chart=chart, name="defaults") for chart in application_charts())


def _scenarios() -> Iterator[Combination]:
    for chart in application_charts():
        for file in sorted((SCENARIOS / chart).glob("*.yaml")):
            yield Combination(chart=chart, name=f"scenario/{file.stem}", files=tuple(load_scenario(file)))


def _presets() -> Iterator[Combination]:
    for preset in presets():
        files = tuple(preset_file(name) for name in (*needs(preset), preset))
        yield from (Combination(chart=chart, name=f"preset/{preset}", files=files) for chart in charts_of(preset))


def _of_chart_testing() -> Iterator[Combination]:
    """Where chart-testing looks for values, too."""
    for chart in application_charts():
        for file in sorted((CHARTS / chart / "ci").glob("*-values.yaml")):
            yield Combination(chart=chart, name=f"ci/{file.stem}", files=(file,))


def _charts() -> Iterator[tuple[str, Document]]:
    yield from ((file.parent.name, load(file)) for file in CHARTS.glob("*/Chart.yaml"))


@cache
def _used(chart: str) -> frozenset[str]:
    """The presets in the chart's scenarios: by their own lists, or by the table that they are written from."""
    lists: list[Iterable[str]] = [
        loaded["presets"] for loaded in map(load, (SCENARIOS / chart).glob("*.yaml")) if loaded.keys() == {"presets"}
    ]
    for row in load(TABLE).get("scenarios", ()) if TABLE.exists() else ():
        versions: Mapping[str, list[object]] = row["charts"]
        if chart in versions:
            lists += [row["presets"], [f"version/{version}" for version in versions[chart] if version != "default"]]
    return frozenset(name for names in lists for name in names)
