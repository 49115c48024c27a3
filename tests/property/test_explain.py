"""Explanations over generated graphs and edits: the edited input is named, at its node, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from buildgraph.graph import find_dependents, to_networkx
from buildgraph.key import hide_values
from buildgraph.model import DockerfileSpec
from buildgraph.reasons import trace
from tests.changes import MOVING
from tests.property.test_key import worlds
from tests.samples import make_world, sha256

if TYPE_CHECKING:
    from buildgraph.reasons import Lookup, Root
    from tests.samples import World

WORLD = make_world()
NAMES = st.text("abcxyz", min_size=1, max_size=3)


def lookup(world: World) -> Lookup:
    return {known.key: hide_values(known.document) for known in world.keys().keys.values()}.get


def find_roots(before: World, after: World, node: str) -> tuple[Root, ...]:
    was, now = (world.keys().keys[node].key for world in (before, after))
    return trace(node, was, now, old=lookup(before), new=lookup(after))


def lines(roots: tuple[Root, ...]) -> list[str]:
    return [str(change) for root in roots for change in root.changes]


@st.composite
def edits(draw: st.DrawFn, world: World) -> tuple[World, str, str]:
    """One edit of a layer: the world after it, the layer, and how the edit is named."""
    name = draw(st.sampled_from(sorted(world.trees)))
    layer = world.layer(name)
    assert isinstance(layer.spec, DockerfileSpec)
    argument = draw(NAMES)
    what = draw(
        st.sampled_from(
            ["a new file", "an argument", *(["a file", "no file"] if "Dockerfile" in world.trees[name] else [])]
        )
    )
    tree = dict(world.trees[name])
    if what == "an argument":
        args = layer.spec.args
        value = draw(st.text(max_size=3).filter(lambda text: text != args.get(argument)))
        changed = world.with_nodes(replace(layer, spec=DockerfileSpec(args={**args, argument: value})))
        return changed, name, f"argument {argument} {'changed' if argument in args else 'is new'}"
    if what == "a new file":
        path = f"files/{len(tree)}"
        tree[path], line = f"-:{sha256(path)}", f"file {path} is new"
    elif what == "a file":
        tree["Dockerfile"], line = f"-:{sha256('other')}", "file Dockerfile changed"
    else:
        del tree["Dockerfile"]
        line = "file Dockerfile is gone"
    return replace(world, trees={**world.trees, name: tree}), name, line


@settings(max_examples=60)
@given(worlds(), st.data())
def test_one_edit_is_all_that_a_descendant_names_with_a_shortest_chain(world: World, data: st.DataObject) -> None:
    after, edited, line = data.draw(edits(world))
    below = sorted({edited, *find_dependents(world.catalogue, edited)})
    node = data.draw(st.sampled_from(below))
    (root,) = find_roots(world, after, node)
    assert [str(change) for change in root.changes] == [line]
    assert (root.chain[0], root.chain[-1]) == (node, edited)
    graph = to_networkx(world.catalogue, world.catalogue.nodes)
    assert len(root.chain) == len(nx.shortest_path(graph, edited, node))
    assert all(
        parent in world.catalogue.nodes[child].reads for child, parent in zip(root.chain, root.chain[1:], strict=False)
    )


@settings(max_examples=60)
@given(worlds(), st.data())
def test_a_node_that_an_edit_does_not_reach_names_nothing(world: World, data: st.DataObject) -> None:
    after, edited, _ = data.draw(edits(world))
    reached = {edited, *find_dependents(world.catalogue, edited)}
    for node in world.catalogue.nodes.keys() - reached:
        assert find_roots(world, after, node) == ()


@settings(max_examples=40)
@given(worlds(), st.data())
def test_two_edits_are_both_named_each_once(world: World, data: st.DataObject) -> None:
    after, first, line = data.draw(edits(world))
    both, second, other = data.draw(edits(after))
    reached = [name for name in (first, second) if "image" in find_dependents(world.catalogue, name)]
    if first != second and len(reached) == 2:
        roots = find_roots(world, both, "image")
        assert {root.chain[-1] for root in roots} == {first, second}
        assert sorted(lines(roots)) == sorted([line, other])


@settings(max_examples=60)
@given(st.sampled_from(sorted(MOVING)), st.data())
def test_each_kind_of_change_is_one_line_wherever_it_is_asked_about(name: str, data: st.DataObject) -> None:
    change, nodes = MOVING[name]
    after = change(WORLD)
    below = {other for node in nodes for other in find_dependents(after.catalogue, node)}
    asked = data.draw(st.sampled_from(sorted({*nodes, *below})))
    assert len(set(lines(find_roots(WORLD, after, asked)))) == 1
