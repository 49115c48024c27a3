"""The ledger: the committed record that values files are pinned from. Text ⇄ value, and its JSON Schema."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from buildgraph.errors import ManifestError, quote
from buildgraph.forms import DIGEST, NODE, SHA256, TAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = 1
MAX_BYTES = 1 << 24
_KEYS = {"key", "digest", "tags"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What a node was when it was pinned: its key, its manifest digest, its tags."""

    key: str
    digest: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Node name → entry."""

    entries: Mapping[str, LedgerEntry]


def parse_ledger(text: str, file: str) -> Ledger:
    """The ledger in ``text``; ``ManifestError`` at ``file:line`` when it is not one that this version writes."""
    if len(text) > MAX_BYTES:
        raise _bad_ledger(f"more than the limit of {MAX_BYTES} bytes", file)
    try:
        document = json.loads(text, object_pairs_hook=_unique_object)
    except json.JSONDecodeError as error:
        raise _bad_ledger(f"not JSON: {error.msg}", f"{file}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise _bad_ledger(str(error).partition(";")[0], file) from None
    if not isinstance(document, dict) or type(document.get("ledger")) is not int or document["ledger"] != FORMAT:
        raise _bad_ledger(f"not a ledger of format {FORMAT}", f"{file}:1")
    nodes = document.get("nodes")
    if set(document) != {"ledger", "nodes"} or not isinstance(nodes, dict):
        raise _bad_ledger("a ledger holds exactly 'ledger' and 'nodes'", f"{file}:1")
    return Ledger(entries={name: _parse_entry(name, nodes[name], text, file) for name in sorted(nodes)})


def format_ledger(ledger: Ledger) -> str:
    """The ledger as text: sorted, two spaces deep, with a final newline."""
    nodes = {
        name: {"key": entry.key, "digest": entry.digest, "tags": list(entry.tags)}
        for name, entry in ledger.entries.items()
    }
    return json.dumps({"ledger": FORMAT, "nodes": nodes}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def ledger_schema() -> dict[str, Any]:
    """Its JSON Schema, without the dialect."""
    entry = {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(_KEYS),
        "properties": {
            "key": SHA256.schema("The key that the node had."),
            "digest": DIGEST.schema("The digest of its manifest, or of its blob."),
            "tags": {"description": "An image's tags.", "type": "array", "items": TAG.schema()},
        },
    }
    return {
        "title": "ledger",
        "description": "What is pinned; written by buildgraph pin.",
        "type": "object",
        "additionalProperties": False,
        "required": ["ledger", "nodes"],
        "properties": {
            "ledger": {"description": "The format.", "type": "integer", "const": FORMAT},
            "nodes": {
                "description": "Node → what it was when it was pinned.",
                "type": "object",
                "propertyNames": NODE.schema(),
                "additionalProperties": entry,
            },
        },
    }


def _unique_object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"{quote(counts.most_common(1)[0][0])} is written more than once")
    return document


def _parse_entry(name: str, entry: object, text: str, file: str) -> LedgerEntry:
    where = f"{file}:{text.count(chr(10), 0, text.find(f'{json.dumps(name)}:')) + 1}"
    if not NODE.accepts(name):
        raise _bad_ledger(f"{quote(name)} is not {NODE.what}", where)
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise _bad_ledger(f"{name}: an entry holds exactly key, digest and tags", where)
    key, digest, tags = entry["key"], entry["digest"], entry["tags"]
    if not isinstance(key, str) or not SHA256.accepts(key):
        raise _bad_ledger(f"{name}: key is not {SHA256.what}", where)
    if not isinstance(digest, str) or not DIGEST.accepts(digest):
        raise _bad_ledger(f"{name}: digest is not {DIGEST.what}", where)
    if not isinstance(tags, list) or not all(isinstance(tag, str) and TAG.accepts(tag) for tag in tags):
        raise _bad_ledger(f"{name}: tags is not a list of tags", where)
    return LedgerEntry(key=key, digest=digest, tags=tuple(tags))


def _bad_ledger(what: str, where: str) -> ManifestError:
    return ManifestError(what, where=where, hint="restore the file from git, or write it again with: buildgraph pin")
