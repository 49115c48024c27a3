"""A loopback web server that answers from a script, faults included."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. ``cut``: only so many bytes of the body are sent, then the connection closes, stalls, or is reset.

    ``ranges``: a ``Range`` (unless ``If-Range`` names another ETag) gets its part, with status 206.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    stall: bool = False
    reset: bool = False
    ranges: bool = False
    meet: threading.Barrier | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what many tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class WebServer:
    """Serves while its context is open. Each path has a list of replies; the last one repeats.

    With ``tls`` it speaks https; ``host`` is the address of this machine that it listens on.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = defaultdict(list)
        self._lock = threading.Lock()
        self.released = threading.Event()
        self._host = host
        self._scheme = "https" if tls else "http"
        self._server = _Server((host, 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self._host}:{self._server.server_address[1]}"

    def url(self, path: str) -> str:
        """The URL of a path that starts with a slash."""
        return f"{self._scheme}://{self.address}{path}"

    def serve(self, path: str, *replies: Reply) -> str:
        """Answer requests for ``path`` with ``replies`` in turn; the path's URL."""
        self._replies[path] = list(replies)
        return self.url(path)

    def methods(self, path: str) -> list[str]:
        """The methods of all requests for ``path``."""
        return [asked.method for asked in self.asked if asked.path == path]

    def take(self, asked: Asked) -> Reply:
        """The reply whose turn it is."""
        with self._lock:
            self.asked.append(asked)
            replies = self._replies.get(asked.path) or [Reply(status=404)]
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self.command, self.path, dict(self.headers))
                answer(self, server.take(asked), asked, server.released)

            do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
                pass

        return Handler


def answer(handler: BaseHTTPRequestHandler, reply: Reply, asked: Asked, released: threading.Event) -> None:
    """Send one reply, with its faults."""
    if reply.meet is not None:
        reply.meet.wait(10)
    if reply.stall and reply.cut is None:
        released.wait()
        return
    part = wanted_part(reply, asked)
    body = reply.body if part is None else reply.body[part.start : part.stop]
    handler.send_response(reply.status if part is None else 206)
    if part is not None:
        handler.send_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{len(reply.body)}")
    for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
    if asked.method == "HEAD":
        return
    handler.wfile.write(body if reply.cut is None else body[: reply.cut])
    handler.wfile.flush()
    if reply.stall:
        released.wait()
    elif reply.reset:
        at_once = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def wanted_part(reply: Reply, asked: Asked) -> range | None:
    """Which bytes a range request gets; None for the whole."""
    header = asked.headers.get("Range", "")
    known = asked.headers.get("If-Range")
    if not reply.ranges or not header or (known is not None and known != reply.headers.get("ETag")):
        return None
    first, _, last = header.removeprefix("bytes=").partition("-")
    return range(int(first), min(int(last) + 1, len(reply.body)) if last else len(reply.body))
