"""A bill as a table of licences, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.bill.values import Bill, Component

_HEAD = ("COMPONENT", "VERSION", "LICENCE", "PASSED ON", "TEXT")
_WIDEST = (48, 28, 60, 9)


def describe_licences(bill: Bill) -> dict[str, object]:
    """The document of ``licences --json``."""
    return {
        "node": bill.node,
        "digest": bill.digest,
        "components": [
            {
                "layer": layer.node,
                "name": _name(one),
                "version": one.version,
                "purl": one.purl,
                "licences": list(one.licences),
                "text": one.text,
                "redistributable": one.redistributable,
                **({"reason": one.reason, "terms": one.terms} if not one.redistributable else {}),
            }
            for layer, components in bill.layers
            for one in components
        ],
    }


def format_licences(bill: Bill) -> str:
    """One line a component, by layers; what may not be passed on freely comes once more at the end, with its terms."""
    rows = [(layer.node, tuple(_row(one) for one in components)) for layer, components in bill.layers if components]
    cells = [_HEAD, *(row for _, group in rows for row in group)]
    widths = [min(max(len(row[at]) for row in cells), most) for at, most in enumerate(_WIDEST)]
    lines = [_line(_HEAD, widths)]
    for node, group in rows:
        lines += ["", f"{node} ({len(group)})", *(_line(row, widths) for row in group)]
    lines += ["", f"components: {len(bill.components)}; layers: {len(bill.layers)}", *list_restricted(bill)]
    return "\n".join(lines)


def list_restricted(bill: Bill) -> Iterator[str]:
    """One line for each component that may be passed on only under terms that somebody has to accept."""
    for one in find_restricted(bill):
        licence = " AND ".join(one.licences) or "no licence known"
        yield f"{_name(one)} {one.version} ({licence}): {one.reason or 'the lock says so'}; terms: {one.terms or '-'}"


def find_restricted(bill: Bill) -> tuple[Component, ...]:
    """The components that may not be passed on freely."""
    return tuple(one for one in bill.components if not one.redistributable)


def _row(one: Component) -> tuple[str, ...]:
    passed_on = "freely" if one.redistributable else "by terms"
    return _name(one), one.version or "-", " AND ".join(one.licences) or "-", passed_on, one.text or "-"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    *cells, last = row
    padded = [
        cell[: width - 1] + "…" if len(cell) > width else cell.ljust(width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join([*padded, last]).rstrip()


def _name(one: Component) -> str:
    return f"{one.group}:{one.name}" if one.group else one.name
