"""A Docker engine's API on a unix socket, as much of it as loading images takes, that goes away when told to."""

from __future__ import annotations

import io
import json
import socketserver
import tarfile
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]


class EngineServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """``cuts``: how many loads are cut after some bytes. ``deaf``: connections that are then closed unanswered.

    ``refusal``: what the engine says to a load; ``complaint``: what it says while it takes one, with a good status.
    ``forgets``: it takes images and has none. ``stop_after_cut``: the first cut ends the server for good.
    """

    daemon_threads = True

    def __init__(
        self,
        path: Path,
        *,
        version: str = "29.1",
        cuts: int = 0,
        deaf: int = 0,
        refusal: str = "",
        complaint: str = "",
        forgets: bool = False,
        stop_after_cut: bool = False,
    ) -> None:
        super().__init__(str(path), _Handler)
        self.url = f"unix://{path}"
        self.version = version
        self.cuts = cuts
        self.deaf = deaf
        self.refusal = refusal
        self.complaint = complaint
        self.forgets = forgets
        self.stop_after_cut = stop_after_cut
        self.loads = 0
        self.images: dict[str, str] = {}
        self._path = path

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002 - the base's
        """After a cut some connections are closed at once, as those to a daemon that starts."""
        if self.loads and self.deaf:
            self.deaf -= 1
            return False
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """Cut connections are what this is for."""

    def take(self, archive: bytes) -> None:
        """Keep the names and ids of an OCI archive."""
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            index = tar.extractfile("index.json")
            assert index is not None
            for manifest in json.load(index)["manifests"]:
                self.images[manifest["annotations"]["io.containerd.image.name"]] = manifest["digest"]

    def vanish(self) -> None:
        """Nobody listens any more."""
        self._path.unlink()


class _Handler(BaseHTTPRequestHandler):
    server: EngineServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.endswith("/_ping"):
            self._answer(b"OK")
        elif path.endswith("/version"):
            self._send({"ApiVersion": "1.44", "Version": self.server.version})
        elif path.endswith("/info"):
            self._send({"ServerVersion": self.server.version, "Driver": "overlayfs", "DriverStatus": CONTAINERD})
        elif path.endswith("/images/json"):
            self._send([{"Id": name} for name in self.server.images.values()])
        else:
            self._find(path.split("/images/")[1].removesuffix("/json"))

    def do_POST(self) -> None:
        self.server.loads += 1
        if self.server.cuts:
            self.server.cuts -= 1
            self.rfile.read(100)
            if self.server.stop_after_cut:
                self.server.vanish()
            self.close_connection = True
            return
        archive = self._read_chunks()
        if self.server.refusal:
            self._send({"message": self.server.refusal}, status=500)
            return
        if not self.server.forgets:
            self.server.take(archive)
        self._send({"error": self.server.complaint} if self.server.complaint else {"stream": "Loaded image"})

    def do_DELETE(self) -> None:
        name = unquote(urlsplit(self.path).path).split("/images/")[1]
        self.server.images.pop(f"docker.io/{name}", None)
        self._send([])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _find(self, name: str) -> None:
        known = self.server.images.get(f"docker.io/{name}") or (name if name in self.server.images.values() else None)
        if known:
            self._send({"Id": known})
        else:
            self._send({"message": f"No such image: {name}"}, status=404)

    def _read_chunks(self) -> bytes:
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _send(self, document: object, *, status: int = 200) -> None:
        self._answer(json.dumps(document).encode(), status=status)

    def _answer(self, data: bytes, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
