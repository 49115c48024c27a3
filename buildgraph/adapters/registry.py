"""Pushes images and charts to an OCI registry: the blobs that it lacks, then the manifest, which it must give back."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import docker.auth
import requests

from buildgraph.adapters.login import Keyring, find_login, keep_headers, make_denial
from buildgraph.adapters.web import (
    GuardedSession,
    Web,
    check_redirect,
    chunks,
    connection_faults,
    make_refusal,
    show,
)
from buildgraph.errors import IntegrityError, Interrupted, NetworkFault, NotFound
from buildgraph.model import MEDIA_INDEX, MEDIA_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from buildgraph.adapters.login import Login
    from buildgraph.adapters.settings import Settings
    from buildgraph.adapters.web import Patience
    from buildgraph.model import Composition
    from buildgraph.ports import Blobs, Cancel

MAX_MANIFEST = 4 << 20
_DIGEST = "Docker-Content-Digest"
_INDEXES = frozenset({MEDIA_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"})
_UNKNOWN, _DENIED = 401, frozenset({401, 403})
_PIECE = 1 << 16
STOPPED = "the push was stopped; what was sent whole is kept there"


class OciRegistry:
    """A ``ports.Registry``: one server. It remembers where blobs are, so that they are mounted and not sent twice."""

    def __init__(
        self,
        host: str,
        blobs: Blobs,
        settings: Settings,
        *,
        is_plain: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """``host`` may have a port; ``is_plain``: it speaks HTTP without encryption. Asks nobody yet."""
        self._host = host
        server = f"registry-1.{host}" if host == docker.auth.INDEX_NAME else host
        self._base = f"{'http' if is_plain else 'https'}://{server}"
        self._blobs = blobs
        self._settings = settings
        # The session has no credentials of its own: they go where the keyring says, and nowhere else.
        bare = replace(settings, credentials=())
        self._web = Web(patience, settings=bare)
        self._session = GuardedSession(bare)
        self._keys = Keyring(host, self._base, self._session, self._log_in, timeout=self._web.patience.read)
        self._login: Login | None = None
        self._homes: dict[str, str] = {}

    def push(
        self,
        composition: Composition,
        repository: str,
        tags: Sequence[str],
        *,
        say: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        """Send what the registry lacks of an image, then its manifest, then point the tags at it; the bytes sent."""
        sent = 0
        for layer in composition.layers:
            if not self._blobs.has_blob(layer.digest, layer.size):
                raise IntegrityError(f"the store lacks {layer.digest}", hint="run: buildgraph verify --repair")
            blob = _Blob(layer.digest, layer.size, self._open(layer.digest))
            how = self._deliver(repository, blob, cancel)
            say(f"{how:8} {repository} {layer.digest[:19]} {layer.size / 1e6:.1f} MB")
            sent += layer.size if how == "sent" else 0
        config = composition.config
        blob = _Blob(composition.config_digest, len(config), lambda: nullcontext(io.BytesIO(config)))
        sent += len(config) if self._deliver(repository, blob, cancel) == "sent" else 0
        for reference in (composition.digest, *tags):
            self._publish(repository, reference, composition, cancel)
        return sent

    def _open(self, digest: str) -> Callable[[], AbstractContextManager[BinaryIO]]:
        return lambda: self._blobs.open_blob(digest)

    def _deliver(self, repository: str, blob: _Blob, cancel: Cancel) -> str:
        """``kept``, ``mounted`` or ``sent``; begun anew after a failure that another attempt may cure."""

        def attempt() -> str:
            return "kept" if self._has(repository, blob, cancel) else self._upload(repository, blob, cancel)

        how = self._web.retry(attempt, cancel=cancel)
        self._homes.setdefault(blob.digest, repository)
        return how

    def _has(self, repository: str, blob: _Blob, cancel: Cancel) -> bool:
        try:
            with self._ask("HEAD", f"/v2/{repository}/blobs/{blob.digest}", repository, cancel) as response:
                _check_digest(response, blob.digest)
                return True
        except NotFound:
            return False

    def _upload(self, repository: str, blob: _Blob, cancel: Cancel) -> str:
        home = self._homes.get(blob.digest)
        mount = f"?{urlencode({'mount': blob.digest, 'from': home})}" if home else ""
        with self._ask("POST", f"/v2/{repository}/blobs/uploads/{mount}", repository, cancel) as response:
            if response.status_code == requests.codes.created:
                return "mounted"
            place = response.headers.get("Location", "")
            if response.status_code != requests.codes.accepted or not place:
                raise NetworkFault(f"{show(response.url)}: HTTP {response.status_code} where a place to send to is due")
            url = _with_digest(urljoin(response.url, place), blob.digest)
            check_redirect(response.url, url)
        headers = {"Content-Type": "application/octet-stream"}
        with self._ask("PUT", url, repository, cancel, headers=headers, blob=blob) as response:
            _check_digest(response, blob.digest)
        return "sent"

    def _publish(self, repository: str, reference: str, composition: Composition, cancel: Cancel) -> None:
        """The manifest under a digest or a tag, and the same bytes back."""
        path = f"/v2/{repository}/manifests/{reference}"
        data = composition.manifest
        blob = _Blob(composition.digest, len(data), lambda: nullcontext(io.BytesIO(data)))

        def send() -> None:
            headers = {"Content-Type": MEDIA_MANIFEST}
            with self._ask("PUT", path, repository, cancel, headers=headers, blob=blob) as response:
                _check_digest(response, composition.digest)

        def fetch() -> bytes:
            with self._ask("GET", path, repository, cancel, headers={"Accept": MEDIA_MANIFEST}) as response:
                return b"".join(chunks(response, response.url, limit=MAX_MANIFEST))

        self._web.retry(send, cancel=cancel)
        check_manifest(self._web.retry(fetch, cancel=cancel), composition, f"{self._host}/{repository}:{reference}")

    def _ask(
        self,
        method: str,
        place: str,
        repository: str,
        cancel: Cancel,
        *,
        headers: Mapping[str, str] | None = None,
        blob: _Blob | None = None,
    ) -> requests.Response:
        """One request, and once more when the registry wants to know who asks; a good answer, or an error."""
        url = urljoin(self._base, place)
        scope = f"repository:{repository}:pull,push"
        response = self._send(method, url, scope, headers or {}, blob, cancel)
        if response.status_code == _UNKNOWN:
            with response:
                is_new = self._keys.answer(response.headers.get("WWW-Authenticate", ""), scope)
            if is_new:
                response = self._send(method, url, scope, headers or {}, blob, cancel)
        if response.status_code < requests.codes.multiple_choices:
            return response
        with response:
            if response.status_code in _DENIED:
                raise make_denial(self._host, response.status_code, has_login=self._login is not None)
            raise _explain(response, url)

    def _send(
        self, method: str, url: str, scope: str, headers: Mapping[str, str], blob: _Blob | None, cancel: Cancel
    ) -> requests.Response:
        if cancel.is_set():
            raise Interrupted(STOPPED)
        key = self._keys.header(url, scope)
        asked = {"Accept-Encoding": "identity", **headers, **({"Authorization": key} if key else {})}
        patience = self._web.patience
        with connection_faults(url), blob.open() if blob else nullcontext(None) as content:
            return self._session.request(
                method,
                url,
                headers=asked,
                data=_Body(content, blob.size, cancel) if blob and content else None,
                auth=keep_headers,
                stream=True,
                timeout=(patience.connect, patience.read),
                # What is asked for may lie elsewhere; what is sent goes where we were told to send it.
                allow_redirects=method in {"GET", "HEAD"},
            )

    def _log_in(self) -> Login | None:
        self._login = find_login(self._host, self._settings)
        return self._login


class _Blob:
    """Bytes to send: under what digest, how many, and how they are opened."""

    def __init__(self, digest: str, size: int, opened: Callable[[], AbstractContextManager[BinaryIO]]) -> None:
        self.digest = digest
        self.size = size
        self.open = opened


class _Body:
    """A request's body that is read piece by piece. The store's reader keeps the last one back unless all was right."""

    def __init__(self, content: BinaryIO, size: int, cancel: Cancel) -> None:
        self._content = content
        self._size = size
        self._cancel = cancel

    def __len__(self) -> int:
        """For ``Content-Length``."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._content.read(_PIECE):
            if self._cancel.is_set():
                raise Interrupted(STOPPED)
            yield piece


