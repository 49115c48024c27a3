"""JSON Schemas of the manifests, for editors. They come from the readers, which run once for each kind of document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.manifest.catalogue import read_foreign, read_licences, read_pins, read_project
from buildgraph.manifest.descriptions import DESCRIPTIONS
from buildgraph.manifest.images import read_images
from buildgraph.manifest.layers import read_layers
from buildgraph.manifest.recorder import Recorder
from buildgraph.manifest.support import read_support
from buildgraph.model import FileAction, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.manifest.recorder import Schema

_CASES = {"files": tuple(FileAction)}


def layer_schema() -> Schema:
    """Of a document of ``manifests/layers``: what all kinds share, and what each wants beside it."""
    kinds = {kind: _record(lambda fields: read_layers(lambda _params: fields, {}), kind=kind) for kind in Kind}
    return _finish("layer", _merge_kinds(kinds))


def image_schema() -> Schema:
    """Of a document of ``manifests/images``."""
    return _finish("image", _record(lambda fields: read_images(lambda _params: fields, {})))


def project_schema() -> Schema:
    """Of ``manifests/project.yaml``."""
    return _finish("project", _record(read_project))


def pins_schema() -> Schema:
    """Of ``manifests/pins.yaml``."""
    return _finish("pins", _record(read_pins))


def foreign_schema() -> Schema:
    """Of ``manifests/third-party-images.yaml``."""
    return _finish("third-party-images", _record(read_foreign))


def support_schema() -> Schema:
    """Of ``manifests/support.yaml``."""
    return _finish("support", _record(read_support))


def licences_schema() -> Schema:
    """Of ``manifests/licences.yaml``."""
    return _finish("licences", _record(read_licences))


def _record(read: Callable[[Recorder], object], **given: str) -> Schema:
    recorder = Recorder(given, _CASES)
    read(recorder)
    return recorder.schema()


def _merge_kinds(kinds: Mapping[Kind, Schema]) -> Schema:
    """One schema whose conditions say what only some kinds have or want."""
    properties = {kind: schema["properties"] for kind, schema in kinds.items()}
    wanted = {kind: set(schema["required"]) for kind, schema in kinds.items()}
    union = {key: value for each in properties.values() for key, value in each.items()}
    common = set.intersection(*wanted.values())
    conditions: list[Schema] = []
    for kind, known in properties.items():
        differing: Schema = {key: known.get(key, False) for key in union if known.get(key) != union[key]}
        then: Schema = {"required": sorted(wanted[kind] - common)} if wanted[kind] - common else {}
        if differing:
            then["properties"] = differing
        is_kind: Schema = {"properties": {"kind": {"const": kind.value}}, "required": ["kind"]}
        conditions.append({"if": is_kind, "then": then})
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": union,
        "required": sorted(common),
        "allOf": conditions,
    }


def _finish(name: str, schema: Schema) -> Schema:
    """With the dialect, a title and what each key is for."""
    texts = DESCRIPTIONS[name]
    return {"title": name, "description": texts[""], **_explain(schema, "", texts)}


def _explain(schema: Schema, path: str, texts: Mapping[str, str]) -> Schema:
    explained: Schema = {}
    for word, value in schema.items():
        if word == "properties":
            explained[word] = {
                key: _explain_key(each, f"{path}.{key}".lstrip("."), texts) for key, each in value.items()
            }
        elif word == "items":
            explained[word] = _explain(value, f"{path}[]", texts)
        elif word == "additionalProperties" and isinstance(value, dict):
            explained[word] = _explain(value, f"{path}.*".lstrip("."), texts)
        elif word == "oneOf":
            explained[word] = [_explain(each, path, texts) for each in value]
        else:
            explained[word] = value
    return explained


def _explain_key(schema: Schema | bool, path: str, texts: Mapping[str, str]) -> Schema | bool:
    return {"description": texts[path], **_explain(schema, path, texts)} if isinstance(schema, dict) else schema
