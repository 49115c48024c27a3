"""The Debian archive, as mmdebstrap and apt know it: exact packages of a suite, signatures checked by apt."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from buildgraph.adapters.process import output
from buildgraph.adapters.settings import PUBLIC, find_credential, place_of
from buildgraph.adapters.web import redact
from buildgraph.errors import BuildFailure, NetworkFault, NotFound, UsageError
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.adapters.settings import Credential, Settings
    from buildgraph.coordinate import Coordinate
    from buildgraph.ports import Cancel

# What mmdebstrap calls minbase: everything essential or required, and apt.
_MINBASE = ("?essential", "?priority(required)", "apt")
_SUITE = re.compile(r"[a-z][a-z0-9-]*")
_URI = re.compile(
    r"'(?P<uri>[^']+)' (?P<name>[^_\s]+)_(?P<version>[^_\s]+)_[^_\s]+\.deb (?P<size>\d+)(?: SHA256:(?P<sha256>\w{64}))?"
)
_SOURCE = re.compile(r"deb\s+(?:\[[^\]]*\]\s*)?(?P<base>\S+)\s+(?P<suite>\S+)")
_UNKNOWN = "Unable to locate package"
_APT_CONF = """\
Dir "{root}";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
Apt::Architecture "{architecture}";
Apt::Architectures "{architecture}";
Apt::Install-Recommends "false";
Debug::NoLocking "true";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of ``apt-get --print-uris``. ``sha256`` is empty where apt does not print it."""

    uri: str
    name: str
    version: str
    size: int
    sha256: str


class DebianArchive:
    """Suites of the archive; the package lists of each are fetched once in the life of this object."""

    def __init__(
        self, scratch: Path, *, cancel: Cancel, settings: Settings = PUBLIC, architecture: str = "amd64"
    ) -> None:
        """Package lists (some 100 MB a suite) live below ``scratch`` until this object goes."""
        self._settings = settings
        self._scratch = scratch
        self._cancel = cancel
        self._architecture = architecture
        self._roots: dict[str, Path] = {}
        self._bases: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def resolve(self, coordinate: Coordinate, suite: str) -> Artifact:
        """The candidate version of one package, or the version that the coordinate names."""
        asked = f"{coordinate.name}={coordinate.version}" if coordinate.version else coordinate.name
        return self._describe([asked], suite)[0]

    def resolve_set(self, names: Sequence[str], suite: str) -> tuple[Artifact, ...]:
        """A minimal system and ``names`` with what they depend on (nothing recommended), sorted by coordinate."""
        plan = parse_uris(self._apt(suite, "install", *_MINBASE, *names))
        return self._describe([f"{listed.name}={listed.version}" for listed in plan], suite)

    def locate(self, artifact: Artifact) -> tuple[str, ...]:
        """The place of a locked package on the mirror that mmdebstrap would use."""
        suite, _, path = artifact.path.partition(" ")
        base = self._mirrors(suite.partition("-")[0]).get(suite)
        return (f"{base}/{path}",) if base else ()

    def _describe(self, asked: Sequence[str], suite: str) -> tuple[Artifact, ...]:
        """Unlike ``install``, ``download`` prints hashes."""
        listing = parse_uris(self._apt(suite, "download", *asked))
        found = [to_artifact(listed, self._mirrors(suite)) for listed in listing]
        return tuple(sorted(found, key=lambda artifact: artifact.coordinate))

    def _apt(self, suite: str, command: str, *names: str) -> str:
        root = self._root(suite)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            environ = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C.UTF-8"}
            argv = ["apt-get", command, "--yes", "--print-uris", "--", *names]
            return self._run(argv, Path(folder), environ, suite)

    def _root(self, suite: str) -> Path:
        """A skeleton with apt's verified lists."""
        with self._lock:
            if suite not in self._roots:
                root = self._bootstrap(suite, "--skip=cleanup")
                (root / "apt.conf").write_text(_APT_CONF.format(root=root, architecture=self._architecture))
                self._roots[suite] = root
                self._bases[suite] = parse_sources((root / "etc/apt/sources.list").read_text(encoding="utf-8"))
            return self._roots[suite]

    def _mirrors(self, suite: str) -> Mapping[str, str]:
        """Suite (with ``-updates`` and ``-security``) → base URL: the user's, else mmdebstrap's; asks no server."""
        if configured := _mirrors_of(self._settings, suite):
            return configured
        with self._lock:
            if suite not in self._bases:
                root = self._bootstrap(suite, "--skip=update,cleanup")
                self._bases[suite] = parse_sources((root / "etc/apt/sources.list").read_text(encoding="utf-8"))
            return self._bases[suite]

    def _bootstrap(self, suite: str, skip: str) -> Path:
        if not _SUITE.fullmatch(suite):
            raise UsageError(f"{suite!r} is no Debian suite")
        self._scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".apt-", dir=self._scratch))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        argv = ["mmdebstrap", "--mode=chrootless", "--variant=custom", f"--architectures={self._architecture}"]
        argv += [skip, "--format=directory", *apt_options(self._settings, suite, folder / "auth.conf")]
        argv += [suite, str(folder / "root"), *mirror_lines(self._settings, suite)]
        self._run(argv, folder, {**os.environ, "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)}, suite)
        return folder / "root"

    def _run(self, argv: Sequence[str], folder: Path, environ: Mapping[str, str], suite: str) -> str:
        try:
            return output(argv, scratch=folder, cancel=self._cancel, env=environ)
        except BuildFailure as error:
            reason = first_complaint((folder / "stderr").read_text(encoding="utf-8", errors="replace")) or error.what
            fault = NotFound if _UNKNOWN in reason or "was not found" in reason else NetworkFault
            raise fault(f"Debian {suite}: {redact(reason)}") from error


def mirror_lines(settings: Settings, suite: str) -> list[str]:
    """The mirrors that mmdebstrap is to use for a release; none where it may choose itself."""
    mirrors = _mirrors_of(settings, suite)
    if not mirrors:
        return []
    return [f"deb {url} {name} main" for name, url in mirrors.items()]


def apt_options(settings: Settings, suite: str, auth: Path) -> list[str]:
    """Options of mmdebstrap for these mirrors: our certificates; credentials, if any, in a private file at ``auth``."""
    options = [f'--aptopt=Acquire::https::CAInfo "{settings.ca}"'] if settings.ca else []
    lines = [
        _auth_line(url, found)
        for url in _mirrors_of(settings, suite).values()
        if (found := find_credential(settings.credentials, url))
    ]
    if lines:
        with os.fdopen(os.open(auth, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        options.append(f'--aptopt=Dir::Etc::netrc "{auth}"')
    return options


def parse_uris(text: str) -> list[Listed]:
    """The packages that ``apt-get --print-uris`` lists, in its order; versions without their escapes."""
    return [
        Listed(
            uri=match["uri"],
            name=match["name"],
            version=unquote(match["version"]),
            size=int(match["size"]),
            sha256=match["sha256"] or "",
        )
        for line in text.splitlines()
        if (match := _URI.match(line))
    ]


def parse_sources(text: str) -> dict[str, str]:
    """Suite → base URL (no trailing slash) of a one-line-style sources.list."""
    return {match["suite"]: match["base"].rstrip("/") for line in text.splitlines() if (match := _SOURCE.match(line))}


def to_artifact(listed: Listed, bases: Mapping[str, str]) -> Artifact:
    """A listed package as the lock holds it; the suite is the first whose mirror has the file."""
    for suite, base in bases.items():
        if listed.uri.startswith(f"{base}/") and listed.sha256:
            path = unquote(listed.uri.removeprefix(f"{base}/"))
            return Artifact(
                coordinate=f"deb:{listed.name}={listed.version}",
                file=path.rpartition("/")[2],
                sha256=listed.sha256,
                size=listed.size,
                path=f"{suite} {path}",
            )
    raise NetworkFault(f"deb:{listed.name}={listed.version}: apt names no mirror or no sha256 for it")


def _mirrors_of(settings: Settings, suite: str) -> dict[str, str]:
    """Those of the release itself and of its -updates, -security and the like."""
    return {name: url for name, url in settings.debian.items() if name == suite or name.startswith(f"{suite}-")}


def _auth_line(url: str, credential: Credential) -> str:
    """An entry of apt's auth.conf, which knows no quotes; without ``http://`` it would hold for https alone."""
    words = (credential.username, credential.password)
    if any(not word or any(char.isspace() for char in word) for word in words):
        raise UsageError(f"apt takes no empty user or password, and no white space in them: {credential.place}")
    scheme = "http://" if url.startswith("http:") else ""
    return f"machine {scheme}{place_of(url)} login {words[0]} password {words[1]}\n"


def first_complaint(text: str) -> str:
    """The first line in which apt or mmdebstrap says what is wrong."""
    lines = (line.strip() for line in text.splitlines())
    return next((line[2:].strip() for line in lines if line.startswith("E:")), "")
