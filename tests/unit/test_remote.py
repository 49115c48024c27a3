"""Files on servers, read here and there."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.remote import open_remote
from buildgraph.adapters.web import Patience, Web
from buildgraph.errors import NetworkFault
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = bytes(range(256)) * 1000


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(Patience(connect=2, read=2, retries=0, pause=0.01))
    with closing(web.session):
        yield web


def test_only_the_parts_that_are_read_are_asked_for(server: WebServer, web: Web) -> None:
    url = server.serve("/a.whl", Reply(body=BODY, ranges=True))
    with open_remote(web, url, len(BODY)) as remote:
        remote.seek(-256, 2)
        assert remote.read() == BODY[-256:]
    assert [asked.headers["Range"] for asked in server.asked] == [f"bytes={len(BODY) - 256}-{len(BODY) - 1}"]


def test_a_server_that_sends_no_parts_is_refused_though_the_whole_would_fit(server: WebServer, web: Web) -> None:
    url = server.serve("/a.whl", Reply(body=BODY[:256]))
    with open_remote(web, url, 256) as remote, pytest.raises(NetworkFault, match=r"/a\.whl: the server sends no parts"):
        remote.read(256)
