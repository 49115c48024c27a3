"""The same values give the same objects: in the next run, and with the other Helm."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import yaml

from tests.charts.gates.objects import Document, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_LINES = 20
_COMPLAINT = re.compile(r"^\[(?:WARNING|ERROR)\] .*|^Error: .*", re.MULTILINE)


def find_differences(first: str, second: str) -> list[str]:
    """Lines that two renders of the same values do not share."""
    lines = difflib.unified_diff(first.splitlines(), second.splitlines(), "first", "second", lineterm="", n=0)
    return list(lines)[:MOST_LINES]


def find_disagreements(old: Iterable[Document], new: Iterable[Document]) -> list[str]:
    """Objects that two Helms, or two versions of Kubernetes, do not render alike; their order does not matter."""
    before, after = _by_identity(old), _by_identity(new)
    problems = [f"{name} is rendered by one only" for name in sorted(before.keys() ^ after.keys())]
    for name in sorted(before.keys() & after.keys()):
        problems += [f"{name}: {line}" for line in find_differences(before[name], after[name])]
    return problems


def find_complaints(output: str) -> list[str]:
    """What ``helm lint`` warns of."""
    return _COMPLAINT.findall(output)


def _by_identity(objects: Iterable[Document]) -> Mapping[str, str]:
    return {f"{each.get('apiVersion')} {describe(each)}": yaml.safe_dump(dict(each)) for each in objects}
