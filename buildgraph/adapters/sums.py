"""What the files of a run that ended hold: written down beside them, so that damage to logs and reports is found."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults, seal, write_file

if TYPE_CHECKING:
    from pathlib import Path

SUMS_FILE = "sums.json"
"""In the folder of a run: file → sha256, sealed."""


def write_sums(folder: Path) -> None:
    """Hash the files of a run's folder; whoever writes another one later calls this again."""
    with disk_faults(folder, "read it"):
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SUMS_FILE)
        sums = {file.name: _flush_and_hash(file) for file in files}
    write_file(folder / SUMS_FILE, seal(json.dumps(sums, indent=1).encode()), aside=folder)


def _flush_and_hash(path: Path) -> str:
    """Flushed first: logs are written as they come, and must not be less durable than what is said of them."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
