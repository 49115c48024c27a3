"""Results and plans → text and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.events import Outcome
from buildgraph.graph import kind_of, references_of
from buildgraph.model import Stage
from buildgraph.plan import Action
from buildgraph.refusal import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.history import Result, StepResult
    from buildgraph.key import Document, Json, Keys
    from buildgraph.model import Catalogue, Node
    from buildgraph.plan import Plan
    from buildgraph.record import Record
    from buildgraph.refusal import Refusal
    from buildgraph.support import Objection

STAGES = tuple(Stage)
_DEEPEST = 40
_REFUSED = {Cause.UNSUPPORTED: "refused", Cause.UNLOCKED: "unlocked"}
_TITLES = {Cause.UNSUPPORTED: "refused (unsupported)", Cause.UNLOCKED: "unlocked"}


def describe_plan(plan: Plan, keys: Keys, records: Mapping[str, Record]) -> list[Json]:
    """One document for each step, and one ``reuse`` for each node that needs none, in plan order."""
    reused: list[Json] = [_describe_reuse(name, keys, records) for name in plan.reused]
    steps: list[Json] = [
        {
            "node": step.node,
            "action": step.action.value,
            "reason": step.reason,
            "key": _key_of(step.node, keys),
            "digest": None,
            "seconds": round(step.seconds, 1),
            "id": step.id,
            "needs": list(step.needs),
        }
        for step in plan.steps
    ]
    return reused + steps


def describe_result(result: Result, plan: Plan, keys: Keys, records: Mapping[str, Record]) -> Document:
    """A run as one document: its steps in plan order, then how it ended."""
    steps: list[Json] = [_describe_reuse(name, keys, records) for name in plan.reused]
    steps += [_describe_step(entry, keys, records) for entry in result.steps]
    refused = describe_refusals(plan.refused)
    return {"run": result.run, "seconds": round(result.seconds, 3), "steps": steps, "refused": refused}


def describe_refusals(refused: Iterable[Refusal]) -> list[Json]:
    """One document for each refused node."""
    return [
        {"node": each.node, "cause": each.cause.value, "reason": each.reason, "hint": each.hint} for each in refused
    ]


def describe_nodes(
    catalogue: Catalogue,
    names: Iterable[str],
    keys: Keys,
    records: Mapping[str, Record],
    objections: Mapping[str, Sequence[Objection]],
) -> list[Json]:
    """One document for each node: stage, kind, parents, key, digest, tags, what keeps it from being built."""
    documents: list[Json] = []
    for name in names:
        node, record = catalogue.nodes[name], records.get(name)
        documents.append(
            {
                "node": name,
                "stage": node.stage.value,
                "kind": kind_of(node),
                "parents": list(node.reads),
                "key": _key_of(name, keys),
                "digest": record.digest if record else None,
                "size": record.size if record else None,
                "tags": list(references_of(node)),
                "unlocked": list(keys.unlocked.get(name, ())),
                "unsupported": [str(objection) for objection in objections.get(name, ())],
                "description": node.description,
            }
        )
    return documents


def format_plan(plan: Plan) -> str:
    """The plan for people: what is done and why; fetches are folded into the layer that needs them."""
    shown = [step for step in plan.steps if step.action is not Action.FETCH]
    refused = f"; {count_refusals(plan.refused)}" if plan.refused else ""
    if not shown:
        tested = " and tested" if plan.with_tests else ""
        return f"nothing to do: {len(plan.nodes)} nodes are built{tested}{refused}"
    width = max(len(step.id) for step in shown)
    lines = [f"{step.id:<{width}}  {step.reason}" for step in shown]
    last = f"{len(shown)} steps; {len(plan.reused)} of {len(plan.nodes)} nodes are reused{refused}"
    return "\n".join([*lines, last])


def count_refusals(refused: Sequence[Refusal]) -> str:
    """``3 refused, 6 unlocked``."""
    counts = {word: sum(each.cause is cause for each in refused) for cause, word in _REFUSED.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def format_refusals(refused: Sequence[Refusal]) -> str:
    """The refused nodes in groups, a line each; nothing when there are none."""
    lines = []
    for cause, title in _TITLES.items():
        group = [each for each in refused if each.cause is cause]
        lines += [f"{title}: {len(group)}", *(f"  {each}" for each in group)] if group else []
    return "\n".join(lines)


def format_nodes(
    catalogue: Catalogue,
    names: Sequence[str],
    keys: Keys,
    records: Mapping[str, Record],
    objections: Mapping[str, Sequence[Objection]],
) -> str:
    """The nodes by stage, with what is known of them; ``objections`` are to the images that are unsupported."""
    aliases: dict[str, list[str]] = {}
    for alias, name in catalogue.aliases.items():
        aliases.setdefault(name, []).append(alias)
    width = max((len(name) for name in names), default=0)
    blocks = []
    for stage in STAGES:
        rows = [name for name in names if catalogue.nodes[name].stage is stage]
        if rows:
            states = {name: _describe_state(name, keys, records, objections) for name in rows}
            lines = [_format_node(catalogue.nodes[name], width, states[name], aliases.get(name, [])) for name in rows]
            blocks.append("\n".join([f"{stage.value} ({len(rows)})", *lines]))
    return "\n\n".join(blocks)


def format_graph(catalogue: Catalogue, names: Sequence[str]) -> str:
    """The graph as an indented tree from the targets down; a node's own needs are shown where it first appears."""
    wanted = set(names)
    read = {parent for name in names for parent in catalogue.nodes[name].reads}
    lines: list[str] = []
    seen: set[str] = set()
    pending = [(name, 0) for name in reversed(names) if name not in read]
    while pending:
        name, depth = pending.pop()
        node = catalogue.nodes[name]
        again = name in seen and bool(node.reads)
        # Beyond what fits a screen the depth is a number: a long chain's indentation would fill the memory.
        indent = "  " * min(depth, _DEEPEST) + (f"{depth}: " if depth > _DEEPEST else "")
        lines.append(f"{indent}{name}  [{kind_of(node)}]{' (above)' if again else ''}")
        if not again:
            seen.add(name)
            pending.extend((parent, depth + 1) for parent in reversed(node.reads) if parent in wanted)
    return "\n".join(lines)


