"""What is written from the charts' own files: schemas, tables of values, scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from buildgraph.chart import CHART_FILE, parse_chart
from buildgraph.errors import ManifestError, Stale, UsageError, raise_all, sort_errors
from buildgraph.manifest.document import parse_document
from buildgraph.model import EMPTY
from buildgraph.pin import diff
from buildgraph.values.agreement import find_missing, find_unknown
from buildgraph.values.document import to_mapping
from buildgraph.values.overlays import lay
from buildgraph.values.scenarios import format_scenario, list_scenarios, read_table, render_index
from buildgraph.values.schema import format_schema, read_definitions, read_schema
from buildgraph.values.table import insert_tables, render_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from buildgraph.adapters.workspace import Workspace
    from buildgraph.errors import BuildgraphError
    from buildgraph.values.document import Json
    from buildgraph.values.scenarios import Scenario
    from buildgraph.values.schema import Schema

    Reader: TypeAlias = Callable[[str], str | None]

CHARTS = "charts"
PRESETS = f"{CHARTS}/presets"
SCENARIOS = f"{CHARTS}/scenarios"
TABLE = f"{SCENARIOS}.yaml"
SOURCE = "values.schema.yaml"
_HINT = "run: buildgraph charts docs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A file as it is and as it must be; None where there is none."""

    file: str
    old: str | None
    new: str | None


def write_pages(workspace: Workspace) -> tuple[str, ...]:
    """Bring every file up to date; the files that changed."""
    pages = find_pages(workspace)
    for page in pages:
        if page.new is None:
            (workspace.root / page.file).unlink()
        else:
            workspace.write_text(page.file, page.new)
    return tuple(page.file for page in pages)


def check_pages(workspace: Workspace) -> None:
    """Compare only.

    Raises:
        Stale: with the diff of what would be written.
    """
    pages = find_pages(workspace)
    if pages:
        text = "".join(diff(page.old or "", page.new or "", page.file) for page in pages)
        raise Stale("out of date", where=pages[0].file, hint=_HINT, diff=text)


def find_pages(workspace: Workspace) -> tuple[Page, ...]:
    """Every file that is not as its sources have it.

    Raises:
        ManifestError: or a group: a value without a place in the schema and the other way round, an unknown key of a
            preset, a scenario of presets that are not there.
    """
    texts = make_all_texts(workspace)
    stale = [file for file in _list_files(workspace, SCENARIOS) if file not in texts]
    pages = [Page(file=file, old=workspace.read_text(file), new=text) for file, text in texts.items()]
    pages += [Page(file=file, old=workspace.read_text(file), new=None) for file in stale]
    return tuple(page for page in pages if page.old != page.new)


def make_all_texts(workspace: Workspace, changed: Mapping[str, str] = EMPTY) -> Mapping[str, str]:
    """File → text, of all that is written for the project, as it is once the ``changed`` files hold their texts."""

    def read(file: str) -> str | None:
        return changed.get(file) or workspace.read_text(file)

    return make_texts(read, _list_charts(workspace), _list_files(workspace, PRESETS))


def make_texts(read: Reader, charts: Iterable[str], presets: Iterable[str]) -> Mapping[str, str]:
    """File → text, of all that is written from what ``read`` gives; ``presets`` are the files that there are."""
    schemas: dict[str, Schema] = {}
    texts: dict[str, str] = {}
    errors: list[BuildgraphError] = []
    for chart in charts:
        schema = _read_schema(read, chart)
        if schema is not None:
            schemas[chart] = schema
            texts.update(_make_chart(read, chart, schema, errors))
    if read(TABLE) is not None:
        texts.update(_make_scenarios(read, schemas, frozenset(presets), errors))
    raise_all(sort_errors(errors))
    return texts


