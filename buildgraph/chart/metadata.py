"""Chart.yaml and Chart.lock: what a chart says of itself, and what it is made of."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, UsageError, raise_all, sort_errors
from buildgraph.forms import CHART, CHART_VERSION, Form
from buildgraph.manifest.document import YamlMapping, YamlScalar, YamlSequence, parse_document
from buildgraph.manifest.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.errors import BuildgraphError
    from buildgraph.key import Json
    from buildgraph.manifest.document import YamlValue
    from buildgraph.model import Location

CHART_FILE = "Chart.yaml"
LOCK_FILE = "Chart.lock"
API_VERSION = "v2"
LIBRARY = "library"
_TYPES = ("application", LIBRARY)
_BESIDE = "file://../"
_WORD = Form(what="one word", pattern=r"[A-Za-z0-9_-]+", hint="use letters, digits, '-' and '_'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A chart that another one needs. ``beside``: the name of its folder among the charts; empty where it is inside.

    ``document`` is the entry as written.
    """

    name: str
    version: str
    repository: str
    beside: str
    document: Mapping[str, Json]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What Chart.yaml says; ``document`` is all of it."""

    name: str
    version: str
    type: str
    dependencies: tuple[Dependency, ...]
    document: Mapping[str, Json]

    @property
    def file(self) -> str:
        """What a package of it is called."""
        return f"{self.name}-{self.version}.tgz"


def parse_chart(text: str, file: str, *, folder: str) -> Chart:
    """The chart that stands in the folder of this name.

    Raises:
        ManifestError, ErrorGroup: every mistake, by line: also a name that is not the folder's, and a dependency that
        is neither inside the chart nor beside it.
    """
    errors: list[BuildgraphError] = []
    document = parse_document(text, file)
    fields = _open(document, file, errors)
    fields.choice("apiVersion", (API_VERSION,))
    name = fields.text("name", form=CHART)
    if fields.is_sound("name") and name != folder:
        fields.fail(f"{name} stands in the folder {folder}", "name", "call both the same")
    chart = Chart(
        name=name,
        version=fields.text("version", form=CHART_VERSION),
        type=fields.choice("type", _TYPES, _TYPES[0]),
        dependencies=tuple(_read_dependency(entry) for entry in fields.sequence("dependencies")),
        document=_to_object(document),
    )
    fields.text("appVersion", "")
    fields.mapping("annotations")
    raise_all(sort_errors(errors))
    return chart


def _open(document: YamlMapping, file: str, errors: list[BuildgraphError]) -> Fields:
    return Fields(document, file, "", errors, lambda text, _location: text)


def _read_dependency(entry: Fields) -> Dependency:
    name = entry.text("name", form=CHART)
    repository = entry.text("repository", "")
    beside = repository.removeprefix(_BESIDE) if repository.startswith(_BESIDE) else ""
    if repository and beside != name and entry.is_sound("name"):
        hint = f"write {_BESIDE}{name or 'NAME'}, or nothing for a chart inside this one"
        entry.fail(f"{repository} is not the folder beside this one that is called {name}", "repository", hint)
    document: dict[str, Json] = {"name": name, "version": entry.text("version", form=CHART_VERSION)}
    document["repository"] = repository
    document["condition"] = entry.text("condition", "")
    document["tags"] = [*entry.texts("tags")]
    document["alias"] = entry.text("alias", "", form=_WORD)
    entry.finish()
    return Dependency(
        name=name,
        version=str(document["version"]),
        repository=repository,
        beside=beside,
        document=document,
        location=entry.location(),
    )


def _to_json(value: YamlValue) -> Json:
    """A value as Helm reads it, but that what is no whole number or boolean stays as it is written."""
    if isinstance(value, YamlMapping):
        return _to_object(value)
    if isinstance(value, YamlSequence):
        return [_to_json(item) for item in value.items]
    assert isinstance(value, YamlScalar)
    if value.tag == "bool":
        return value.text.lower() in {"true", "yes", "on"}
    if value.tag == "null":
        return None
    return int(value.text) if value.tag == "int" and re.fullmatch(r"[1-9][0-9]{0,17}|0", value.text) else value.text


def _to_object(mapping: YamlMapping) -> dict[str, Json]:
    return {key.text: _to_json(item) for key, item in mapping.items}


def format_time(epoch: int) -> str:
    """The time as RFC 3339 writes it."""
    return datetime.fromtimestamp(epoch, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_lock(chart: Chart, *, epoch: int) -> str:
    """The Chart.lock that Helm would write, with the project's time for its own."""
    lines = ["dependencies:" if chart.dependencies else "dependencies: []"]
    for one in chart.dependencies:
        lines += [f"- name: {one.name}", f'  repository: "{one.repository}"', f'  version: "{one.version}"']
    lines += [f"digest: {_digest(chart.dependencies)}", f'generated: "{format_time(epoch)}"']
    return "\n".join(lines) + "\n"


def check_lock(text: str | None, chart: Chart, file: str) -> None:
    """Refuse (``UsageError``) a Chart.lock that is missing or says something else than Chart.yaml.

    When it was written does not matter.
    """
    hint = f"run: buildgraph charts vendor {chart.name}"
    if text is None:
        if chart.dependencies:
            raise UsageError("the file is missing, and the chart has dependencies", where=file, hint=hint)
        return
    known = _to_object(parse_document(text, file))
    wanted = {"dependencies": [_lock(one) for one in chart.dependencies], "digest": _digest(chart.dependencies)}
    if {key: value for key, value in known.items() if key != "generated"} != wanted:
        raise ManifestError(f"it does not say what {CHART_FILE} says", where=file, hint=hint)


def _lock(dependency: Dependency) -> Mapping[str, Json]:
    return {"name": dependency.name, "repository": dependency.repository, "version": dependency.version}


def _digest(dependencies: Sequence[Dependency]) -> str:
    """What Helm calls the digest of a lock: of the dependencies as wanted and as locked, in the form of Go's JSON."""
    wanted = [_as_go(one.document) for one in dependencies]
    locked = [_as_go(_lock(one)) for one in dependencies]
    text = json.dumps([wanted, locked], separators=(",", ":"), ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _as_go(document: Mapping[str, Json]) -> dict[str, Json]:
    """The keys of Helm's structure in its order; what is empty is left out, but for the repository."""
    order = ("name", "version", "repository", "condition", "tags", "alias")
    return {key: document[key] for key in order if key == "repository" or document.get(key)}
