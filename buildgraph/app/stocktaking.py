"""What a store holds, read without changing it: for ``verify``, which judges it, and ``gc``, which clears it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.adapters import layout
from buildgraph.adapters.disk import unseal
from buildgraph.adapters.inventory import Opener, StoreFile, list_files, open_plain
from buildgraph.app.planning import DURATIONS
from buildgraph.audit import Finding, Kind, Remedy
from buildgraph.keep import Holdings, list_manifests, parse_diff_ids, parse_holdings, parse_manifest
from buildgraph.record import CONTENTS, LATEST, LOADED, RECORDS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from buildgraph.keep import Manifest

DOCUMENTS = (RECORDS, VERDICTS, CONTENTS, LATEST, LOADED, DURATIONS)
"""The folders of sealed documents."""
BLOBS = "blobs/sha256"
_SUFFIX = ".json"
_LARGEST = 4 << 20
"""Bytes of the largest image manifest or config that is read whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """``findings`` are of documents that could not be read; ``diff_ids`` what the configs of images name."""

    files: tuple[StoreFile, ...]
    holdings: Holdings
    diff_ids: Mapping[str, tuple[str, ...]]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Shelf:
    """Reads files of a store; what cannot be read becomes a finding, what vanished meanwhile is nothing."""

    root: Path
    opener: Opener = open_plain
    findings: list[Finding] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        """The bytes, or None."""
        try:
            with self.opener(self.root / path) as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.add(Kind.UNREADABLE, path, os.strerror(error.errno or 0), Remedy.QUARANTINE)
            return None

    def read_sealed(self, path: str, remedy: Remedy = Remedy.QUARANTINE) -> str | None:
        """The text of a document whose seal holds, or None."""
        sealed = self.read(path)
        data = unseal(sealed) if sealed is not None else None
        if sealed is not None and data is None:
            self.add(Kind.CORRUPT, path, "its seal does not fit what it holds", remedy)
        return data.decode(errors="replace") if data is not None else None

    def add(self, kind: Kind, path: str, what: str, remedy: Remedy, size: int = 0) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind=kind, path=path, what=what, remedy=remedy, size=size))


def take_stock(root: Path, *, opener: Opener = open_plain) -> Stock:
    """List and read the store at ``root``; blobs are not hashed."""
    shelf = Shelf(root, opener)
    files, refused = list_files(root)
    for path, reason in refused:
        shelf.add(Kind.UNREADABLE, path, reason, Remedy.NONE)
    texts: dict[str, dict[str, str]] = {folder: {} for folder in DOCUMENTS}
    for file in files:
        folder, _, name = file.path.partition("/")
        if folder in texts and file.is_regular and name.endswith(_SUFFIX) and "/" not in name:
            text = shelf.read_sealed(file.path)
            if text is not None:
                texts[folder][name.removesuffix(_SUFFIX)] = text
    _check_durations(shelf, texts.pop(DURATIONS))
    published = _read_published(shelf)
    sizes = {file.path: file.size for file in files if file.is_regular}
    manifests = _read_manifests(shelf, sizes, list_manifests(parse_holdings(texts, published)))
    holdings = parse_holdings(texts, published, manifests)
    configs = _read_blobs(shelf, sizes, (manifest.config for manifest in manifests.values()))
    parsed = {digest: parse_diff_ids(data) for digest, data in configs.items()}
    diff_ids = {digest: found for digest, found in parsed.items() if found is not None}
    return Stock(files=files, holdings=holdings, diff_ids=diff_ids, findings=tuple(shelf.findings))


def _check_durations(shelf: Shelf, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        try:
            is_table = isinstance(json.loads(text), dict)
        except ValueError:
            is_table = False
        if not is_table:
            shelf.add(Kind.CORRUPT, f"{DURATIONS}/{name}{_SUFFIX}", "it is no table of durations", Remedy.QUARANTINE)


def _read_published(shelf: Shelf) -> dict[str, str]:
    """Name → digest as ``index.json`` says; whether that document is whole is for ``verify`` to say."""
    data = Shelf(shelf.root, shelf.opener).read(layout.INDEX_FILE)
    entries = layout.read_index(data) if data is not None else None
    return {layout.name_of(entry): str(entry.get("digest")) for entry in entries or () if layout.name_of(entry)}


def _read_manifests(shelf: Shelf, sizes: Mapping[str, int], digests: Iterable[str]) -> dict[str, Manifest]:
    parsed = {digest: parse_manifest(data) for digest, data in _read_blobs(shelf, sizes, digests).items()}
    return {digest: manifest for digest, manifest in parsed.items() if manifest is not None}


def _read_blobs(shelf: Shelf, sizes: Mapping[str, int], digests: Iterable[str]) -> dict[str, bytes]:
    """The small blobs among the digests that are there and hold what their names say."""
    # The blobs are all read again to be hashed: what is wrong with one is found there.
    quiet = Shelf(shelf.root, shelf.opener)
    found: dict[str, bytes] = {}
    for digest in sorted(set(digests)):
        name = digest.removeprefix("sha256:")
        data = quiet.read(f"{BLOBS}/{name}") if sizes.get(f"{BLOBS}/{name}", _LARGEST) < _LARGEST else None
        if data is not None and hashlib.sha256(data).hexdigest() == name:
            found[digest] = data
    return found