def format_failures(result: Result, tails: Mapping[str, Sequence[str]]) -> str:
    """The failed steps with their details, the last lines of their logs and the logs' paths; blocked ones counted."""
    blocks = []
    for entry in result.failed:
        lines = [f"FAILED {entry.step.id}: {entry.note}"]
        lines += [f"  {detail}" for detail in entry.details]
        if not entry.details:
            lines += [f"  | {line}" for line in tails.get(entry.step.id, ())]
        if entry.log:
            lines.append(f"  log: {entry.log}")
        blocks.append("\n".join(lines))
    blocked = sum(entry.outcome is Outcome.BLOCKED for entry in result.steps)
    if blocked:
        blocks.append(f"{blocked} steps were blocked by these")
    return "\n".join(blocks)


def format_summary(result: Result, plan: Plan) -> str:
    """One line: what was done."""
    done = [entry for entry in result.steps if entry.outcome is Outcome.DONE]
    counts = {action: sum(entry.step.action is action for entry in done) for action in Action}
    words = {Action.BUILD: "built", Action.COMPOSE: "composed", Action.TEST: "tested", Action.LOAD: "loaded"}
    made = ", ".join(f"{counts[action]} {word}" for action, word in words.items() if counts[action])
    refused = f"; {count_refusals(plan.refused)}" if plan.refused else ""
    return f"{made or 'nothing done'}; {len(plan.reused)} nodes reused{refused}; {result.seconds:.1f} s"


def _describe_reuse(name: str, keys: Keys, records: Mapping[str, Record]) -> Json:
    record = records.get(name)
    return {
        "node": name,
        "action": Action.REUSE.value,
        "reason": "its record and its verdict are in the store",
        "key": _key_of(name, keys),
        "digest": record.digest if record else None,
        "seconds": 0,
    }


def _describe_step(entry: StepResult, keys: Keys, records: Mapping[str, Record]) -> Json:
    record = records.get(entry.step.node)
    return {
        "node": entry.step.node,
        "action": entry.step.action.value,
        "reason": entry.step.reason,
        "key": _key_of(entry.step.node, keys),
        "digest": record.digest if record else None,
        "seconds": round(entry.seconds, 3),
        "id": entry.step.id,
        "outcome": entry.outcome.value,
        "note": entry.note,
        "details": list(entry.details),
        "log": entry.log,
    }


def _key_of(name: str, keys: Keys) -> str | None:
    return keys.keys[name].key if name in keys.keys else None


def _describe_state(
    name: str, keys: Keys, records: Mapping[str, Record], objections: Mapping[str, Sequence[Objection]]
) -> str:
    record = records.get(name)
    if name in objections:
        return Cause.UNSUPPORTED.value
    if name in keys.unlocked:
        return Cause.UNLOCKED.value
    return f"{record.digest[7:19]} {record.size / 1e6:8.1f} MB" if record else "not built"


def _format_node(node: Node, width: int, state: str, aliases: Sequence[str]) -> str:
    also = f"  ({', '.join(aliases)})" if aliases else ""
    return f"  {node.name:<{width}}  {kind_of(node):<10}  {state:<24}  {node.description}{also}"
