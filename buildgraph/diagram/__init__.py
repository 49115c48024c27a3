"""The graph as a drawing: dot and mermaid for other programs, SVG of our own. Pure and deterministic."""

from buildgraph.diagram.layout import MAX_DRAWN
from buildgraph.diagram.node import DiagramNode, make_diagram
from buildgraph.diagram.svg import draw_svg
from buildgraph.diagram.text import draw_dot, draw_mermaid

__all__ = ["MAX_DRAWN", "DiagramNode", "draw_dot", "draw_mermaid", "draw_svg", "make_diagram"]
