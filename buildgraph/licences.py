"""Licence rules over the lock: what people found out stands in for what registries say."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from buildgraph.model import Artifact, LicenceRule, Lock, LockEntry


def find_rule(rules: Sequence[LicenceRule], coordinate: str) -> LicenceRule | None:
    """The first rule that matches an exact coordinate."""
    return next((rule for rule in rules if fnmatchcase(coordinate, rule.match)), None)


def with_licences(lock: Lock, rules: Sequence[LicenceRule]) -> Lock:
    """The lock as the rules want it. What no rule matches keeps its licence and may be passed on."""
    return replace(
        lock,
        entries=MappingProxyType(
            {
                node: MappingProxyType({source: _apply(entry, rules) for source, entry in sources.items()})
                for node, sources in lock.entries.items()
            }
        ),
    )


def find_stale(lock: Lock, rules: Sequence[LicenceRule]) -> Iterator[tuple[str, str, Artifact]]:
    """(node, source, artifact) of each artifact in the lock that the rules want otherwise."""
    for node, sources in lock.entries.items():
        for source, entry in sources.items():
            yield from ((node, source, found) for found in entry.artifacts if _judge(found, rules) != found)


def _apply(entry: LockEntry, rules: Sequence[LicenceRule]) -> LockEntry:
    return replace(entry, artifacts=tuple(_judge(artifact, rules) for artifact in entry.artifacts))


def _judge(artifact: Artifact, rules: Sequence[LicenceRule]) -> Artifact:
    rule = find_rule(rules, artifact.coordinate)
    if rule is None:
        return replace(artifact, redistributable=True)
    return replace(artifact, licence=rule.licence or artifact.licence, redistributable=rule.redistributable)
