"""Keys: one function makes them, canonical JSON → sha256. And their explanation: what moved between two documents.

Everything that can influence a node's content is in its key document; nothing else is. See docs/architecture.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from buildgraph.model import Image, Kind, Layer, Location, PythonSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from buildgraph.model import Catalogue, Lock, Node, Project

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Document: TypeAlias = "dict[str, Json]"
Tree: TypeAlias = "Mapping[str, str]"

FORMAT = 1
WRITER_FORMAT = 1
"""Format of the tar writer; ``adapters.tarwriter`` asserts that it writes this one."""
ROOTFS_FORMAT = 1
"""The recipe of a rootfs: mmdebstrap's own version does not show in its bytes."""
BYTECODE_FORMAT = 1
"""What ``adapters/bytecode.py`` writes, for python layers and for the steps of Dockerfiles."""
PYTHON_FORMAT = 1
"""The recipe of a python layer: schemes, scripts, byte code."""
ZSTANDARD = "0.25.0"
INSTALLER = "1.1.0"
PYTEST = "9.2.0"
TESTINFRA = "10.2.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKey:
    """A node's key and the document that it is the hash of."""

    key: str
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys by node. ``unlocked`` nodes have none: the sources that they (or what they read) lack, by node."""

    keys: Mapping[str, NodeKey]
    unlocked: Mapping[str, tuple[str, ...]]


def hash_document(document: Json) -> str:
    """sha256 of the canonical JSON: sorted keys, no white space, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def compute_keys(catalogue: Catalogue, lock: Lock, trees: Mapping[str, Tree], order: Iterable[str]) -> Keys:
    """The key of every node in ``order`` (parents first).

    ``trees`` maps the name of a folder below ``layers/`` to its files: path → what it is (see ``adapters.workspace``).
    """
    keys: dict[str, NodeKey] = {}
    unlocked: dict[str, tuple[str, ...]] = {}
    for name in order:
        node = catalogue.nodes[name]
        lacking = _find_lacking(node, lock, unlocked)
        if lacking:
            unlocked[name] = lacking
            continue
        document = _describe(node, catalogue, lock, trees, keys)
        keys[name] = NodeKey(key=hash_document(document), document=document)
    return Keys(keys=MappingProxyType(keys), unlocked=MappingProxyType(unlocked))


def compute_content_key(document: Document, digests: Mapping[str, str]) -> str:
    """The second-level key: the document with the digests of what the node reads in place of their keys."""
    reads = document["reads"]
    assert isinstance(reads, list)
    swapped: list[Json] = []
    for read in reads:
        assert isinstance(read, dict)
        swapped.append({**read, "key": None, "digest": digests[str(read["node"])]})
    return hash_document({**document, "reads": swapped, "level": 2})


def compute_test_key(
    image: str, *, tests: Tree, params: Mapping[str, str], capabilities: Iterable[str], fixtures: str
) -> str:
    """The key of a verdict.

    ``image`` is the manifest digest that the tests run on, ``tests`` the hashes of the test files by path,
    ``fixtures`` the hash of the fixtures that they use.
    """
    places: list[Json] = [*sorted(capabilities)]
    return hash_document(
        {
            "format": FORMAT,
            "image": image,
            "tests": dict(tests),
            "params": dict(params),
            "capabilities": places,
            "fixtures": fixtures,
            "pytest": PYTEST,
            "testinfra": TESTINFRA,
        }
    )


def hide_values(document: Document) -> Document:
    """The document as it may be kept: values that a person wrote, and may have meant as secrets, by their hashes.

    These are arguments, variables, labels and the texts of written files; their names stay.
    """
    hidden = _hide(document)
    assert isinstance(hidden, dict)
    return hidden


def explain_change(old: Document, new: Document) -> tuple[str, ...]:
    """What differs between two documents without values, root causes named: one line for each changed input."""
    return tuple(_differences(old, new))


