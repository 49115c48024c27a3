"""How big a release is where Helm keeps it: JSON, gzip, base64, in one Secret, which may hold 1 MiB."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.charts.gates.objects import Document

MOST_BYTES = 1 << 20


def measure_release(manifest: str, metadata: Document, files: Mapping[str, bytes], values: Document) -> int:
    """Bytes of the Secret's data for a rendered chart; ``files`` are those of the chart by their paths."""
    document = {
        "name": "demo",
        "info": {"status": "deployed", "notes": ""},
        "chart": {
            "metadata": dict(metadata),
            "values": dict(values),
            "files": [{"name": name, "data": base64.b64encode(data).decode()} for name, data in files.items()],
        },
        "config": dict(values),
        "manifest": manifest,
    }
    packed = gzip.compress(json.dumps(document, default=str).encode(), compresslevel=9, mtime=0)
    return len(base64.b64encode(packed))


def find_too_big(size: int) -> list[str]:
    """A release that the API server would refuse."""
    return [f"the release has {size} bytes, more than {MOST_BYTES}"] if size >= MOST_BYTES else []
