"""What every Fetcher does, the fake and the real one."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import pytest

from buildgraph.adapters.fetch import SourceFetcher
from buildgraph.errors import IntegrityError, Interrupted, NetworkFault
from tests.fakes.fetcher import FakeFetcher, make_artifact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from buildgraph.model import Artifact
    from buildgraph.ports import Fetcher

    MakeFetcher: TypeAlias = Callable[[Mapping[str, bytes]], Fetcher]

CONTENT = b"jar" * 1000
JAR = make_artifact("maven:g:a:1", CONTENT, file="a-1.jar")
WHEEL = make_artifact("pypi:w==1", b"wheel", file="w-1.whl")


def make_real(folder: Path, contents: Mapping[str, bytes]) -> Fetcher:
    shelf = folder / "shelf"
    shelf.mkdir()
    places = {}
    for number, (coordinate, content) in enumerate(contents.items()):
        places[coordinate] = shelf / str(number)
        places[coordinate].write_bytes(content)

    def locate(artifact: Artifact) -> tuple[str, ...]:
        place = places.get(artifact.coordinate)
        return (place.as_uri(),) if place else ()

    return SourceFetcher(folder / "sources", locate)


@pytest.fixture(params=["fake", "real"])
def make_fetcher(request: pytest.FixtureRequest, tmp_path: Path) -> MakeFetcher:
    if request.param == "fake":
        return lambda contents: FakeFetcher(tmp_path / "fake", contents)
    return lambda contents: make_real(tmp_path, contents)


def fetch(fetcher: Fetcher, *artifacts: Artifact) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    fetcher.fetch(artifacts, progress=lambda done, total: seen.append((done, total)), cancel=threading.Event())
    return seen


def test_fetched_files_are_there_under_their_own_names(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({JAR.coordinate: CONTENT, WHEEL.coordinate: b"wheel"})
    assert not fetcher.has(JAR)
    fetch(fetcher, JAR, WHEEL)
    assert fetcher.has(JAR)
    assert fetcher.has(WHEEL)
    assert fetcher.path(JAR).name == "a-1.jar"
    assert fetcher.path(JAR).read_bytes() == CONTENT


def test_progress_ends_at_the_total(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({JAR.coordinate: CONTENT, WHEEL.coordinate: b"wheel"})
    assert fetch(fetcher, JAR, WHEEL)[-1] == (3005, 3005)
    assert fetch(fetcher, JAR, WHEEL)[-1] == (3005, 3005)


def test_what_is_here_is_not_looked_for_again(make_fetcher: MakeFetcher) -> None:
    contents = {JAR.coordinate: CONTENT}
    fetcher = make_fetcher(contents)
    fetch(fetcher, JAR)
    before = fetcher.path(JAR).stat().st_mtime_ns
    fetch(fetcher, JAR)
    assert fetcher.path(JAR).stat().st_mtime_ns == before


def test_a_dropped_file_is_gone_and_can_be_fetched_again(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({JAR.coordinate: CONTENT})
    fetch(fetcher, JAR)
    fetcher.drop(JAR)
    assert not fetcher.has(JAR)
    fetcher.drop(JAR)
    fetch(fetcher, JAR)
    assert fetcher.has(JAR)


def test_other_bytes_are_an_integrity_error_and_never_seen(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({JAR.coordinate: b"bad" * 1000})
    with pytest.raises(IntegrityError, match="maven:g:a:1"):
        fetch(fetcher, JAR)
    assert not fetcher.has(JAR)


def test_what_nobody_has_is_a_network_fault(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({})
    with pytest.raises(NetworkFault, match="pypi:w==1"):
        fetch(fetcher, WHEEL)


def test_a_cancelled_fetch_is_interrupted(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher({JAR.coordinate: CONTENT})
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Interrupted):
        fetcher.fetch([JAR], progress=lambda _done, _total: None, cancel=cancel)


def test_the_same_bytes_may_have_two_names(make_fetcher: MakeFetcher) -> None:
    twin = replace(JAR, coordinate="maven:g:b:1", file="b-1.jar")
    fetcher = make_fetcher({JAR.coordinate: CONTENT, twin.coordinate: CONTENT})
    fetch(fetcher, JAR, twin)
    fetcher.drop(JAR)
    assert not fetcher.has(JAR)
    assert fetcher.path(twin).read_bytes() == CONTENT
