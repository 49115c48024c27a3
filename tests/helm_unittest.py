"""The program helm-unittest for the suites in charts, compiled from its Go module once for each machine.

Its module replaces one of its dependencies, so ``go install`` refuses it; ``tests/charts/unittest_tool`` is a module of
ours that asks for it with the same replacement. It is run by itself, not as a plugin: it has Helm's engine in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from buildgraph.adapters import process
from buildgraph.errors import BuildgraphError, EnvironmentFault

MODULE = Path(__file__).parent / "charts/unittest_tool"
PACKAGE = "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
TIMEOUT = 1200.0


def ensure_unittest() -> Path:
    """The program; ``EnvironmentFault`` with the reason when it cannot be compiled."""
    tools = user_cache_path("buildgraph", ensure_exists=True) / "tools"
    tools.mkdir(exist_ok=True)
    version = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()[:12]
    program = tools / f"helm-unittest-{version}"
    with FileLock(tools / f"{program.name}.lock"):
        if not program.is_file():
            _compile(program)
    return program


def _compile(program: Path) -> None:
    beside = Path(sys.executable).parent / "go"
    go = shutil.which("go") or str(beside)
    with tempfile.TemporaryDirectory(dir=program.parent) as name:
        built = Path(name) / program.name
        argv = [go, "build", "-C", str(MODULE), "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", str(built)]
        env = {**os.environ, "GOWORK": "off"}
        try:
            process.check([*argv, PACKAGE], log=Path(name) / "log", cancel=process.Never(), timeout=TIMEOUT, env=env)
        except BuildgraphError as error:
            raise EnvironmentFault(f"helm-unittest could not be compiled: {error}", where=PACKAGE) from error
        built.replace(program)
