"""Keys over generated graphs and changes: order never counts, every input does, and only what depends on it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from buildgraph.explain import explain_change
from buildgraph.graph import find_dependents
from buildgraph.key import compute_content_key, hash_document
from buildgraph.model import DockerfileSpec, FileAction, FileOp, FilesSpec, ImageConfig, Lock
from tests.changes import MOVING, STILL
from tests.samples import NOWHERE, World, make_catalogue, make_image, make_layer, make_world, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from buildgraph.key import Document, Json
    from buildgraph.model import Node

    V = TypeVar("V")

WORLD = make_world()
WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
TABLES = st.dictionaries(WORDS, WORDS, max_size=4)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A graph of up to nine layers, each on any of those before it, and an image of some."""
    count = draw(st.integers(1, 9))
    names = [f"n{number}" for number in range(count)]
    nodes: list[Node] = []
    for number, name in enumerate(names):
        below = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        split = draw(st.integers(0, len(below)))
        spec = DockerfileSpec(args=draw(TABLES))
        env = draw(TABLES)
        nodes.append(make_layer(name, spec, parents=tuple(below[:split]), contexts=tuple(below[split:]), env=env))
    layers = draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    config = ImageConfig(env=draw(TABLES), labels=draw(TABLES))
    nodes.append(make_image("image", tuple(layers), config=config))
    trees = {name: {"Dockerfile": f"-:{sha256(name)}"} for name in names}
    return World(catalogue=make_catalogue(nodes), lock=Lock(), trees=trees)


def shuffled(draw: st.DrawFn, table: Mapping[str, V]) -> dict[str, V]:
    return {name: table[name] for name in draw(st.permutations(sorted(table)))}


@st.composite
def reordered(draw: st.DrawFn, world: World) -> World:
    """The same world with every mapping in another order."""
    nodes: dict[str, Node] = {}
    for name, node in shuffled(draw, world.catalogue.nodes).items():
        spec = getattr(node, "spec", None)
        if isinstance(spec, DockerfileSpec):
            changed = replace(world.layer(name), spec=replace(spec, args=shuffled(draw, spec.args)))
            nodes[name] = replace(changed, env=shuffled(draw, changed.env))
        else:
            nodes[name] = node
    trees = {name: shuffled(draw, tree) for name, tree in shuffled(draw, world.trees).items()}
    lock = Lock(entries={name: shuffled(draw, entries) for name, entries in shuffled(draw, world.lock.entries).items()})
    return World(catalogue=replace(world.catalogue, nodes=nodes), lock=lock, trees=trees)


def keys_of(world: World) -> dict[str, str]:
    return {name: known.key for name, known in world.keys().keys.items()}


def moved(before: World, after: World) -> set[str]:
    old, new = keys_of(before), keys_of(after)
    return {name for name in old if old[name] != new[name]}


@settings(max_examples=30)
@given(st.data())
def test_the_order_of_no_mapping_counts(data: st.DataObject) -> None:
    world = data.draw(worlds() | st.just(WORLD))
    assert keys_of(data.draw(reordered(world))) == keys_of(world)


@settings(max_examples=30)
@given(worlds(), st.data())
def test_a_changed_file_moves_its_layer_and_its_descendants_and_nothing_else(world: World, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(world.trees)))
    trees = {**world.trees, name: {"Dockerfile": f"-:{sha256('other')}"}}
    assert moved(world, replace(world, trees=trees)) == {name, *find_dependents(world.catalogue, name)}


@settings(max_examples=30)
@given(worlds(), TABLES, st.data())
def test_a_layers_variables_are_inputs_of_its_readers_and_not_its_own(
    world: World, env: Mapping[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(world.trees)))
    layer = world.layer(name)
    changed = world.with_nodes(replace(layer, env=env))
    expected = set() if env == layer.env else set(find_dependents(world.catalogue, name))
    assert moved(world, changed) == expected


@settings(max_examples=30)
@given(st.sampled_from(sorted(MOVING)), st.lists(st.sampled_from(sorted(STILL)), unique=True))
def test_what_moves_no_key_does_not_hide_what_does(name: str, others: list[str]) -> None:
    change, nodes = MOVING[name]
    world = WORLD
    for other in others:
        world = STILL[other](world)
    changed = change(world)
    below = {other for node in nodes for other in find_dependents(changed.catalogue, node)}
    assert moved(WORLD, changed) == {*nodes, *below}


@settings(max_examples=50)
@given(TABLES, TABLES)
def test_arguments_have_equal_keys_just_when_they_are_equal(one: dict[str, str], two: dict[str, str]) -> None:
    keys = [
        keys_of(WORLD.with_nodes(replace(WORLD.layer("jdk"), spec=DockerfileSpec(args=args))))["jdk"]
        for args in (one, two)
    ]
    assert (keys[0] == keys[1]) is (one == two)


@settings(max_examples=50)
@given(WORDS, WORDS, st.integers(0, 0o7777), st.integers(0, 0o7777))
def test_operations_have_equal_keys_just_when_they_are_equal(one: str, two: str, mode: int, other: int) -> None:
    operations = [
        FileOp(action=FileAction.WRITE, to="/x", text=text, mode=bits, location=NOWHERE)
        for text, bits in ((one, mode), (two, other))
    ]
    keys = [
        keys_of(WORLD.with_nodes(make_layer("written", FilesSpec(operations=(operation,)))))["written"]
        for operation in operations
    ]
    assert (keys[0] == keys[1]) is (operations[0] == operations[1])


@settings(max_examples=30)
@given(worlds(), st.data())
def test_content_keys_are_equal_just_when_the_digests_of_what_is_read_are(world: World, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(world.catalogue.nodes)))
    digests = st.fixed_dictionaries({node: st.sampled_from(["a", "b"]) for node in world.catalogue.nodes})
    one, two = data.draw(digests), data.draw(digests)
    document = world.keys().keys[name].document
    reads = world.catalogue.nodes[name].reads
    same = [one[read] for read in reads] == [two[read] for read in reads]
    assert (compute_content_key(document, one) == compute_content_key(document, two)) is same


@settings(max_examples=30)
@given(st.data())
def test_a_change_is_explained_just_when_there_is_one(data: st.DataObject) -> None:
    documents: list[Document] = [
        known.document for world in (WORLD, data.draw(worlds())) for known in world.keys().keys.values()
    ]
    old, new = data.draw(st.sampled_from(documents)), data.draw(st.sampled_from(documents))
    lines = explain_change(old, new)
    assert bool(lines) is (old != new)
    assert len(set(lines)) == len(lines)


@settings(max_examples=50)
@given(JSON, JSON)
def test_documents_have_equal_hashes_just_when_they_are_equal(one: Json, two: Json) -> None:
    assert (hash_document(one) == hash_document(two)) is (canonical(one) == canonical(two))


def canonical(value: Json) -> object:
    """A form in which True is not 1 and the order of keys is none."""
    if isinstance(value, dict):
        return frozenset((name, canonical(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(canonical(item) for item in value)
    return type(value), value
