"""A registry that has nothing and notes who asks: what it was asked for is what a node would have pulled."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.node import Node

HOST = "docker.io"
"""The registry that the charts name."""
ABSENT = f"{HOST}/buildgraph-tests/absent:1"
"""An image that nobody has."""
ABSENT_DIGEST = f"sha256:{'0' * 64}"
_HOSTS = """\
server = "{url}"

[host."{url}"]
  capabilities = ["pull", "resolve"]
"""


def find_unexpected(asked: list[str]) -> list[str]:
    """Requests for anything but the images that tests ask for because nobody has them."""
    return [path for path in asked if "/buildgraph-tests/" not in path and ABSENT_DIGEST not in path]


@contextmanager
def stand_in(node: Node) -> Iterator[list[str]]:
    """Take the registry's place for our node; what it is asked for, as it comes."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(asked))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hosts = node.registries / HOST / "hosts.toml"
    assert not hosts.exists(), f"{hosts} is someone's own"
    hosts.parent.mkdir(exist_ok=True)
    hosts.write_text(_HOSTS.format(url=f"http://127.0.0.1:{server.server_port}"), encoding="utf-8")
    try:
        yield asked
    finally:
        hosts.unlink()
        hosts.parent.rmdir()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: object) -> None:
            pass

    return Handler
