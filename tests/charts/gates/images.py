"""Images: each is one of the catalogue or of the list of others, pinned by digest, and never a moving tag."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, containers, find_pods
from tests.charts.gates.spark_conf import find_texts, parse_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_REFERENCE = re.compile(
    r"(?:(?P<registry>[a-z0-9.-]+(?:\.[a-z0-9-]+|:\d+)|localhost)/)?(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
# A whole number is a version, too: PostgreSQL is locked within a major version, and the digest is what pins.
_VERSION = re.compile(r"^\d+$|\d+\.\d+|\d{4}-\d{2}-\d{2}|[0-9a-f]{12,}")
_MOVING = re.compile(
    r"(?:^|[-_.])(?:latest|main|master|edge|nightly|dev|snapshot|stable|lts|x)(?:$|[-_.])", re.IGNORECASE
)
_SETTING = re.compile(r"spark\.kubernetes\.(?:(?:driver|executor)\.)?container\.image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One image as an object names it; parts that are not there are empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Repository and tag: what a mirror keeps."""
        return f"{self.repository}:{self.tag}"


def parse_reference(text: str) -> Reference | None:
    """The parts of a reference; none when it is not one."""
    found = _REFERENCE.fullmatch(text)
    return Reference(**{key: value or "" for key, value in found.groupdict().items()}) if found else None


def find_references(objects: Sequence[Document]) -> tuple[tuple[str, str], ...]:
    """Where an image is named, and how: by containers, and by Spark's settings."""
    return tuple(_references(objects))


def find_unpinned(objects: Sequence[Document], exceptions: Mapping[str, str]) -> list[str]:
    """Images without digest or with a moving tag; ``exceptions`` has the reason for each name that may be so."""
    problems = []
    for where, text in find_references(objects):
        reference = parse_reference(text)
        if reference is None:
            problems.append(f"{where}: {text} is no reference")
        elif reference.name not in exceptions:
            problems += [f"{where}: {text} {problem}" for problem in _unpinned(reference)]
    return problems


def find_foreign(objects: Sequence[Document], known: Mapping[str, str]) -> list[str]:
    """Images that are not in ``known`` (name → digest, which may be empty), or have another digest there."""
    problems = []
    for where, text in find_references(objects):
        reference = parse_reference(text)
        if reference is None or reference.name not in known:
            problems.append(f"{where}: {text} is neither in the catalogue nor in the list of others")
        elif known[reference.name] and reference.digest and reference.digest != known[reference.name]:
            problems.append(f"{where}: {text} has another digest than {known[reference.name]}")
    return problems


def _unpinned(reference: Reference) -> Iterator[str]:
    if not reference.digest:
        yield "has no digest"
    if not reference.tag:
        yield "has no tag"
    elif _MOVING.search(reference.tag) or not _VERSION.search(reference.tag):
        yield f"has a tag that moves: {reference.tag}"


def _references(objects: Sequence[Document]) -> Iterable[tuple[str, str]]:
    for pod in find_pods(objects):
        for container in containers(pod):
            yield f"{pod.where}, {container['name']}", container.get("image", "")
    for where, text in find_texts(objects):
        for setting in parse_properties(text):
            if _SETTING.fullmatch(setting.key):
                yield f"{where}, {setting.key}", setting.value
