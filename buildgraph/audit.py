"""What is wrong with a store: documents compared with each other and with the blobs that were read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.keep import find_referenced
from buildgraph.record import CONTENTS, LATEST, LOADED, RECORDS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.keep import Holdings, Manifest
    from buildgraph.record import Record


class Kind(StrEnum):
    """Classes of findings. Orphans cost space; the others are something wrong."""

    CORRUPT = "corrupt"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    ORPHAN = "orphan"


class Remedy(StrEnum):
    """What a repair does about a finding."""

    QUARANTINE = "put aside"
    REMOVE = "removed"
    INDEX = "made anew from its blob"
    LAYOUT = "written anew"
    RUN = "put aside; the run's checksums are written anew"
    COLLECT = "left; buildgraph gc removes it"
    NONE = "left as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing at ``path``, relative to the store. ``size``: the bytes of an orphan."""

    kind: Kind
    path: str
    what: str
    remedy: Remedy
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFact:
    """A blob that holds what its name says: its size, and of a layer the uncompressed tar's digest and size.

    ``diff_id`` is empty where nothing says that the blob is a layer, and ``fault`` tells why it could not be unpacked.
    """

    size: int
    diff_id: str = ""
    unpacked: int = 0
    fault: str = ""


def check_documents(
    holdings: Holdings, blobs: Mapping[str, BlobFact], diff_ids: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """Everything that documents say and that is not so.

    ``blobs`` are those that are there and whole; ``diff_ids`` what the configs among them name.
    """
    for key, record in sorted(holdings.records.items()):
        yield from _check_record(key, record, holdings, blobs, diff_ids)
    for name, verdict in sorted(holdings.verdicts.items()):
        if verdict.test_key != name:
            yield _wrong(VERDICTS, name, "it is the verdict of another test key")
    yield from _check_pointers(holdings)
    yield from _check_loaded(holdings)
    for (folder, name), _ in sorted(holdings.foreign.items()):
        what = "of another version of this program, or none of its documents; it is not used"
        yield Finding(kind=Kind.ORPHAN, path=path_of(folder, name), what=what, remedy=Remedy.NONE)


def find_lost_names(holdings: Holdings, blobs: Mapping[str, BlobFact]) -> tuple[str, ...]:
    """The names in the index whose image is not there, sorted."""
    return tuple(name for name, digest in sorted(holdings.published.items()) if not _is_whole(digest, holdings, blobs))


def find_names(holdings: Holdings, blobs: Mapping[str, BlobFact]) -> dict[str, str]:
    """What the index should name: image → manifest digest, of those that are there and whole."""
    newest = {
        node: holdings.records[key].digest
        for node, key in holdings.latest.items()
        if key in holdings.records and holdings.records[key].layer is None
    }
    names = {**newest, **holdings.published}
    return {name: digest for name, digest in sorted(names.items()) if _is_whole(digest, holdings, blobs)}


def list_orphans(holdings: Holdings, blobs: Mapping[str, BlobFact]) -> tuple[str, ...]:
    """The digests of whole blobs that no document names, sorted."""
    return tuple(sorted(blobs.keys() - find_referenced(holdings)))


def path_of(folder: str, name: str) -> str:
    """Where a document lies in the store."""
    return f"{folder}/{name}.json"


def _check_record(
    key: str,
    record: Record,
    holdings: Holdings,
    blobs: Mapping[str, BlobFact],
    diff_ids: Mapping[str, tuple[str, ...]],
) -> Iterator[Finding]:
    if record.key != key:
        yield _wrong(RECORDS, key, f"it is the record of another key, {record.key}")
        return
    lacking = [digest for digest in (record.digest, record.config_digest) if digest and digest not in blobs]
    if lacking:
        yield _lost(RECORDS, key, f"{record.node} was built, but {', '.join(lacking)} is not in the store")
    elif record.layer is not None:
        yield from _check_layer(key, record, blobs[record.digest])
    else:
        yield from _check_image(key, record, holdings.manifests.get(record.digest), blobs, diff_ids)


def _check_layer(key: str, record: Record, blob: BlobFact) -> Iterator[Finding]:
    layer = record.layer
    assert layer is not None
    said = {"size": layer.size, "diff_id": layer.diff_id, "unpacked": layer.unpacked}
    for name, value in said.items():
        found = getattr(blob, name)
        if found != value:
            held = blob.fault or f"it is {found}"
            yield _wrong(RECORDS, key, f"it says that the {name} of {record.node} is {value}, but {held}")
            return


def _check_image(
    key: str,
    record: Record,
    manifest: Manifest | None,
    blobs: Mapping[str, BlobFact],
    diff_ids: Mapping[str, tuple[str, ...]],
) -> Iterator[Finding]:
    if manifest is None or manifest.config != record.config_digest:
        yield _wrong(RECORDS, key, f"the manifest of {record.node} does not name the config that the record names")
        return
    lacking = [digest for digest, _ in manifest.layers if digest not in blobs]
    if lacking:
        yield _lost(RECORDS, key, f"{record.node} was composed, but {', '.join(lacking)} is not in the store")
        return
    named = diff_ids.get(record.config_digest, ())
    held = [blobs[digest].diff_id for digest, _ in manifest.layers]
    # A layer that no record describes was not unpacked: there is nothing to compare with.
    same = len(named) == len(held) and all(not found or found == name for found, name in zip(held, named, strict=True))
    sizes = all(blobs[digest].size == size for digest, size in manifest.layers)
    if not same or not sizes or record.size != sum(size for _, size in manifest.layers):
        yield _wrong(RECORDS, key, f"config, manifest and layers of {record.node} do not belong together")


def _check_pointers(holdings: Holdings) -> Iterator[Finding]:
    foreign = {name for folder, name in holdings.foreign if folder == RECORDS}
    for name, key in sorted(holdings.contents.items()):
        record = holdings.records.get(key)
        if record is None and key not in foreign:
            # It is written before the record: a run that was killed leaves one behind, and nobody is misled by it.
            yield replace(_lost(CONTENTS, name, f"it leads to the record {key}, which is not there"), kind=Kind.ORPHAN)
        elif record is not None and record.content_key != name:
            yield _wrong(CONTENTS, name, f"it leads to a record of {record.node} with other content")
    for name, key in sorted(holdings.latest.items()):
        record = holdings.records.get(key)
        if record is None and key not in foreign:
            yield _lost(LATEST, name, f"it leads to the record {key}, which is not there")
        elif record is not None and record.node != name:
            yield _wrong(LATEST, name, f"it leads to a record of {record.node}")


def _check_loaded(holdings: Holdings) -> Iterator[Finding]:
    """What an engine was given may be gone here: that is nothing wrong, and nobody is misled by it."""
    known = {record.digest for record in holdings.records.values()}
    known.update(digest for digests in holdings.foreign.values() for digest in digests)
    for name, load in sorted(holdings.loaded.items()):
        if load.digest not in known:
            what = f"it names {load.digest}, of which there is no record"
            yield Finding(kind=Kind.ORPHAN, path=path_of(LOADED, name), what=what, remedy=Remedy.COLLECT)


def _is_whole(digest: str, holdings: Holdings, blobs: Mapping[str, BlobFact]) -> bool:
    manifest = holdings.manifests.get(digest)
    return digest in blobs and manifest is not None and manifest.blobs <= blobs.keys()


def _wrong(folder: str, name: str, what: str) -> Finding:
    return Finding(kind=Kind.CORRUPT, path=path_of(folder, name), what=what, remedy=Remedy.QUARANTINE)


def _lost(folder: str, name: str, what: str) -> Finding:
    return Finding(kind=Kind.MISSING, path=path_of(folder, name), what=what, remedy=Remedy.REMOVE)
