"""Why a node is made, or is as it was: chains from the node to what changed, as values, text and JSON. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from buildgraph.explain import KEY_SHOWN, Change, explain_change
from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from buildgraph.key import Document, Json

    Lookup: TypeAlias = Callable[[str], Document | None]
    """key → its document without values (``key.hide_values``), or None when nothing is known of it."""
    Verb: TypeAlias = Callable[[str], str]
    """node → what happens to it, as in "<node> is built"."""

COMMON = frozenset({"format", "platform", "epoch", "tool", "variable", "prepended variable"})
"""Kinds of inputs that many nodes share (a layer's variables reach all that read it): each is told once."""
CHANGES_SHOWN = 8
MAKING = {Action.BUILD: "built", Action.COMPOSE: "composed"}
DOING = {**MAKING, Action.TEST: "tested"}


_STATES = frozenset({"record", "blob", "verdict", "load", "force", "reason"})
"""Kinds of causes that are no inputs but what the store lacks or somebody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Where a change began: the last node of ``chain``, which starts at the node that was asked for."""

    chain: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A node of a chain and a sentence about it that leads to the next; of the last, one that its changes end."""

    node: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A root cause told from the node that was asked for down to it."""

    links: tuple[Link, ...]
    changes: tuple[Change, ...]

    @property
    def root(self) -> str:
        """The node whose own inputs changed."""
        return self.links[-1].node


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer about one node: ``facts`` first, then the ``chains``, then ``notes`` (such as what to do).

    ``state`` is a word for programs: ``up to date``, ``to do``, ``same``, ``changed``; ``title`` is the sentence for
    people. ``history`` are chains of an earlier run, told last. ``fields`` are further facts for programs.
    """

    node: str
    state: str
    title: str
    facts: tuple[str, ...] = ()
    chains: tuple[Chain, ...] = ()
    past: str = ""
    history: tuple[Chain, ...] = ()
    fields: tuple[tuple[str, Json], ...] = ()


def trace(node: str, was: str, now: str, *, old: Lookup, new: Lookup) -> tuple[Root, ...]:
    """The roots of a node's change from key ``was`` to key ``now``, each once with its shortest chain, nearest first.

    The documents name the keys of what a node reads, so the old and the new state are followed as they were, whatever
    else was built meanwhile.
    """
    roots: list[Root] = []
    told: set[Change] = set()
    seen = {node}
    pending: deque[tuple[tuple[str, ...], str, str]] = deque([((node,), was, now)])
    while pending:
        chain, was, now = pending.popleft()
        before, after = old(was), new(now)
        if before is None or after is None:
            roots.append(Root(chain=chain, changes=(_lost(was if before is None else now),)))
            continue
        changes = explain_change(before, after)
        own = tuple(change for change in changes if not change.moved and change not in told)
        told.update(change for change in own if change.kind in COMMON)
        if own:
            roots.append(Root(chain=chain, changes=own))
        for name in (change.name for change in changes if change.moved and change.name not in seen):
            seen.add(name)
            pending.append(((*chain, name), _key_read(before, name), _key_read(after, name)))
    return tuple(roots)


def tell(root: Root, verb: Verb, *, what: str = "changed") -> Chain:
    """The root as sentences; ``what`` the next layer of the chain did."""
    links = [
        Link(node=name, text=f"{name} {verb(name)} because layer {then} {what}") for name, then in pairwise(root.chain)
    ]
    return lead(links, end(root.chain[-1], verb(root.chain[-1]), root.changes))


def end(node: str, verb: str, changes: tuple[Change, ...]) -> Chain:
    """A chain of the node alone."""
    return Chain(links=(Link(node=node, text=f"{node} {verb}"),), changes=changes)


def lead(links: Iterable[Link], chain: Chain) -> Chain:
    """The chain with other links before it."""
    return Chain(links=(*links, *chain.links), changes=chain.changes)


def format_explanation(explanation: Explanation) -> str:
    """The explanation for people."""
    blocks = ["\n".join([explanation.title, *(f"  {fact}" for fact in explanation.facts)])]
    blocks += _format_chains(explanation.chains)
    blocks += [explanation.past] if explanation.past else []
    blocks += _format_chains(explanation.history)
    return "\n\n".join(blocks)


def describe_explanation(explanation: Explanation) -> Document:
    """The explanation as one document."""
    return {
        "node": explanation.node,
        "state": explanation.state,
        **dict(explanation.fields),
        "causes": [_describe_chain(chain) for chain in explanation.chains],
        "earlier_causes": [_describe_chain(chain) for chain in explanation.history],
    }


def _format_chains(chains: Iterable[Chain]) -> list[str]:
    return ["\n".join(_format_chain(chain)) for chain in chains]


def _format_chain(chain: Chain) -> Iterator[str]:
    *before, last = chain.links
    for depth, link in enumerate(before):
        yield f"{'  ' * depth}{link.text}"
    indent = "  " * len(before)
    first, *others = chain.changes
    yield f"{indent}{last.text}{':' if first.kind in _STATES else ' because'} {first}"
    yield from (f"{indent}  and {change}" for change in others[: CHANGES_SHOWN - 1])
    if len(chain.changes) > CHANGES_SHOWN:
        yield f"{indent}  and {len(chain.changes) - CHANGES_SHOWN} more (--json names all)"


def _describe_chain(chain: Chain) -> Json:
    changes: list[Json] = [
        {"kind": change.kind, "name": change.name, "text": change.text, "old": change.old, "new": change.new}
        for change in chain.changes
    ]
    return {"root": chain.root, "chain": [link.node for link in chain.links], "changes": changes}


def _lost(key: str) -> Change:
    text = f"what changed in it cannot be told, as the store has no record of its key {key[:KEY_SHOWN]}"
    return Change(kind="record", name=key, text=text)


def _key_read(document: Document, name: str) -> str:
    reads = document.get("reads")
    items = reads if isinstance(reads, list) else []
    return next(str(item["key"]) for item in items if isinstance(item, dict) and item["node"] == name)
