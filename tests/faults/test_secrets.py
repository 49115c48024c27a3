"""Fault 36: nothing that the user keeps secret is in anything that the program writes or says."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.faults.canaries import CHANNELS, MEANT, STORES, find_all, play
from tests.faults.searching import contains, encode_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.canaries import Scene

PLANTED = "c4n4ry/planted+0123456789abcdef="


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        yield play(tmp_path_factory.mktemp("canaries"), patch)


@pytest.fixture(scope="module")
def places(scene: Scene) -> Mapping[str, bytes]:
    return scene.gather()


@pytest.mark.parametrize("channel", CHANNELS)
def test_fault_36_a_secret_is_nowhere(scene: Scene, places: Mapping[str, bytes], channel: str) -> None:
    assert find_all(places, {channel: scene.values[channel]}) == []


def test_there_is_something_in_every_place(places: Mapping[str, bytes]) -> None:
    assert set(places) == set(STORES)
    # A source is dropped once a layer holds it; what is left is a lock without content.
    assert all(places[store] for store in STORES)


@pytest.mark.parametrize("channel", sorted(MEANT))
def test_what_belongs_into_a_place_is_found_there(scene: Scene, places: Mapping[str, bytes], channel: str) -> None:
    assert all(contains(places[store], scene.values[channel]) for store in MEANT[channel])


def test_the_servers_were_given_what_was_theirs(scene: Scene) -> None:
    for path, channel in (("/dist.txt", "netrc"), ("/denied/dist.txt", "settings")):
        told = next(line.split()[-1] for line in scene.asked if line.startswith(path))
        assert base64.b64decode(told).decode() == f"user:{scene.values[channel]}"


@pytest.mark.parametrize("encoding", encode_all(PLANTED))
@pytest.mark.parametrize("store", STORES)
def test_a_planted_secret_is_found(scene: Scene, store: str, encoding: str) -> None:
    planted = encode_all(PLANTED)[encoding]
    folders = {
        "layers": scene.sample.store / "blobs/sha256",
        "images": scene.sample.store / "blobs/sha256",
        "records": scene.sample.store / "records",
        "runs": scene.sample.store / "runs",
        "sources": scene.sample.store / "sources",
        "reports": scene.sample.folder.parent / "reports",
    }
    if store == "output":
        scene.said.append(planted.decode("latin-1"))
        found = find_all({store: "".join(scene.said).encode("latin-1", "replace")}, {"planted": PLANTED})
        scene.said.pop()
    elif store == "lock":
        file = scene.sample.folder / "manifests/buildgraph.lock"
        before = file.read_bytes()
        file.write_bytes(before + planted)
        found = find_all(scene.gather(), {"planted": PLANTED})
        file.write_bytes(before)
    else:
        file = folders[store] / "planted"
        file.write_bytes((b"{" if store == "images" else b"") + planted)
        found = find_all(scene.gather(), {"planted": PLANTED})
        file.unlink()
    assert found == [f"planted in {store}"]
