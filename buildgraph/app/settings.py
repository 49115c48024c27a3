"""The user's settings: a small file of ours, then what other clients were told, then nothing. Who wins is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters import clients
from buildgraph.adapters.settings import Credential, Settings
from buildgraph.adapters.toolchain import ca_bundle
from buildgraph.errors import EnvironmentFault, UsageError, raise_all
from buildgraph.forms import VARIABLE, Form
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.adapters.clients import Found
    from buildgraph.errors import BuildgraphError

FILE = "BUILDGRAPH_SETTINGS"
OFFLINE = "BUILDGRAPH_OFFLINE"
HIDDEN = "***"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_OFF = frozenset({"", "0", "false", "no", "off"})
_ADDRESS = re.compile(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?")
_PLACE = Form(
    what="a host",
    pattern=r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]*)?",
    hint="write it like mirror.example.com or mirror.example.com:8443/path",
)
_SUITE = Form(what="a Debian suite", pattern=r"[a-z][a-z0-9-]*", hint="write it like bookworm-security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of ``config show``: a value as it may be seen, and where it comes from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, and where each comes from."""

    settings: Settings
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mirrors:
    """``mirrors:`` of the file."""

    pypi: tuple[str, ...] = ()
    maven: tuple[str, ...] = ()
    go: tuple[str, ...] = ()
    debian: Mapping[str, str] = field(default_factory=dict)
    url: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What the file says. Without a file: nothing."""

    origin: str = ""
    mirrors: _Mirrors = field(default_factory=_Mirrors)
    credentials: tuple[Credential, ...] = ()
    ca: str = ""
    offline: bool = False


def is_offline(environ: Mapping[str, str]) -> bool:
    """True when the environment or the file says so; asks no other client."""
    if (word := environ.get(OFFLINE)) is not None:
        return word.strip().lower() not in _OFF
    return _read_file(environ).offline


def load_settings(environ: Mapping[str, str]) -> Loaded:
    """The settings of this user; connects to nothing.

    Raises:
        UsageError: for mistakes in our file or in another client's, with their places.
        EnvironmentFault: when certificates are named that are not there.
    """
    written = _read_file(environ)
    index, index_credential = clients.find_index(environ)
    repositories, maven_credentials = _find_repositories(environ, written)
    ca, ca_origin = _find_ca(environ, written)
    credentials = _first_of_each(
        (written.origin, written.credentials),
        (index.origin if index else "", (index_credential,) if index_credential else ()),
        ("Maven's settings", maven_credentials),
        ("apt's auth.conf", clients.find_apt_credentials()),
    )
    settings = Settings(
        index=written.mirrors.pypi or ((index.value,) if index else ()),
        maven=tuple(found.value for found in repositories),
        go=written.mirrors.go,
        debian=written.mirrors.debian,
        rewrites=written.mirrors.url,
        credentials=tuple(credential for credential, _ in credentials),
        ca=ca,
        offline=is_offline(environ),
    )
    index_origin = index.origin if index and not written.mirrors.pypi else written.origin
    entries = (
        Entry(name="offline", value=str(settings.offline).lower(), origin=_offline_origin(environ, written)),
        Entry(name="ca", value=str(ca or ""), origin=ca_origin),
        *(Entry(name="mirrors.pypi", value=url, origin=index_origin) for url in settings.index),
        *(Entry(name="mirrors.maven", value=found.value, origin=found.origin) for found in repositories),
        *_show_mirrors(written),
        *(Entry(name=f"credentials.{one.place}", value=HIDDEN, origin=origin) for one, origin in credentials),
        *(
            Entry(name=name, value=_hide_user(environ[name]), origin="environment")
            for name in PROXIES
            if name in environ
        ),
    )
    return Loaded(settings=settings, entries=entries)


def settings_path(environ: Mapping[str, str]) -> Path:
    """``BUILDGRAPH_SETTINGS``, else ``settings.yaml`` in the user's configuration folder."""
    if named := environ.get(FILE):
        return Path(named).absolute()
    import platformdirs

    return platformdirs.user_config_path("buildgraph") / "settings.yaml"


def _read_file(environ: Mapping[str, str]) -> _Written:
    path = settings_path(environ)
    if not path.is_file():
        if environ.get(FILE):
            raise UsageError(f"{FILE} names no file", where=str(path))
        return _Written()
    errors: list[BuildgraphError] = []
    text = path.read_text("utf-8", "surrogateescape")
    fields = Fields(parse_document(text, str(path)), str(path), "", errors, lambda value, _location: value)
    written = _Written(
        origin=str(path),
        mirrors=_read_mirrors(fields.fields("mirrors")),
        credentials=tuple(_read_credentials(fields.fields("credentials"), environ, path.parent)),
        ca=str(path.parent / Path(ca).expanduser()) if (ca := fields.text("ca", "")) else "",
        offline=fields.flag("offline"),
    )
    fields.finish()
    raise_all(errors)
    return written


