"""One figure: what was counted, and whether it meets its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; all texts are one line of Markdown without pipes."""

    name: str
    how: str
    """What was done, how often."""
    target: str
    result: str
    ok: bool