def check_manifest(data: bytes, composition: Composition, place: str) -> None:
    """Refuse (``IntegrityError``) what a registry gives under a name of ours when it is anything but what was sent."""
    if data == composition.manifest:
        return
    try:
        document = json.loads(data)
        listed = document["manifests"] if document.get("mediaType") in _INDEXES else None
        platforms = {f"{one['platform']['os']}/{one['platform']['architecture']}" for one in listed or ()}
        is_manifest = listed is not None or isinstance(document["config"]["digest"], str)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_manifest = False
    if not is_manifest:
        raise IntegrityError("the registry gives something that is no manifest", where=place)
    config = json.loads(composition.config)
    platform = f"{config.get('os')}/{config.get('architecture')}"  # a chart has none
    if listed is not None and platform not in platforms and "os" in config:
        raise IntegrityError(f"the registry gives a list without {platform}", where=place)
    raise IntegrityError(f"the registry gives another manifest than {composition.digest}", where=place)


def _check_digest(response: requests.Response, digest: str) -> None:
    said = response.headers.get(_DIGEST, digest)
    if said != digest:
        raise IntegrityError(f"the registry took {digest} for {said[:80]!r}", where=show(response.url))


def _with_digest(url: str, digest: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(query="&".join(part for part in (parts.query, urlencode({"digest": digest})) if part))
    )


def _explain(response: requests.Response, url: str) -> NetworkFault:
    """The refusal with the first reason that the registry gives."""
    fault = make_refusal(response, url)
    try:
        reason = json.loads(response.raw.read(_PIECE, decode_content=True))["errors"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError, OSError, requests.RequestException):
        return fault
    if isinstance(reason, str) and reason.isprintable() and reason:
        fault.what = f"{fault.what}: {reason[:200]}"
    return fault
