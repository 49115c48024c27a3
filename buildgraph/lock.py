"""The lock: text ⇄ value, and what it lacks for a catalogue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from buildgraph.coordinate import Coordinate, Ecosystem, component_of, parse_coordinate
from buildgraph.errors import BuildgraphError, LockError, quote, raise_all
from buildgraph.forms import COORDINATE, FILE, LINE, NODE, SENTENCE, SHA256
from buildgraph.model import Artifact, Layer, Lock, LockEntry, LockGap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from buildgraph.model import Catalogue, Source

FORMAT = 1
MAX_BYTES = 1 << 25
MAX_SIZE = 1 << 50
_TEXTS = {"coordinate": COORDINATE, "file": FILE, "sha256": SHA256}
_OPTIONAL = {"licence": LINE, "path": LINE}
_RESTRICTED = "redistributable"  # written only where it is false
_RELOCK = "run: buildgraph lock"
NOT_FOUND = "not found in the configured repositories"
"""Why a source is known to be unlocked. The answers of servers are not kept: they name mirrors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """A source that the lock cannot serve: ``reason`` says whether it is missing or answers another request.

    ``is_known``: the lock says itself that nothing answers this request where it was made.
    """

    node: str
    source: Source
    reason: str
    is_known: bool = False


def parse_lock(text: str, file: str) -> Lock:
    """A lock from its text; fails closed on anything that this version would not write.

    Raises:
        LockError, ErrorGroup: malformed text, unknown format, weak or malformed hashes, bad sizes or names.
    """
    if len(text) > MAX_BYTES:
        raise LockError(f"more than the limit of {MAX_BYTES} bytes", where=file, hint=_RELOCK)
    try:
        document = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise LockError(f"not a lock: {str(error).partition(';')[0]}", where=file, hint=_RELOCK) from error
    if not isinstance(document, dict) or type(document.get("lock")) is not int or document["lock"] != FORMAT:
        raise LockError(f"not a lock of format {FORMAT}", where=file, hint=_RELOCK)
    nodes = document.get("nodes")
    if not isinstance(nodes, dict) or set(document) != {"lock", "nodes"}:
        raise LockError("the keys must be lock and nodes", where=file, hint=_RELOCK)
    errors: list[BuildgraphError] = []
    answers = {node: _parse_node(node, sources, file, errors) for node, sources in nodes.items()}
    raise_all(errors)
    return _make_lock(answers)


def format_lock(lock: Lock) -> str:
    """The one text of a lock: sorted, one artifact a line, so that diffs show just what moved."""
    lines = ["{", f' "lock": {FORMAT},', ' "nodes": {']
    nodes = sorted(_answers(lock).items())
    for node_index, (node, sources) in enumerate(nodes):
        lines.append(f"  {json.dumps(node)}: {{")
        for source_index, (source, answer) in enumerate(sorted(sources.items())):
            lines += _format_answer(source, answer)
            lines[-1] += "," if source_index + 1 < len(sources) else ""
        lines.append("  }" + ("," if node_index + 1 < len(nodes) else ""))
    lines.extend([" }", "}"])
    return "\n".join(lines) + "\n"


def _format_answer(source: str, answer: LockEntry | LockGap) -> list[str]:
    start = f'   {json.dumps(source)}: {{"request": {json.dumps(list(answer.request))}'
    if isinstance(answer, LockGap):
        return [f'{start}, "unlocked": {json.dumps(answer.reason)}}}']
    texts = [f"    {json.dumps(_artifact_document(artifact))}" for artifact in _sorted(answer.artifacts)]
    return [f'{start}, "artifacts": [', ",\n".join(texts), "   ]}"]


def lock_schema() -> dict[str, Any]:
    """Its JSON Schema, without the dialect."""
    texts = {key: form.schema() for key, form in (_TEXTS | _OPTIONAL).items()}
    size = {"description": "In bytes.", "type": "integer", "minimum": 1, "maximum": MAX_SIZE}
    restricted = {"description": "False where passing it on needs terms to be accepted.", "const": False}
    artifact = _describe_object({**texts, "size": size, _RESTRICTED: restricted}, [*_TEXTS, "size"])
    request = {"description": "What was asked for.", **_describe_list({"type": "string"})}
    artifacts = {"description": "The files that answer it.", **_describe_list(artifact)}
    reason = SENTENCE.schema("Why nothing answers it where the lock was made.")
    answer = {
        "oneOf": [
            _describe_object({"request": request, "artifacts": artifacts}),
            _describe_object({"request": request, "unlocked": reason}),
        ]
    }
    sources = {"type": "object", "minProperties": 1, "additionalProperties": answer}
    nodes = {
        "description": "Layer → source → what was found.",
        "type": "object",
        "propertyNames": NODE.schema(),
        "additionalProperties": sources,
    }
    version = {"description": "The format.", "type": "integer", "const": FORMAT}
    document = _describe_object({"lock": version, "nodes": nodes})
    return {"title": "lock", "description": "What every source is; written by buildgraph lock.", **document}


