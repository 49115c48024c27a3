"""Results and plans → text and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.events import Outcome
from buildgraph.graph import kind_of, references_of
from buildgraph.model import Stage
from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.history import Result, StepResult
    from buildgraph.key import Document, Json, Keys
    from buildgraph.model import Catalogue, Node
    from buildgraph.plan import Plan
    from buildgraph.record import Record

STAGES = tuple(Stage)
_DEEPEST = 40


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
    return {"run": result.run, "seconds": round(result.seconds, 3), "steps": steps}


def describe_nodes(catalogue: Catalogue, names: Iterable[str], keys: Keys, records: Mapping[str, Record]) -> list[Json]:
    """One document for each node: stage, kind, parents, key, digest, tags."""
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
                "description": node.description,
            }
        )
    return documents


def format_plan(plan: Plan) -> str:
    """The plan for people: what is done and why; fetches are folded into the layer that needs them."""
    shown = [step for step in plan.steps if step.action is not Action.FETCH]
    if not shown:
        return f"nothing to do: {len(plan.nodes)} nodes are built{' and tested' if plan.with_tests else ''}"
    width = max(len(step.id) for step in shown)
    lines = [f"{step.id:<{width}}  {step.reason}" for step in shown]
    return "\n".join([*lines, f"{len(shown)} steps; {len(plan.reused)} of {len(plan.nodes)} nodes are reused"])


def format_nodes(catalogue: Catalogue, names: Sequence[str], keys: Keys, records: Mapping[str, Record]) -> str:
    """The nodes by stage, with what is known of them."""
    aliases: dict[str, list[str]] = {}
    for alias, name in catalogue.aliases.items():
        aliases.setdefault(name, []).append(alias)
    width = max((len(name) for name in names), default=0)
    blocks = []
    for stage in STAGES:
        rows = [name for name in names if catalogue.nodes[name].stage is stage]
        if rows:
            lines = [_format_node(catalogue.nodes[name], width, keys, records, aliases.get(name, [])) for name in rows]
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
    return f"{made or 'nothing done'}; {len(plan.reused)} nodes reused; {result.seconds:.1f} s"


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


def _format_node(node: Node, width: int, keys: Keys, records: Mapping[str, Record], aliases: Sequence[str]) -> str:
    record = records.get(node.name)
    if node.name in keys.unlocked:
        state = "unlocked"
    else:
        state = f"{record.digest[7:19]} {record.size / 1e6:8.1f} MB" if record else f"{'not built':<12} {'':>11}"
    also = f"  ({', '.join(aliases)})" if aliases else ""
    return f"  {node.name:<{width}}  {kind_of(node):<10}  {state}  {node.description}{also}"
