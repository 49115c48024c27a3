"""``manifests/support.yaml`` → the table of what fits together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.forms import COMPONENT, RANGE, SENTENCE
from buildgraph.model import Support, SupportRow, SupportTable
from buildgraph.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.manifest.fields import Fields


def read_support(fields: Fields) -> SupportTable:
    """The host, and the rows of all components in the order written."""
    host, title = fields.text("host", form=COMPONENT), fields.text("title", form=SENTENCE)
    rows = tuple(row for entry in fields.sequence("components", least=1) for row in _read_component(entry))
    fields.finish()
    return SupportTable(host=host, title=title, rows=rows)


def _read_component(fields: Fields) -> Iterator[SupportRow]:
    title = fields.text("title", form=SENTENCE)
    names = fields.texts("names", form=COMPONENT, least=1)
    for row in fields.sequence("rows", least=1):
        yield SupportRow(
            title=title,
            components=names,
            versions=_read_ranges(row, "versions"),
            hosts=_read_ranges(row, "with"),
            verdict=Support(row.choice("verdict", tuple(Support))),
            reason=row.text("reason", form=SENTENCE),
            source=row.text("source", form=SENTENCE),
            location=row.location(),
        )
        row.finish()
    fields.finish()


def _read_ranges(fields: Fields, key: str) -> tuple[Range, ...]:
    return tuple(Range(text) for text in fields.texts(key, form=RANGE, least=1) if text)
