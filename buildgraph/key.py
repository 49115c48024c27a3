"""Keys: one function makes them, canonical JSON → sha256. ``explain`` says what moved between two documents.

Everything that can influence a node's content is in its key document; nothing else is. See docs/architecture.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from buildgraph.model import Image, Kind, Layer, Location, PythonSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
    return hashlib.sha256(_CANONICAL.encode(document).encode("utf-8", errors="surrogatepass")).hexdigest()


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


def describe_test(
    image: str,
    *,
    services: Mapping[str, str],
    tests: Tree,
    params: Mapping[str, str],
    capabilities: Iterable[str],
    fixtures: str,
) -> Document:
    """The document that a test key is the hash of.

    ``image`` is the manifest digest that the tests run on, ``services`` those of the images that they start beside it
    by node, ``tests`` the hashes of the test files by path, ``fixtures`` the hash of the fixtures that they use.
    """
    # Where there are none, the key is what it was without the word.
    beside: Document = {"services": dict(services)} if services else {}
    return {
        **beside,
        "format": FORMAT,
        "image": image,
        "tests": dict(tests),
        "params": dict(params),
        "capabilities": [*sorted(capabilities)],
        "fixtures": fixtures,
        "pytest": PYTEST,
        "testinfra": TESTINFRA,
    }


def hide_values(document: Document) -> Document:
    """The document as it may be kept: values that a person wrote, and may have meant as secrets, by their hashes.

    These are arguments, variables, labels, parameters of tests, the texts of written files and what follows the ``?``
    of an address; their names stay.
    """
    hidden = _hide(document)
    assert isinstance(hidden, dict)
    return hidden


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
    # Bases shape what is locked, not how it is installed; the reason for the network is prose.
    if isinstance(layer.spec, PythonSpec):
        del spec["bases"], spec["without"]
    if layer.kind is Kind.DOCKERFILE:
        spec["network"] = bool(spec["network"])
        secrets = spec.pop("secrets")
        if isinstance(secrets, dict) and secrets:  # where there are none, the key is what it was without the word
            spec["secrets"] = [*sorted(secrets)]
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
    # What ``fields()`` makes a tuple of, at each call: with thousands of nodes that is felt.
    items = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
    return {name: to_json(item) for name, item in items if not isinstance(item, Location)}


_TABLES = frozenset({"args", "env", "labels", "params"})
_TEXTS = frozenset({"text"})
_QUERY = re.compile(r"\?\S+")


def _hide(value: Json) -> Json:
    if isinstance(value, str):
        return _QUERY.sub(lambda found: f"?{hash_document(found[0])}", value) if value.startswith("url:") else value
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _hide_item(key, item) for key, item in value.items()}


def _hide_item(key: str, value: Json) -> Json:
    if key in _TABLES and isinstance(value, dict):
        return {name: hash_document(item) for name, item in value.items()}
    return hash_document(value) if key in _TEXTS and value else _hide(value)