def _list_charts(workspace: Workspace) -> tuple[str, ...]:
    """The charts with values, where there is a schema for any of them; what other charts hold is nobody's business."""
    charts = workspace.root / CHARTS
    is_described = any(charts.glob(f"*/{SOURCE}"))
    return tuple(sorted(path.parent.name for path in charts.glob("*/values.yaml"))) if is_described else ()


def _list_files(workspace: Workspace, folder: str) -> list[str]:
    found = (workspace.root / folder).rglob("*")
    return sorted(path.relative_to(workspace.root).as_posix() for path in found if path.is_file())


def _read_schema(read: Reader, chart: str) -> Schema | None:
    """The chart's own, else that of the chart beside it that it is made of; nothing where there is neither."""
    metadata = read(f"{CHARTS}/{chart}/{CHART_FILE}")
    if metadata is None:
        return None
    known = parse_chart(metadata, f"{CHARTS}/{chart}/{CHART_FILE}", folder=chart)
    folders = [chart, *(one.beside for one in known.dependencies if one.beside)]
    found = {file: text for name in folders if (text := read(file := f"{CHARTS}/{name}/{SOURCE}")) is not None}
    shared = {name: node for file, text in found.items() for name, node in read_definitions(text, file).items()}
    return next((read_schema(text, file, shared) for file, text in found.items()), None)


def _make_chart(read: Reader, chart: str, schema: Schema, errors: list[BuildgraphError]) -> Iterator[tuple[str, str]]:
    """The schema and the README of a chart."""
    folder = f"{CHARTS}/{chart}"
    file, readme = f"{folder}/values.yaml", f"{folder}/README.md"
    values = parse_document(_require(read, file), file)
    errors += find_unknown(values, schema.root, file)
    errors += find_missing(values, schema, file)
    yield f"{folder}/values.schema.json", format_schema(schema)
    yield readme, insert_tables(_require(read, readme), render_tables(to_mapping(values), schema), readme)


def _make_scenarios(
    read: Reader, schemas: Mapping[str, Schema], presets: frozenset[str], errors: list[BuildgraphError]
) -> Iterator[tuple[str, str]]:
    """A file for each scenario, and the page that lists them."""
    table = read_table(_require(read, TABLE), TABLE)
    used: set[str] = set()
    for scenario in (each for row in table.rows for each in list_scenarios(row)):
        files = [f"{PRESETS}/{name}.yaml" for name in scenario.presets]
        used.update(files)
        problems = _find_gaps(scenario, files, schemas, presets)
        errors += problems
        if not problems:
            values = lay(_read_overlays(read, files, schemas[scenario.chart], errors))
            yield f"{SCENARIOS}/{scenario.chart}/{scenario.name}.yaml", format_scenario(scenario, values, TABLE)
    hint = f"name it in {TABLE}, or remove it"
    errors += [ManifestError("no scenario uses it", where=file, hint=hint) for file in sorted(presets - used)]
    yield f"{SCENARIOS}/README.md", render_index(table, TABLE)


def _find_gaps(
    scenario: Scenario, files: Iterable[str], schemas: Mapping[str, Schema], presets: frozenset[str]
) -> list[ManifestError]:
    """What a scenario names and is not there."""
    where = str(scenario.location)
    gaps = [ManifestError(f"there is no {file}", where=where) for file in files if file not in presets]
    if scenario.chart not in schemas:
        hint = f"known here: {', '.join(schemas)}"
        gaps.append(ManifestError(f"there is no chart {scenario.chart}", where=where, hint=hint))
    return gaps


def _read_overlays(
    read: Reader, files: Iterable[str], schema: Schema, errors: list[BuildgraphError]
) -> Iterator[Mapping[str, Json]]:
    for file in files:
        document = parse_document(_require(read, file), file)
        errors += find_unknown(document, schema.root, file)
        yield to_mapping(document)


def _require(read: Reader, file: str) -> str:
    text = read(file)
    if text is None:
        raise UsageError("the file is missing", where=file, hint="every chart has one")
    return text
