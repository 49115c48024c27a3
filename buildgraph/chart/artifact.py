"""A packaged chart as a registry keeps it: the manifest and config that ``helm push`` would send."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from buildgraph.chart.metadata import format_time
from buildgraph.model import MEDIA_CHART, MEDIA_CHART_CONFIG, MEDIA_MANIFEST, Composition, LayerBlob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.chart.metadata import Chart
    from buildgraph.key import Json

_PREFIX = "org.opencontainers.image."


def compose_chart(chart: Chart, package: bytes, *, epoch: int) -> Composition:
    """The artifact of a package. Its digest depends on the chart and the epoch alone."""
    config = _encode(chart.document)
    layer = LayerBlob(
        digest=_digest(package),
        diff_id=_digest(package),
        media_type=MEDIA_CHART,
        size=len(package),
        unpacked=len(package),
    )
    manifest = _encode(
        {
            "schemaVersion": 2,
            "mediaType": MEDIA_MANIFEST,
            "config": {"mediaType": MEDIA_CHART_CONFIG, "digest": _digest(config), "size": len(config)},
            "layers": [{"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}],
            "annotations": _annotate(chart, epoch),
        }
    )
    return Composition(
        digest=_digest(manifest),
        manifest=manifest,
        config_digest=_digest(config),
        config=config,
        layers=(layer,),
    )


def make_tag(version: str) -> str:
    """The tag that Helm looks for: no registry takes a plus."""
    return version.replace("+", "_")


def _annotate(chart: Chart, epoch: int) -> dict[str, Json]:
    """What Helm writes: the chart's own annotations, and what it knows of the chart; empty ones are left out."""
    own = chart.document.get("annotations")
    sources = chart.document.get("sources")
    annotations: dict[str, Json] = {
        "description": chart.document.get("description"),
        "url": chart.document.get("home"),
        "source": sources[0] if isinstance(sources, list) and sources else None,
        "authors": _name_authors(chart.document),
        "created": format_time(epoch),
    }
    known = {f"{_PREFIX}{key}": value for key, value in annotations.items() if value}
    names: dict[str, Json] = {f"{_PREFIX}title": chart.name, f"{_PREFIX}version": chart.version}
    return {**known, **(own if isinstance(own, dict) else {}), **names}


def _name_authors(document: Mapping[str, Json]) -> str:
    maintainers = document.get("maintainers")
    people = [one for one in maintainers if isinstance(one, dict)] if isinstance(maintainers, list) else []
    return ", ".join(f"{one.get('name', '')}" + (f" ({one['email']})" if one.get("email") else "") for one in people)


def _encode(document: Mapping[str, Json]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
