"""The node that ``buildgraph cluster`` runs, and the images of the catalogue for it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tests.charts.gates.images import parse_reference
from tests.cluster.kubectl import CommandError, Kubectl
from tests.cluster.table import parse_quantity
from tests.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NO_NODE = "no node runs: start one with `buildgraph cluster up`"
LOAD_SECONDS = 900.0
RESERVE = 1 << 30
"""What the node's own pods take."""


class NoNodeError(Exception):
    """There is no cluster to test on."""


def buildgraph(*args: str, seconds: float = 120.0) -> str:
    """What the command prints; ``CommandError`` when it ends badly."""
    argv = [sys.executable, "-m", "buildgraph", "-C", str(ROOT), *args]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise CommandError(argv, None, str(error)) from error
    if done.returncode:
        raise CommandError(argv, done.returncode, done.stdout + done.stderr)
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The cluster that answers: the node of ``buildgraph cluster``, or one that someone else runs."""

    kubectl: Kubectl
    is_ours: bool

    @property
    def registries(self) -> Path:
        """Where our node looks up, at each pull, which registry it asks: docs/cluster.md."""
        assert self.is_ours
        return self.kubectl.kubeconfig.parent / "run/registries"


def find_node() -> Node:
    """The cluster that answers; ``NoNodeError`` when there is none."""
    try:
        status = json.loads(buildgraph("cluster", "status", "--json"))
    except (CommandError, json.JSONDecodeError) as error:
        raise NoNodeError(NO_NODE) from error
    if not status.get("running"):
        raise NoNodeError(NO_NODE)
    program = status["kubectl"]
    words = shlex.split(program) if isinstance(program, str) else program
    kubectl = Kubectl(program=tuple(words), kubeconfig=Path(status["kubeconfig"]))
    return Node(kubectl=kubectl, is_ours=status["ours"])


def measure_memory(node: Node) -> int:
    """What the cluster has for pods, less what its own take, in bytes."""
    nodes = node.kubectl.get("nodes")["items"]
    return sum(parse_quantity(each["status"]["allocatable"]["memory"]) for each in nodes) - RESERVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The catalogue's images, by repository and tag."""

    nodes: Mapping[str, str]
    digests: Mapping[str, str]
    folder: Path
    """Where all workers of a run note what is loaded."""
    is_loaded_here: bool

    def find_missing(self, references: Iterable[str]) -> list[str]:
        """Why images cannot be had, one reason for each: not built here, or built with another digest."""
        return [reason for reference in references if (reason := self._miss(reference))]

    def load(self, references: Iterable[str]) -> None:
        """Bring images into our node, those that this run has not brought yet; another cluster pulls them itself."""
        if not self.is_loaded_here:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / "loaded.json"
        with FileLock(self.folder / "loaded.lock"):
            loaded: list[str] = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
            for node in sorted({self.nodes[_name(reference)] for reference in references} - set(loaded)):
                buildgraph("cluster", "load", node, seconds=LOAD_SECONDS)
                loaded.append(node)
                note.write_text(json.dumps(loaded), encoding="utf-8")

    def digest_of(self, reference: str) -> str:
        """The digest that the catalogue has built for a reference's repository and tag."""
        return self.digests[_name(reference)]

    def _miss(self, reference: str) -> str:
        parsed = parse_reference(reference)
        assert parsed is not None, f"{reference} is no reference"
        if parsed.name not in self.nodes:
            return f"{parsed.name} is not in the catalogue"
        built = self.digests[parsed.name]
        if not built:
            return f"{parsed.name} is not built: buildgraph build {self.nodes[parsed.name]}"
        if not parsed.digest:
            return f"{parsed.name} is built, but not pinned: buildgraph pin"
        if built != parsed.digest:
            return f"{parsed.name} is built as {built[:19]}, but pinned as {parsed.digest[:19]}: buildgraph pin"
        return ""


def find_images(node: Node, folder: Path) -> Images:
    """The images that ``buildgraph list`` knows."""
    nodes: list[dict[str, Any]] = json.loads(buildgraph("list", "--json"))["nodes"]
    images = [each for each in nodes if each["tags"]]
    return Images(
        nodes={tag: each["node"] for each in images for tag in each["tags"]},
        digests={tag: each["digest"] or "" for each in images for tag in each["tags"]},
        folder=folder,
        is_loaded_here=node.is_ours,
    )


def _name(reference: str) -> str:
    parsed = parse_reference(reference)
    assert parsed is not None, f"{reference} is no reference"
    return parsed.name
