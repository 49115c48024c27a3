"""The figure of a build that has nothing to do: how long the whole program takes, and whom it calls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.figures.figure import Figure
from tests.generate import Shape, write_catalogue

REPOSITORY = Path(__file__).parents[2]
TARGETS = {1: 500, 100: 500, 1000: 1500}
"""Nodes → milliseconds that half of the runs may take."""
RUNS = 20
WORDS = ("build", "l000-*", "--no-test", "--no-load", "--progress", "quiet")


def nothing_to_do() -> Figure:
    """Catalogues of layers that are all built."""
    with tempfile.TemporaryDirectory(prefix="buildgraph-figures-") as folder:
        found = {nodes: _measure(Path(folder) / str(nodes), nodes) for nodes in TARGETS}
    texts = [f"{nodes:,}: {half:.0f}/{most:.0f} ms, {len(calls)} calls" for nodes, (half, most, calls) in found.items()]
    return Figure(
        name="nothing to do",
        how=f"the whole program, {RUNS} times for each number of nodes; p50/p95; processes and connections counted",
        target=f"p50 at most {', '.join(f'{limit} ms ({nodes:,})' for nodes, limit in TARGETS.items())}; 0 calls",
        result="; ".join(texts),
        ok=all(half <= TARGETS[nodes] and not calls for nodes, (half, _, calls) in found.items()),
    )


def _measure(folder: Path, nodes: int) -> tuple[float, float, list[str]]:
    """Milliseconds of half and of 95 % of the runs, and the calls of one run."""
    write_catalogue(folder / "project", Shape(levels=1, width=nodes, parents=0))
    _call(folder, "buildgraph")
    times = []
    for _ in range(RUNS):
        began = time.monotonic()
        done = _call(folder, "buildgraph")
        times.append((time.monotonic() - began) * 1000)
        assert done.stdout.startswith("nothing to do"), done.stdout
    calls = json.loads(_call(folder, "tests.fakes.audited").stderr.splitlines()[-1])["calls"]
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], calls


def _call(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    """The program on the folder's project; it must succeed."""
    words = ["-C", str(folder / "project"), "--store", str(folder / "store"), *WORDS]
    environ = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done
