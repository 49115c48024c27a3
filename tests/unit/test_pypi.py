"""A package index that does not answer as it should."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.pypi import PackageIndex, Target
from buildgraph.adapters.web import Patience, Web
from buildgraph.errors import NetworkFault, NotFound
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "/simple/pkg/"
SHA256 = "a" * 64
TARGET = Target(python="3.10", platform="x86_64-manylinux_2_28")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@contextmanager
def open_index(endpoint: str, *, retries: int = 1) -> Iterator[PackageIndex]:
    web = Web(Patience(connect=2, read=2, retries=retries, pause=0.01))
    with closing(web.session):
        yield PackageIndex(web, cancel=threading.Event(), endpoints=[endpoint])


def list_wheel(server: WebServer, wheel: str, *, size: int = 9) -> Reply:
    """A project's page with one file on it."""
    file = {"filename": wheel, "url": server.url(f"/{wheel}"), "hashes": {"sha256": SHA256}, "size": size}
    page = {"meta": {"api-version": "1.1"}, "name": "pkg", "versions": ["1.0"], "files": [file]}
    return Reply(body=json.dumps(page).encode(), headers={"Content-Type": "application/vnd.pypi.simple.v1+json"})


@pytest.mark.parametrize(
    ("wheel", "hashes"),
    [
        ("pkg-1.0-cp310-cp310-win_amd64.whl", frozenset({SHA256})),
        ("pkg-1.0-py3-none-any.whl", frozenset({"b" * 64})),
    ],
)
def test_a_set_without_a_wheel_that_was_resolved_and_runs_there_is_a_miss(
    server: WebServer, wheel: str, hashes: frozenset[str]
) -> None:
    server.serve(PAGE, list_wheel(server, wheel))
    missed = r"^pypi:pkg==1\.0: the index has no wheel for x86_64-manylinux_2_28 among those resolved$"
    with open_index(server.url("/simple")) as index, pytest.raises(NotFound, match=missed):
        index.wheel("pkg", "1.0", TARGET, hashes=hashes)


def test_an_index_that_nobody_answers_for_is_asked_again_and_named() -> None:
    refused = r"^pypi:pkg: .*Connection refused \(2 attempts\)$"
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else has the port, and nobody listens
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        with open_index(endpoint) as index, pytest.raises(NetworkFault, match=refused):
            index.wheel("pkg", "1.0", TARGET, hashes=frozenset())


def test_a_page_that_broke_off_is_asked_for_again(server: WebServer) -> None:
    page = list_wheel(server, "pkg-1.0-py3-none-any.whl")
    server.serve(PAGE, Reply(body=page.body, headers=page.headers, cut=20), page)
    with open_index(server.url("/simple")) as index:
        found = index.wheel("pkg", "1.0", TARGET, hashes=frozenset({SHA256}))
    assert found.file == "pkg-1.0-py3-none-any.whl"
    assert server.methods(PAGE) == ["GET", "GET"]


def test_a_page_that_is_not_packed_as_it_says_is_refused_at_once(server: WebServer) -> None:
    server.serve(PAGE, Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}))
    with (
        open_index(server.url("/simple")) as index,
        pytest.raises(NetworkFault, match=r"^pypi:pkg: .*incorrect header"),
    ):
        index.wheel("pkg", "1.0", TARGET, hashes=frozenset())
    assert server.methods(PAGE) == ["GET"]
