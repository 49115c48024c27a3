"""Scenarios: named sets of values that are made of overlays. One table, ``charts/scenarios.yaml``, lists them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from buildgraph.errors import ManifestError, raise_all
from buildgraph.forms import NAME, PROJECT_PATH, SENTENCE
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Location
    from buildgraph.values.document import Json

DEFAULT = "default"
"""Stands in a list of versions for the chart's own one: the scenario's name has no version then."""
_WIDTH = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``presets``: overlays by name, in order. ``also``: the scenario that this is another name of."""

    name: str
    chart: str
    presets: tuple[str, ...]
    description: str
    location: Location
    also: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A name for which there is no scenario, and why."""

    name: str
    chart: str
    reason: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Names are unique within a chart."""

    scenarios: tuple[Scenario, ...]
    absences: tuple[Absence, ...]


def read_table(text: str, file: str) -> Table:
    """The table of a text.

    Raises:
        ManifestError: or a group, with every mistake in it.
    """
    errors: list[BuildgraphError] = []
    fields = Fields(parse_document(text, file), file, "", errors, lambda text, _location: text)
    scenarios = tuple(each for entry in fields.sequence("scenarios") for each in _read_scenario(entry))
    absences = tuple(each for entry in fields.sequence("absent") for each in _read_absence(entry))
    fields.finish()
    errors += _find_twins((*scenarios, *absences))
    raise_all(errors)
    return Table(scenarios=scenarios, absences=absences)


def format_scenario(scenario: Scenario, values: Mapping[str, Json], table: str) -> str:
    """The text of a scenario's file."""
    made = f"Written by `buildgraph charts docs` from {table}: {', '.join(scenario.presets) or 'no presets'}."
    told = [line for text in (scenario.description, made) for line in textwrap.wrap(text, _WIDTH)]
    return "".join(f"# {line}\n" for line in told) + yaml.safe_dump(dict(values), sort_keys=False, width=_WIDTH)


def render_index(table: Table, source: str) -> str:
    """A page that lists the scenarios by chart, and the names for which there is none."""
    lines = [
        "# Scenarios",
        "",
        f"Written by `buildgraph charts docs` from `{source}`; change the table or the presets.",
    ]
    for chart in dict.fromkeys(each.chart for each in table.scenarios):
        lines += ["", f"## {chart}", "", "| scenario | what it is | presets |", "|---|---|---|"]
        lines += [_render_row(each) for each in table.scenarios if each.chart == chart]
    if table.absences:
        lines += ["", "## Names without a scenario", "", "| chart | name | why |", "|---|---|---|"]
        lines += [f"| {each.chart} | `{each.name}` | {each.reason} |" for each in table.absences]
    return "\n".join(lines) + "\n"


def _render_row(scenario: Scenario) -> str:
    link = f"[{scenario.name}]({scenario.chart}/{scenario.name}.yaml)"
    if scenario.also:
        return f"| {link} | Another name of {scenario.also} | |"
    return f"| {link} | {scenario.description} | {', '.join(f'`{preset}`' for preset in scenario.presets)} |"


def _read_scenario(entry: Fields) -> Iterator[Scenario]:
    """One for each version of each chart, and one more for each other name."""
    name = entry.name("name")
    description = entry.text("description", form=SENTENCE)
    presets = entry.texts("presets", form=PROJECT_PATH)
    also = entry.texts("also", form=NAME)
    charts = entry.lists("charts", keys=NAME, least=1)
    location = entry.location("name")
    entry.finish()
    for chart, versions in charts.items():
        for version in versions:
            own = presets if version == DEFAULT else (*presets, f"version/{version}")
            full = _add_version(name, version)
            others = [(_add_version(other, version), full) for other in also]
            for each, first in ((full, ""), *others):
                yield Scenario(
                    name=each, chart=chart, presets=own, description=description, location=location, also=first
                )


def _read_absence(entry: Fields) -> Iterator[Absence]:
    names = entry.texts("names", form=NAME, least=1)
    chart = entry.name("chart")
    reason = entry.text("reason", form=SENTENCE)
    location = entry.location()
    entry.finish()
    for name in names:
        yield Absence(name=name, chart=chart, reason=reason, location=location)


def _add_version(name: str, version: str) -> str:
    return name if version == DEFAULT else f"{name}-{version}"


def _find_twins(entries: Iterable[Scenario | Absence]) -> Iterator[ManifestError]:
    seen: dict[tuple[str, str], Location] = {}
    for each in entries:
        key = (each.chart, each.name)
        if key in seen:
            what = f"{each.name} of {each.chart} stands already in line {seen[key].line}"
            yield ManifestError(what, where=str(each.location))
        seen.setdefault(key, each.location)
