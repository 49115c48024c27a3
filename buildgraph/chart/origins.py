"""Where an image that a chart names comes from: the catalogue, the list of others' images, or nowhere we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.errors import UsageError
from buildgraph.manifest.catalogue import FOREIGN_FILE
from buildgraph.model import Image
from buildgraph.reference import parse_reference

if TYPE_CHECKING:
    from buildgraph.ledger import Ledger
    from buildgraph.model import Catalogue
    from buildgraph.reference import Reference

_PIN = "run: buildgraph pin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """``image``: the node that it is; ``foreign``: its name in the list of others' images. One of them is set."""

    image: str = ""
    foreign: str = ""


def find_origin(reference: Reference, catalogue: Catalogue, ledger: Ledger) -> Origin:
    """The image's origin, wherever it is mirrored: a registry, and a prefix in it, may be any.

    Raises:
        UsageError: for an image that is neither ours nor listed, or is not what was pinned.
    """
    ours = [
        node
        for node in catalogue.nodes.values()
        if isinstance(node, Image) and _is_same(reference.repository, node.repository)
    ]
    for listed in catalogue.foreign:
        known = parse_reference(listed.reference)
        if _is_same(reference.repository, known.repository) and reference.digest == known.digest:
            return Origin(foreign=listed.name)
    for node in ours:
        if not reference.tag or reference.tag in node.tags:
            entry = ledger.entries.get(node.name)
            if reference.digest and entry is not None and entry.digest == reference.digest:
                return Origin(image=node.name)
            if not reference.digest and reference.tag and entry is None and _is_pinned(node.name, catalogue):
                return Origin(image=node.name)
    raise _explain(reference, catalogue, ours)


def _explain(reference: Reference, catalogue: Catalogue, ours: list[Image]) -> UsageError:
    tagged = next((node.name for node in ours if reference.tag in node.tags), "")
    if tagged and not reference.digest:
        return UsageError(f"{reference} is {tagged}, without the digest that it is pinned by", hint=_PIN)
    if tagged:
        return UsageError(f"{reference} has another digest than the ledger gives {tagged}", hint=_PIN)
    listed = next((one for one in catalogue.foreign if _is_listed(reference, one.reference)), None)
    if listed is not None:
        return UsageError(f"{reference} is not {listed.reference}", hint=f"name the one that {FOREIGN_FILE} lists")
    what = f"{reference} is neither an image of the catalogue nor listed in {FOREIGN_FILE}"
    return UsageError(what, hint="list it there with its digest, or pin an image of the catalogue")


def _is_same(repository: str, known: str) -> bool:
    """True for a repository and for its mirrors below a prefix."""
    return repository == known or repository.endswith(f"/{known}")


def _is_listed(reference: Reference, listed: str) -> bool:
    return _is_same(reference.repository, parse_reference(listed).repository)


def _is_pinned(name: str, catalogue: Catalogue) -> bool:
    return any(catalogue.aliases.get(pin.image, pin.image) == name for pin in catalogue.pins)