def _find_lacking(node: Node, lock: Lock, unlocked: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    own = [
        f"{node.name}: {source.name}"
        for source in (node.sources if isinstance(node, Layer) else ())
        if (entry := lock.find(node.name, source.name)) is None or entry.request != source.request
    ]
    inherited = [item for name in node.reads for item in unlocked.get(name, ())]
    return tuple(dict.fromkeys([*own, *inherited]))


def _describe(
    node: Node, catalogue: Catalogue, lock: Lock, trees: Mapping[str, Tree], keys: Mapping[str, NodeKey]
) -> Document:
    project = catalogue.project
    reads: list[Json] = [_describe_read(catalogue.nodes[name], keys[name].key) for name in node.reads]
    common: Document = {"format": FORMAT, "platform": project.platform, "reads": reads}
    if isinstance(node, Image):
        # The reasons for overrides are prose; which paths are allowed decides whether there is an image at all.
        overrides: Document = dict.fromkeys(node.overrides, True)
        config = to_json(node.config)
        return {**common, "kind": "image", "epoch": project.epoch, "config": config, "overrides": overrides}
    return {**common, **_describe_layer(node, project, lock, trees.get(node.layer, {}))}


def _describe_layer(layer: Layer, project: Project, lock: Lock, tree: Tree) -> Document:
    sources: Document = {}
    for source in layer.sources:
        entry = lock.find(layer.name, source.name)
        assert entry is not None
        sources[source.name] = [f"{a.coordinate} {a.file} sha256:{a.sha256}" for a in entry.artifacts]
    return {
        "kind": layer.kind.value,
        "epoch": project.epoch,
        "spec": _describe_spec(layer),
        "files": dict(tree),
        "sources": sources,
        "compression": layer.compression.value,
        "parents": list(layer.parents),
        "tools": _describe_tools(layer.kind),
    }


def _describe_spec(layer: Layer) -> Json:
    spec = to_json(layer.spec)
    assert isinstance(spec, dict)
    # The base shapes what is locked, not how it is installed; the reason for the network is prose.
    if isinstance(layer.spec, PythonSpec):
        spec.pop("base")
    if layer.kind is Kind.DOCKERFILE:
        spec["network"] = bool(spec["network"])
    return spec


def _describe_tools(kind: Kind) -> Document:
    tools: Document = {"writer": WRITER_FORMAT, "zstandard": ZSTANDARD}
    if kind is Kind.ROOTFS:
        tools["rootfs"] = ROOTFS_FORMAT
    if kind is Kind.PYTHON:
        tools.update(python=PYTHON_FORMAT, installer=INSTALLER)
    if kind in {Kind.PYTHON, Kind.DOCKERFILE}:
        tools["bytecode"] = BYTECODE_FORMAT
    return tools


def _describe_read(node: Node, key: str) -> Document:
    assert isinstance(node, Layer)
    prepend: Document = {name: list(values) for name, values in node.prepend.items()}
    return {"node": node.name, "key": key, "env": dict(node.env), "prepend": prepend}


def to_json(value: object) -> Json:
    """A value of ``model`` as plain JSON, without the locations that tell where it was written."""
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    assert is_dataclass(value), type(value)
    items = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: to_json(item) for name, item in items.items() if not isinstance(item, Location)}


_TABLES = frozenset({"args", "env", "labels"})
_TEXTS = frozenset({"text"})


def _hide(value: Json) -> Json:
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _hide_item(key, item) for key, item in value.items()}


def _hide_item(key: str, value: Json) -> Json:
    if key in _TABLES and isinstance(value, dict):
        return {name: hash_document(item) for name, item in value.items()}
    return hash_document(value) if key in _TEXTS and value else _hide(value)


def _differences(old: Document, new: Document) -> Iterator[str]:
    for part in ("format", "kind", "platform", "epoch", "compression"):
        if old.get(part) != new.get(part):
            yield f"{part}: {old.get(part)} -> {new.get(part)}"
    yield from _changed("file", old.get("files"), new.get("files"))
    yield from _changed_sources(old.get("sources"), new.get("sources"))
    yield from _changed("tool", old.get("tools"), new.get("tools"), show=True)
    yield from _changed("config", old.get("config"), new.get("config"))
    yield from _changed("override", old.get("overrides"), new.get("overrides"))
    yield from _changed("manifest", old.get("spec"), new.get("spec"))
    if old.get("parents") != new.get("parents"):
        yield "parents changed"
    yield from _changed_reads(old.get("reads"), new.get("reads"))


def _changed(word: str, old: Json, new: Json, *, show: bool = False) -> Iterator[str]:
    before, after = (old if isinstance(old, dict) else {}), (new if isinstance(new, dict) else {})
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{word} {name} is new"
        elif name not in after:
            yield f"{word} {name} is gone"
        elif before[name] != after[name]:
            yield f"{word} {name}: {before[name]} -> {after[name]}" if show else f"{word} {name} changed"


def _changed_sources(old: Json, new: Json) -> Iterator[str]:
    before, after = (old if isinstance(old, dict) else {}), (new if isinstance(new, dict) else {})
    for name in sorted(before.keys() | after.keys()):
        was, now = set(_strings(before.get(name))), set(_strings(after.get(name)))
        gone, come = sorted(was - now), sorted(now - was)
        if gone or come:
            yield f"source {name}: {_brief(gone)} -> {_brief(come)}"


def _strings(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _brief(items: list[str]) -> str:
    names = [item.split(" ", 1)[0] for item in items]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004 - as many as fit a line
    return (", ".join(names[:3]) + more) or "nothing"


def _changed_reads(old: Json, new: Json) -> Iterator[str]:
    before, after = _reads(old), _reads(new)
    if list(before) != list(after) and set(before) == set(after):
        yield "the order of its layers changed"
    for name in dict.fromkeys([*after, *before]):
        if name not in before:
            yield f"layer {name} is new"
        elif name not in after:
            yield f"layer {name} is gone"
        elif before[name] != after[name]:
            yield f"layer {name} changed"


def _reads(value: Json) -> dict[str, Json]:
    items = value if isinstance(value, list) else []
    return {str(item["node"]): item for item in items if isinstance(item, dict)}
