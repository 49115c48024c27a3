"""JSON Schemas of the project's files, each made by the code that reads such a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from buildgraph.adapters.disk import write_file
from buildgraph.errors import EnvironmentFault
from buildgraph.ledger import ledger_schema
from buildgraph.lock import lock_schema
from buildgraph.manifest.schema import (
    foreign_schema,
    image_schema,
    layer_schema,
    licences_schema,
    pins_schema,
    project_schema,
    support_schema,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MAKERS = {
    "layer": layer_schema,
    "image": image_schema,
    "project": project_schema,
    "pins": pins_schema,
    "third-party-images": foreign_schema,
    "support": support_schema,
    "licences": licences_schema,
    "ledger": ledger_schema,
    "lock": lock_schema,
}


def make_schemas() -> Mapping[str, dict[str, Any]]:
    """Kind of file → its schema."""
    return {name: {"$schema": DIALECT, **make()} for name, make in _MAKERS.items()}


def format_schemas(schemas: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """File name → text."""
    return {f"{name}.json": f"{json.dumps(each, indent=2, ensure_ascii=False)}\n" for name, each in schemas.items()}


def write_schemas(schemas: Mapping[str, dict[str, Any]], folder: Path) -> tuple[Path, ...]:
    """One file for each; the paths written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot make the folder: {error.strerror}", where=str(folder)) from error
    texts = {folder / file: text for file, text in format_schemas(schemas).items()}
    for path, text in texts.items():
        write_file(path, text.encode(), aside=folder)
    return tuple(texts)
