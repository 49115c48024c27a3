"""HTTP as downloads need it: guarded redirects, bounded retries, no credentials in messages."""

from __future__ import annotations

import hashlib
import ipaddress
import random
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from buildgraph.adapters.settings import PUBLIC, find_credential
from buildgraph.errors import Interrupted, NetworkFault, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

T = TypeVar("T")
Addresses: TypeAlias = "Callable[[str], tuple[str, ...]]"

CHUNK = 1 << 20
_PIECE = 1 << 16  # what a connection that breaks may lose
POLL_SECONDS = 0.1
_TEXT_LIMIT = 64 << 20
_WORTH_ANOTHER_TRY = frozenset({429, 502, 503, 504})
_GONE = frozenset({404, 410})
_DENIED = frozenset({401, 403})


class Transient(NetworkFault):
    """A failure that another attempt may cure; ``after`` is the server's own wish in seconds."""

    def __init__(self, what: str, *, after: float | None = None) -> None:
        """Like the base, with the wait that ``Retry-After`` asked for."""
        super().__init__(what)
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds and counts: time-outs, retries after the first attempt, the first pause (it doubles), the longest.

    The first byte of a gigabyte may take half a minute where a mirror fetches it first, hence the long read time-out.
    """

    connect: float = 30.0
    read: float = 120.0
    retries: int = 3
    pause: float = 1.0
    longest: float = 60.0


class Stop:
    """A ``Cancel`` that also ends the reads under way, so that a stalled server cannot hold up Ctrl-C."""

    def __init__(self) -> None:
        """Not set."""
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._open: set[requests.Response] = set()

    def is_set(self) -> bool:
        """True once ``set`` was called."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask all work to end, and wake whoever waits for a body."""
        self._event.set()
        with self._lock:
            for response in self._open:
                with suppress(ValueError, RuntimeError, OSError):  # its connection ended by itself
                    response.raw.shutdown()

    @contextmanager
    def watching(self, response: requests.Response) -> Iterator[None]:
        """While inside, ``set`` ends reads from ``response``; it is closed on the way out."""
        with self._lock:
            self._open.add(response)
        try:
            if self.is_set():
                raise Interrupted("the download was stopped")
            yield
        finally:
            with self._lock:
                self._open.discard(response)
            response.close()


class GuardedSession(requests.Session):
    """A session that follows no redirect to a place where a registry would never send us."""

    def __init__(self, settings: Settings) -> None:
        """Trust what the user trusts; where the settings know no credentials, netrc does."""
        super().__init__()
        self.verify = str(settings.ca) if settings.ca else True
        self._credentials = settings.credentials

    def merge_environment_settings(self, url, proxies, stream, verify, cert):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Like the base, but a variable of the environment does not win over the settings that were made of it."""
        return super().merge_environment_settings(url, proxies, stream, self.verify if verify is None else verify, cert)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """With the credentials for the address, if any."""
        found = find_credential(self._credentials, request.url or "")
        if request.auth is None and found:
            request.auth = HTTPBasicAuth(found.username.encode(), found.password.encode())
        return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """After a redirect: the credentials of the old host are dropped by the base; those of the new one are added."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        found = find_credential(self._credentials, prepared_request.url or "")
        if found and "Authorization" not in prepared_request.headers:
            prepared_request.prepare_auth(HTTPBasicAuth(found.username.encode(), found.password.encode()))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The target, after ``check_redirect``."""
        target: str | None = super().get_redirect_target(resp)
        if target is not None:
            try:
                check_redirect(resp.url, urljoin(resp.url, target))
            except NetworkFault:
                resp.close()
                raise
        return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a whole body turned out to be; ``size`` in bytes, digests in hex."""

    size: int
    sha256: str
    sha1: str


