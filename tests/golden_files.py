"""Golden files: texts that the tool must keep writing as they stand in ``tests/golden``."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    """Fail with a diff when ``tests/golden/<name>`` is not ``text``; with ``UPDATE_GOLDEN`` set, write it."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(known.splitlines(), text.splitlines(), f"tests/golden/{name}", "now", lineterm="")
    assert known == text, "\n".join([*lines, "if this is meant, run the test again with UPDATE_GOLDEN=1"])
