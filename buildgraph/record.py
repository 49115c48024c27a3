"""Records and verdicts ⇄ JSON. A record of another format is a miss, never a crash."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.model import LayerBlob, Skip, Verdict

if TYPE_CHECKING:
    from buildgraph.key import Document

FORMAT = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{64}")
_ENGINE = re.compile(r"[0-9A-Za-z][0-9A-Za-z:._-]{0,127}")
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

# Folders of the store, by what names their documents.
RECORDS = "records"  # a key
VERDICTS = "verdicts"  # a test key
CONTENTS = "contents"  # a second-level key; holds the key of a record
LATEST = "latest"  # a node; holds the key of its newest record
LOADED = "loaded"  # a reference, by name_load; holds what an engine was last given under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a node's key led to. ``size`` is what a registry would store, in bytes; ``seconds`` what it took.

    ``layer`` is the blob of a layer, None for an image; ``config_digest`` is the image's. ``document`` is the key
    document without its values (``key.hide_values``), kept so that a later key can be explained.
    """

    node: str
    key: str
    content_key: str
    digest: str
    size: int
    seconds: float
    layer: LayerBlob | None = None
    config_digest: str = ""
    document: Document


def format_record(record: Record) -> str:
    """JSON text, sorted."""
    layer = record.layer
    body: dict[str, object] = {
        "record": FORMAT,
        "node": record.node,
        "key": record.key,
        "content_key": record.content_key,
        "digest": record.digest,
        "size": record.size,
        "seconds": round(record.seconds, 3),
        "document": record.document,
    }
    if layer is not None:
        body["layer"] = {"diff_id": layer.diff_id, "media_type": layer.media_type, "unpacked": layer.unpacked}
    else:
        body["config_digest"] = record.config_digest
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def parse_record(text: str) -> Record | None:
    """The record, or None when the text is no record of this format."""
    try:
        body = json.loads(text)
        if body["record"] != FORMAT:
            return None
        layer = body.get("layer")
        return Record(
            node=_text(body["node"]),
            key=_text(body["key"]),
            content_key=_text(body["content_key"]),
            digest=_digest(body["digest"]),
            size=int(body["size"]),
            seconds=float(body["seconds"]),
            layer=_parse_blob(body, layer) if layer else None,
            config_digest="" if layer else _digest(body["config_digest"]),
            document=dict(body["document"]),
        )
    except _MALFORMED:
        return None


def parse_key(text: str | None) -> str | None:
    """The key that a document of ``CONTENTS`` or ``LATEST`` holds; None for anything else."""
    key = (text or "").strip()
    return key if _KEY.fullmatch(key) else None


def name_load(reference: str) -> str:
    """The name of a reference's document in ``LOADED``: a reference has characters that no file name may have."""
    return hashlib.sha256(reference.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Load:
    """An image that an engine was given. ``digest`` is its manifest's; ``engine`` the engine's ID, "" if not known."""

    digest: str
    engine: str = ""


def format_load(load: Load) -> str:
    """One line. An ID that is none (an engine of another make may send anything) is left out."""
    return f"{load.digest} {load.engine}\n" if _ENGINE.fullmatch(load.engine) else f"{load.digest}\n"


def parse_load(text: str | None) -> Load | None:
    """What a document of ``LOADED`` holds; None for anything else."""
    digest, _, engine = (text or "").strip().partition(" ")
    if not _DIGEST.fullmatch(digest) or (engine and not _ENGINE.fullmatch(engine)):
        return None
    return Load(digest, engine)


def format_verdict(verdict: Verdict, document: Document | None = None) -> str:
    """JSON text, sorted. ``document``: what the test key was made of, without values, to explain a later one."""
    body: dict[str, object] = {
        "verdict": FORMAT,
        "node": verdict.node,
        "test_key": verdict.test_key,
        "image": verdict.image,
        "passed": verdict.passed,
        "skipped": [{"test": skip.test, "reason": skip.reason} for skip in verdict.skipped],
        "seconds": round(verdict.seconds, 3),
    }
    if document is not None:
        body["document"] = document
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def parse_verdict(text: str) -> Verdict | None:
    """The verdict, or None when the text is no verdict of this format or no pass."""
    try:
        body = json.loads(text)
        if body["verdict"] != FORMAT or int(body["passed"]) < 1:
            return None
        return Verdict(
            node=_text(body["node"]),
            test_key=_text(body["test_key"]),
            image=_text(body["image"]),
            passed=int(body["passed"]),
            skipped=tuple(Skip(test=_text(s["test"]), reason=_text(s["reason"])) for s in body["skipped"]),
            seconds=float(body["seconds"]),
        )
    except _MALFORMED:
        return None


def parse_test_document(text: str) -> Document | None:
    """The document that was kept beside a verdict, or None when there is none."""
    try:
        return dict(json.loads(text)["document"])
    except _MALFORMED:
        return None


def _parse_blob(body: dict[str, object], layer: dict[str, object]) -> LayerBlob:
    return LayerBlob(
        digest=_digest(body["digest"]),
        diff_id=_digest(layer["diff_id"]),
        media_type=_text(layer["media_type"]),
        size=int(str(body["size"])),
        unpacked=int(str(layer["unpacked"])),
    )


def _digest(value: object) -> str:
    digest = _text(value)
    if not _DIGEST.fullmatch(digest):
        raise ValueError(digest)
    return digest


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
