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
class Row:
    """A row of the table. ``presets``: overlays by name, in order. ``charts``: chart → versions of Spark."""

    name: str
    also: tuple[str, ...]
    description: str
    presets: tuple[str, ...]
    charts: Mapping[str, tuple[str, ...]]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Names for which there is no scenario, and why."""

    names: tuple[str, ...]
    chart: str
    reason: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A name is there once for each chart."""

    rows: tuple[Row, ...]
    absences: tuple[Absence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One set of values for one chart."""

    name: str
    chart: str
    presets: tuple[str, ...]
    description: str
    location: Location


def read_table(text: str, file: str) -> Table:
    """The table of a text.

    Raises:
        ManifestError: or a group, with every mistake in it.
    """
    errors: list[BuildgraphError] = []
    fields = Fields(parse_document(text, file), file, "", errors, lambda text, _location: text)
    rows = tuple(_read_row(entry) for entry in fields.sequence("scenarios"))
    absences = tuple(_read_absence(entry) for entry in fields.sequence("absent"))
    fields.finish()
    table = Table(rows=rows, absences=absences)
    errors += _find_twins(table)
    raise_all(errors)
    return table


def list_scenarios(row: Row) -> Iterator[Scenario]:
    """One for each version of each chart, and those with the other names."""
    for chart, versions in row.charts.items():
        for version in versions:
            names = (row.name, *row.also) if version == DEFAULT else (f"{row.name}-{version}",)
            presets = row.presets if version == DEFAULT else (*row.presets, f"version/{version}")
            for name in names:
                yield Scenario(
                    name=name, chart=chart, presets=presets, description=row.description, location=row.location
                )


def format_scenario(scenario: Scenario, values: Mapping[str, Json], table: str) -> str:
    """The text of a scenario's file."""
    made = f"Written by `buildgraph charts docs` from {table}: {', '.join(scenario.presets) or 'no presets'}."
    told = [line for text in (scenario.description, made) for line in textwrap.wrap(text, _WIDTH)]
    return "".join(f"# {line}\n" for line in told) + yaml.safe_dump(dict(values), sort_keys=False, width=_WIDTH)


def render_index(table: Table, source: str) -> str:
    """A page that lists the scenarios, and the names for which there is none."""
    lines = [
        "# Scenarios",
        "",
        f"Written by `buildgraph charts docs` from `{source}`; change the table or the presets.",
    ]
    lines += ["", "| scenario | what it is | presets | files |", "|---|---|---|---|"]
    lines += [_render_row(row) for row in table.rows]
    if table.absences:
        lines += ["", "## Names without a scenario", "", "| names | chart | why |", "|---|---|---|"]
        lines += [f"| {_code(each.names)} | {each.chart} | {each.reason} |" for each in table.absences]
    return "\n".join(lines) + "\n"


def _render_row(row: Row) -> str:
    also = f", also {_code(row.also)}" if row.also else ""
    first = (each for each in list_scenarios(row) if each.name not in row.also)
    files = ", ".join(f"[{each.chart}/{each.name}]({each.chart}/{each.name}.yaml)" for each in first)
    return f"| `{row.name}`{also} | {row.description} | {_code(row.presets)} | {files} |"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _read_row(entry: Fields) -> Row:
    row = Row(
        name=entry.name("name"),
        also=entry.texts("also", form=NAME),
        description=entry.text("description", form=SENTENCE),
        presets=entry.texts("presets", form=PROJECT_PATH),
        charts=entry.lists("charts", keys=NAME, least=1),
        location=entry.location("name"),
    )
    entry.finish()
    return row


def _read_absence(entry: Fields) -> Absence:
    absence = Absence(
        names=entry.texts("names", form=NAME, least=1),
        chart=entry.name("chart"),
        reason=entry.text("reason", form=SENTENCE),
        location=entry.location(),
    )
    entry.finish()
    return absence


def _find_twins(table: Table) -> Iterator[ManifestError]:
    named = [(each.chart, each.name, each.location) for row in table.rows for each in list_scenarios(row)]
    named += [(each.chart, name, each.location) for each in table.absences for name in each.names]
    seen: dict[tuple[str, str], Location] = {}
    for chart, name, location in named:
        if (chart, name) in seen:
            what = f"{name} of {chart} stands already in line {seen[chart, name].line}"
            yield ManifestError(what, where=str(location))
        seen.setdefault((chart, name), location)
