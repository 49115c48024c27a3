"""The documents that make a directory a store and an OCI layout: ``store.json``, ``oci-layout``, ``index.json``."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeAlias

from buildgraph.adapters.disk import seal, unseal
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
"""Of the store; a program refuses any other."""
STORE_FILE = "store.json"
LAYOUT_FILE = "oci-layout"
INDEX_FILE = "index.json"
LAYOUT_TEXT = b'{"imageLayoutVersion": "1.0.0"}'
REF_NAME = "org.opencontainers.image.ref.name"
CHECKSUM = "buildgraph.manifests.sha256"
"""The annotation of ``index.json`` that tells a damaged one: it must stay JSON and cannot end in a seal."""

IndexEntry: TypeAlias = "dict[str, object]"


def format_text() -> bytes:
    """``store.json`` of this program."""
    return seal(json.dumps({"store": FORMAT}).encode())


def read_format(text: bytes) -> int | None:
    """The format that ``store.json`` names; None when it is damaged. Early programs did not seal it."""
    try:
        document = json.loads(unseal(text) or text)
    except ValueError:
        return None
    found = document.get("store") if isinstance(document, dict) else None
    return found if isinstance(found, int) else None


def check_format(found: int | None, root: Path) -> None:
    """Refuse a store of another program; one that does not say what it is (None) is not refused."""
    if found not in {None, FORMAT}:
        raise EnvironmentFault(
            f"the store has format {found}, this program reads {FORMAT}",
            where=str(root),
            hint="use the program that made it, or another store",
        )


def index_text(entries: list[IndexEntry]) -> bytes:
    """``index.json`` with these manifests, sorted by name."""
    ordered = sorted(entries, key=lambda entry: (name_of(entry), str(entry.get("digest"))))
    checksum = hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": ordered,
        "annotations": {CHECKSUM: checksum},
    }
    return json.dumps(document, indent=1).encode()


def read_index(text: bytes) -> list[IndexEntry] | None:
    """The manifests of ``index.json``, or None when it is not as ``index_text`` wrote it."""
    try:
        entries = [dict(entry) for entry in json.loads(text)["manifests"]]
    except (ValueError, KeyError, TypeError):
        return None
    return entries if index_text(entries) == text else None


def name_of(entry: IndexEntry) -> str:
    """The name that an entry was published under, or nothing."""
    annotations = entry.get("annotations")
    return str(annotations.get(REF_NAME, "")) if isinstance(annotations, dict) else ""


def without(entries: list[IndexEntry], name: str) -> list[IndexEntry]:
    """The entries but that of one name."""
    return [entry for entry in entries if name_of(entry) != name]
