"""What cannot be built as things are, and why: unsupported images, and what needs a source that is not locked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.graph import find_needs
from buildgraph.model import Layer
from buildgraph.support import find_objections

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import TypeAlias

    from buildgraph.graph import Needs
    from buildgraph.key import Keys
    from buildgraph.model import Catalogue, Lock
    from buildgraph.support import Objection

    Blocker: TypeAlias = "tuple[str, str]"
    """A layer and a source of it that is not locked, or an unsupported image and nothing."""


SHOWN = 3
"""Causes that a line names."""


class Cause(StrEnum):
    """Why a node is refused, in the order in which they are told."""

    UNSUPPORTED = "unsupported"
    UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A node that cannot be built. ``reason`` is one line, ``hint`` what to do about it."""

    node: str
    cause: Cause
    reason: str
    hint: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.node}: {self.reason}; {self.hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a plan is about. ``targets`` are those that can be built, ``nodes`` all that they need, parents first.

    Those in ``tested`` must pass their tests. ``refused``: the other targets; what only they need is no part of this.
    """

    targets: tuple[str, ...]
    nodes: tuple[str, ...]
    tested: tuple[str, ...]
    refused: tuple[Refusal, ...]


def find_scope(
    catalogue: Catalogue, lock: Lock, keys: Keys, targets: Sequence[str], needs: Needs, *, with_tests: bool
) -> Scope:
    """The targets apart from those that cannot be built. ``needs`` and ``keys`` are of all targets."""
    order = needs.tested if with_tests else needs.nodes
    refused = find_refusals(catalogue, lock, keys, targets, order, with_tests=with_tests)
    if not refused:
        return Scope(targets=tuple(targets), nodes=needs.nodes, tested=needs.tested, refused=())
    names = {refusal.node for refusal in refused}
    left = tuple(name for name in targets if name not in names)
    needs = find_needs(catalogue, left, with_tests=with_tests)
    return Scope(targets=left, nodes=needs.nodes, tested=needs.tested, refused=refused)


def find_refusals(
    catalogue: Catalogue, lock: Lock, keys: Keys, names: Sequence[str], order: Sequence[str], *, with_tests: bool
) -> tuple[Refusal, ...]:
    """The nodes among ``names`` that cannot be built: the unsupported first, then the unlocked, parents first.

    ``order``: the names and what they need, parents first. With tests, whatever has to be tested on something unlocked,
    or with an image that is refused, cannot be built either.
    """
    objections = find_objections(catalogue, lock, order)
    if not objections and not keys.unlocked:
        return ()
    blockers = _find_blockers(catalogue, keys, order, objections, with_tests=with_tests)
    asked = frozenset(names)
    refused = [
        _explain(catalogue, lock, objections, name, blockers[name])
        for name in order
        if name in asked and blockers[name]
    ]
    return tuple(sorted(refused, key=lambda refusal: refusal.cause is Cause.UNLOCKED))


def _find_blockers(
    catalogue: Catalogue, keys: Keys, order: Sequence[str], objections: Collection[str], *, with_tests: bool
) -> Mapping[str, tuple[Blocker, ...]]:
    """What each node waits for. What it is made of comes before it in ``order``, what it is tested with perhaps not."""
    blockers: dict[str, tuple[Blocker, ...]] = dict.fromkeys(order, ())
    is_moving = True
    while is_moving:
        is_moving = False
        for name in order:
            node = catalogue.nodes[name]
            found = [(name, "")] if name in objections else []
            found += _read(keys, name)
            if with_tests:
                on = node.test_on if isinstance(node, Layer) else ()
                found += [item for other in on for item in _read(keys, other)]
                found += [item for other in node.test_with for item in blockers[other]]
            found += [item for other in node.reads for item in blockers[other]]
            is_moving = is_moving or len(set(found)) > len(blockers[name])
            blockers[name] = tuple(dict.fromkeys(found))
    return blockers


def _read(keys: Keys, name: str) -> list[Blocker]:
    items = (item.partition(": ") for item in keys.unlocked.get(name, ()))
    return [(layer, source) for layer, _, source in items]


def _explain(
    catalogue: Catalogue,
    lock: Lock,
    objections: Mapping[str, Sequence[Objection]],
    name: str,
    blockers: Sequence[Blocker],
) -> Refusal:
    told = [
        "; ".join(map(str, objections[image])) if image == name else f"needs {image}: {objections[image][0]}"
        for image, source in blockers
        if not source
    ]
    if told:
        hint = "--allow-unsupported builds it all the same"
        return Refusal(node=name, cause=Cause.UNSUPPORTED, reason=_shorten(told), hint=hint)
    told = [_tell(catalogue, lock, name, layer, source) for layer, source in blockers]
    layers = dict.fromkeys(layer for layer, _ in blockers)
    command = " ".join(["buildgraph lock", *(f"--update {layer}" for layer in layers)])
    return Refusal(node=name, cause=Cause.UNLOCKED, reason=_shorten(told), hint=f"run: {command}")


def _shorten(told: Sequence[str]) -> str:
    more = [f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return "; ".join([*told[:SHOWN], *more])


def _tell(catalogue: Catalogue, lock: Lock, name: str, layer: str, source: str) -> str:
    node = catalogue.nodes[layer]
    assert isinstance(node, Layer)
    asked = next(each for each in node.sources if each.name == source)
    gap = lock.find_gap(layer, source)
    known = [gap.reason] if gap and gap.request == asked.request else []
    details = ", ".join([*(() if asked.is_set else asked.request), *known])
    of = "" if layer == name else f" of {layer}"
    return f"source {source}{of} is not locked{f' ({details})' if details else ''}"
