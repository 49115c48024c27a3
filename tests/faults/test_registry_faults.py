"""Pushing to a registry that fails, lies or asks who we are: one line, and nothing that is not what was built."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
import requests

from buildgraph.adapters.login import Keyring
from buildgraph.adapters.registry import OciRegistry
from buildgraph.adapters.settings import PUBLIC, Credential
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.web import Patience
from buildgraph.errors import BuildgraphError, EnvironmentFault, IntegrityError, Interrupted, NetworkFault
from tests.fakes.registry import IDENTITY, PASSWORD, TOKEN, USER, FakeRegistry
from tests.fakes.tiny import compose, write_layer
from tests.fakes.webserver import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.adapters.settings import Settings
    from buildgraph.model import Composition

QUICK = Patience(connect=5, read=5, retries=1, pause=0.01)
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(autouse=True)
def _no_docker_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


@pytest.fixture
def image(store: LayoutStore) -> Composition:
    small = write_layer(store, "small", {"a": b"a"})
    large = write_layer(store, "large", {"b": bytes(range(256)) * 4000, "c": b"c"})
    return compose(store, small, large)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        yield server


def opened(registry: FakeRegistry, store: LayoutStore, settings: Settings = PUBLIC) -> OciRegistry:
    return OciRegistry(registry.address, store, settings, is_plain=True, patience=QUICK)


def push(
    registry: FakeRegistry,
    store: LayoutStore,
    image: Composition,
    *,
    settings: Settings = PUBLIC,
    said: list[str] | None = None,
) -> int:
    say = (said if said is not None else []).append
    return opened(registry, store, settings).push(image, "team/app", ("1", "latest"), say=say, cancel=Event())


def login(registry: FakeRegistry, password: str = PASSWORD) -> Settings:
    credential = Credential(place=registry.address, username=USER, password=password)
    return replace(PUBLIC, credentials=(credential,))


def refusal(
    registry: FakeRegistry, store: LayoutStore, image: Composition, *, settings: Settings = PUBLIC
) -> BuildgraphError:
    with pytest.raises(BuildgraphError) as caught:
        push(registry, store, image, settings=settings)
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


class TestPush:
    def test_all_of_an_image_is_there_afterwards_and_its_tags_point_at_it(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        said: list[str] = []
        sent = push(registry, store, image, said=said)
        assert {digest for _, digest in registry.blobs} == {*(one.digest for one in image.layers), image.config_digest}
        assert registry.manifests == {("team/app", key): image.manifest for key in (image.digest, "1", "latest")}
        assert sent == image.size + len(image.config)
        assert [line.split()[:2] for line in said] == [["sent", "team/app"]] * 2

    def test_the_manifest_goes_last_and_tags_after_its_digest(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        push(registry, store, image)
        puts = [path.rpartition("/")[2] for method, path in registry.asked if method == "PUT"]
        assert puts[-3:] == [image.digest, "1", "latest"]

    def test_nothing_is_sent_twice(self, registry: FakeRegistry, store: LayoutStore, image: Composition) -> None:
        push(registry, store, image)
        before = len(registry.uploads())
        said: list[str] = []
        assert push(registry, store, image, said=said) == 0
        assert len(registry.uploads()) == before
        assert [line.split()[0] for line in said] == ["kept", "kept"]

    def test_what_another_repository_of_the_same_push_has_is_mounted(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        client, said = opened(registry, store), list[str]()
        for repository in ("team/app", "team/other"):
            client.push(image, repository, ("1",), say=said.append, cancel=Event())
        assert [line.split()[0] for line in said] == ["sent", "sent", "mounted", "mounted"]
        assert ("team/other", "1") in registry.manifests

    def test_a_stopped_push_sends_no_more(self, registry: FakeRegistry, store: LayoutStore, image: Composition) -> None:
        stopped = Event()
        stopped.set()
        with pytest.raises(Interrupted):
            opened(registry, store).push(image, "team/app", ("1",), say=print, cancel=stopped)
        assert registry.asked == []

    def test_a_push_that_is_stopped_within_a_blob_publishes_nothing(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        stopped = Event()
        with pytest.raises(Interrupted):
            opened(registry, store).push(image, "team/app", ("1",), say=lambda _line: stopped.set(), cancel=stopped)
        assert len(registry.blobs) == 1
        assert registry.manifests == {}


class TestFault27:
    """A registry that does not give back what it was sent."""

    def test_fault_27_another_manifest(self, registry: FakeRegistry, store: LayoutStore, image: Composition) -> None:
        registry.faults.tampered = image.manifest.replace(b'"schemaVersion":2', b'"schemaVersion": 2')
        error = refusal(registry, store, image)
        assert isinstance(error, IntegrityError)
        assert f"the registry gives another manifest than {image.digest}" in str(error)
        assert ("team/app", "1") not in registry.manifests, "no tag is moved"

    def test_fault_27_a_list_without_our_platform(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        arm = {"platform": {"os": "linux", "architecture": "arm64"}}
        registry.faults.tampered = json.dumps({"mediaType": INDEX, "manifests": [arm]}).encode()
        assert "the registry gives a list without linux/amd64" in str(refusal(registry, store, image))
        ours = {"platform": {"os": "linux", "architecture": "amd64"}}
        registry.faults.tampered = json.dumps({"mediaType": INDEX, "manifests": [arm, ours]}).encode()
        assert "another manifest" in str(refusal(registry, store, image))

    @pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"config": 1}', b"[" * 100_000, b"\xff"])
    def test_fault_27_no_manifest_at_all(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition, body: bytes
    ) -> None:
        registry.faults.tampered = body
        assert "the registry gives something that is no manifest" in str(refusal(registry, store, image))

    def test_fault_27_a_manifest_without_end(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.tampered = b" " * (5 << 20)
        assert "more than 4194304 bytes" in str(refusal(registry, store, image))

    def test_fault_27_a_blob_taken_for_another(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.takes_for = "sha256:" + "0" * 64
        assert "for 'sha256:000" in str(refusal(registry, store, image))
        assert registry.manifests == {}

    def test_fault_27_a_blob_held_for_another(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        push(registry, store, image)
        registry.faults.holds_for = "sha256:" + "0" * 64
        assert f"took {image.layers[0].digest} for 'sha256:000" in str(refusal(registry, store, image))

    def test_fault_27_a_manifest_taken_for_another(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.names = "sha256:" + "0" * 64
        assert f"took {image.digest} for 'sha256:000" in str(refusal(registry, store, image))


class TestFault28:
    """A push that was interrupted, by the network, the registry, or a damaged store."""

    def test_fault_28_only_what_is_missing_is_sent(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        small, large = image.layers
        registry.faults.cut = large.size
        error = refusal(registry, store, image)
        assert isinstance(error, NetworkFault)
        assert "(2 attempts)" in str(error)
        assert [digest for _, digest in registry.blobs] == [small.digest]
        assert registry.manifests == {}
        registry.faults.cut, known = 0, len(registry.uploads())
        assert push(registry, store, image) == large.size + len(image.config)
        assert registry.uploads()[known:] == [large.digest, image.config_digest]

    def test_fault_28_a_busy_registry_is_asked_again(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.busy = 1
        assert push(registry, store, image) > 0

    def test_fault_28_a_damaged_blob_is_not_sent_whole(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        path = store.blob_path(image.layers[1].digest)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        path.write_bytes(data)
        error = refusal(registry, store, image)
        assert isinstance(error, IntegrityError)
        assert "the blob is damaged" in str(error)
        assert registry.manifests == {}

    def test_fault_28_a_blob_that_the_store_lacks_is_told(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        store.blob_path(image.layers[0].digest).unlink()
        assert "the store lacks sha256:" in str(refusal(registry, store, image))

    def test_fault_28_a_refusal_gives_the_registry_s_reason_and_is_not_tried_again(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.refuses = 413
        assert "HTTP 413 Request Entity Too Large: quota exceeded" in str(refusal(registry, store, image))
        assert len(registry.uploads()) == 1

    @pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
    def test_fault_28_nothing_is_sent_to_where_no_registry_is(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition, place: str
    ) -> None:
        registry.faults.leads_to = place
        assert "is refused: it leaves http" in str(refusal(registry, store, image))

    def test_fault_28_a_registry_that_does_not_say_where_to_send_is_refused(
        self, registry: FakeRegistry, store: LayoutStore, image: Composition
    ) -> None:
        registry.faults.leads_nowhere = True
        assert "HTTP 202 where a place to send to is due" in str(refusal(registry, store, image))

    def test_fault_28_a_registry_that_is_gone_is_one_line(self, store: LayoutStore, image: Composition) -> None:
        with FakeRegistry() as gone:
            pass
        assert "Connection refused" in str(refusal(gone, store, image))


class TestLogin:
    @pytest.mark.parametrize("auth", ["basic", "bearer"])
    def test_credentials_of_the_settings_open_it(self, store: LayoutStore, image: Composition, auth: str) -> None:
        with FakeRegistry(auth=auth) as registry:
            push(registry, store, image, settings=login(registry))
            assert ("team/app", "1") in registry.manifests

    @pytest.mark.parametrize("auth", ["basic", "bearer"])
    def test_so_do_those_of_docker(self, store: LayoutStore, image: Composition, tmp_path: Path, auth: str) -> None:
        with FakeRegistry(auth=auth) as registry:
            word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            write_config(tmp_path, {"auths": {registry.address: {"auth": word}}})
            push(registry, store, image)
            assert ("team/app", "1") in registry.manifests

    def test_so_do_those_of_docker_s_helpers(
        self, store: LayoutStore, image: Composition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FakeRegistry(auth="bearer") as registry:
            helper = tmp_path / "bin" / "docker-credential-sample"
            helper.parent.mkdir()
            answer = json.dumps({"Username": USER, "Secret": PASSWORD})
            helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
            helper.chmod(0o755)
            monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
            write_config(tmp_path, {"credHelpers": {registry.address: "sample"}})
            push(registry, store, image)
            assert ("team/app", "1") in registry.manifests

    def test_so_does_an_identity_token(self, store: LayoutStore, image: Composition, tmp_path: Path) -> None:
        with FakeRegistry(auth="bearer") as registry:
            write_config(tmp_path, {"auths": {registry.address: {"identitytoken": IDENTITY}}})
            push(registry, store, image)
            assert ("team/app", "1") in registry.manifests

    def test_they_are_not_sent_in_the_clear_to_another_machine(self) -> None:
        asked: list[str] = []
        keys = Keyring(
            "registry.example", "http://registry.example", requests.Session(), lambda: asked.append("asked"), timeout=1
        )
        assert not keys.answer('Basic realm="registry"', "repository:x:pull,push")
        assert asked == []

    def test_a_registry_does_not_lead_elsewhere_for_its_tokens(self, store: LayoutStore, image: Composition) -> None:
        with FakeRegistry(auth="bearer") as registry:
            registry.faults.realm = "ftp://127.0.0.1/token"
            assert "is refused: it leaves http" in str(refusal(registry, store, image, settings=login(registry)))

    def test_a_token_server_that_fails_is_one_line(self, store: LayoutStore, image: Composition) -> None:
        with FakeRegistry(auth="bearer") as registry, WebServer() as tokens:
            registry.faults.realm = tokens.url("/tokens")
            error = refusal(registry, store, image, settings=login(registry))
            assert f"{tokens.url('/tokens')}: HTTP 404" in str(error)

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"token": 1}', b'{"token": "a\\nb"}', b"\xff"])
    def test_an_answer_without_a_token_is_one_line(self, store: LayoutStore, image: Composition, body: bytes) -> None:
        with FakeRegistry(auth="bearer") as registry:
            registry.faults.token = body
            error = refusal(registry, store, image, settings=login(registry))
            assert str(error) == f"http://{registry.address}/token: the answer holds no token"

    @pytest.mark.parametrize("auth", ["basic", "bearer"])
    def test_without_them_it_is_said_how_to_log_in(self, store: LayoutStore, image: Composition, auth: str) -> None:
        with FakeRegistry(auth=auth) as registry:
            error = refusal(registry, store, image)
            assert isinstance(error, NetworkFault)
            assert f"{registry.address} refuses to be asked without credentials (HTTP 401)" in str(error)
            assert f"run: docker login {registry.address}" in str(error)

    @pytest.mark.parametrize("auth", ["basic", "bearer"])
    def test_wrong_ones_are_refused_once(self, store: LayoutStore, image: Composition, auth: str) -> None:
        with FakeRegistry(auth=auth) as registry:
            error = refusal(registry, store, image, settings=login(registry, "wrong"))
            assert "refuses these credentials (HTTP 401)" in str(error)
            assert len(registry.asked) == 2

    def test_a_token_is_used_again(self, store: LayoutStore, image: Composition) -> None:
        with FakeRegistry(auth="bearer") as registry:
            push(registry, store, image, settings=login(registry))
            assert sum(path.startswith("/token") for _, path in registry.asked) == 1
            assert registry.keys.count(f"Bearer {TOKEN}") > 5

    @pytest.mark.parametrize("text", ["{", '{"auths": []}', '{"auths": {"x": {"auth": "!"}}}', '{"auths": 1}'])
    def test_a_config_that_is_broken_is_one_line(
        self, store: LayoutStore, image: Composition, tmp_path: Path, text: str
    ) -> None:
        with FakeRegistry(auth="basic") as registry:
            (tmp_path / "docker").mkdir()
            (tmp_path / "docker" / "config.json").write_text(text)
            assert isinstance(refusal(registry, store, image), EnvironmentFault)

    def test_credentials_do_not_follow_an_upload_to_another_server(
        self, store: LayoutStore, image: Composition
    ) -> None:
        with FakeRegistry(auth="basic") as registry, FakeRegistry() as other:
            registry.faults.leads_to = f"http://{other.address}/v2/team/app/blobs/uploads/1"
            refusal(registry, store, image, settings=login(registry))
            assert other.uploads()
            assert set(other.keys) == {""}


def write_config(folder: Path, document: object) -> None:
    (folder / "docker").mkdir()
    (folder / "docker" / "config.json").write_text(json.dumps(document))
