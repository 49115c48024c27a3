"""Faults 21 to 26: what servers do wrong, done by a loopback server to the real fetcher, for three kinds of sources."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.fetch import SourceFetcher
from buildgraph.adapters.resolve import CoordinateResolver, open_registries
from buildgraph.adapters.settings import Settings
from buildgraph.adapters.web import Patience
from buildgraph.errors import BuildgraphError, IntegrityError, NetworkFault
from buildgraph.model import Artifact
from tests.fakes.authority import make_authority
from tests.fakes.webserver import Reply, WebServer
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.authority import Authority

CONTENT = bytes(range(256)) * 1024
WRONG = CONTENT[::-1]
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WHOLE = Reply(body=CONTENT, headers={"ETag": '"1"'}, ranges=True)
PATIENCE = Patience(connect=2.0, read=0.3, retries=3, pause=0.01, longest=0.05)
HTML = {"Content-Type": "text/html; charset=utf-8"}


class SourceKind(StrEnum):
    """Whose rules lead to the file."""

    PYPI = "pypi"
    MAVEN = "maven"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the first mirror answers in turn, and what must come of it.

    ``error`` is what is raised, with ``words`` in its message; without one the file must be there, and ``words`` are in
    a notice. ``asked``: how often the first mirror is asked for the file. ``second``: the answer of a second mirror;
    without one there is only one. ``tls``: over https.
    """

    replies: tuple[Reply, ...]
    error: type[BuildgraphError] | None = None
    words: str = ""
    asked: int = 1
    second: Reply | None = None
    tls: bool = False


def _redirect(target: str, *, tls: bool = False) -> Case:
    reply = Reply(status=302, headers={"Location": target})
    return Case(replies=(reply,), error=NetworkFault, words="is refused", tls=tls)


