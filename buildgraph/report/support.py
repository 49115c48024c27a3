"""The table of what fits together → text and JSON. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from buildgraph.model import Support

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.key import Document
    from buildgraph.model import SupportRow, SupportTable
    from buildgraph.support import Objection

    Versions = Mapping[str, Mapping[str, tuple[str, ...]]]

_CELLS = {Support.SUPPORTED: "yes", Support.UNSUPPORTED: "no", Support.UNKNOWN: "?"}
_NOTHING = "-"


def format_support(table: SupportTable, versions: Versions, refused: Mapping[str, tuple[Objection, ...]]) -> str:
    """A column for each version of the host in the catalogue, a line for each row, and what is refused.

    ``versions``: component → version → the layers that hold it.
    """
    hosts = tuple(versions.get(table.host, {}))
    beside = f"{table.title} {', '.join(hosts) or '(in no layer)'}"
    lines = [f"beside {beside}; of a component's rows the first one that fits counts", ""]
    width = max((len(_ranges(row)) for row in table.rows), default=0)
    for (title, names), rows in groupby(table.rows, key=lambda row: (row.title, row.components)):
        lines.append(f"{title}: {', '.join(names)}")
        lines += [f"  in use: {use}" for use in _describe_uses(names, versions)]
        lines.append(f"  {'versions':<{width}}  {'  '.join(hosts)}  verdict      source and reason")
        lines += [_format_row(row, width, hosts) for row in rows]
        lines.append("")
    return "\n".join([*lines, *_format_refused(refused)])


def describe_support(table: SupportTable, versions: Versions, refused: Mapping[str, tuple[Objection, ...]]) -> Document:
    """The same as one document."""
    hosts = tuple(versions.get(table.host, {}))
    return {
        "host": {"component": table.host, "title": table.title, "versions": list(hosts)},
        "rows": [
            {
                "title": row.title,
                "components": list(row.components),
                "versions": [each.text for each in row.versions],
                "with": [each.text for each in row.hosts],
                "verdict": row.verdict.value,
                "hosts": {host: row.verdict.value for host in hosts if _fits(row, host)},
                "source": row.source,
                "reason": row.reason,
                "where": f"{row.location.file}:{row.location.line}",
            }
            for row in table.rows
        ],
        "in_use": {
            name: {each: list(layers) for each, layers in found.items()} for name, found in sorted(versions.items())
        },
        "refused": {name: [str(objection) for objection in objections] for name, objections in refused.items()},
    }


def _ranges(row: SupportRow) -> str:
    return " or ".join(each.text for each in row.versions)


def _fits(row: SupportRow, host: str) -> bool:
    return any(hosts.holds(host) for hosts in row.hosts)


def _format_row(row: SupportRow, width: int, hosts: Sequence[str]) -> str:
    cells = (f"{_CELLS[row.verdict] if _fits(row, host) else _NOTHING:<{len(host)}}" for host in hosts)
    columns = (f"{_ranges(row):<{width}}", *cells, f"{row.verdict.value:<11}", f"{row.source}: {row.reason}")
    return f"  {'  '.join(columns)}"


def _describe_uses(names: Sequence[str], versions: Versions) -> Iterator[str]:
    for name in names:
        for each, layers in versions.get(name, {}).items():
            told = f"{name.rpartition(':')[2]} {each}" if len(names) > 1 else each
            yield f"{told} ({', '.join(layers)})"


def _format_refused(refused: Mapping[str, tuple[Objection, ...]]) -> list[str]:
    if not refused:
        return ["no image is refused"]
    return ["refused:", *(f"  {name}: {each}" for name, objections in refused.items() for each in objections)]
