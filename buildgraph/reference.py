"""References to images, as engines and clusters read them: which registry, which repository, which tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from buildgraph.errors import UsageError, quote
from buildgraph.forms import DIGEST, REPOSITORY, TAG

DEFAULT_REGISTRY = "docker.io"
_LIBRARY = "library"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A whole name: nothing in it is left to whoever pulls, but for an empty ``tag`` or ``digest``."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """``registry/repository[:tag][@digest]``."""
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """The reference in ``text``; ``UsageError`` when it is none that an engine would pull."""
    name, has_digest, digest = text.partition("@")
    registry, _, path = expand_name(name).partition("/")
    repository, has_tag, tag = path.partition(":")
    is_sound = (
        _HOST.fullmatch(registry) is not None
        and REPOSITORY.accepts(repository)
        and (TAG.accepts(tag) if has_tag else not tag)
        and (DIGEST.accepts(digest) if has_digest else not digest)
    )
    if not is_sound:
        hint = "write it like registry.example/name:1.2@sha256:…"
        raise UsageError(f"{quote(text)} is not a reference to an image", hint=hint)
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest)


def expand_name(name: str) -> str:
    """The full name behind a short one, as Docker reads it: ``a/b:1`` is ``docker.io/a/b:1``."""
    domain, slash, _ = name.partition("/")
    if slash and (domain == "localhost" or "." in domain or ":" in domain):
        return name
    return f"{DEFAULT_REGISTRY}/{name}" if slash else f"{DEFAULT_REGISTRY}/{_LIBRARY}/{name}"
