"""What a plan does grows with the graph and no faster: counted, not timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment

from buildgraph.adapters import workspace
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.workspace import Workspace
from buildgraph.app.planning import plan_targets
from buildgraph.app.queries import query_nodes
from buildgraph.app.session import open_session
from buildgraph.errors import ErrorGroup, ManifestError
from buildgraph.graph import check_graph, find_closure
from buildgraph.key import hash_document
from buildgraph.manifest.catalogue import parse_catalogue
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.fields import Fields
from buildgraph.model import Layer, Lock
from buildgraph.plan import State, Wishes, make_plan
from buildgraph.refusal import Scope
from buildgraph.report import format_graph, format_plan
from buildgraph.schedule import find_priorities
from tests.fakes.catalogues import make_catalogue, make_files_layer, make_keys, make_reading_layer
from tests.fakes.counting import counted
from tests.generate import Shape, Split, write_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.model import Catalogue

READS = vars(Layer)["reads"].fget


def make(folder: Path, *, levels: int, width: int, split: Split = Split.NODE) -> Path:
    write_catalogue(folder, Shape(levels=levels, width=width, parents=2, split=split))
    return folder


def open_it(folder: Path) -> Session:
    return open_session(folder, store=folder.parent / "store", lock_file=None, environ={})


def plan(folder: Path) -> Planned:
    return plan_targets(open_it(folder), ["all"], wishes=Wishes())


@pytest.mark.parametrize("split", list(Split))
def test_each_document_is_parsed_and_each_file_hashed_once(tmp_path: Path, split: Split) -> None:
    folder = make(tmp_path / "p", levels=3, width=10, split=split)
    manifests = len(list((folder / "manifests").rglob("*.yaml")))
    files = sum(path.is_file() for path in (folder / "layers").rglob("*"))
    with counted(parse_document, workspace._hash) as calls:
        plan(folder)
    assert calls == {"parse_document": manifests, "_hash": files + 1}  # and the fixtures


def test_each_expression_is_compiled_once_and_plain_strings_never(tmp_path: Path) -> None:
    folder = make(tmp_path / "p", levels=3, width=20, split=Split.LEVEL)
    for file in (folder / "manifests/layers").iterdir():
        file.write_text(file.read_text().replace("{{ ", "{{   "))  # as no other test writes them
    with counted(Environment.from_string) as calls:
        plan(folder)
        plan(folder)
    assert calls["Environment.from_string"] == 4  # p0, p1, name, and a path with the name
    with counted(Environment.from_string) as calls:
        plan(make(tmp_path / "q", levels=3, width=20, split=Split.NODE))
    assert calls["Environment.from_string"] == 0


def test_a_variant_opens_as_many_mappings_in_a_table_of_ten_as_of_a_hundred(tmp_path: Path) -> None:
    counts = {}
    for width in (10, 100):
        session = make(tmp_path / str(width), levels=2, width=width, split=Split.LEVEL)
        with counted(Fields.__init__, Fields.names) as calls:
            open_it(session)
        counts[width] = sum(calls.values())
    assert counts[100] < 11 * counts[10]


def test_a_plan_of_a_new_catalogue_reads_the_store_once_for_each_node(tmp_path: Path) -> None:
    folder = make(tmp_path / "p", levels=4, width=10)
    session = open_it(folder)
    session.store.write("records", "0" * 64, "some other")
    with counted(LayoutStore.read, LayoutStore.names) as calls:
        plan_targets(session, ["all"], wishes=Wishes())
    nodes = len(session.catalogue.nodes)
    assert calls["LayoutStore.read"] == nodes + 1  # and the durations
    assert calls["LayoutStore.names"] == 2


def test_a_plan_hashes_each_node_once(tmp_path: Path) -> None:
    session = open_it(make(tmp_path / "p", levels=4, width=10))
    with counted(hash_document) as calls:
        plan_targets(session, ["all"], wishes=Wishes())
    assert calls["hash_document"] == len(session.catalogue.nodes)


def test_a_ladder_of_26_diamonds_costs_twice_one_of_13(tmp_path: Path) -> None:
    visits = {}
    for rungs in (13, 26):
        session = open_it(make(tmp_path / str(rungs), levels=rungs + 1, width=2))
        with counted(READS) as calls:
            planned = plan_targets(session, ["all"], wishes=Wishes())
            format_graph(session.catalogue, query_nodes(session, ["*"], with_needs=True).names)
        assert len(planned.plan.nodes) == 2 * (rungs + 1) + 1
        visits[rungs] = sum(calls.values())
    assert visits[26] <= 2.1 * visits[13]


@pytest.mark.parametrize("length", [500, 10_000])
def test_a_chain_of_any_length_is_planned_without_recursion(length: int) -> None:
    catalogue = make_chain(length)
    names = find_closure(catalogue, [f"n{length - 1}"], with_tests=True)
    assert names == tuple(f"n{place}" for place in range(length))
    keys = make_keys(catalogue, Lock())
    state = State(records={}, misses={}, passed=(), seconds={}, loaded={})
    scope = Scope(targets=(names[-1],), nodes=names, tested=names, refused=())
    made = make_plan(catalogue, Lock(), keys, state, scope=scope, wishes=Wishes())
    assert len(made.steps) == 2 * length
    assert find_priorities(made.steps)["build:n0"] == pytest.approx(20.0 * length + 15.0)
    assert format_plan(made).count("\n") == 2 * length
    tree = format_graph(catalogue, names)
    assert tree.splitlines()[-1].endswith(f"{length - 1}: n0  [files]")
    assert len(tree) < 120 * length


@pytest.mark.parametrize("length", [500, 10_000])
def test_a_circle_of_any_length_is_told_in_one_line(length: int) -> None:
    catalogue = make_chain(length, closed=True)
    (error,) = check_graph(catalogue)
    assert str(error).count(" -> ") == length
    assert "\n" not in str(error)


def test_a_mistake_in_every_node_is_told_once_for_each(tmp_path: Path) -> None:
    folder = make(tmp_path / "p", levels=2, width=200, split=Split.LEVEL)
    file = folder / "manifests/layers/l001.yaml"
    file.write_text(file.read_text().replace('"{{ p0 }}"', '"{{ p0 }}x"'))
    with pytest.raises(ErrorGroup) as caught:
        open_it(folder)
    assert len(caught.value.errors) == 200
    assert all(isinstance(error, ManifestError) for error in caught.value.errors)


def test_reading_manifests_opens_each_file_once(tmp_path: Path) -> None:
    folder = make(tmp_path / "p", levels=2, width=5)
    with counted(workspace._read_bytes, parse_catalogue) as calls:
        texts = Workspace(folder).read_manifests()
    assert calls == {"_read_bytes": len(texts), "parse_catalogue": 0}


def make_chain(length: int, *, closed: bool = False) -> Catalogue:
    first = make_reading_layer("n0", parents=(f"n{length - 1}",)) if closed else make_files_layer("n0")
    rest = [make_reading_layer(f"n{place}", parents=(f"n{place - 1}",)) for place in range(1, length)]
    return make_catalogue(first, *rest)
