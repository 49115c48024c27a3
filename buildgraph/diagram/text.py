"""The graph in the languages of Graphviz and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.diagram.node import LOOKS, look_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buildgraph.diagram.node import DiagramNode

_PLAIN = "none"
_PASSED = frozenset(" -.,:/_()·+@")


def draw_dot(nodes: Sequence[DiagramNode], edges: Sequence[tuple[str, str]]) -> str:
    """A digraph for Graphviz, left to right; details as tooltips."""
    lines = [
        "digraph buildgraph {",
        "  rankdir=LR;",
        '  node [shape=box, style="filled,rounded", fontname="sans-serif", fontsize=11];',
        '  edge [color="#868e96"];',
        *(f"  {_dot_node(node)}" for node in nodes),
        *(f"  {_dot(start)} -> {_dot(end)};" for start, end in edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def draw_mermaid(nodes: Sequence[DiagramNode], edges: Sequence[tuple[str, str]]) -> str:
    """A flowchart for Mermaid, left to right, with a class for each stage."""
    ids = {node.name: f"n{place}" for place, node in enumerate(nodes)}
    stages = sorted({_class(node) for node in nodes})
    lines = [
        "flowchart LR",
        *(f"  {_mermaid_node(node, ids[node.name])}" for node in nodes),
        *(f"  {ids[start]} --> {ids[end]}" for start, end in edges),
        *(
            f"  classDef {stage} fill:{look_of(stage).fill},stroke:{look_of(stage).line},color:#212529"
            for stage in stages
        ),
    ]
    return "\n".join(lines) + "\n"


def _dot_node(node: DiagramNode) -> str:
    look = look_of(node.stage)
    label = _dot("\n".join(line for line in (node.name, node.note) if line))
    tooltip = _dot("\n".join((node.name, node.stage, *node.details)))
    colours = f'fillcolor="{look.fill}", color="{look.line}"'
    return f"{_dot(node.name)} [label={label}, tooltip={tooltip}, {colours}];"


def _dot(text: str) -> str:
    """A quoted string: line ends as Graphviz writes them, no other control characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + "".join(char if char.isprintable() else "�" for char in escaped) + '"'


def _mermaid_node(node: DiagramNode, node_id: str) -> str:
    note = f"<br/><small>{_mermaid(node.note)}</small>" if node.note else ""
    return f'{node_id}["{_mermaid(node.name)}{note}"]:::{_class(node)}'


def _mermaid(text: str) -> str:
    """Text inside quotes: whatever could mean something to Mermaid or to HTML by its number."""
    return "".join(char if char.isalnum() or char in _PASSED else f"#{ord(char)};" for char in text)


def _class(node: DiagramNode) -> str:
    return node.stage if node.stage in LOOKS else _PLAIN
