"""The programs that talk to an engine: the docker CLI and buildx, the machine's own or those of the engine's root."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.ports import Cancel

CLI = "usr/bin/docker"
PLUGIN = "usr/libexec/docker/cli-plugins/docker-buildx"
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """``docker`` is the CLI's path; ``buildx`` the words that run it: ``docker buildx``, or the plugin alone."""

    docker: Path | None
    buildx: tuple[str, ...]


def ca_bundle(environ: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts: what SSL_CERT_FILE names, else the system's file, else None."""
    named = environ.get("SSL_CERT_FILE")
    for path in ([named] if named else []) + list(SYSTEM_BUNDLES):
        if Path(path).is_file():
            return Path(path)
    return None


def find_docker(environ: Mapping[str, str], root: Path) -> Path | None:
    """The docker CLI on PATH, else that of the engine's root, else None."""
    found = shutil.which("docker", path=environ.get("PATH", os.defpath))
    if found:
        return Path(found)
    return root / CLI if (root / CLI).exists() else None


def find_toolchain(environ: Mapping[str, str], root: Path, *, cancel: Cancel) -> Toolchain:
    """The CLI, and buildx: the CLI's own plugin where it works, else the plugin of the engine's root (empty: none)."""
    docker, plugin = find_docker(environ, root), root / PLUGIN
    if docker is not None and _has_buildx(docker, environ, cancel=cancel):
        return Toolchain(docker=docker, buildx=(str(docker), "buildx"))
    return Toolchain(docker=docker, buildx=(str(plugin),) if plugin.exists() else ())


def require_buildx(toolchain: Toolchain) -> tuple[str, ...]:
    """The words that run buildx; ``EnvironmentFault`` when there is none."""
    if toolchain.buildx:
        return toolchain.buildx
    raise EnvironmentFault(
        "this machine has no docker buildx, which dockerfile layers are built with",
        hint="install docker-buildx (apt-get install --yes docker-buildx, or your Docker's docker-buildx-plugin)",
    )


def _has_buildx(docker: Path, environ: Mapping[str, str], *, cancel: Cancel) -> bool:
    with TemporaryDirectory() as scratch:
        try:
            process.output(
                [str(docker), "buildx", "version"], scratch=Path(scratch), cancel=cancel, env=environ, timeout=20
            )
        except BuildFailure:
            return False
    return True
