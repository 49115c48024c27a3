"""What the network is like from here: mirrors, credentials, certificates. ``app.settings`` finds out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and a password for all below ``place``: ``host``, ``host:port``, either with a path."""

    place: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Addresses hold no credentials; an empty tuple or mapping leaves the choice to the client.

    ``index``, ``maven``, ``go``: asked in this order. ``debian``: suite (``bookworm-security``) → mirror.
    ``rewrites``: the start of an address → what stands in its place, best first. ``ca``: a PEM bundle.
    """

    index: tuple[str, ...] = ()
    maven: tuple[str, ...] = ()
    go: tuple[str, ...] = ()
    debian: Mapping[str, str] = field(default_factory=dict)
    rewrites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials: tuple[Credential, ...] = ()
    ca: Path | None = None
    offline: bool = False

    def trust(self, environ: Mapping[str, str]) -> dict[str, str]:
        """``environ`` for a child that is to trust ``ca``: uv, go and what else reads SSL_CERT_FILE."""
        return {**environ, "SSL_CERT_FILE": str(self.ca)} if self.ca else dict(environ)

    def with_credentials(self, url: str) -> str:
        """The address with user and password in it: for the environment of a child, and for nothing else."""
        found = find_credential(self.credentials, url)
        if found is None:
            return url
        parts = urlsplit(url)
        user = f"{quote(found.username, safe='')}:{quote(found.password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))

    def rewrite(self, url: str) -> tuple[str, ...]:
        """Where to look for what has this address: the longest start that is known decides; else the address."""
        known = [start for start in self.rewrites if url.startswith(start)]
        if not known:
            return (url,)
        start = max(known, key=len)
        return tuple(new + url.removeprefix(start) for new in self.rewrites[start])


PUBLIC = Settings()
"""Public servers, what they trust by themselves, and no credentials."""


def find_credential(credentials: Iterable[Credential], url: str) -> Credential | None:
    """The credential with the longest place that the address is in; without a port a place is all ports of a host."""
    parts = urlsplit(url)
    names = {f"{(parts.hostname or '').lower()}{parts.path}", f"{parts.netloc.rpartition('@')[2].lower()}{parts.path}"}
    fitting = [known for known in credentials if any(_is_in(name, known.place) for name in names)]
    return max(fitting, key=lambda known: len(known.place), default=None)


def split_userinfo(url: str) -> tuple[str, Credential | None]:
    """An address as somebody configured it → the address alone, and the credential for its host that stood in it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = user.partition(":")
    clean = urlunsplit(parts._replace(netloc=host))
    return clean, Credential(place=host.lower(), username=unquote(name), password=unquote(password))


def place_of(url: str) -> str:
    """The address as a ``Credential`` names it: host, port and path."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"


def _is_in(name: str, place: str) -> bool:
    return name == place or name.startswith(place if place.endswith("/") else f"{place}/")
