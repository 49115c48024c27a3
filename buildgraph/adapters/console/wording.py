"""How numbers, steps and summaries are put into words, the same in every view."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED = 3
_MINUTE, _HOUR = 60, 3600
_KILO = 1000
# What a step is doing: before, and once, bytes flow.
_DOING = {
    "fetch": ("connect", "download"),
    "build": ("build", "write layer"),
    "compose": ("compose", "compose"),
    "test": ("run tests", "run tests"),
    "load": ("load", "load"),
}


def describe_work(action: str, *, moves: bool) -> str:
    """What a step of this action does; ``moves``: bytes of it were seen."""
    return _DOING.get(action, (action, action))[moves]


def format_seconds(seconds: float) -> str:
    """``7.3 s`` below a minute, then ``1:05``, then ``2:01:05``."""
    if seconds < _MINUTE - 0.05:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, _MINUTE)
    if whole < _HOUR:
        return f"{minutes}:{rest:02}"
    return f"{minutes // _MINUTE}:{minutes % _MINUTE:02}:{rest:02}"


def format_rest(seconds: float) -> str:
    """An estimate, rounded to what it is worth: ``~7 s``, ``~1:05``."""
    if seconds < _MINUTE - 0.5:
        return f"~{seconds:.0f} s"
    return f"~{format_seconds(round(seconds))}"


def format_bytes(count: float) -> str:
    """``0 B``, ``12.3 MB``: three digits or so, powers of 1000."""
    if count < _KILO:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= _KILO
        if count < _KILO - 0.5:
            return f"{count:.1f} {unit}" if count < _KILO / 10 else f"{count:.0f} {unit}"
    return f"{count / _KILO:.1f} TB"


def describe_closed(steps: Sequence[str], why: str) -> str:
    """One line for steps that were never started: how many, why, and the first of them."""
    first = ", ".join(steps[:NAMED])
    more = f" and {len(steps) - NAMED} more" if len(steps) > NAMED else ""
    return f"{len(steps)} step{'s' if len(steps) > 1 else ''}, {why}: {first}{more}"
