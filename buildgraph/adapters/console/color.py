"""Whether to write in colours, and the words and colours of outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKS = {
    Outcome.DONE: ("ok", "green"),
    Outcome.REUSED: ("same", "cyan"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.BLOCKED: ("blocked", "yellow"),
    Outcome.CANCELLED: ("stopped", "yellow"),
}
MARK_WIDTH = 8
_CODES = {"green": "32", "cyan": "36", "bold red": "1;31", "yellow": "33"}
_CHOICES = {"always": True, "never": False}


def wants_color(choice: str, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """``choice`` (``auto``, ``always``, ``never``), then NO_COLOR, then FORCE_COLOR, then whether it is a terminal.

    A variable that is set to nothing says nothing.
    """
    if choice in _CHOICES:
        return _CHOICES[choice]
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or is_terminal


def paint(text: str, style: str) -> str:
    """The text in one of the styles of ``MARKS``, for a terminal."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"
