"""The graph as one SVG document that needs nothing beside itself: boxes in columns, read from left to right.

Looks are attributes, not styles, so that a page that embeds the drawing may change them by its classes:
``diagram``, ``node``, ``stage-<stage>``, ``edge``, ``legend``.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.diagram.layout import lay_out
from buildgraph.diagram.node import LOOKS, look_of
from buildgraph.model import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.diagram.layout import Layout
    from buildgraph.diagram.node import DiagramNode

_FONT = "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
_BOX = 40.0
_BOX_SPACE = 54.0
_BEND_SPACE = 16.0
_MARGIN = 20.0
_PADDING = 12.0
_LEGEND = 34.0
_LEGEND_STEP = 110.0
_GAP = 64.0
_CHARACTER = 7.1  # as wide as a letter of a name is on average, with some to spare
_SMALL_CHARACTER = 6.0
_MOST_CHARACTERS = 34
_INK, _FAINT, _EDGE = "#212529", "#5c636a", "#868e96"
_ARROW = (
    '<defs><marker id="diagram-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"'
    f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{_EDGE}"/></marker></defs>'
)
# What XML 1.0 cannot hold, not even as a reference.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    x: float
    width: float

    @property
    def end(self) -> float:
        return self.x + self.width


def draw_svg(nodes: Sequence[DiagramNode], edges: Sequence[tuple[str, str]]) -> str:
    """The drawing. Each edge leads from what is read to what reads it; both ends are names of ``nodes``.

    The graph must have no cycle. Up to ``MAX_DRAWN`` nodes it takes seconds at most.
    """
    ids = {node.name: place for place, node in enumerate(nodes)}
    layout = lay_out(len(nodes), [(ids[start], ids[end]) for start, end in edges], box=_BOX_SPACE, bend=_BEND_SPACE)
    columns = _measure(nodes, layout)
    by_point = {point: columns[place] for place, column in enumerate(layout.columns) for point in column}
    stages = [stage for stage in LOOKS if any(node.stage == stage for node in nodes)]
    width = max([column.end + _MARGIN for column in columns] + [2 * _MARGIN + _LEGEND_STEP * len(stages)])
    height = _LEGEND + 2 * _MARGIN + max((value + _BOX_SPACE / 2 for value in layout.heights.values()), default=0.0)
    lines = [
        _draw_head(width, height),
        f"<title>{len(nodes)} nodes, read from left to right</title>",
        _ARROW,
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        '<g class="legend">',
        *_draw_legend(stages),
        "</g>",
        '<g class="edges" fill="none" stroke-width="1.3" stroke-opacity="0.6">',
        *_draw_edges(nodes, edges, layout, by_point),
        "</g>",
        '<g class="nodes">',
        *(_draw_node(node, by_point[place], layout.heights[place]) for place, node in enumerate(nodes)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _draw_head(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}" font-family="{_FONT}" font-size="12">'
    )


def _measure(nodes: Sequence[DiagramNode], layout: Layout) -> list[_Column]:
    columns: list[_Column] = []
    x = _MARGIN
    for points in layout.columns:
        boxes = [nodes[point] for point in points if point < len(nodes)]
        width = max((_width(node) for node in boxes), default=0.0)
        columns.append(_Column(x=x, width=width))
        x += width + _GAP
    return columns


def _width(node: DiagramNode) -> float:
    return 2 * _PADDING + max(len(_shorten(node.name)) * _CHARACTER, len(_shorten(node.note)) * _SMALL_CHARACTER)


def _draw_legend(stages: Sequence[str]) -> Iterator[str]:
    for place, stage in enumerate(stages):
        x, look = _MARGIN + _LEGEND_STEP * place, look_of(stage)
        yield (
            f'<g class="stage-{stage}"><rect x="{x:.1f}" y="{_MARGIN:.1f}" width="14" height="14" rx="3"'
            f' fill="{look.fill}" stroke="{look.line}"/>'
            f'<text x="{x + 20:.1f}" y="{_MARGIN + 11:.1f}" fill="{_INK}">{stage}</text></g>'
        )


def _draw_edges(
    nodes: Sequence[DiagramNode], edges: Sequence[tuple[str, str]], layout: Layout, columns: Mapping[int, _Column]
) -> Iterator[str]:
    for (start, end), way in zip(edges, layout.ways, strict=True):
        path = "".join(_draw_way(way, layout.heights, columns))
        title = f"<title>{_text(start)} → {_text(end)}</title>"
        colour = look_of(nodes[way[0]].stage).line
        yield f'<path class="edge" d="{path}" stroke="{colour}" marker-end="url(#diagram-arrow)">{title}</path>'


def _draw_way(way: Sequence[int], heights: Mapping[int, float], columns: Mapping[int, _Column]) -> Iterator[str]:
    """Curves through the gaps between columns, straight lines across the columns that are passed."""
    first, last = way[0], way[-1]
    x, y = columns[first].end, _down(heights[first])
    yield f"M{x:.1f} {y:.1f}"
    for point in way[1:]:
        to_x, to_y = columns[point].x, _down(heights[point])
        middle = (x + to_x) / 2
        yield f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = columns[point].end, to_y
        if point != last:
            yield f"H{x:.1f}"


def _draw_node(node: DiagramNode, column: _Column, height: float) -> str:
    look, middle = look_of(node.stage), _down(height)
    stage = node.stage if node.stage in LOOKS else "none"
    dashes = ' stroke-dasharray="4 3"' if stage == Stage.HELPER else ""
    radius = 12 if node.kind == "image" else 4
    title = "\n".join((node.name, f"{node.stage}, {node.note or node.kind}", *node.details))
    x = column.x + _PADDING
    name = f'y="{middle - 3 if node.note else middle + 4:.1f}" font-weight="600" fill="{_INK}"'
    note = f'y="{middle + 12:.1f}" font-size="10" fill="{_FAINT}"'
    return (
        f'<g class="node stage-{stage}"><title>{_text(title)}</title>'
        f'<rect x="{column.x:.1f}" y="{middle - _BOX / 2:.1f}" width="{column.width:.1f}" height="{_BOX:.0f}"'
        f' rx="{radius}" fill="{look.fill}" stroke="{look.line}" stroke-width="1.4"{dashes}/>'
        f'<text x="{x:.1f}" {name}>{_text(_shorten(node.name))}</text>'
        + (f'<text x="{x:.1f}" {note}>{_text(_shorten(node.note))}</text>' if node.note else "")
        + "</g>"
    )


def _down(height: float) -> float:
    return height + _LEGEND + _MARGIN


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _text(text: str) -> str:
    return html.escape(_NO_XML.sub("�", text))
