"""Who we are to a registry: credentials that the user gave Docker or us, and the tokens that they are exchanged for."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker.auth
from docker.errors import DockerException

from buildgraph.adapters.settings import find_credential
from buildgraph.adapters.web import check_redirect, connection_faults, make_refusal, show
from buildgraph.errors import EnvironmentFault, NetworkFault

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from buildgraph.adapters.settings import Settings

_CHALLENGE = re.compile(r'([a-z_]+)="([^"]*)"')
_MOST = 1 << 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DENIED = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user and a password, or an identity token in place of both."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def find_login(host: str, settings: Settings) -> Login | None:
    """What the user gave us for the host, else what Docker was given: its config file, or the helpers it names."""
    own = find_credential(settings.credentials, f"https://{host}/v2/")
    if own is not None:
        return Login(username=own.username, password=own.password)
    try:
        known = docker.auth.load_config().resolve_authconfig(host) or {}
    except (DockerException, ValueError, TypeError, AttributeError) as error:
        # What the file or the helper says may be a secret, so it is not repeated.
        what = f"Docker's credentials for {host} cannot be read"
        raise EnvironmentFault(what, hint=f"run: docker login {host}") from error
    found = {str(key).lower(): str(value) for key, value in known.items() if value}
    login = Login(
        username=found.get("username", ""), password=found.get("password", ""), token=found.get("identitytoken", "")
    )
    return login if login.token or login.username else None


class Keyring:
    """The header that opens one registry, by scope. Made anew from what the registry asks for when it refuses."""

    def __init__(
        self, host: str, base: str, session: requests.Session, find: Callable[[], Login | None], *, timeout: float
    ) -> None:
        """``base``: the registry's address; ``find`` is asked for a login when the registry first wants one."""
        self._host = host
        self._base = base
        self._session = session
        self._find = find
        self._timeout = timeout
        self._headers: dict[str, str] = {}

    def header(self, url: str, scope: str) -> str:
        """What to send as ``Authorization``; nothing to another server than the registry itself."""
        is_ours = urlsplit(url)[:2] == urlsplit(self._base)[:2]
        return self._headers.get(scope, "") if is_ours else ""

    def answer(self, challenge: str, scope: str) -> bool:
        """Get what a refusal's ``WWW-Authenticate`` asks for; False where we have nothing more to offer."""
        scheme, _, rest = challenge.partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if scheme.lower() == "bearer" and "realm" in asked:
            made = f"Bearer {self._fetch(asked['realm'], asked.get('service', ''), scope)}"
        elif scheme.lower() == "basic" and (login := self._login(self._base)) and login.username:
            made = _basic(login)
        else:
            return False
        is_new = self._headers.get(scope) != made
        self._headers[scope] = made
        return is_new

    def _login(self, url: str) -> Login | None:
        """The user's login, unless the way to the server is open to others."""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            return None
        return self._find()

    def _fetch(self, realm: str, service: str, scope: str) -> str:
        """A token for the scope from the server that the registry trusts."""
        check_redirect(self._base, realm)
        login = self._login(realm)
        asked = {"service": service, "scope": scope}
        with connection_faults(realm):
            if login and login.token:
                form = {**asked, "grant_type": "refresh_token", "refresh_token": login.token, "client_id": "buildgraph"}
                response = self._session.post(realm, data=form, auth=keep_headers, timeout=self._timeout, stream=True)
            else:
                headers = {"Authorization": _basic(login)} if login else {}
                response = self._session.get(
                    realm, params=asked, headers=headers, auth=keep_headers, timeout=self._timeout, stream=True
                )
        with response:
            if response.status_code in _DENIED:
                raise make_denial(self._host, response.status_code, has_login=login is not None)
            if response.status_code >= 400:  # noqa: PLR2004 - the first status of a refusal
                raise make_refusal(response, realm)
            return _read_token(response, realm)


def make_denial(host: str, status: int, *, has_login: bool) -> NetworkFault:
    """A registry that does not let us in, and what to do about it."""
    what = f"{host} refuses {'these credentials' if has_login else 'to be asked without credentials'} (HTTP {status})"
    return NetworkFault(what, hint=f"run: docker login {host}, or write credentials for it (see docs/networks.md)")


def _read_token(response: requests.Response, realm: str) -> str:
    data = response.raw.read(_MOST, decode_content=True)
    try:
        document = json.loads(data)
        token = document.get("token") or document.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NetworkFault(f"{show(realm)}: the answer holds no token")
    return token


def _basic(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps netrc out of it: what is sent stands in the headers."""
    return request
