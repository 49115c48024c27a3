"""The page and the picture of the catalogue show the nodes that there are, the page the pinned digests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.session import open_session
from buildgraph.graph import find_closure, find_target
from buildgraph.ledger import parse_ledger

if TYPE_CHECKING:
    from buildgraph.app.session import Session

ROOT = Path(__file__).parents[2]
PICTURED = "spark-4.1-gpu-iceberg"
ROW = re.compile(r"^\| `([a-z0-9.-]+)` \|.* \| (?:`(sha256:[0-9a-f]{12})`|[a-z].*?) (?:\| [^|]+ )?\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return open_session(ROOT, store=tmp_path_factory.mktemp("store"), lock_file=None, environ={})


@pytest.fixture(scope="module")
def rows() -> dict[str, str]:
    """Node → the beginning of its digest, or nothing, as the page has it."""
    return dict(ROW.findall((ROOT / "docs/matrix.md").read_text(encoding="utf-8")))


def test_the_page_has_a_row_for_every_node_and_no_other(session: Session, rows: dict[str, str]) -> None:
    assert set(rows) == set(session.catalogue.nodes)


def test_the_page_has_the_digests_that_charts_are_pinned_to(rows: dict[str, str]) -> None:
    ledger = parse_ledger((ROOT / "manifests/ledger.json").read_text(encoding="utf-8"), "ledger.json")
    assert ledger.entries
    assert {name: rows[name] for name in ledger.entries} == {
        name: entry.digest[:19] for name, entry in ledger.entries.items()
    }


def test_the_picture_shows_what_the_image_is_made_of(session: Session) -> None:
    picture = (ROOT / "docs/images/graph.svg").read_text(encoding="utf-8")
    name = find_target(session.catalogue, PICTURED)
    shown = set(re.findall(r">([a-z0-9.-]+)</text>", picture))
    assert set(find_closure(session.catalogue, (name,), with_tests=False)) <= shown
    others = set(session.catalogue.nodes) - set(find_closure(session.catalogue, (name,), with_tests=False))
    assert not others & shown
