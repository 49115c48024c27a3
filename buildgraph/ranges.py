"""Ranges of versions, as people write them, for versions of every ecosystem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Part: TypeAlias = "tuple[int, int, str]"

_PARTS = re.compile(r"[0-9]+|[a-z]+")
_EPOCH = re.compile(r"[0-9]+[:!]")
_OPERATOR = re.compile(r"[<>]=?")
_EARLY = frozenset(
    {"a", "alpha", "b", "beta", "c", "cr", "dev", "ea", "m", "milestone", "pre", "preview", "rc", "snapshot"}
)
_END: Part = (1, 0, "")
_NUMBER = 3
_ZERO: Part = (_NUMBER, 0, "")
_ORDERS: Mapping[str, frozenset[int]] = {
    ">=": frozenset({0, 1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    "<": frozenset({-1}),
    "": frozenset({0}),
}


@dataclass(frozen=True, slots=True)
class Range:
    """Versions that fulfil every condition of ``text``: ``>=3.5.0,<4``, ``26.08.*``, one version, or ``*`` for all.

    The text has the form ``forms.RANGE``.
    """

    text: str

    def holds(self, version: str) -> bool:
        """True when the version is in the range."""
        return all(_fulfils(version, condition) for condition in self.text.split(","))


def order(version: str) -> tuple[Part, ...]:
    """A key to sort versions by: numbers as numbers, ``4.1`` as ``4.1.0``, ``4.1-rc1`` below it, ``4.1-jre11`` above.

    An epoch (``1:``, ``1!``) does not count.
    """
    kept: list[Part] = []
    for part in (*_split(version), _END):
        if part[0] != _NUMBER:
            while kept and kept[-1] == _ZERO:
                kept.pop()
        kept.append(part)
    return tuple(kept)


def _split(version: str) -> list[Part]:
    text = _EPOCH.sub("", version.lower(), count=1)
    return [_weigh(part) for part in _PARTS.findall(text)]


def _weigh(part: str) -> Part:
    """Early words come before a version's end, other words after it, numbers after both."""
    if part.isdecimal():
        digits = part.lstrip("0")
        return (_NUMBER, len(digits), digits)  # as long as anybody likes, which int() is not
    return (0 if part in _EARLY else 2, 0, part)


def _fulfils(version: str, condition: str) -> bool:
    if condition.endswith("*"):
        prefix = _split(condition)
        return _split(version)[: len(prefix)] == prefix
    match = _OPERATOR.match(condition)
    operator = match[0] if match else ""
    one, other = order(version), order(condition.removeprefix(operator))
    return (one > other) - (one < other) in _ORDERS[operator]
