"""Values: frozen, hashable where their parts are, and what they work out of their parts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from buildgraph import model
from buildgraph.model import MEDIA_TAR, MEDIA_ZSTD, Composition, Compression, Location, Lock, LockEntry
from tests.samples import make_artifact, make_image, make_layer, make_named

VALUES = [value for value in vars(model).values() if isinstance(value, type) and is_dataclass(value)]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen_have_slots_and_hold_no_list_or_dict(value: type) -> None:
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(value, "__slots__")
    assert not [field.name for field in fields(value) if str(field.type).startswith(("list", "dict", "set"))]


def test_a_value_cannot_be_changed() -> None:
    layer = make_layer("app")
    with pytest.raises(FrozenInstanceError):
        layer.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (Location(file="a.yaml"), "a.yaml"),
        (Location(file="a.yaml", line=3), "a.yaml:3"),
        (Location(file="a.yaml", line=3, key="b.c"), "a.yaml:3 (b.c)"),
        (Location(file="a.yaml", key="b.c"), "a.yaml (b.c)"),
    ],
)
def test_a_location_prints_as_compilers_do(location: Location, text: str) -> None:
    assert str(location) == text


def test_a_layer_reads_its_parents_then_its_contexts_each_once() -> None:
    layer = make_layer("app", parents=("os", "jdk"), contexts=("python", "os"))
    assert layer.reads == ("os", "jdk", "python")


def test_an_image_reads_its_layers() -> None:
    assert make_image("shop", ("os", "app")).reads == ("os", "app")


def test_a_layers_media_type_follows_its_compression() -> None:
    assert [Compression.ZSTD.media_type, Compression.NONE.media_type] == [MEDIA_ZSTD, MEDIA_TAR]


def test_the_size_of_an_image_is_that_of_its_layers_as_stored() -> None:
    blobs = tuple(make_named(node).blob for node in ("os", "app"))
    image = Composition(digest="sha256:1", manifest=b"{}", config_digest="sha256:2", config=b"{}", layers=blobs)
    assert image.size == blobs[0].size + blobs[1].size


def test_a_lock_finds_what_it_holds_and_nothing_else() -> None:
    entry = LockEntry(request=("deb:bash",), artifacts=(make_artifact("deb:bash=5"),))
    lock = Lock(entries={"os": {"shell": entry}})
    assert lock.find("os", "shell") is entry
    assert lock.find("os", "other") is None
    assert lock.find("other", "shell") is None
