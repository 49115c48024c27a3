"""Go modules: the go client fetches them, checked against the checksum database, from the user's proxies."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.download import digest_file
from buildgraph.adapters.process import output
from buildgraph.adapters.settings import PUBLIC
from buildgraph.adapters.web import CHUNK, redact
from buildgraph.errors import BuildFailure, EnvironmentFault, NetworkFault
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from buildgraph.adapters.settings import Settings
    from buildgraph.coordinate import Coordinate
    from buildgraph.ports import Cancel

# A phrase near the head of a licence's text → its SPDX name. First match wins.
_LICENCES = (
    (("Apache License", "Version 2.0"), "Apache-2.0"),
    (("Mozilla Public License", "2.0"), "MPL-2.0"),
    (("Permission is hereby granted, free of charge",), "MIT"),
    (("Redistribution and use", "Neither the name"), "BSD-3-Clause"),
    (("Redistribution and use",), "BSD-2-Clause"),
)
GO_HINT = "`pip install buildgraph[go]`"


class GoModules:
    """The go client of this machine, or the one beside this Python."""

    def __init__(self, scratch: Path, *, cancel: Cancel, settings: Settings = PUBLIC) -> None:
        """``scratch``: where modules are downloaded to, and from where they are moved."""
        self._settings = settings
        self._scratch = scratch
        self._cancel = cancel

    def resolve(self, coordinate: Coordinate) -> Artifact:
        """The module's zip; it is downloaded to be hashed, and not kept."""
        path = self._download(coordinate)
        try:
            sha256, size = digest_file(path, cancel=self._cancel)
            return Artifact(
                coordinate=str(coordinate),
                file=f"{coordinate.name.rpartition('/')[2]}-{coordinate.version}.zip",
                sha256=sha256,
                size=size,
                licence=read_licence(path),
            )
        finally:
            path.unlink()

    def locate(self, coordinate: Coordinate) -> tuple[Path, ...]:
        """A fresh download of the module's zip, for the caller to move away."""
        return (self._download(coordinate),)

    def _download(self, coordinate: Coordinate) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".go-", dir=self._scratch) as folder:
            found = Path(self._ask(coordinate, Path(folder)))
            handle, kept = tempfile.mkstemp(prefix=".go-", suffix=".zip", dir=self._scratch)
            os.close(handle)
            found.replace(kept)
            return Path(kept)

    def _ask(self, coordinate: Coordinate, folder: Path) -> str:
        """Where in ``folder`` the go client put the zip."""
        # -modcacherw: the client's cache is read-only otherwise, and could not be removed.
        environ = self._settings.trust(os.environ)
        if self._settings.go:  # a bar: whatever is wrong with a proxy, the next one is asked
            environ["GOPROXY"] = "|".join(self._settings.with_credentials(url) for url in self._settings.go)
        environ |= {"GOPATH": str(folder), "GOMODCACHE": str(folder / "mod"), "GOWORK": "off"}
        environ |= {"GOFLAGS": "-mod=mod -modcacherw", "GOTOOLCHAIN": "local", "GO111MODULE": "on"}
        argv = [find_go(), "mod", "download", "-json", f"{coordinate.name}@{coordinate.version}"]
        try:
            text = output(argv, scratch=folder, cancel=self._cancel, env=environ, cwd=folder)
        except BuildFailure as error:
            reason = read_answer((folder / "stdout").read_text(encoding="utf-8", errors="replace")).get("Error", "")
            raise NetworkFault(f"{coordinate}: {redact(' '.join(reason.split())) or error.what}") from error
        return read_answer(text)["Zip"]


def find_go() -> str:
    """The go on PATH, else the one that is installed beside this Python."""
    return list_go()[0]


def list_go() -> tuple[str, ...]:
    """The go on PATH and the one that is installed beside this Python; ``EnvironmentFault`` when there is neither."""
    beside = Path(sys.executable).parent / "go"
    found = dict.fromkeys(filter(None, (shutil.which("go"), str(beside) if beside.is_file() else "")))
    if not found:
        raise EnvironmentFault("go: no such program", hint=f"install Go, or {GO_HINT}")
    return tuple(found)


def read_answer(text: str) -> dict[str, str]:
    """The string fields of what ``go mod download -json`` printed; none when it printed nothing of the kind."""
    try:
        answer = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return {key: value for key, value in answer.items() if isinstance(value, str)}


def read_licence(path: Path) -> str:
    """The SPDX name of a module's licence, where its text is one of the usual."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.rpartition("@")[2].partition("/")[2].startswith("LICENSE")]
        if not names:
            return ""
        with archive.open(min(names)) as file:
            text = file.read(CHUNK).decode("utf-8", errors="replace")
    return next((name for phrases, name in _LICENCES if all(phrase in text for phrase in phrases)), "")