def _describe_object(properties: dict[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(required or properties),
        "properties": properties,
    }


def _describe_list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


def find_unlocked(lock: Lock, layers: Iterable[Layer]) -> Iterator[Unlocked]:
    """The sources of the layers that the lock does not answer."""
    for layer in layers:
        for source in layer.sources:
            entry = lock.find(layer.name, source.name)
            gap = lock.find_gap(layer.name, source.name)
            if gap is not None and gap.request == source.request:
                yield Unlocked(node=layer.name, source=source, reason=f"is {gap.reason}", is_known=True)
            elif entry is None and gap is None:
                yield Unlocked(node=layer.name, source=source, reason="is not in the lock")
            elif entry is None or entry.request != source.request:
                known = entry or gap
                asked = set(source.request) ^ set(known.request if known else ())
                reason = f"changed in the manifest since it was locked ({', '.join(sorted(asked)[:3])})"
                yield Unlocked(node=layer.name, source=source, reason=reason)


def find_extra(lock: Lock, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """(node, source) pairs in the lock that no manifest asks for."""
    for node, sources in _answers(lock).items():
        layer = catalogue.nodes.get(node)
        names = {source.name for source in layer.sources} if isinstance(layer, Layer) else set()
        yield from ((node, source) for source in sources if source not in names)


def with_entries(lock: Lock, answers: Mapping[tuple[str, str], LockEntry | LockGap], catalogue: Catalogue) -> Lock:
    """The lock with the (node, source) answers replaced, and without what no manifest asks for."""
    extra = set(find_extra(lock, catalogue))
    merged: dict[str, dict[str, LockEntry | LockGap]] = {}
    for node, sources in _answers(lock).items():
        for source, answer in sources.items():
            if (node, source) not in extra:
                merged.setdefault(node, {})[source] = answer
    for (node, source), answer in answers.items():
        merged.setdefault(node, {})[source] = answer
    return _make_lock(merged)


def _answers(lock: Lock) -> dict[str, dict[str, LockEntry | LockGap]]:
    """All that the lock says, by node and source."""
    merged: dict[str, dict[str, LockEntry | LockGap]] = {node: dict(found) for node, found in lock.entries.items()}
    for node, gaps in lock.gaps.items():
        merged.setdefault(node, {}).update(gaps)
    return merged


def _make_lock(answers: Mapping[str, Mapping[str, LockEntry | LockGap]]) -> Lock:
    entries: dict[str, Mapping[str, LockEntry]] = {}
    gaps: dict[str, Mapping[str, LockGap]] = {}
    for node, sources in answers.items():
        found = {source: answer for source, answer in sources.items() if isinstance(answer, LockEntry)}
        lacking = {source: answer for source, answer in sources.items() if isinstance(answer, LockGap)}
        entries |= {node: MappingProxyType(found)} if found else {}
        gaps |= {node: MappingProxyType(lacking)} if lacking else {}
    return Lock(entries=MappingProxyType(entries), gaps=MappingProxyType(gaps))


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def _parse_node(
    node: str, sources: object, file: str, errors: list[BuildgraphError]
) -> Mapping[str, LockEntry | LockGap]:
    if not NODE.accepts(node):
        errors.append(LockError(f"{quote(node)} is not {NODE.what}", where=file, hint=_RELOCK))
        return MappingProxyType({})
    entries: dict[str, LockEntry | LockGap] = {}
    for source, document in sources.items() if isinstance(sources, dict) else ():
        where = f"{file} ({node}.{source if NODE.accepts(source) else quote(source)})"
        try:
            entries[source] = _parse_entry(document)
        except ValueError as error:
            errors.append(LockError(str(error), where=where, hint=f"run: buildgraph lock --update {node}"))
    if not isinstance(sources, dict) or not sources:
        errors.append(LockError("a node without sources", where=f"{file} ({node})", hint=_RELOCK))
    return MappingProxyType(entries)


def _parse_entry(document: object) -> LockEntry | LockGap:
    keys = set(document) if isinstance(document, dict) else set()
    if not isinstance(document, dict) or keys not in ({"request", "artifacts"}, {"request", "unlocked"}):
        raise ValueError("an entry has request and artifacts, or request and unlocked")
    request = _parse_request(document["request"])
    if "unlocked" in document:
        return LockGap(request=request, reason=_parse_reason(document["unlocked"]))
    artifacts = document["artifacts"]
    if not isinstance(artifacts, list) or not artifacts:
        raise ValueError("artifacts is a list of at least one")
    entry = LockEntry(request=request, artifacts=tuple(_sorted(map(_parse_artifact, artifacts))))
    _check_answer(entry)
    return entry


def _parse_reason(reason: object) -> str:
    if not isinstance(reason, str) or not SENTENCE.accepts(reason) or not reason.isprintable():
        raise ValueError(f"unlocked is {SENTENCE.what}")
    return reason


def _parse_request(request: object) -> tuple[str, ...]:
    if not isinstance(request, list) or not all(isinstance(item, str) and item.isprintable() for item in request):
        raise ValueError("request is a list of strings")
    if not request:
        raise ValueError("request is a list of at least one")
    return tuple(sorted(request))


def _sorted(artifacts: Iterable[Artifact]) -> list[Artifact]:
    return sorted(artifacts, key=lambda artifact: artifact.coordinate)


def _check_answer(entry: LockEntry) -> None:
    """One coordinate is answered by one artifact of that name and version; what answers a set cannot be told here."""
    try:
        (asked,) = map(parse_coordinate, entry.request)
    except ValueError:
        return
    for artifact in entry.artifacts:
        given = parse_coordinate(artifact.coordinate)
        if len(entry.artifacts) > 1 or not _is_answer(asked, given):
            raise ValueError(f"{artifact.coordinate} does not answer {asked}")


def _is_answer(asked: Coordinate, given: Coordinate) -> bool:
    if _identity(asked) != _identity(given):
        return False
    if asked.is_exact:
        return given.version == asked.version
    return given.version.startswith(asked.version.removesuffix("*"))


def _identity(coordinate: Coordinate) -> tuple[str, str]:
    return component_of(coordinate), coordinate.classifier


def _parse_artifact(document: object) -> Artifact:
    least = {*_TEXTS, "size"}
    if not isinstance(document, dict) or not {*least, *_OPTIONAL, _RESTRICTED} >= set(document) >= least:
        optional = f"{', '.join(_OPTIONAL)} and {_RESTRICTED}"
        raise ValueError(f"an artifact has coordinate, file, sha256 and size, and may have {optional}")
    texts = {key: value for key, value in document.items() if key not in {"size", _RESTRICTED}}
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f"everything in an artifact but its size and {_RESTRICTED} is a string")
    if document.get(_RESTRICTED, False) is not False:
        raise ValueError(f"{_RESTRICTED} is false, or left out")
    _check_texts(texts)
    name, size = texts["coordinate"], document["size"]
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MAX_SIZE:
        raise ValueError(f"{name}: size is a positive number of bytes")
    coordinate = parse_coordinate(name)
    if not coordinate.is_exact:
        raise ValueError(f"{name}: not one exact version")
    if coordinate.ecosystem is Ecosystem.DEB and ".." in texts.get("path", ""):
        raise ValueError(f"{name}: {texts['path']!r} is not a place in an archive")
    return Artifact(
        coordinate=name,
        file=texts["file"],
        sha256=texts["sha256"],
        size=size,
        licence=texts.get("licence", ""),
        path=texts.get("path", ""),
        redistributable=_RESTRICTED not in document,
    )


def _check_texts(texts: Mapping[str, str]) -> None:
    for key, form in (_TEXTS | _OPTIONAL).items():
        if key in texts and not (form.accepts(texts[key]) and texts[key].isprintable()):
            place = "" if key == "coordinate" else f"{texts['coordinate']}: {key} "
            raise ValueError(f"{place}{quote(texts[key])} is not {form.what}")


def _artifact_document(artifact: Artifact) -> dict[str, str | int]:
    document: dict[str, str | int] = {
        "coordinate": artifact.coordinate,
        "file": artifact.file,
        "sha256": artifact.sha256,
        "size": artifact.size,
    }
    if artifact.licence:
        document["licence"] = artifact.licence
    if artifact.path:
        document["path"] = artifact.path
    if not artifact.redistributable:
        document[_RESTRICTED] = False
    return document
