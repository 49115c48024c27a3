"""A small OCI registry on loopback: strict about digests, and able to fail as registries do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

USER, PASSWORD = "somebody", "pa55word-of-somebody"
TOKEN = "a-token-for-somebody"
IDENTITY = "an-identity-of-somebody"
_PLACE = re.compile(r"/v2/(?P<name>[a-z0-9/._-]+?)/(?P<kind>blobs|manifests|blobs/uploads)/(?P<rest>[^/]*)")


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Faults:
    """What goes wrong, until it is taken out. ``busy``: so many answers of 503. ``cut``: an upload of this size breaks.

    ``tampered``: what a manifest is answered with instead. ``takes_for``: the digest that it says it took.
    ``refuses``: the status of every upload. ``leads_to``: where uploads are to go; ``leads_nowhere``: it does not say.
    ``token``: what is given in place of a token. ``realm``: where tokens are said to be.
    ``holds_for``: the digest that it says a blob has which it is asked for; ``names``: that of a manifest that it took.
    """

    busy: int = 0
    cut: int = 0
    tampered: bytes = b""
    takes_for: str = ""
    refuses: int = 0
    leads_to: str = ""
    leads_nowhere: bool = False
    token: bytes = b""
    realm: str = ""
    holds_for: str = ""
    names: str = ""


@dataclass
class FakeRegistry:
    """Serves while its context is open. ``auth``: ``basic``, ``bearer``, or nothing."""

    auth: str = ""
    faults: Faults = field(default_factory=Faults)
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        handler = type("Handler", (_Handler,), {"registry": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def uploads(self) -> list[str]:
        """The digests that were sent, in order."""
        return [
            path.partition("digest=")[2].replace("%3A", ":")
            for method, path in self.asked
            if method == "PUT" and "digest=" in path
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        pass

    def _serve(self) -> None:
        self.registry.asked.append((self.command, self.path))
        self.registry.keys.append(self.headers.get("Authorization", ""))
        if self.path.startswith("/token"):
            self._give_token()
        elif self.registry.faults.busy:
            self.registry.faults.busy -= 1
            self._reply(503, {"Retry-After": "0"})
        elif self._is_let_in():
            self._act()

    def _act(self) -> None:
        parts = urlsplit(self.path)
        place = _PLACE.fullmatch(parts.path)
        if place is None:
            self._reply(404)
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name, kind, rest = place["name"], place["kind"], place["rest"]
        if self.command == "POST":
            self._begin(name, query)
        elif self.command == "PUT" and kind == "manifests":
            self._take_manifest(name, rest)
        elif self.command == "PUT":
            self._take_blob(name, query["digest"])
        elif kind == "manifests":
            self._give(self.registry.manifests.get((name, rest)), self.registry.faults.tampered)
        else:
            self._give(self.registry.blobs.get((name, rest)), says=self.registry.faults.holds_for)

    def _begin(self, name: str, query: dict[str, str]) -> None:
        known = self.registry.blobs.get((query.get("from", ""), query.get("mount", "")))
        if known is not None:
            self.registry.blobs[name, query["mount"]] = known
            self._reply(201)
            return
        place = self.registry.faults.leads_to or f"/v2/{name}/blobs/uploads/1?state=x"
        self._reply(202, {} if self.registry.faults.leads_nowhere else {"Location": place})

    def _take_blob(self, name: str, digest: str) -> None:
        size = int(self.headers["Content-Length"])
        if self.registry.faults.cut == size:
            self.rfile.read(size // 2)
            self.close_connection = True
            return
        data = self.rfile.read(size)
        if self.registry.faults.refuses:
            self._reply(self.registry.faults.refuses, body=b'{"errors": [{"code": "X", "message": "quota exceeded"}]}')
        elif sha256(data) != digest:
            self._reply(
                400, body=b'{"errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match"}]}'
            )
        else:
            self.registry.blobs[name, digest] = data
            self._reply(201, {"Docker-Content-Digest": self.registry.faults.takes_for or digest})

    def _take_manifest(self, name: str, reference: str) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        document = json.loads(data)
        needed = [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]
        if any((name, digest) not in self.registry.blobs for digest in needed):
            self._reply(400, body=b'{"errors": [{"code": "BLOB_UNKNOWN", "message": "blob unknown to registry"}]}')
            return
        if reference.startswith("sha256:") and reference != sha256(data):
            self._reply(400)
            return
        for key in (reference, sha256(data)):
            self.registry.manifests[name, key] = data
        self._reply(201, {"Docker-Content-Digest": self.registry.faults.names or sha256(data)})

    def _give(self, data: bytes | None, instead: bytes = b"", says: str = "") -> None:
        if data is None:
            self._reply(404)
        else:
            self._reply(200, {"Docker-Content-Digest": says or sha256(data)}, instead or data)

    def _give_token(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        is_known = parse_qs(form).get("refresh_token") == [IDENTITY]
        if is_known or self.headers.get("Authorization") == _basic():
            self._reply(200, body=self.registry.faults.token or json.dumps({"token": TOKEN}).encode())
        else:
            self._reply(401)

    def _is_let_in(self) -> bool:
        given = self.headers.get("Authorization", "")
        wanted = {"": given, "basic": _basic(), "bearer": f"Bearer {TOKEN}"}[self.registry.auth]
        if given == wanted:
            return True
        place = self.registry.faults.realm or f"http://{self.registry.address}/token"
        realm = f'Bearer realm="{place}",service="registry"'
        self._reply(401, {"WWW-Authenticate": realm if self.registry.auth == "bearer" else 'Basic realm="registry"'})
        return False

    def _reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        if status >= 400 and self.command == "PUT":
            self.send_header("Connection", "close")  # the body of what was refused is not read
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
