"""Layers with what was read of them → components. What a layer holds decides; the lock says what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packageurl import PackageURL

from buildgraph.bill import debian, jars, python
from buildgraph.bill.contents import DIST_INFO, DPKG_STATUS, OS_RELEASE
from buildgraph.bill.runtimes import find_homes, find_runtimes
from buildgraph.bill.sources import describe_artifact, normalise
from buildgraph.bill.values import Bill, Component, LayerContents, Sort
from buildgraph.coordinate import Ecosystem, parse_coordinate
from buildgraph.model import EntryType, Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.model import Artifact, LicenceRule, Node


def make_bill(
    node: Node,
    digest: str,
    layers: Sequence[LayerContents],
    rules: Sequence[LicenceRule],
    *,
    registry: str,
    distro: str,
) -> Bill:
    """The bill of a node; ``layers`` are the lowest first, ``distro`` is like ``debian-12``."""
    known = {artifact.sha256: artifact for layer in layers for found in layer.sources.values() for artifact in found}
    described = tuple((layer.layer, _describe(layer, known, rules, distro)) for layer in layers)
    if not isinstance(node, Image):
        return Bill(node=node.name, digest=digest, description=node.description, layers=described)
    return Bill(
        node=node.name,
        digest=digest,
        description=node.description,
        repository=node.repository,
        registry=registry,
        tags=node.tags,
        licence=node.config.labels.get("org.opencontainers.image.licenses", ""),
        layers=described,
    )


def find_distro(layers: Sequence[LayerContents]) -> str:
    """What the lowest layer with an os-release says, like ``debian-12``."""
    texts = (text for layer in layers for path, text in sorted(layer.texts.items()) if OS_RELEASE.fullmatch(path))
    return next((name for text in texts if (name := debian.parse_release(text))), "")


def _describe(
    contents: LayerContents, known: Mapping[str, Artifact], rules: Sequence[LicenceRule], distro: str
) -> tuple[Component, ...]:
    """The components of one layer, sorted; every locked artifact that is in it is there once."""
    reading = _Reading(contents, rules, distro)
    found = [
        *reading.find_packages(),
        *reading.find_distributions(),
        *reading.find_jars(known),
        *find_runtimes(contents.texts, reading.paths),
    ]
    # A root holds what dpkg says; of what else was locked we know only that the layer was made of it.
    rest = (artifact for artifact in reading.unseen() if not (contents.is_rootfs and _is_deb(artifact)))
    found += [reading.complete(artifact) for artifact in rest]
    if OS_RELEASE.fullmatch(next((path for path in sorted(contents.texts) if OS_RELEASE.fullmatch(path)), "")):
        found.append(_describe_system(distro))
    unique = {(one.purl, one.path): one for one in found}
    return tuple(unique[key] for key in sorted(unique))


class _Reading:
    """One layer while it is described; remembers which locked artifacts were met."""

    def __init__(self, contents: LayerContents, rules: Sequence[LicenceRule], distro: str) -> None:
        self._contents = contents
        self._rules = rules
        self._distro = distro
        self._artifacts = {a.coordinate: a for found in contents.sources.values() for a in found}
        self._names = {a.coordinate: name for name, found in contents.sources.items() for a in found}
        self._by_name = {_identify(artifact): artifact for artifact in self._artifacts.values()}
        self._seen: set[str] = set()
        self.paths = frozenset(entry.path for entry in contents.index if entry.type is EntryType.FILE)
        self._links = {e.path: e.target for e in contents.index if e.type is EntryType.SYMLINK}
        self._homes = tuple(find_homes(contents.texts, self.paths))

    def unseen(self) -> Iterator[Artifact]:
        """The artifacts that were not met."""
        return (artifact for artifact in self._artifacts.values() if artifact.coordinate not in self._seen)

    def find_packages(self) -> Iterator[Component]:
        """What dpkg says is installed."""
        for package in debian.parse_status(self._contents.texts.get(DPKG_STATUS, "")):
            place = self._doc_place(package.name)
            found = Component(
                name=package.name,
                version=package.version,
                purl=debian.make_purl(package, self._distro),
                licences=debian.find_licences(self._contents.texts.get(place, "")),
                text=f"/{place}" if place in self.paths else "",
            )
            yield self._merge(found, (Ecosystem.DEB, package.name, package.version))

    def find_distributions(self) -> Iterator[Component]:
        """What stands in site-packages."""
        for path, text in sorted(self._contents.texts.items()):
            place = DIST_INFO.fullmatch(path)
            found = python.describe_distribution(place["folder"], text) if place else None
            if place and found:
                found = replace(found, text=python.find_text(place["folder"], self.paths))
                # What another distribution carries along was never locked by itself, be it of a version that was.
                is_own = "/_vendor/" not in path
                yield self._merge(found, (Ecosystem.PYPI, normalise(found.name), found.version)) if is_own else found

    def find_jars(self, known: Mapping[str, Artifact]) -> Iterator[Component]:
        """Every jar; one that is a locked artifact, by its hash, is called as there."""
        members = self._members()
        for entry in self._contents.index:
            if entry.path not in self.paths or not entry.path.endswith(".jar") or entry.path.startswith(self._homes):
                continue
            inside = members.get(entry.path, {})
            found = jars.describe_jar(entry.path, inside)
            artifact = known.get(entry.sha256)
            if artifact is None:
                yield replace(found, sha256=entry.sha256, size=entry.size)
                continue
            self._seen.add(artifact.coordinate)
            locked = describe_artifact(artifact, self._rules, self._distro)
            yield replace(
                locked,
                licences=locked.licences or found.licences,
                text=found.text or _local(locked.terms),
                path=found.path,
                parts=jars.find_parts(locked.name, inside),
            )

    def complete(self, artifact: Artifact) -> Component:
        """An artifact of which nothing but its files is in the layer, with its licence where the layer has it."""
        name = self._names[artifact.coordinate]
        found = describe_artifact(artifact, self._rules, self._distro)
        beside = min((path for path in self.paths if f"/licenses/{name}/" in f"/{path}"), default="")
        return replace(found, text=f"/{beside}" if beside else _local(found.terms))

    def _merge(self, found: Component, identity: tuple[str, str, str]) -> Component:
        """What was found, with what the lock knows of it."""
        artifact = self._by_name.get(identity)
        if artifact is None:
            return found
        self._seen.add(artifact.coordinate)
        locked = describe_artifact(artifact, self._rules, self._distro)
        return replace(
            locked,
            name=found.name,
            purl=found.purl,
            licences=locked.licences or found.licences,
            text=found.text or _local(locked.terms),
            path=found.path,
        )

    def _doc_place(self, package: str) -> str:
        """Where a package's copyright file is: its folder may be a link to another package's."""
        target = self._links.get(f"usr/share/doc/{package}", package)
        return f"usr/share/doc/{target.rpartition('/')[2]}/copyright"

    def _members(self) -> dict[str, dict[str, str]]:
        """Jar → member → text."""
        members: dict[str, dict[str, str]] = {}
        for path, text in self._contents.texts.items():
            archive, mark, member = path.partition("!")
            if mark and archive.endswith(".jar"):
                members.setdefault(archive, {})[member] = text
        return members


def _identify(artifact: Artifact) -> tuple[str, str, str]:
    coordinate = parse_coordinate(artifact.coordinate)
    name = normalise(coordinate.name) if coordinate.ecosystem is Ecosystem.PYPI else coordinate.name
    return coordinate.ecosystem, name, coordinate.version


def _is_deb(artifact: Artifact) -> bool:
    return parse_coordinate(artifact.coordinate).ecosystem is Ecosystem.DEB


def _local(terms: str) -> str:
    return terms if terms.startswith("/") else ""


def _describe_system(distro: str) -> Component:
    name, _, version = distro.partition("-")
    return Component(
        name=name,
        version=version,
        purl=PackageURL("generic", None, name, version).to_string(),
        sort=Sort.SYSTEM,
        cpe=f"cpe:2.3:o:{name}:{name}_linux:{version}:*:*:*:*:*:*:*",
    )
