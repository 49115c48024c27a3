"""What one attempt at a server ends in."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.web import Transient, Web, chunks
from buildgraph.errors import NetworkFault
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = bytes(range(256)) * 40


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def test_a_document_longer_than_its_limit_is_a_fault(server: WebServer) -> None:
    url = server.serve("/a", Reply(body=BODY))
    with Web().open(url) as response, pytest.raises(NetworkFault, match="more than 100 bytes"):
        list(chunks(response, url, limit=100))


def test_fault_21_a_body_that_breaks_off_may_be_asked_for_again(server: WebServer) -> None:
    url = server.serve("/a", Reply(body=BODY, cut=1000))
    with Web().open(url) as response, pytest.raises(Transient, match="after"):
        list(chunks(response, url))


def test_fault_21_nobody_listening_may_be_asked_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(Transient, match=f"127.0.0.1:{port}"):
            Web().open(f"http://127.0.0.1:{port}/a")


def test_an_address_that_is_none_is_a_fault() -> None:
    with pytest.raises(NetworkFault):
        Web().open("http://")
