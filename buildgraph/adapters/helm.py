"""The Helm program: where it is, and what it makes of a packaged chart."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure, EnvironmentFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.ports import Cancel

VARIABLE = "HELM"
HINT = f"install Helm 3.17 or newer, or set {VARIABLE} to the path of one"
RELEASE = "release"
TIMEOUT = 120.0
_OWN = "HELM_"
_HOMES = ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME")
_LINES = 20


def find_helm(environ: Mapping[str, str]) -> Path | None:
    """The program that the variable ``HELM`` names, else the one on the path."""
    named = environ.get(VARIABLE, "")
    if named and not os.access(named, os.X_OK):
        raise UsageError(f"{VARIABLE} names {named}, which is no program", hint=HINT)
    found = named or shutil.which("helm", path=environ.get("PATH", os.defpath))
    return Path(found) if found else None


def require_helm(environ: Mapping[str, str]) -> Path:
    """The same; ``EnvironmentFault`` where there is none."""
    helm = find_helm(environ)
    if helm is None:
        raise EnvironmentFault("there is no Helm here", hint=HINT)
    return helm


def render_chart(
    helm: Path,
    package: bytes,
    *,
    values: Sequence[Path],
    settings: Sequence[str],
    environ: Mapping[str, str],
    cancel: Cancel,
) -> str:
    """What ``helm template`` makes of a package with values files and ``K=V`` settings, hooks and tests included.

    Plugins, repositories and settings of the user's Helm have no part in it. ``BuildFailure`` with Helm's own words
    when it refuses.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        chart = scratch / "chart.tgz"
        chart.write_bytes(package)
        options = [word for file in values for word in ("--values", str(file.absolute()))]
        options += [word for setting in settings for word in ("--set", setting)]
        own = {name: value for name, value in environ.items() if not name.startswith(_OWN)}
        own |= {home: str(scratch / home) for home in _HOMES}
        argv = [str(helm), "template", RELEASE, str(chart), *options]
        try:
            return process.output(argv, scratch=scratch, cancel=cancel, env=own, timeout=TIMEOUT)
        except BuildFailure as failure:
            # All that it said: it tells every value that a schema refuses on a line of its own.
            said = "\n".join(process.tail(scratch / "stderr", _LINES)).removeprefix("Error: ")
            raise BuildFailure(f"Helm refuses it: {said}" if said else failure.what) from failure
