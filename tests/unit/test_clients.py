"""What uv, go and mmdebstrap are given: our mirrors, credentials and certificates, and no secret in their words."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import threading
import zipfile
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.debian import DebianArchive
from buildgraph.adapters.gomod import GoModules
from buildgraph.adapters.pypi import PackageIndex, Target
from buildgraph.adapters.requirements import RequirementSets
from buildgraph.adapters.settings import Credential, Settings
from buildgraph.adapters.web import Patience, Web
from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import EnvironmentFault, NetworkFault
from tests.fakes.authority import make_authority
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.authority import Authority

USER, PASSWORD = "reader", "pa$$@w/ord"
BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WHEEL = "pkg-1.0-py3-none-any.whl"
TARGET = Target(python="3.10", platform="x86_64-manylinux_2_28")
MODULE = "example.org/m"
QUICK = Patience(connect=2.0, read=5.0, retries=0, pause=0.01)
PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "GOPROXY")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's settings nor its caches answer for the loopback servers."""
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "UV_CACHE_DIR", "GOCACHE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("GONOSUMDB", "example.org")
    monkeypatch.setenv("GOENV", "off")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority", "127.0.0.1")


@pytest.fixture
def server(authority: Authority) -> Iterator[WebServer]:
    with WebServer(tls=authority.tls) as running:
        yield running


@pytest.fixture
def settings(server: WebServer, authority: Authority) -> Settings:
    return Settings(
        index=(server.url("/simple"),),
        go=(server.url("/go"),),
        ca=authority.ca,
        credentials=(Credential(place=server.address, username=USER, password=PASSWORD),),
    )


def users(server: WebServer, path: str) -> set[str | None]:
    """Who asked for a path."""
    return {
        asked.headers.get("Authorization") or asked.headers.get("authorization")
        for asked in server.asked
        if asked.path == path
    }


def make_requirements(settings: Settings, tmp_path: Path) -> tuple[RequirementSets, Web]:
    cancel, web = threading.Event(), Web(QUICK, settings=settings)
    index = PackageIndex(web, cancel=cancel, endpoints=settings.index)
    return RequirementSets(index, scratch=tmp_path / "scratch", cancel=cancel, settings=settings), web


def test_uv_asks_the_users_index_as_the_user(server: WebServer, settings: Settings, tmp_path: Path) -> None:
    metadata = b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\nLicense: MIT\n"
    sha256 = hashlib.sha256(metadata).hexdigest()
    file = {
        "filename": WHEEL,
        "url": server.url(f"/{WHEEL}"),
        "hashes": {"sha256": "a" * 64},
        "size": 9,
        "core-metadata": {"sha256": sha256},
    }
    page = {"meta": {"api-version": "1.1"}, "name": "pkg", "versions": ["1.0"], "files": [file]}
    headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    server.serve("/simple/pkg/", Reply(body=json.dumps(page).encode(), headers=headers))
    server.serve(f"/{WHEEL}.metadata", Reply(body=metadata))
    requirements, web = make_requirements(settings, tmp_path)
    (found,) = requirements.resolve(["pkg"], TARGET, held={})
    web.session.close()
    assert (found.coordinate, found.sha256, found.licence) == ("pypi:pkg==1.0", "a" * 64, "MIT")
    assert BASIC in users(server, "/simple/pkg/")
    assert len([asked for asked in server.asked if asked.path == "/simple/pkg/"]) >= 2, "uv and we"


def test_what_uv_complains_of_holds_no_credentials(server: WebServer, settings: Settings, tmp_path: Path) -> None:
    server.serve("/simple/pkg/", Reply(status=403))
    requirements, web = make_requirements(settings, tmp_path)
    with pytest.raises(EnvironmentFault) as caught:
        requirements.resolve(["pkg"], TARGET, held={})
    web.session.close()
    for text in (PASSWORD, "pa%24%24%40w%2Ford", BASIC):
        assert text not in str(caught.value)


def test_go_asks_the_users_proxy_as_the_user(server: WebServer, settings: Settings, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{MODULE}@v1.0.0/go.mod", f"module {MODULE}\n")
    base = f"/go/{MODULE}/@v/v1.0.0"
    server.serve(f"{base}.info", Reply(body=b'{"Version": "v1.0.0", "Time": "2026-01-01T00:00:00Z"}'))
    server.serve(f"{base}.mod", Reply(body=f"module {MODULE}\n".encode()))
    server.serve(f"{base}.zip", Reply(body=buffer.getvalue()))
    modules = GoModules(tmp_path / "scratch", cancel=threading.Event(), settings=settings)
    found = modules.resolve(parse_coordinate(f"go:{MODULE}@v1.0.0"))
    assert found.sha256 == hashlib.sha256(buffer.getvalue()).hexdigest()
    assert users(server, f"{base}.zip") == {BASIC}
    with pytest.raises(NetworkFault) as caught:
        modules.resolve(parse_coordinate(f"go:{MODULE}@v2.0.0"))
    for text in (PASSWORD, "pa$$%40w%2Ford", "pa%24%24%40w%2Ford"):
        assert text not in str(caught.value)


def test_mmdebstrap_gets_mirrors_and_the_place_of_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\necho "E: no such mirror" >&2; exit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    settings = Settings(
        debian={"bookworm": "https://deb.example/debian", "bookworm-security": "https://deb.example/sec"},
        credentials=(Credential(place="deb.example", username=USER, password=PASSWORD),),
    )
    archive = DebianArchive(tmp_path / "scratch", cancel=threading.Event(), settings=settings)
    with pytest.raises(NetworkFault, match="Debian bookworm: no such mirror"):
        archive.resolve_set(["tini"], "bookworm")
    words = (tmp_path / "words").read_text().splitlines()
    assert words[-2:] == [
        "deb https://deb.example/debian bookworm main",
        "deb https://deb.example/sec bookworm-security main",
    ]
    assert words[-4] == "bookworm"
    assert any(word.startswith('--aptopt=Dir::Etc::netrc "') for word in words)
    assert PASSWORD not in " ".join(words)
