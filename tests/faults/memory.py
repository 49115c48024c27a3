"""How much memory this process has held at its fullest."""

from __future__ import annotations

import re
from pathlib import Path


def peak_megabytes() -> float:
    """Of this program alone: what ``getrusage`` says holds the memory of the process that started it, too."""
    match = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    assert match
    return int(match[1]) / 1024
