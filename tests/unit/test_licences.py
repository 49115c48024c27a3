"""Licence rules over the lock: what they write, what they leave, and how a lock that lags behind them is found."""

from __future__ import annotations

from buildgraph.licences import find_stale, with_licences
from buildgraph.model import Artifact, LicenceRule, Location, Lock, LockEntry, LockGap

GAP = {"jars": {"missing": LockGap(request=("maven:g:missing:1",), reason="not found in the configured repositories")}}


def make_artifact(coordinate: str, licence: str = "") -> Artifact:
    return Artifact(coordinate=coordinate, file="a.jar", sha256="a" * 64, size=1, licence=licence)


def make_rule(match: str, licence: str = "", *, redistributable: bool = True) -> LicenceRule:
    return LicenceRule(
        match=match,
        licence=licence,
        redistributable=redistributable,
        reason="for a test",
        terms="" if redistributable else "its terms",
        location=Location(file="manifests/licences.yaml", line=1),
    )


def make_lock(*artifacts: Artifact) -> Lock:
    entry = LockEntry(request=tuple(artifact.coordinate for artifact in artifacts), artifacts=artifacts)
    return Lock(entries={"jars": {"drivers": entry}}, gaps=GAP)


def judged(lock: Lock) -> list[tuple[str, str, bool]]:
    return [
        (artifact.coordinate, artifact.licence, artifact.redistributable)
        for artifact in lock.entries["jars"]["drivers"].artifacts
    ]


def test_the_first_rule_that_matches_counts_and_the_rest_keeps_its_licence() -> None:
    lock = make_lock(make_artifact("maven:g:driver:1", "odd"), make_artifact("maven:h:free:1", "MIT"))
    rules = [make_rule("maven:g:*", "LicenseRef-G", redistributable=False), make_rule("maven:g:driver:*", "MIT")]
    assert judged(with_licences(lock, rules)) == [
        ("maven:g:driver:1", "LicenseRef-G", False),
        ("maven:h:free:1", "MIT", True),
    ]


def test_a_rule_without_a_licence_keeps_that_of_the_registry() -> None:
    lock = make_lock(make_artifact("maven:g:driver:1", "odd"))
    rules = [make_rule("maven:g:*", redistributable=False)]
    assert judged(with_licences(lock, rules)) == [("maven:g:driver:1", "odd", False)]


def test_what_is_known_to_be_unlocked_stays_in_the_lock() -> None:
    lock = make_lock(make_artifact("maven:g:driver:1"))
    assert with_licences(lock, [make_rule("maven:*", "MIT")]).gaps == GAP


def test_a_lock_that_lags_behind_the_rules_is_found() -> None:
    lock = make_lock(make_artifact("maven:g:driver:1", "odd"))
    rules = [make_rule("maven:g:*", "MIT")]
    assert [(node, source) for node, source, _ in find_stale(lock, rules)] == [("jars", "drivers")]
    assert list(find_stale(with_licences(lock, rules), rules)) == []
