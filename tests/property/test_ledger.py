"""Ledgers over generated entries: text and value are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from buildgraph.ledger import Ledger, LedgerEntry, format_ledger, parse_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

NODES = st.from_regex(r"[a-z0-9]([a-z0-9-]|[.][a-z0-9]){0,8}", fullmatch=True)
ENTRIES = st.builds(
    LedgerEntry,
    key=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    digest=st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
    tags=st.lists(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True), max_size=3).map(tuple),
)


@given(st.dictionaries(NODES, ENTRIES, max_size=4))
def test_a_ledger_survives_its_text(entries: Mapping[str, LedgerEntry]) -> None:
    text = format_ledger(Ledger(entries=entries))
    assert parse_ledger(text, "ledger.json") == Ledger(entries=entries)
    assert text == format_ledger(Ledger(entries=dict(reversed(list(entries.items())))))
