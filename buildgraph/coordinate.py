"""The one grammar of source coordinates: what manifests ask for and what the lock holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_PYPI_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PYPI_SEPARATORS = re.compile(r"[-_.]+")
_PYPI_VERSION = re.compile(r"(?:[0-9]+!)?[A-Za-z0-9][A-Za-z0-9.+_-]*")
_MAVEN_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_MAVEN_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*(?:\.\*)?")
_DEB_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_DEB_VERSION = re.compile(r"[0-9A-Za-z][A-Za-z0-9.+:~-]*")
_GO_MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]*(?:/[A-Za-z0-9_~][A-Za-z0-9_.~-]*)+")
_GO_VERSION = re.compile(r"v[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?")
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class Ecosystem(StrEnum):
    """Where a source comes from: the word before the first colon."""

    PYPI = "pypi"
    MAVEN = "maven"
    DEB = "deb"
    GO = "go"
    URL = "url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """One source, taken apart.

    ``name`` is the package, ``group:artifact``, the module or the URL; ``version`` is empty where the request
    leaves it open, and may end in ``.*`` (Maven). ``form`` is ``sdist`` or ``wheel`` (index, when said) or the
    extension (Maven, ``jar`` by default).
    """

    ecosystem: Ecosystem
    name: str
    version: str = ""
    classifier: str = ""
    form: str = ""

    @property
    def is_exact(self) -> bool:
        """True when it names one version (a URL always does)."""
        return self.ecosystem is Ecosystem.URL or (bool(self.version) and not self.version.endswith("*"))

    def __str__(self) -> str:
        """The text that parses to this value; a Maven ``jar`` goes unsaid."""
        return f"{self.ecosystem}:{_WRITERS[self.ecosystem](self)}"


def component_of(coordinate: Coordinate) -> str:
    """What it is a version of: ``maven:group:artifact``, ``pypi:name`` with the name as the index compares names."""
    name = coordinate.name
    if coordinate.ecosystem is Ecosystem.PYPI:
        name = _PYPI_SEPARATORS.sub("-", name).lower()
    return f"{coordinate.ecosystem}:{name}"


def parse_coordinate(text: str) -> Coordinate:
    """The parts of a coordinate; ``ValueError`` with a one-line reason when it is not one."""
    prefix, colon, rest = text.partition(":")
    if not colon or prefix not in tuple(Ecosystem):
        raise ValueError(f"{text!r} is no coordinate: it starts with one of {', '.join(f'{e}:' for e in Ecosystem)}")
    ecosystem = Ecosystem(prefix)
    try:
        return _PARSERS[ecosystem](rest)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; the form is {_FORMS[ecosystem]}") from None


def _parse_pypi(rest: str) -> Coordinate:
    name, _, tail = rest.partition("==")
    # An epoch (1!2.0) has a '!' too: only the two known words are a form.
    version, _, form = tail.rpartition("!") if tail.endswith(("!sdist", "!wheel")) else (tail, "", "")
    _match(_PYPI_NAME, name, "name")
    _match(_PYPI_VERSION, version, "version")
    return Coordinate(ecosystem=Ecosystem.PYPI, name=name, version=version, form=form)


def _parse_maven(rest: str) -> Coordinate:
    body, mark, extension = rest.partition("@")
    parts = body.split(":")
    if len(parts) not in (3, 4):
        raise ValueError(f"{len(parts)} parts where 3 or 4 are needed")
    group, artifact, version, classifier = (*parts, "")[:4]
    for part, what in ((group, "group"), (artifact, "artifact")):
        _match(_MAVEN_PART, part, what)
    _match(_MAVEN_VERSION, version, "version")
    if len(parts) == 4:  # noqa: PLR2004 - the classifier is the fourth part
        _match(_MAVEN_PART, classifier, "classifier")
    if mark:
        _match(_MAVEN_PART, extension, "extension")
    return Coordinate(
        ecosystem=Ecosystem.MAVEN,
        name=f"{group}:{artifact}",
        version=version,
        classifier=classifier,
        form=extension or "jar",
    )


def _parse_deb(rest: str) -> Coordinate:
    name, mark, version = rest.partition("=")
    _match(_DEB_NAME, name, "name")
    if mark:
        _match(_DEB_VERSION, version, "version")
    return Coordinate(ecosystem=Ecosystem.DEB, name=name, version=version)


def _parse_go(rest: str) -> Coordinate:
    module, _, version = rest.partition("@")
    _match(_GO_MODULE, module, "module")
    _match(_GO_VERSION, version, "version")
    return Coordinate(ecosystem=Ecosystem.GO, name=module, version=version)


def _parse_url(rest: str) -> Coordinate:
    parts = urlsplit(rest)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS):
        raise ValueError("only https (or http to this machine)")
    if not parts.hostname or not parts.path.strip("/") or parts.path.endswith("/"):
        raise ValueError("no host, or no file name at the end of the path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not belong in a coordinate")
    if any(char.isspace() or not char.isprintable() for char in rest):
        raise ValueError("white space in the address")
    return Coordinate(ecosystem=Ecosystem.URL, name=rest)


def _match(pattern: re.Pattern[str], value: str, what: str) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is no {what}" if value else f"no {what}")


def _write_maven(coordinate: Coordinate) -> str:
    text = f"{coordinate.name}:{coordinate.version}"
    text += f":{coordinate.classifier}" if coordinate.classifier else ""
    return text if coordinate.form in ("", "jar") else f"{text}@{coordinate.form}"


_PARSERS: dict[Ecosystem, Callable[[str], Coordinate]] = {
    Ecosystem.PYPI: _parse_pypi,
    Ecosystem.MAVEN: _parse_maven,
    Ecosystem.DEB: _parse_deb,
    Ecosystem.GO: _parse_go,
    Ecosystem.URL: _parse_url,
}
_WRITERS: dict[Ecosystem, Callable[[Coordinate], str]] = {
    Ecosystem.PYPI: lambda c: f"{c.name}=={c.version}" + (f"!{c.form}" if c.form else ""),
    Ecosystem.MAVEN: _write_maven,
    Ecosystem.DEB: lambda c: f"{c.name}={c.version}" if c.version else c.name,
    Ecosystem.GO: lambda c: f"{c.name}@{c.version}",
    Ecosystem.URL: lambda c: c.name,
}
_FORMS = {
    Ecosystem.PYPI: "pypi:NAME==VERSION!sdist or !wheel",
    Ecosystem.MAVEN: "maven:GROUP:ARTIFACT:VERSION[:CLASSIFIER][@EXTENSION]",
    Ecosystem.DEB: "deb:NAME",
    Ecosystem.GO: "go:MODULE@VERSION",
    Ecosystem.URL: "url:https://HOST/PATH/FILE",
}
