from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildgraph.bases import find_held, find_repeats, find_without, name_of
from buildgraph.errors import LockError
from buildgraph.graph import find_bases
from buildgraph.model import Layer, Lock, LockEntry, PythonSpec
from tests.fakes.fetcher import make_artifact
from tests.samples import make_catalogue, make_layer, make_source

if TYPE_CHECKING:
    from buildgraph.model import Catalogue

NAMES = ("numpy", "pandas", "requests", "scipy", "urllib3")


def library(name: str, *bases: str, without: tuple[str, ...] = ()) -> Layer:
    spec = PythonSpec(prefix="/opt/python", version="3.10", platform="any", bases=bases, without=without)
    return make_layer(name, spec, sources=(make_source("requirements", "x", is_set=True),))


def locked(**sets: str) -> Lock:
    """``name="numpy==1 scipy==2"`` for each layer."""
    entries = {name: tuple(make_artifact(f"pypi:{one}", b"") for one in text.split()) for name, text in sets.items()}
    return Lock(
        entries={name: {"requirements": LockEntry(request=("x",), artifacts=each)} for name, each in entries.items()}
    )


def held(catalogue: Catalogue, lock: Lock, name: str) -> dict[str, str]:
    layer = catalogue.nodes[name]
    assert isinstance(layer, Layer)
    return find_held(layer, lock, catalogue)


def test_what_a_layer_stands_on_is_found_at_any_distance_and_once() -> None:
    layers = [library("a"), library("b", "a"), library("c", "a"), library("d", "c", "b")]
    catalogue = make_catalogue(layers)
    assert {layer.name: find_bases(catalogue, layer.name) for layer in layers} == {
        "a": (),
        "b": ("a",),
        "c": ("a",),
        "d": ("c", "b", "a"),
    }


def test_bases_on_bases_are_walked_once() -> None:
    layers = [library("top-0")]
    for rank in range(1, 200):
        layers += [library(f"{side}-{rank}", f"top-{rank - 1}") for side in ("left", "right")]
        layers.append(library(f"top-{rank}", f"left-{rank}", f"right-{rank}"))
    assert len(find_bases(make_catalogue(layers), "top-199")) == len(layers) - 1


def test_the_versions_of_all_bases_hold() -> None:
    catalogue = make_catalogue([library("a"), library("b", "a"), library("c"), library("d", "b", "c")])
    lock = locked(a="numpy==2.2.6", b="Pan_Das==2.3.3", c="requests==2", d="x==1")
    assert held(catalogue, lock, "d") == {"pan-das": "2.3.3", "requests": "2", "numpy": "2.2.6"}


def test_bases_that_disagree_about_a_version_are_refused() -> None:
    catalogue = make_catalogue([library("a"), library("b"), library("c", "a", "b")])
    assert held(catalogue, locked(a="numpy==1", b="NumPy==1"), "c") == {"numpy": "1"}
    with pytest.raises(LockError, match="c stands on numpy 1 of a and on 2 of b; make one of them a base of the other"):
        held(catalogue, locked(a="numpy==1", b="NumPy==2"), "c")


def test_a_layer_is_not_locked_before_what_it_stands_on() -> None:
    catalogue = make_catalogue([library("a"), library("b", "a"), library("c", "b")])
    with pytest.raises(LockError, match="c stands on what is not locked: a; run: buildgraph lock"):
        held(catalogue, locked(b="numpy==1"), "c")


def test_what_is_left_to_others_is_left_to_them_by_all_that_stand_on_it() -> None:
    lower, upper = library("lower", without=("NumPy", "b")), library("upper", "lower", without=("c",))
    catalogue = make_catalogue([lower, upper])
    assert find_without(lower, catalogue) == {"numpy", "b"}
    assert find_without(upper, catalogue) == {"numpy", "b", "c"}


def test_a_set_that_repeats_what_another_layer_has_is_found() -> None:
    catalogue = make_catalogue([library("a"), library("b", "a", without=("Scipy",)), make_layer("c")])
    for text, reasons in (
        ("x==1 pandas==2", []),
        ("numpy==1 x==1", ["holds numpy, which a has"]),
        ("scipy==1 x==1", ["holds scipy, which another layer has"]),
    ):
        assert [item.reason for item in find_repeats(locked(a="NumPy==1", b=text), catalogue)] == reasons
    changed = replace(locked(b="numpy==1").entries["b"]["requirements"], request=("y",))
    assert (
        list(find_repeats(Lock(entries={**locked(a="numpy==1").entries, "b": {"requirements": changed}}), catalogue))
        == []
    )


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 5)), st.sets(st.sampled_from(NAMES), min_size=1)), min_size=1, max_size=6)
)
def test_nothing_is_there_twice_however_layers_stand_on_each_other(plans: list[tuple[set[int], set[str]]]) -> None:
    layers = [
        library(f"l{rank}", *(f"l{base}" for base in sorted(bases) if base < rank))
        for rank, (bases, _) in enumerate(plans)
    ]
    catalogue = make_catalogue(layers)
    lock = Lock()
    for layer, (_, wanted) in zip(layers, plans, strict=True):
        known = find_held(layer, lock, catalogue)
        own = sorted(wanted - known.keys()) or [f"own-{layer.name}"]
        lock = Lock(entries={**lock.entries, **locked(**{layer.name: " ".join(f"{name}==1" for name in own)}).entries})
        names = [name_of(artifact) for artifact in lock.entries[layer.name]["requirements"].artifacts]
        assert known.keys().isdisjoint(names)
        below = {
            name_of(artifact)
            for base in find_bases(catalogue, layer.name)
            for artifact in lock.entries[base]["requirements"].artifacts
        }
        assert known.keys() == below, "all that any base has is held, and nothing else"
    assert list(find_repeats(lock, catalogue)) == []
