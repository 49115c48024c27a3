"""Cosign for the tests of signatures: Debian's package, fetched and checked as our own sources are, and not installed.

``COSIGN=/path/to/cosign`` uses another program instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from platformdirs import user_cache_path

from buildgraph.adapters.fetch import SourceFetcher
from buildgraph.adapters.process import Never
from buildgraph.adapters.resolve import CoordinateResolver, open_registries
from buildgraph.app.settings import load_settings
from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import BuildgraphError, EnvironmentFault, NotFound
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from buildgraph.adapters.resolve import Registries

SUITE = "trixie"
PACKAGE = Artifact(
    coordinate="deb:cosign=2.5.0-2+b5",
    file="cosign_2.5.0-2+b5_amd64.deb",
    sha256="3b6eadd27f3c4c00bfa7eab5c2397a6a15a763630c7a1d40d06ff60d24799eef",
    size=14892716,
    licence="Apache-2.0",
    path=f"{SUITE} pool/main/c/cosign/cosign_2.5.0-2+b5_amd64.deb",
)
# Nothing of this may leave the machine: no public log, no certificates of a service, a registry without TLS.
SIGN = ("--yes", "--tlog-upload=false", "--allow-http-registry")
VERIFY = ("--insecure-ignore-tlog=true", "--private-infrastructure=true", "--allow-http-registry")
HINT = "set COSIGN to the path of a cosign program"


def ensure_cosign() -> Path:
    """A cosign program; ``EnvironmentFault`` with the reason when there is none to be had."""
    if named := os.environ.get("COSIGN", ""):
        return Path(named)
    tools = user_cache_path("buildgraph", ensure_exists=True) / "tools"
    tools.mkdir(exist_ok=True)
    cosign = tools / f"cosign-{PACKAGE.sha256[:12]}"
    with FileLock(tools / "cosign.lock"):
        if not cosign.is_file():
            _fetch(cosign)
    return cosign


def _fetch(cosign: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cosign.parent) as name:
        folder = Path(name)
        registries = open_registries(folder / "scratch", load_settings(os.environ).settings, cancel=Never())
        resolver = CoordinateResolver(registries, cancel=Never())
        fetcher = SourceFetcher(folder, resolver.locate, web=registries.web)
        try:
            package = _fetch_package(fetcher, registries)
        except BuildgraphError as error:
            raise EnvironmentFault(f"cosign could not be fetched: {error}", hint=HINT) from error
        subprocess.run(["dpkg-deb", "--extract", fetcher.path(package), folder / "root"], check=True)
        (folder / "root/usr/bin/cosign").replace(cosign)


def _fetch_package(fetcher: SourceFetcher, registries: Registries) -> Artifact:
    """The package as locked above; where Debian has replaced it, today's, which apt verifies, and loudly."""
    package = PACKAGE
    try:
        fetcher.fetch([package], progress=lambda _done, _total: None, cancel=Never())
    except NotFound:
        package = registries.debian.resolve(parse_coordinate("deb:cosign"), SUITE)
        print(f"NOTE: Debian has {package.coordinate} in place of {PACKAGE.coordinate}", file=sys.stderr)
        fetcher.fetch([package], progress=lambda _done, _total: None, cancel=Never())
    return package


if __name__ == "__main__":
    sys.stdout.write(f"{ensure_cosign()}\n")