FAULTS: Mapping[str, tuple[Case, ...]] = {
    "21 reset at byte k": tuple(
        Case(replies=(replace(WHOLE, cut=cut, reset=True), WHOLE), asked=2) for cut in (1, SIZE // 2, SIZE - 1)
    ),
    "21 stalled body": (Case(replies=(replace(WHOLE, cut=SIZE // 2, stall=True), WHOLE), asked=2),),
    "21 wrong Content-Length": (
        Case(
            replies=(Reply(body=CONTENT[:-7], headers={"Content-Length": str(SIZE), "Connection": "close"}),),
            error=NetworkFault,
            words="(4 attempts)",
            asked=4,
        ),
        Case(replies=(Reply(body=CONTENT + b"more"),), error=IntegrityError, words=f"{SIZE + 4} bytes"),
        Case(replies=(Reply(body=CONTENT[:100]),), error=IntegrityError, words="100 bytes"),
    ),
    "21 a page instead of the file": (
        Case(replies=(Reply(body=b"<html>Log in</html>", headers=HTML),), error=IntegrityError, words="an HTML page"),
    ),
    "22 429 with Retry-After": (
        Case(replies=(Reply(status=429, headers={"Retry-After": "0"}), WHOLE), asked=2),
        Case(
            replies=(Reply(status=429, headers={"Retry-After": "86400"}),),
            error=NetworkFault,
            words="(4 attempts)",
            asked=4,
        ),
    ),
    "22 503, then well": (Case(replies=(Reply(status=503), Reply(status=502), WHOLE), asked=3),),
    "22 401, 403, 404": tuple(
        Case(replies=(Reply(status=status), WHOLE), error=NetworkFault, words=str(status)) for status in (401, 403, 404)
    ),
    "23 right size, wrong bytes": (
        Case(replies=(Reply(body=WRONG),), error=IntegrityError, words=f"{SIZE} bytes with sha256 {SHA256}"),
        Case(replies=(Reply(body=WRONG),), error=IntegrityError, words=hashlib.sha256(WRONG).hexdigest()),
    ),
    "24 poisoned first mirror": (Case(replies=(Reply(body=WRONG),), second=WHOLE, words="sent other bytes"),),
    "25 redirect to a bad place": (
        _redirect("file:///etc/passwd"),
        _redirect("http://169.254.169.254/latest/meta-data"),
        _redirect("http://127.0.0.1:9/a", tls=True),
    ),
    "26 changed while resumed": (
        Case(
            replies=(
                Reply(body=WRONG, headers={"ETag": '"0"'}, ranges=True, cut=SIZE // 2, reset=True),
                WHOLE,
            ),
            asked=2,
        ),
    ),
    "23 content coding not asked for": (
        Case(
            replies=(Reply(body=gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"}),),
            error=IntegrityError,
            words="bytes",
        ),
        Case(
            replies=(
                Reply(
                    body=gzip.compress(CONTENT)[:50],
                    headers={"Content-Encoding": "gzip", "Content-Length": "", "Connection": "close"},
                ),
            ),
            error=NetworkFault,
            words="(4 attempts)",
            asked=4,
        ),
    ),
}


class World:
    """A server that is two mirrors of each kind, and a fetcher that asks the first, or both."""

    def __init__(self, folder: Path, server: WebServer, kind: SourceKind, *, mirrors: int, ca: Path | None) -> None:
        self.sources = folder / "sources"
        self.notices: list[str] = []
        self._server = server
        settings, self.artifact, self.path = _KINDS[kind](server, tuple(f"/m{n}" for n in range(1, mirrors + 1)))
        cancel = threading.Event()
        self.registries = open_registries(folder, replace(settings, ca=ca), cancel=cancel, patience=PATIENCE)
        locate = CoordinateResolver(self.registries, cancel=cancel).locate
        self.fetcher = SourceFetcher(self.sources, locate, web=self.registries.web, notice=self.notices.append)

    def fetch(self) -> BuildgraphError | None:
        """What is raised, or None."""
        try:
            self.fetcher.fetch([self.artifact], progress=lambda _done, _total: None, cancel=threading.Event())
        except BuildgraphError as error:
            return error
        finally:
            self.registries.web.session.close()
        return None

    def find_bad(self) -> list[str]:
        """Files under a final name that do not hold the locked bytes, and anything left of bytes that were refused."""
        files = [path for path in self.sources.rglob("*") if path.is_file() and ".locks" not in path.parts]
        named = [path for path in files if not path.name.startswith(".")]
        bad = [path.name for path in named if path.read_bytes() != CONTENT]
        return bad + [path.name for path in files if path.name == ".part" and WRONG[:100] in path.read_bytes()]


def _pypi(server: WebServer, mirrors: tuple[str, ...]) -> tuple[Settings, Artifact, str]:
    name = "pkg-1.0-py3-none-any.whl"
    for mirror in mirrors:
        file = {"filename": name, "url": server.url(f"{mirror}/{name}"), "hashes": {"sha256": SHA256}, "size": SIZE}
        page = {"meta": {"api-version": "1.1"}, "name": "pkg", "versions": ["1.0"], "files": [file]}
        headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        server.serve(f"{mirror}/simple/pkg/", Reply(body=json.dumps(page).encode(), headers=headers))
    settings = Settings(index=tuple(server.url(f"{mirror}/simple") for mirror in mirrors))
    return settings, _artifact("pypi:pkg==1.0", name), f"/{{}}/{name}"


def _maven(server: WebServer, mirrors: tuple[str, ...]) -> tuple[Settings, Artifact, str]:
    settings = Settings(maven=tuple(server.url(mirror) for mirror in mirrors))
    return settings, _artifact("maven:g.h:a:1.0", "a-1.0.jar"), "/{}/g/h/a/1.0/a-1.0.jar"


def _plain(server: WebServer, mirrors: tuple[str, ...]) -> tuple[Settings, Artifact, str]:
    origin = "https://downloads.example.com/"
    settings = Settings(rewrites={origin: tuple(server.url(f"{mirror}/") for mirror in mirrors)})
    return settings, _artifact(f"url:{origin}tools/a.bin", "a.bin"), "/{}/tools/a.bin"


def _artifact(coordinate: str, file: str) -> Artifact:
    return Artifact(coordinate=coordinate, file=file, sha256=SHA256, size=SIZE)


_KINDS: Mapping[SourceKind, Callable[[WebServer, tuple[str, ...]], tuple[Settings, Artifact, str]]] = {
    SourceKind.PYPI: _pypi,
    SourceKind.MAVEN: _maven,
    SourceKind.PLAIN: _plain,
}


def try_case(case: Case, kind: SourceKind, folder: Path, authority: Authority) -> list[str]:
    """What is not as it must be; empty when all is."""
    with WebServer(tls=authority.tls if case.tls else None) as server:
        mirrors = 2 if case.second else 1
        world = World(folder, server, kind, mirrors=mirrors, ca=authority.ca if case.tls else None)
        server.serve(world.path.format("m1"), *case.replies)
        if case.second:
            server.serve(world.path.format("m2"), case.second)
        error = world.fetch()
        server.released.set()
        asked = len(server.methods(world.path.format("m1")))
    wrong = [f"bad bytes kept in {name}" for name in world.find_bad()]
    if asked != case.asked:
        wrong.append(f"asked {asked} times, not {case.asked}")
    if not isinstance(error, case.error or type(None)):
        wrong.append(f"ended with {error!r}")
    said = str(error) if case.error else " ".join(world.notices)
    if case.words not in said:
        wrong.append(f"{case.words!r} is not said in {said!r}")
    if world.fetcher.has(world.artifact) != (case.error is None):
        wrong.append("the file is there" if case.error else "the file is not there")
    return wrong


def try_fault(name: str, kind: SourceKind, authority: Authority) -> list[str]:
    """All cases of one fault; what is not as it must be."""
    wrong = []
    for case in FAULTS[name]:
        folder = Path(tempfile.mkdtemp(prefix="buildgraph-downloads-"))
        try:
            wrong += try_case(case, kind, folder, authority)
        finally:
            shutil.rmtree(folder)
    return wrong


def run() -> Figure:
    """Twelve faults, each for three kinds of sources."""
    with tempfile.TemporaryDirectory(prefix="buildgraph-downloads-") as folder:
        authority = make_authority(Path(folder), "127.0.0.1")
        verdicts = {(name, kind): try_fault(name, kind, authority) for name in FAULTS for kind in SourceKind}
    right = sum(not wrong for wrong in verdicts.values())
    bad = sum(line.startswith("bad bytes") for wrong in verdicts.values() for line in wrong)
    return Figure(
        name="download fault matrix",
        how=f"{len(FAULTS)} faults x {len(SourceKind)} kinds of sources, loopback servers, the real fetcher",
        target="36/36 expected verdicts, 0 bad bytes kept",
        result=f"{right}/{len(verdicts)} expected verdicts, {bad} bad bytes kept",
        ok=right == len(verdicts) == 36 and not bad,
    )
