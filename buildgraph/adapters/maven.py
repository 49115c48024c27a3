"""Maven repositories: the newest version of a pattern, digests, licences, and where a file is."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cmp_to_key
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from jgo.config import GlobalSettings
from jgo.maven import POM, MavenContext, MetadataXML, compare_versions

from buildgraph.adapters.web import show
from buildgraph.coordinate import Coordinate, Ecosystem
from buildgraph.errors import IntegrityError, NetworkFault, NotFound
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from buildgraph.adapters.web import Web
    from buildgraph.ports import Cancel

_PRE_RELEASE = re.compile(
    r"(?:^|[.\-_+]|(?<=\d))(?:alpha|beta|a|b|m|rc|cr|snapshot|milestone|preview|pre|ea|dev)[.\-_]?\d*(?:$|[.\-_+])",
    re.IGNORECASE,
)
_SHA256 = re.compile(r"\s*([0-9a-fA-F]{64})\b")
_SHA1 = re.compile(r"\s*([0-9a-fA-F]{40})\b")
_MOST_PARENTS = 8


class MavenRepositories:
    """Repositories, asked in their order."""

    def __init__(self, web: Web, *, cancel: Cancel, repositories: Sequence[str]) -> None:
        """``repositories``: base URLs without a trailing slash."""
        self._web = web
        self._cancel = cancel
        self._repositories = tuple(repositories)

    def resolve(self, coordinate: Coordinate) -> Artifact:
        """The newest release that the coordinate allows, from the first repository that has it."""
        exact = coordinate if coordinate.is_exact else self._newest(coordinate)
        url, size = self._find(exact)
        sha256, size = self._digest(url, size)
        return Artifact(
            coordinate=str(exact), file=file_name(exact), sha256=sha256, size=size, licence=self._licence(exact)
        )

    def locate(self, coordinate: Coordinate) -> tuple[str, ...]:
        """The file's place in every repository."""
        return tuple(f"{base}/{layout(coordinate)}/{file_name(coordinate)}" for base in self._repositories)

    def _newest(self, coordinate: Coordinate) -> Coordinate:
        folder = layout(coordinate).rpartition("/")[0]
        versions: list[str] = []
        for base in self._repositories:
            text = self._text(f"{base}/{folder}/maven-metadata.xml")
            versions += parse_versions(text) if text else []
        newest = newest_version(versions, coordinate.version)
        if newest is None:
            raise NotFound(f"{coordinate}: the repositories have no release that matches")
        return replace(coordinate, version=newest)

    def _find(self, exact: Coordinate) -> tuple[str, int | None]:
        for url in self.locate(exact):
            try:
                return url, self._web.size(url, cancel=self._cancel)
            except NotFound:
                continue
        raise NotFound(f"{exact}: the repositories do not have it")

    def _digest(self, url: str, size: int | None) -> tuple[str, int]:
        """The repository's own sha256; where it gives none, that of the file, checked against its sha1."""
        published = _SHA256.match(self._text(f"{url}.sha256"))
        if published and size is not None:
            return published[1].lower(), size
        measured = self._web.measure(url, cancel=self._cancel)
        sha1 = _SHA1.match(self._text(f"{url}.sha1"))
        expected, got = (published[1], measured.sha256) if published else (sha1[1] if sha1 else "", measured.sha1)
        if expected and expected.lower() != got:
            raise IntegrityError(f"{show(url)}: the repository's checksum is {expected.lower()}, the file's {got}")
        return measured.sha256, measured.size

    def _licence(self, exact: Coordinate) -> str:
        """What the POM says, or the nearest parent that says something; nothing when no POM can be had."""
        group, artifact = exact.name.split(":")
        parent: tuple[str, str, str] | None = (group, artifact, exact.version)
        for _ in range(_MOST_PARENTS):
            if parent is None:
                break
            names, parent = read_pom(self._pom(*parent))
            if names:
                return "; ".join(names)
        return ""

    def _pom(self, group: str, artifact: str, version: str) -> str:
        pom = Coordinate(ecosystem=Ecosystem.MAVEN, name=f"{group}:{artifact}", version=version, form="pom")
        try:
            return next((text for url in self.locate(pom) if (text := self._text(url))), "")
        except NetworkFault:
            return ""

    def _text(self, url: str) -> str:
        try:
            return self._web.text(url, cancel=self._cancel)
        except NotFound:
            return ""


def configured_repositories() -> dict[str, str]:
    """Id → base URL: jgo's default, changed and extended by the user's jgo settings."""
    return {**MavenContext().remote_repos, **GlobalSettings.load().repositories}


def layout(coordinate: Coordinate) -> str:
    """The directory of one version in a repository."""
    group, artifact = coordinate.name.split(":")
    return f"{group.replace('.', '/')}/{artifact}/{coordinate.version}"


def file_name(coordinate: Coordinate) -> str:
    """``artifact-version[-classifier].extension``."""
    stem = f"{coordinate.name.split(':')[1]}-{coordinate.version}"
    return f"{stem}-{coordinate.classifier}.{coordinate.form}" if coordinate.classifier else f"{stem}.{coordinate.form}"


def parse_versions(metadata: str) -> list[str]:
    """The versions that a ``maven-metadata.xml`` lists; none when it is not one."""
    try:
        return list(MetadataXML(metadata).versions)
    except ParseError:
        return []


def newest_version(versions: Iterable[str], pattern: str) -> str | None:
    """The highest release, in Maven's order, that matches a version with ``.*`` at its end; never a pre-release."""
    prefix = pattern.removesuffix("*")
    fitting = [
        version
        for version in versions
        if (version.startswith(prefix) or version == prefix.removesuffix(".")) and not _PRE_RELEASE.search(version)
    ]
    return max(fitting, key=cmp_to_key(compare_versions), default=None)


def read_pom(text: str) -> tuple[list[str], tuple[str, str, str] | None]:
    """The licence names of a POM, and its parent (group, artifact, version) if it has one."""
    try:
        pom = POM(text)
    except ParseError:
        return [], None
    names = [" ".join(name.split()) for name in pom.values("licenses/license/name") if name]
    parent = [pom.value(f"parent/{part}") for part in ("groupId", "artifactId", "version")]
    group, artifact, version = (*parent,)
    return names, (group, artifact, version) if group and artifact and version else None
