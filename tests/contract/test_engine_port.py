"""What every Engine must do; runs on the fake and on the real engine."""

from __future__ import annotations

import os
import uuid
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import engine as bringup
from buildgraph.adapters.address import default_state
from buildgraph.adapters.docker import DockerEngine
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import Interrupted
from buildgraph.record import Load, format_load, parse_load
from tests.fakes.engine import FakeEngine
from tests.fakes.tiny import compose, write_layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.model import Composition
    from buildgraph.ports import Engine


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.engine)])
def engine(request: pytest.FixtureRequest, store: LayoutStore) -> Iterator[Engine]:
    if request.param == "fake":
        yield FakeEngine(store)
        return
    state = default_state()
    address = bringup.find_engine(os.environ, state)
    assert address is not None, "no engine answers; bring one up with: buildgraph engine up"
    with closing(DockerEngine(store, bringup.make_environment(address, state, os.environ))) as docker:
        yield docker


@pytest.fixture
def reference(engine: Engine) -> Iterator[str]:
    """A name that only this test uses."""
    name = f"buildgraph-test/{uuid.uuid4().hex}:1"
    yield name
    engine.untag(name)


@pytest.fixture
def image(store: LayoutStore) -> Composition:
    return compose(store, write_layer(store, "unique", {"marker": uuid.uuid4().bytes}))


def test_an_engine_has_an_id_that_a_note_of_a_load_holds(engine: Engine) -> None:
    load = Load(f"sha256:{'e' * 64}", engine.id)
    assert engine.id
    assert parse_load(format_load(load)) == load


def test_an_image_is_held_once_it_is_loaded(engine: Engine, image: Composition, reference: str) -> None:
    assert not engine.holds(image)
    engine.load(image, [reference], cancel=Never())
    assert engine.holds(image)


def test_loading_twice_changes_nothing(engine: Engine, image: Composition, reference: str) -> None:
    engine.load(image, [reference], cancel=Never())
    engine.load(image, [reference], cancel=Never())
    assert engine.holds(image)


def test_an_image_is_gone_with_its_last_reference(engine: Engine, image: Composition, reference: str) -> None:
    second = reference.removesuffix(":1") + ":2"
    engine.load(image, [reference, second], cancel=Never())
    engine.untag(reference)
    assert engine.holds(image)
    engine.untag(second)
    assert not engine.holds(image)


def test_untagging_what_is_gone_is_no_error(engine: Engine, reference: str) -> None:
    engine.untag(reference)


def test_a_cancelled_load_leaves_no_image(engine: Engine, image: Composition, reference: str) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Interrupted):
        engine.load(image, [reference], cancel=cancel)
    assert not engine.holds(image)


def test_an_image_survives_the_one_whose_layers_it_shares(engine: Engine, store: LayoutStore, reference: str) -> None:
    shared = write_layer(store, "shared", {"shared": uuid.uuid4().bytes})
    first = compose(store, shared)
    other = compose(store, shared, write_layer(store, "more", {"more": b"more"}))
    second = reference.removesuffix(":1") + ":2"
    engine.load(first, [reference], cancel=Never())
    engine.load(other, [second], cancel=Never())
    engine.untag(reference)
    assert not engine.holds(first)
    assert engine.holds(other)
    engine.untag(second)
