"""``why --run``: what moved a node's key between two kept runs. Reads the store only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.app.planning import find_document
from buildgraph.app.runs import LAST, find_run, list_runs
from buildgraph.errors import UsageError
from buildgraph.events import Outcome
from buildgraph.explain import KEY_SHOWN, Change
from buildgraph.graph import find_target
from buildgraph.plan import Action
from buildgraph.reasons import DOING, MAKING, Chain, Explanation, end, tell, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from buildgraph.app.runs import KeptRun
    from buildgraph.app.session import Session
    from buildgraph.history import RunStep
    from buildgraph.key import Document, Json

IMAGE = "image"


def explain_runs(session: Session, pattern: str, names: Sequence[str]) -> Explanation:
    """What moved a node's key between two runs.

    ``names`` are ids of one or two runs, or ``last``: the newest run that the node was part of. One run is compared
    with the one before it that knew the node.
    """
    runs = list_runs(session.store)
    node = pattern if any(kept.knows(pattern) for kept in runs) else find_target(session.catalogue, pattern)
    chosen = [_pick(runs, name, node) for name in names]
    if len(chosen) == 1:
        chosen = [*_find_earlier(runs, chosen[0], node), *chosen]
    facts = tuple(_sum_up(kept, node) for kept in chosen)
    fields: tuple[tuple[str, Json], ...] = (("runs", [_describe(kept, node) for kept in chosen]),)
    if len(chosen) == 1:
        return Explanation(
            node=node, state="new", title=f"no run before this one knew {node}:", facts=facts, fields=fields
        )
    old, new = chosen
    moved = _key_in(old, node) != _key_in(new, node)
    return Explanation(
        node=node,
        state="changed" if moved else "same",
        title=f"{node} {'changed between these runs' if moved else 'has the same inputs in these runs'}:",
        facts=facts,
        chains=_compare(session, node, old, new, lambda _name: "changed"),
        fields=fields,
    )


def explain_making(session: Session, node: str) -> tuple[str, tuple[Chain, ...], Json]:
    """The newest kept run that made the node, and why it did: a sentence, chains, a document."""
    runs = list_runs(session.store)
    for kept in runs:
        step = _making_step(kept, node)
        if step is not None:
            text = f"{node} was last made by the run {kept.name}, {kept.began:%Y-%m-%d %H:%M} UTC:"
            document: Json = {"run": kept.name, "began": kept.began.isoformat(), "reason": step.reason}
            return text, _explain_step(session, runs, kept, step), document
    return "no run that made it is kept", (), None


def _explain_step(session: Session, runs: Sequence[KeptRun], kept: KeptRun, step: RunStep) -> tuple[Chain, ...]:
    """Why a run did a step: by the run before it or, where there is none, in the words of its plan."""

    def verb(name: str) -> str:
        return f"was {_made(kept, name)}"

    earlier = _find_earlier(runs, kept, step.node)
    chains = _compare(session, step.node, earlier[0], kept, verb) if earlier else ()
    return chains or (end(step.node, verb(step.node), (Change(kind="reason", text=step.reason),)),)


def _pick(runs: Sequence[KeptRun], name: str, node: str) -> KeptRun:
    knowing = [kept for kept in runs if kept.knows(node)]
    if name == LAST and not knowing:
        raise UsageError(f"no run that is kept knew {node}", hint="see: buildgraph logs")
    found = find_run(knowing if name == LAST else runs, name)
    if found.run is None:
        raise UsageError(f"the run {found.name} did not come to its end; what it knew is not kept")
    if not found.knows(node):
        newest = f"the newest that was: {knowing[0].name}" if knowing else "see: buildgraph logs"
        raise UsageError(f"{node} was not part of the run {found.name}", hint=newest)
    return found


def _find_earlier(runs: Sequence[KeptRun], kept: KeptRun, node: str) -> list[KeptRun]:
    """The newest run before another one that knew the node, if any."""
    return [one for one in runs[runs.index(kept) + 1 :] if one.knows(node)][:1]


def _compare(session: Session, node: str, old: KeptRun, new: KeptRun, verb: Callable[[str], str]) -> tuple[Chain, ...]:
    was, now = _key_in(old, node), _key_in(new, node)
    if was == now:
        step = _making_step(new, node)
        again = f"was {_made(new, node)} again"
        return (end(node, again, (Change(kind="reason", text=step.reason),)),) if step else ()
    if not was or not now:
        text = f"not all of its sources were locked in the run {(new if was else old).name}"
        return (end(node, "changed", (Change(kind="lock", text=text),)),)
    documents = {key: document for kept in (old, new) for key, document in _documents(kept).items()}

    def find(key: str) -> Document | None:
        return documents.get(key) or find_document(session, key)

    return tuple(tell(root, verb) for root in trace(node, was, now, old=find, new=find))


def _documents(kept: KeptRun) -> dict[str, Document]:
    """Key → document, of what the run made."""
    return {kept.run.keys[name]: document for name, document in kept.run.documents.items()} if kept.run else {}


def _steps(kept: KeptRun, node: str) -> list[RunStep]:
    return [step for step in kept.run.steps if step.node == node and step.action in DOING] if kept.run else []


def _making_step(kept: KeptRun, node: str) -> RunStep | None:
    done = {Outcome.DONE.value, Outcome.REUSED.value}
    return next((step for step in _steps(kept, node) if step.action in MAKING and step.outcome in done), None)


def _key_in(kept: KeptRun, node: str) -> str:
    return kept.run.keys[node] if kept.run else ""


def _made(kept: KeptRun, node: str) -> str:
    is_image = any(known.kind == IMAGE for known in (kept.run.nodes if kept.run else ()) if known.node == node)
    return MAKING[Action.COMPOSE if is_image else Action.BUILD]


def _sum_up(kept: KeptRun, node: str) -> str:
    steps = ", ".join(f"{step.action} {step.outcome}" for step in _steps(kept, node)) or "reused"
    key = _key_in(kept, node)[:KEY_SHOWN]
    return f"{kept.name}  {kept.began:%Y-%m-%d %H:%M} UTC  {f'key {key}' if key else 'no key'}  {steps}"


def _describe(kept: KeptRun, node: str) -> Json:
    steps: list[Json] = [{"id": step.id, "outcome": step.outcome, "reason": step.reason} for step in _steps(kept, node)]
    return {"run": kept.name, "began": kept.began.isoformat(), "key": _key_in(kept, node) or None, "steps": steps}
