"""What cannot be built as things are, and why: unsupported images, and what needs a source that is not locked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.graph import find_closure, find_tested
from buildgraph.model import Layer
from buildgraph.support import find_objections

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from buildgraph.key import Keys
    from buildgraph.model import Catalogue, Lock


SHOWN = 3
"""Sources that a line names."""


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


def find_scope(catalogue: Catalogue, lock: Lock, keys: Keys, targets: Sequence[str], *, with_tests: bool) -> Scope:
    """The targets apart from those that cannot be built. ``keys`` are of all that the targets need."""
    refused = find_refusals(catalogue, lock, keys, targets, with_tests=with_tests)
    names = {refusal.node for refusal in refused}
    left = tuple(name for name in targets if name not in names)
    nodes = find_closure(catalogue, left, with_tests=with_tests)
    tested = find_tested(catalogue, left) if with_tests else ()
    return Scope(targets=left, nodes=nodes, tested=tested, refused=refused)


def find_refusals(
    catalogue: Catalogue, lock: Lock, keys: Keys, names: Sequence[str], *, with_tests: bool
) -> tuple[Refusal, ...]:
    """The nodes among ``names`` that cannot be built: the unsupported first, then the unlocked, parents first.

    With tests, whatever has to be tested on something unlocked cannot either.
    """
    objections = find_objections(catalogue, lock, names)
    unsupported = [
        Refusal(
            node=name,
            cause=Cause.UNSUPPORTED,
            reason="; ".join(map(str, found)),
            hint="--allow-unsupported builds it all the same",
        )
        for name, found in objections.items()
    ]
    lacking = _find_lacking(catalogue, keys, names, with_tests=with_tests) if keys.unlocked else {}
    asked = frozenset(names) - objections.keys()
    unlocked = [_explain(catalogue, lock, name, items) for name, items in lacking.items() if items and name in asked]
    return (*unsupported, *unlocked)


def _find_lacking(
    catalogue: Catalogue, keys: Keys, names: Collection[str], *, with_tests: bool
) -> Mapping[str, tuple[str, ...]]:
    """Node → "layer: source" of each source that it waits for, of the names and all that they are made of."""
    lacking: dict[str, tuple[str, ...]] = {}
    for name in find_closure(catalogue, names, with_tests=False):
        node = catalogue.nodes[name]
        found = list(keys.unlocked.get(name, ()))
        if with_tests and isinstance(node, Layer):
            found += [item for other in node.test_on for item in keys.unlocked.get(other, ())]
        for service in node.test_with if with_tests else ():
            found += [
                item for other in (service, *catalogue.nodes[service].reads) for item in keys.unlocked.get(other, ())
            ]
        found += [item for other in node.reads for item in lacking[other]]
        lacking[name] = tuple(dict.fromkeys(found))
    return lacking


def _explain(catalogue: Catalogue, lock: Lock, name: str, items: Sequence[str]) -> Refusal:
    pairs = [(layer, source) for layer, _, source in (item.partition(": ") for item in items)]
    told = "; ".join(_tell(catalogue, lock, name, layer, source) for layer, source in pairs[:SHOWN])
    told += f"; and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    layers = dict.fromkeys(layer for layer, _ in pairs)
    command = " ".join(["buildgraph lock", *(f"--update {layer}" for layer in layers)])
    return Refusal(node=name, cause=Cause.UNLOCKED, reason=told, hint=f"run: {command}")


def _tell(catalogue: Catalogue, lock: Lock, name: str, layer: str, source: str) -> str:
    node = catalogue.nodes[layer]
    assert isinstance(node, Layer)
    asked = next(each for each in node.sources if each.name == source)
    gap = lock.find_gap(layer, source)
    known = [gap.reason] if gap and gap.request == asked.request else []
    details = ", ".join([*(() if asked.is_set else asked.request), *known])
    of = "" if layer == name else f" of {layer}"
    return f"source {source}{of} is not locked{f' ({details})' if details else ''}"
