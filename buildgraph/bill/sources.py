"""Locked artifacts as components: purls as each ecosystem's scanners read them, terms as the rules give them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packageurl import PackageURL

from buildgraph.bill import debian
from buildgraph.bill.spdx import to_spdx
from buildgraph.bill.values import Component
from buildgraph.coordinate import Ecosystem, parse_coordinate
from buildgraph.licences import find_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buildgraph.coordinate import Coordinate
    from buildgraph.model import Artifact, LicenceRule


def describe_artifact(artifact: Artifact, rules: Sequence[LicenceRule], distro: str) -> Component:
    """The component that an artifact is. Whether it may be passed on stands in the lock, the terms in the rules."""
    coordinate = parse_coordinate(artifact.coordinate)
    rule = find_rule(rules, artifact.coordinate)
    group, _, name = coordinate.name.rpartition(":") if coordinate.ecosystem is Ecosystem.MAVEN else ("", "", "")
    return Component(
        name=name or (artifact.file if coordinate.ecosystem is Ecosystem.URL else coordinate.name),
        version=coordinate.version,
        group=group,
        purl=make_purl(coordinate, artifact, distro),
        licences=(to_spdx(artifact.licence),) if artifact.licence else (),
        redistributable=artifact.redistributable,
        reason=rule.reason if rule else "",
        terms=rule.terms if rule else "",
        coordinate=artifact.coordinate,
        sha256=artifact.sha256,
        size=artifact.size,
    )


def make_purl(coordinate: Coordinate, artifact: Artifact, distro: str) -> str:
    """The package URL of an exact coordinate."""
    version = coordinate.version
    match coordinate.ecosystem:
        case Ecosystem.PYPI:
            return make_pypi_purl(coordinate.name, version)
        case Ecosystem.MAVEN:
            group, artifact_id = coordinate.name.split(":")
            given = {"classifier": coordinate.classifier, "type": "" if coordinate.form == "jar" else coordinate.form}
            return PackageURL("maven", group, artifact_id, version, {k: v for k, v in given.items() if v}).to_string()
        case Ecosystem.DEB:
            return debian.make_purl(debian.package_of(coordinate.name, version, artifact.path), distro)
        case Ecosystem.GO:
            namespace, _, name = coordinate.name.rpartition("/")
            return PackageURL("golang", namespace, name, version).to_string()
        case Ecosystem.URL:
            given = {"download_url": coordinate.name, "checksum": f"sha256:{artifact.sha256}"}
            return PackageURL("generic", None, artifact.file, None, given).to_string()


def make_pypi_purl(name: str, version: str) -> str:
    """With the name as the index normalises it."""
    return PackageURL("pypi", None, normalise(name), version).to_string()


def normalise(name: str) -> str:
    """A distribution's name as the Python index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
