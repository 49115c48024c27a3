"""Results and plans → text, JSON, HTML, JUnit, Markdown. Pure; a module for each form.

What every command prints is here; the forms of ``report`` are imported from their modules when they are asked for.
"""

from __future__ import annotations

from buildgraph.report.text import (
    describe_nodes,
    describe_plan,
    describe_refusals,
    describe_result,
    format_failures,
    format_graph,
    format_nodes,
    format_plan,
    format_refusals,
    format_summary,
)

__all__ = [
    "describe_nodes",
    "describe_plan",
    "describe_refusals",
    "describe_result",
    "format_failures",
    "format_graph",
    "format_nodes",
    "format_plan",
    "format_refusals",
    "format_summary",
]