def _read_mirrors(fields: Fields | None) -> _Mirrors:
    if fields is None:
        return _Mirrors()
    debian, url = fields.fields("debian"), fields.fields("url")
    mirrors = _Mirrors(
        pypi=_addresses(fields, "pypi"),
        maven=tuple(address.rstrip("/") for address in _addresses(fields, "maven")),
        go=_addresses(fields, "go"),
        debian={suite: _address(debian, suite).rstrip("/") for suite in debian.names(_SUITE)} if debian else {},
        url={start: _addresses(url, start) for start in url.names() if _is_address(fields, "url", start)}
        if url
        else {},
    )
    fields.finish()
    return mirrors


def _read_credentials(fields: Fields | None, environ: Mapping[str, str], folder: Path) -> Iterator[Credential]:
    """User names and passwords; a password comes from a variable or a file, never from the settings themselves."""
    if fields is None:
        return
    for place in fields.names(_PLACE):
        inner = fields.fields(place)
        if inner is None:
            continue
        inner.refuse("password", "a password does not stand in this file", "use password_env or password_file")
        username = (
            _read_variable(inner, "username_env", environ) if inner.has("username_env") else inner.text("username")
        )
        if inner.has("password_file"):
            password = _read_secret(inner, "password_file", folder)
        else:
            password = _read_variable(inner, "password_env", environ)
        inner.finish()
        host, slash, path = place.rstrip("/").partition("/")
        yield Credential(place=f"{host.lower()}{slash}{path}", username=username, password=password)


def _read_variable(fields: Fields, key: str, environ: Mapping[str, str]) -> str:
    name = fields.text(key, form=VARIABLE)
    if fields.has(key) and fields.is_sound(key) and name not in environ:
        fields.fail(f"the variable {name} is not set", key)
    return environ.get(name, "")


def _read_secret(fields: Fields, key: str, folder: Path) -> str:
    path = folder / Path(fields.text(key)).expanduser()
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        fields.fail(f"{path} cannot be read: {reason}", key)
        return ""


def _addresses(fields: Fields, key: str) -> tuple[str, ...]:
    texts = fields.texts(key, least=1) if fields.has(key) else fields.texts(key)
    return tuple(text for text in texts if _is_address(fields, key, text))


def _address(fields: Fields, key: str) -> str:
    text = fields.text(key)
    return text if fields.is_sound(key) and _is_address(fields, key, text) else ""


def _is_address(fields: Fields, key: str, text: str) -> bool:
    """True for an address without credentials; what is written is not repeated: it may hold a password."""
    if _ADDRESS.fullmatch(text):
        return True
    if "@" in text:
        fields.fail(
            "an address with a user in it", key, "leave it out here, and write it under credentials or into netrc"
        )
    else:
        fields.fail("not an address", key, "write it like https://mirror.example.com/path")
    return False


def _find_ca(environ: Mapping[str, str], written: _Written) -> tuple[Path | None, str]:
    """The bundle that all clients are given: named here, or to another client, else the system's."""
    named = clients.find_ca(environ)
    value, origin = (written.ca, written.origin) if written.ca else (named.value, named.origin) if named else ("", "")
    if not value:
        bundle = ca_bundle({})
        return bundle, "the system" if bundle else ""
    if not Path(value).is_file():
        raise EnvironmentFault(
            f"no file with certificates: {value}", where=origin, hint="name a PEM bundle that is there"
        )
    return Path(value), origin


def _find_repositories(
    environ: Mapping[str, str], written: _Written
) -> tuple[tuple[Found, ...], tuple[Credential, ...]]:
    from buildgraph.adapters.maven import configured_repositories

    if written.mirrors.maven:
        return tuple(clients.Found(value=url, origin=written.origin) for url in written.mirrors.maven), ()
    return clients.mirror_repositories(configured_repositories(), clients.read_maven(environ))


def _first_of_each(*sources: tuple[str, tuple[Credential, ...]]) -> tuple[tuple[Credential, str], ...]:
    """Credentials with where they come from; ours before those of other clients, where both have some for a place."""
    first: dict[str, tuple[Credential, str]] = {}
    for origin, credentials in sources:
        for credential in credentials:
            first.setdefault(credential.place, (credential, origin))
    return tuple(first.values())


def _offline_origin(environ: Mapping[str, str], written: _Written) -> str:
    return OFFLINE if OFFLINE in environ else written.origin if written.offline else ""


def _show_mirrors(written: _Written) -> Iterator[Entry]:
    """Those that no other client is asked about."""
    named = [("mirrors.go", url) for url in written.mirrors.go]
    named += [(f"mirrors.debian.{suite}", url) for suite, url in written.mirrors.debian.items()]
    named += [(f"mirrors.url.{start}", url) for start, urls in written.mirrors.url.items() for url in urls]
    return (Entry(name=name, value=value, origin=written.origin) for name, value in named)


def _hide_user(address: str) -> str:
    """The address of a proxy, with or without its scheme, without user and password."""
    head, mark, rest = address.rpartition("@")
    return f"{head.rpartition('//')[0]}//{HIDDEN}@{rest}".removeprefix("//") if mark else address
