"""What the user told other clients: pip and uv, Maven, apt. Each answer says where it was read."""

from __future__ import annotations

import configparser
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from buildgraph.adapters.settings import Credential, place_of, split_userinfo
from buildgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INDEX_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "SSL_CERT_FILE")
_PROPERTY = re.compile(r"\$\{env\.([^}]+)\}")
_ENCRYPTED = re.compile(r"\{.+\}", re.DOTALL)
_LOCAL = ("localhost", "127.0.0.1")
APT_FILES = ("/etc/apt/auth.conf", "/etc/apt/auth.conf.d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An address or a path that a client was told, without credentials, and where."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MavenMirror:
    """One ``mirror`` of a settings.xml; ``id`` leads to its server's credentials."""

    id: str
    url: str
    mirrors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MavenSettings:
    """A settings.xml: mirrors in its order, and (user, password) by server."""

    mirrors: tuple[MavenMirror, ...] = ()
    servers: Mapping[str, tuple[str, str]]
    origin: str


def find_index(environ: Mapping[str, str]) -> tuple[Found | None, Credential | None]:
    """The package index of the user's pip or uv, and the credential that stood in its address."""
    said = {name: value for name in _INDEX_VARIABLES if (value := environ.get(name, "").strip())}
    origin, text = next(iter(said.items())) if said else _read_pip(environ, "index-url")
    url, credential = split_userinfo(text)
    return (Found(value=url, origin=origin) if url else None), credential


def find_ca(environ: Mapping[str, str]) -> Found | None:
    """The certificates that the user named for other clients; the variables of HTTP clients first, then pip's file."""
    for name in _CA_VARIABLES:
        if value := environ.get(name, "").strip():
            return Found(value=value, origin=name)
    origin, text = _read_pip(environ, "cert")
    return Found(value=text, origin=origin) if text else None


def find_apt_credentials(files: tuple[str, ...] = APT_FILES) -> tuple[Credential, ...]:
    """What apt's auth.conf and auth.conf.d hold; files that this user may not read hold nothing for us."""
    paths = [path for name in files for path in (Path(name), *sorted(Path(name).glob("*.conf")))]
    readable = [path for path in paths if path.is_file() and os.access(path, os.R_OK)]
    return tuple(found for path in readable for found in parse_auth(path.read_text("utf-8", "replace")))


def parse_auth(text: str) -> Iterator[Credential]:
    """The complete entries of a netrc-like text: ``machine PLACE login USER password PASSWORD``."""
    words = [word for line in text.splitlines() if not line.lstrip().startswith("#") for word in line.split()]
    entry: dict[str, str] = {}
    for key, value in [*zip(words[::2], words[1::2], strict=False), ("machine", "")]:
        if key == "machine" and {"machine", "login", "password"} <= entry.keys():
            place = entry["machine"].rpartition("://")[2].rstrip("/")
            yield Credential(place=place, username=entry["login"], password=entry["password"])
        entry = {key: value} if key == "machine" else {**entry, key: value}


def read_maven(environ: Mapping[str, str], path: Path | None = None) -> MavenSettings | None:
    """The user's settings.xml, or None without one; ``UsageError`` when it cannot be read."""
    path = path or Path.home() / ".m2/settings.xml"
    if not path.is_file():
        return None
    try:
        root = ET.fromstring(path.read_text("utf-8", "replace"))  # noqa: S314 - the user's own file
    except ET.ParseError as error:
        raise UsageError(f"not valid XML: {error.msg}", where=f"{path}:{error.position[0]}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]

    def texts(element: ET.Element, *names: str) -> list[str]:
        return [_expand((element.findtext(name) or "").strip(), environ) for name in names]

    mirrors = [texts(mirror, "id", "url", "mirrorOf") for mirror in root.iterfind("mirrors/mirror")]
    servers = [texts(server, "id", "username", "password") for server in root.iterfind("servers/server")]
    return MavenSettings(
        mirrors=tuple(MavenMirror(id=name, url=url.rstrip("/"), mirrors=of) for name, url, of in mirrors if url),
        servers={name: (user, password) for name, user, password in servers if user},
        origin=str(path),
    )


def mirror_repositories(
    repositories: Mapping[str, str], settings: MavenSettings | None
) -> tuple[tuple[Found, ...], tuple[Credential, ...]]:
    """Repositories (id → base URL) as Maven would reach them: through mirrors, each once, with their credentials.

    Raises:
        UsageError: for an encrypted password; Maven alone has the key.
    """
    reached: dict[str, str] = {}
    credentials: list[Credential] = []
    for name, address in repositories.items():
        mirror = find_mirror(name, address, settings)
        server, origin = (mirror.id, settings.origin) if mirror and settings else (name, "jgo")
        url, credential = split_userinfo((mirror.url if mirror else address).rstrip("/"))
        reached.setdefault(url, origin)
        if settings and server in settings.servers:
            user, password = settings.servers[server]
            if _ENCRYPTED.fullmatch(password):
                what = f"the password of server {server} is encrypted, which is not supported"
                raise UsageError(what, where=settings.origin, hint="write ${env.NAME} there, or use netrc")
            credential = Credential(place=place_of(url), username=user, password=password)
        credentials += [credential] if credential else []
    return tuple(Found(value=url, origin=origin) for url, origin in reached.items()), tuple(credentials)


def find_mirror(name: str, url: str, settings: MavenSettings | None) -> MavenMirror | None:
    """The mirror that Maven would take for a repository: one for exactly its id, else the first whose list fits."""
    mirrors = settings.mirrors if settings else ()
    exact = [mirror for mirror in mirrors if mirror.mirrors == name]
    return next(iter([*exact, *(mirror for mirror in mirrors if _is_mirrored(name, url, mirror.mirrors))]), None)


def _is_mirrored(name: str, url: str, patterns: str) -> bool:
    listed = [pattern.strip() for pattern in patterns.split(",")]
    if f"!{name}" in listed:
        return False
    is_external = place_of(url).partition("/")[0].partition(":")[0] not in _LOCAL and not url.startswith("file:")
    is_plain = is_external and url.startswith("http:")
    fitting = {"*", name, *(["external:*"] if is_external else []), *(["external:http:*"] if is_plain else [])}
    return not fitting.isdisjoint(listed)


def _expand(text: str, environ: Mapping[str, str]) -> str:
    """Maven's ``${env.NAME}``; a variable that is not set stays as it is written, as in Maven."""
    return _PROPERTY.sub(lambda match: environ.get(match[1], match[0]), text)


def _read_pip(environ: Mapping[str, str], option: str) -> tuple[str, str]:
    """(file, value) of an option of pip's ``[global]`` section; the last file that has it counts, as in pip."""
    import platformdirs

    files = [Path("/etc/pip.conf"), platformdirs.user_config_path("pip") / "pip.conf", Path.home() / ".pip/pip.conf"]
    if named := environ.get("PIP_CONFIG_FILE"):
        files.append(Path(named))
    found = ("", "")
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise UsageError(f"pip's configuration cannot be read: {_first_line(error)}", where=str(file)) from error
        if value := parser.get("global", option, fallback="").strip():
            found = (str(file), value)
    return found


def _first_line(error: Exception) -> str:
    """What is wrong, without the text that it is wrong in: that may hold a password."""
    return type(error).__name__ if isinstance(error, UnicodeDecodeError) else str(error).partition("\n")[0]
