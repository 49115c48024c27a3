"""What a store holds, and what of it is still needed: by the catalogue, the ledger, the newest records, the index."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.record import (
    CONTENTS,
    LATEST,
    LOADED,
    RECORDS,
    VERDICTS,
    parse_key,
    parse_load,
    parse_record,
    parse_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from buildgraph.model import Verdict
    from buildgraph.record import Load, Record

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an image manifest names: its config, and the digest and size in bytes of each layer."""

    config: str
    layers: tuple[tuple[str, int], ...]

    @property
    def blobs(self) -> frozenset[str]:
        """The digests of config and layers."""
        return frozenset({self.config, *(digest for digest, _ in self.layers)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The documents of a store, by their names. ``contents`` and ``latest`` hold the keys that they lead to.

    ``loaded`` holds what an engine was last given; ``published`` is what ``index.json`` names;
    ``manifests`` are the image manifests by digest. ``foreign`` documents, as (folder, name), are of another version
    of this program: the digests that they mention.
    """

    records: Mapping[str, Record] = field(default_factory=lambda: MappingProxyType({}))
    verdicts: Mapping[str, Verdict] = field(default_factory=lambda: MappingProxyType({}))
    contents: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    latest: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    loaded: Mapping[str, Load] = field(default_factory=lambda: MappingProxyType({}))
    published: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    manifests: Mapping[str, Manifest] = field(default_factory=lambda: MappingProxyType({}))
    foreign: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What is needed for its own sake: ``keys`` of nodes, ``digests`` of layers and images, test keys of verdicts."""

    keys: frozenset[str]
    digests: frozenset[str]
    test_keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What must stay: names of documents, and digests of blobs."""

    records: frozenset[str]
    verdicts: frozenset[str]
    contents: frozenset[str]
    latest: frozenset[str]
    loaded: frozenset[str]
    blobs: frozenset[str]


def parse_holdings(
    texts: Mapping[str, Mapping[str, str]],
    published: Mapping[str, str],
    manifests: Mapping[str, Manifest] = MappingProxyType({}),
) -> Holdings:
    """The documents of a store (folder → name → text). Which manifests to read ``list_manifests`` says."""
    parsers: dict[str, Callable[[str], object | None]] = {
        RECORDS: parse_record,
        VERDICTS: parse_verdict,
        CONTENTS: parse_key,
        LATEST: parse_key,
        LOADED: parse_load,
    }
    found: dict[str, dict[str, object]] = {folder: {} for folder in parsers}
    foreign: dict[tuple[str, str], frozenset[str]] = {}
    for folder, parse in parsers.items():
        for name, text in texts.get(folder, {}).items():
            value = parse(text)
            if value is None:
                foreign[folder, name] = frozenset(_DIGEST.findall(text))
            else:
                found[folder][name] = value
    return Holdings(published=published, manifests=manifests, foreign=foreign, **found)  # type: ignore[arg-type]


def list_manifests(holdings: Holdings) -> frozenset[str]:
    """The digests of all image manifests that the documents name."""
    images = {record.digest for record in holdings.records.values() if record.layer is None}
    tested = {verdict.image for verdict in holdings.verdicts.values()}
    return frozenset({*images, *tested, *holdings.published.values()})


def parse_manifest(data: bytes) -> Manifest | None:
    """What the manifest names, or None when this is none."""
    try:
        body = json.loads(data)
        layers = tuple((_digest(layer["digest"]), int(layer["size"])) for layer in body["layers"])
        return Manifest(config=_digest(body["config"]["digest"]), layers=layers)
    except _MALFORMED:
        return None


def parse_diff_ids(data: bytes) -> tuple[str, ...] | None:
    """The diff ids that an image's config names, lowest layer first; None when this is no config."""
    try:
        return tuple(_digest(diff_id) for diff_id in json.loads(data)["rootfs"]["diff_ids"])
    except _MALFORMED:
        return None


def find_live(holdings: Holdings, roots: Roots) -> Live:
    """What the roots, the newest record of each node, and the index need."""
    kept = holdings.records
    wanted = roots.digests | set(holdings.published.values())
    records = {key for key, record in kept.items() if key in roots.keys or record.digest in wanted}
    records |= kept.keys() & set(holdings.latest.values())
    records |= {key for image in list(records) for key in _layers_of(kept[image]) if key in kept}
    foreign = {digest for digests in holdings.foreign.values() for digest in digests}
    blobs = set(_with_parts(holdings, {*wanted, *foreign}))
    for key in records:
        blobs.update(_blobs_of(holdings, kept[key]))
    passed = holdings.verdicts.items()
    verdicts = {name for name, verdict in passed if _is_usable(holdings, verdict, name, roots, blobs)}
    blobs.update(_with_parts(holdings, {holdings.verdicts[name].image for name in verdicts}))
    known = records | {name for folder, name in holdings.foreign if folder == RECORDS}
    images = {kept[key].digest for key in records} | foreign
    return Live(
        records=frozenset(records),
        verdicts=frozenset(verdicts),
        contents=frozenset(name for name, key in holdings.contents.items() if key in known),
        latest=frozenset(name for name, key in holdings.latest.items() if key in known),
        # An engine may hold any image; only one that a build could find done again is worth remembering.
        loaded=frozenset(name for name, load in holdings.loaded.items() if load.digest in images),
        blobs=frozenset(blobs),
    )


def find_referenced(holdings: Holdings) -> frozenset[str]:
    """The digests of all blobs that any document names."""
    digests = {digest for found in holdings.foreign.values() for digest in found}
    digests.update(_with_parts(holdings, list_manifests(holdings)))
    for record in holdings.records.values():
        digests.update(_blobs_of(holdings, record))
    return frozenset(digests)


def _is_usable(holdings: Holdings, verdict: Verdict, name: str, roots: Roots, blobs: set[str]) -> bool:
    """True when the verdict may spare a test: of the catalogue as it is, or of an image whose layers all stay."""
    manifest = holdings.manifests.get(verdict.image)
    return (
        name in roots.test_keys
        or verdict.image in blobs
        or (manifest is not None and all(digest in blobs for digest, _ in manifest.layers))
    )


def _layers_of(record: Record) -> Iterator[str]:
    """The keys of an image's layers. A layer stands for itself: what it was built with is in it."""
    reads = record.document.get("reads") if record.layer is None else None
    for read in reads if isinstance(reads, list) else ():
        if isinstance(read, dict):
            yield str(read.get("key"))


def _blobs_of(holdings: Holdings, record: Record) -> Iterator[str]:
    if record.config_digest:
        yield record.config_digest
    yield from _with_parts(holdings, {record.digest})


def _with_parts(holdings: Holdings, digests: Iterable[str]) -> Iterator[str]:
    """The digests, and where one is an image's, those of its config and layers."""
    for digest in digests:
        yield digest
        manifest = holdings.manifests.get(digest)
        if manifest is not None:
            yield from manifest.blobs


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError(value)
    return value
