"""Installed Python distributions, from the metadata beside them."""

from __future__ import annotations

import re
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from buildgraph.bill.sources import make_pypi_purl
from buildgraph.bill.spdx import to_spdx
from buildgraph.bill.values import Component

if TYPE_CHECKING:
    from collections.abc import Iterable

_LICENCE_FILE = re.compile(r"(?:licenses/(?:.*/)?)?[^/]*(?:licen[cs]e|copying)[^/]*", re.IGNORECASE)
_SHORT = 60  # a longer License field is the text itself


def describe_distribution(folder: str, metadata: str) -> Component | None:
    """The distribution of a ``.dist-info`` folder; None when its metadata names none."""
    fields = HeaderParser().parsestr(metadata)
    name, version = fields.get("Name", "").strip(), fields.get("Version", "").strip()
    if not name or not version:
        return None
    said = fields.get("License-Expression") or fields.get("License") or ""
    short = said.strip() if len(said) <= _SHORT and "\n" not in said.strip() else ""
    return Component(
        name=name,
        version=version,
        purl=make_pypi_purl(name, version),
        licences=(to_spdx(short),) if short not in {"", "UNKNOWN"} else (),
        path=f"/{folder}",
    )


def find_text(folder: str, paths: Iterable[str]) -> str:
    """The first licence file of a ``.dist-info`` folder, of the paths in the layer."""
    prefix = f"{folder}/"
    found = (path for path in paths if path.startswith(prefix) and _LICENCE_FILE.fullmatch(path.removeprefix(prefix)))
    first = min(found, default="")
    return f"/{first}" if first else ""
