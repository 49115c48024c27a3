"""``why``: what would be done for a node and what began it, or why nothing would. Reads the store only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.app.comparing import explain_making
from buildgraph.app.planning import find_document, find_tests, plan_targets, read_verdict
from buildgraph.explain import KEY_SHOWN, Change, explain_tests
from buildgraph.graph import find_target, kind_of
from buildgraph.key import hash_document, hide_values
from buildgraph.model import Image, Layer
from buildgraph.plan import Action, Wishes
from buildgraph.reasons import DOING, Chain, Explanation, Link, Root, end, lead, tell, trace
from buildgraph.record import VERDICTS, parse_test_document, parse_verdict
from buildgraph.refusal import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.key import Document, Json


def explain_node(session: Session, pattern: str, *, force: Sequence[str] = ()) -> Explanation:
    """What a build would do for the node, and why; where it would do nothing: what that rests on.

    ``force`` names targets that are planned as if they had to be made again.
    """
    node = find_target(session.catalogue, pattern)
    planned = plan_targets(session, [node], wishes=Wishes(), force=force)
    causes = _Causes(session, planned)
    own = [step for step in planned.plan.steps if step.node == node and step.action in DOING]
    loads = [step for step in planned.plan.steps if step.action is Action.LOAD]
    fields: list[tuple[str, Json]] = [
        ("kind", kind_of(session.catalogue.nodes[node])),
        ("steps", [step.action.value for step in own + loads]),
        ("key", planned.keys.keys[node].key if node in planned.keys.keys else None),
        ("digest", planned.records[node].digest if node in planned.records else None),
    ]
    refused = planned.plan.refused
    if refused and refused[0].cause is Cause.UNLOCKED and node in planned.keys.unlocked:
        title = f"{node} cannot be built before its sources are locked"
        return Explanation(node=node, state="to do", title=title, chains=causes.of(node), fields=tuple(fields))
    if refused:
        return Explanation(node=node, state="refused", title=f"{refused[0]}", fields=tuple(fields))
    if own:
        title = f"{node} is to be {' and '.join(DOING[step.action] for step in own)}"
        return Explanation(node=node, state="to do", title=title, chains=causes.of(node), fields=tuple(fields))
    pending = causes.below(node)
    if pending:
        title = f"{node} is up to date; what it is made of is not"
        return Explanation(node=node, state="to do", title=title, chains=pending, fields=tuple(fields))
    return _explain_rest(session, planned, node, fields)


@dataclass(frozen=True, slots=True)
class _Causes:
    """The causes of the steps of a plan."""

    session: Session
    planned: Planned

    def of(self, name: str) -> tuple[Chain, ...]:
        """Why a node has steps; each root once."""
        return _each_root_once(self._find(name))

    def below(self, name: str) -> tuple[Chain, ...]:
        """Why what a node is made of has steps."""
        busy = dict.fromkeys(step.node for step in self.planned.plan.steps if step.node != name)
        return _each_root_once(
            lead([Link(node=name, text=f"{name} needs {other}")], chain)
            for other in busy
            for chain in self._find(other)
        )

    def _find(self, name: str) -> Iterable[Chain]:
        if name in self.planned.keys.unlocked:
            return self._find_unlocked(name)
        miss = self.planned.misses.get(name)
        if miss is None:
            return self._find_untested(name)
        if not miss.since:
            return [end(name, self._verb(name), miss.changes)]
        now = {known.key: known.document for known in self.planned.keys.keys.values()}
        key = self.planned.keys.keys[name].key
        roots = trace(
            name,
            miss.since,
            key,
            old=lambda was: find_document(self.session, was),
            new=lambda key: hide_values(now[key]),
        )
        return [tell(root, self._verb) for root in roots]

    def _verb(self, name: str) -> str:
        is_image = isinstance(self.session.catalogue.nodes[name], Image)
        return f"{'was' if name in self.planned.records else 'is'} {'composed' if is_image else 'built'}"

    def _find_unlocked(self, name: str) -> Iterator[Chain]:
        """One chain for each layer that has sources which the lock does not hold."""
        catalogue, unlocked = self.session.catalogue, self.planned.keys.unlocked
        pending: list[tuple[str, ...]] = [(name,)]
        seen = {name}
        for chain in pending:
            node = catalogue.nodes[chain[-1]]
            own = [item for item in unlocked[node.name] if item.startswith(f"{node.name}: ")]
            if own:
                changes = tuple(_unlocked_source(item.partition(": ")[2]) for item in own)
                yield tell(Root(chain=chain, changes=changes), lambda _name: "cannot be made", what="cannot")
            for parent in node.reads:
                if parent in unlocked and parent not in seen:
                    seen.add(parent)
                    pending.append((*chain, parent))

    def _find_untested(self, name: str) -> Iterator[Chain]:
        document = find_tests(self.session, name, self.planned.records)
        if document is not None:
            yield end(name, "is tested", _explain_tests(self.session, name, document))
            return
        node = self.session.catalogue.nodes[name]
        below = node.test_on if isinstance(node, Layer) else node.layers
        for others, what in ((below, "the image that its tests run on"), (node.test_with, "an image of its tests")):
            link = Link(node=name, text=f"{name} is tested because {what} is new")
            for other in others:
                if other not in self.planned.records:
                    yield from (lead([link], chain) for chain in self._find(other))


def _each_root_once(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    shortest: dict[str, Chain] = {}
    for chain in chains:
        known = shortest.get(chain.root)
        if known is None or len(chain.links) < len(known.links):
            shortest[chain.root] = chain
    return tuple(shortest.values())


def _unlocked_source(name: str) -> Change:
    text = f"the lock does not answer what its source {name} asks for (run: buildgraph lock)"
    return Change(kind="lock", name=name, text=text)


def _explain_tests(session: Session, name: str, document: Document) -> tuple[Change, ...]:
    """What differs from the pass of this node that is nearest: on the same image, with the fewest other inputs."""
    if session.store.was_damaged(f"{hash_document(document)}.json"):
        return (Change(kind="verdict", text="its verdict was damaged and put aside"),)
    now = hide_values(document)
    passes = [changes for known in _read_passes(session, name) if (changes := explain_tests(known, now))]
    if not passes:
        return (Change(kind="verdict", text="no pass is recorded for these tests on this image"),)
    return min(passes, key=lambda changes: (any(change.kind == "image" for change in changes), len(changes)))


def _read_passes(session: Session, node: str) -> Iterator[Document]:
    for test_key in session.store.names(VERDICTS):
        text = session.store.read(VERDICTS, test_key) or ""
        verdict, document = parse_verdict(text), parse_test_document(text)
        if verdict and document and verdict.node == node:
            yield document


def _explain_rest(session: Session, planned: Planned, node: str, fields: Sequence[tuple[str, Json]]) -> Explanation:
    """Why there is nothing to do, or nothing but a load."""
    record, document = planned.records[node], find_tests(session, node, planned.records)
    assert document is not None
    verdict = read_verdict(session, hash_document(document))
    facts = [f"the store has a record of its key {record.key[:KEY_SHOWN]}: {record.digest}, {record.size / 1e6:.1f} MB"]
    if verdict is not None:
        skipped = f", {len(verdict.skipped)} skipped" if verdict.skipped else ""
        facts.append(f"its tests have passed on this image: {verdict.passed} passed{skipped}")
    load = next((step for step in planned.plan.steps if step.action is Action.LOAD), None)
    if load is None and isinstance(session.catalogue.nodes[node], Image):
        facts.append("it is the image that an engine was last given")
    past, history, made = explain_making(session, node)
    return Explanation(
        node=node,
        state="to do" if load else "up to date",
        title=f"{node} is to be loaded" if load else f"{node} is up to date",
        facts=tuple(facts),
        chains=(end(node, "is loaded", (Change(kind="load", text=load.reason),)),) if load else (),
        past=past,
        history=history,
        fields=(*fields, ("test_key", verdict.test_key if verdict else None), ("made", made)),
    )