class Web:
    """GET and HEAD with the retries that make sense."""

    def __init__(self, patience: Patience | None = None, *, settings: Settings = PUBLIC) -> None:
        """One session, shared by all threads that use this object."""
        self.patience = patience or Patience()
        self.session: requests.Session = GuardedSession(settings)

    def open(self, url: str, *, headers: Mapping[str, str] | None = None, method: str = "GET") -> requests.Response:
        """One attempt: a streaming response with a good status, else ``Transient``, ``NotFound``, ``NetworkFault``.

        The body is as sent: no content coding is asked for. The caller closes the response.
        """
        asked = {"Accept-Encoding": "identity", **(headers or {})}
        timeout = (self.patience.connect, self.patience.read)
        with connection_faults(url):
            response = self.session.request(
                method, url, headers=asked, stream=True, timeout=timeout, allow_redirects=True
            )
        if response.status_code >= requests.codes.bad_request:
            with response:
                raise make_refusal(response, url)
        return response

    def retry(self, attempt: Callable[[], T], *, cancel: Cancel) -> T:
        """The result of ``attempt``, repeated after a ``Transient`` failure as ``patience`` allows."""
        for count in range(self.patience.retries + 1):
            try:
                return attempt()
            except Transient as failure:
                if cancel.is_set():
                    raise Interrupted("the download was stopped") from failure
                if count == self.patience.retries:
                    raise NetworkFault(f"{failure.what} ({count + 1} attempts)") from failure
                self._pause(count, failure.after, cancel)
        raise AssertionError

    def text(self, url: str, *, cancel: Cancel) -> str:
        """A document as UTF-8 text; more than 64 MiB is a fault."""

        def attempt() -> str:
            with self.open(url) as response:
                data = b"".join(chunks(response, url, limit=_TEXT_LIMIT))
            return data.decode("utf-8", errors="replace")

        return self.retry(attempt, cancel=cancel)

    def size(self, url: str, *, cancel: Cancel) -> int | None:
        """The length that the server announces, in bytes, or None."""

        def attempt() -> int | None:
            with self.open(url, method="HEAD") as response:
                return content_length(response)

        return self.retry(attempt, cancel=cancel)

    def measure(self, url: str, *, cancel: Cancel) -> Measured:
        """Read the whole body, keeping none of it."""

        def attempt() -> Measured:
            sha256, sha1, size = hashlib.sha256(), hashlib.sha1(usedforsecurity=False), 0
            with self.open(url) as response:
                for data in chunks(response, url):
                    if cancel.is_set():
                        raise Interrupted("the download was stopped")
                    sha256.update(data)
                    sha1.update(data)
                    size += len(data)
            return Measured(size=size, sha256=sha256.hexdigest(), sha1=sha1.hexdigest())

        return self.retry(attempt, cancel=cancel)

    def _pause(self, count: int, after: float | None, cancel: Cancel) -> None:
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing
        wanted = self.patience.pause * 2**count * jitter if after is None else after
        end = time.monotonic() + min(wanted, self.patience.longest)
        while (left := end - time.monotonic()) > 0:
            if cancel.is_set():
                raise Interrupted("the download was stopped")
            time.sleep(min(left, POLL_SECONDS))


@contextmanager
def connection_faults(url: str) -> Iterator[None]:
    """What the client raises while it asks, as one of our errors."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        hint = "if a proxy re-signs connections, name its certificates (see `buildgraph config show`, ca)"
        raise NetworkFault(f"{show(url)}: {explain(error)}", hint=hint) from error
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise Transient(f"{show(url)}: {explain(error)}") from error
    except requests.RequestException as error:
        raise NetworkFault(f"{show(url)}: {explain(error)}") from error


def chunks(response: requests.Response, url: str, *, limit: int | None = None) -> Iterator[bytes]:
    """The body as sent, in pieces of 64 KiB; a broken body is ``Transient``, more than ``limit`` bytes a fault."""
    size = 0
    try:
        for data in response.raw.stream(_PIECE, decode_content=False):
            size += len(data)
            if limit is not None and size > limit:
                raise NetworkFault(f"{show(url)}: more than {limit} bytes")
            yield data
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Transient(f"{show(url)}: {explain(error)} after {size} bytes") from error


def content_length(response: requests.Response) -> int | None:
    """The announced length in bytes, or None."""
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isdecimal() else None


def show(url: str) -> str:
    """A URL for messages: without user, password, query or fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def redact(text: str) -> str:
    """Text with the user part of every URL in it blanked."""
    return re.sub(r"//[^/\s@]+@", "//***@", text)


def explain(error: BaseException) -> str:
    """The root of a chain of wrapped exceptions, in one line."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    lines = redact(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def lookup(host: str) -> tuple[str, ...]:
    """The addresses of a host; none when it has no name here (a proxy may know it)."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple({str(entry[4][0]).partition("%")[0] for entry in found})


def check_redirect(origin: str, target: str, *, addresses: Addresses = lookup) -> None:
    """Refuse (``NetworkFault``) a redirect that leaves http(s), drops TLS, or leads from outside into this network."""
    before, after = urlsplit(origin), urlsplit(target)
    if after.scheme not in ("http", "https"):
        raise _unwanted(origin, target, "it leaves http")
    if before.scheme == "https" and after.scheme == "http":
        raise _unwanted(origin, target, "it drops encryption")
    if before.hostname == after.hostname:
        return
    reached = [ipaddress.ip_address(address) for address in addresses(after.hostname or "")]
    if any(address.is_link_local for address in reached):
        raise _unwanted(origin, target, "it leads to a link-local address")
    inside = any(not address.is_global for address in reached)
    if inside and any(ipaddress.ip_address(address).is_global for address in addresses(before.hostname or "")):
        raise _unwanted(origin, target, "it leads into the local network")


def _unwanted(origin: str, target: str, reason: str) -> NetworkFault:
    return NetworkFault(f"{show(origin)}: the redirect to {show(target)} is refused: {reason}")


def make_refusal(response: requests.Response, url: str) -> NetworkFault:
    """The error that an answer with a bad status is."""
    status = response.status_code
    what = f"{show(url)}: HTTP {status} {response.reason}"
    if status in _WORTH_ANOTHER_TRY:
        return Transient(what, after=_retry_after(response.headers.get("Retry-After", "")))
    if status in _GONE:
        return NotFound(what)
    hint = "check the credentials for this server (netrc, or those that `buildgraph config show` lists)"
    return NetworkFault(what, hint=hint if status in _DENIED else "")


def _retry_after(value: str) -> float | None:
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
