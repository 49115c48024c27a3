"""The cluster's API, through kubectl."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.ports import Cancel

ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as the API shows it."""

    name: str = ""
    version: str = ""
    ready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """``kubeconfig`` as in KUBECONFIG, which may name several files."""

    kubectl: Path
    kubeconfig: str
    environ: Mapping[str, str]

    def call(self, *words: str, cancel: Cancel, timeout: float = ANSWER_SECONDS) -> str:
        """What kubectl prints; ``EnvironmentFault`` with its last line when it fails."""
        environ = {**self.environ, "KUBECONFIG": self.kubeconfig}
        with TemporaryDirectory() as scratch:
            try:
                return process.output(
                    [str(self.kubectl), *words], scratch=Path(scratch), cancel=cancel, env=environ, timeout=timeout
                )
            except BuildFailure as failure:
                raise EnvironmentFault(failure.what) from failure

    def apply(self, manifest: str, *, cancel: Cancel) -> None:
        """Make what a text says."""
        with TemporaryDirectory() as scratch:
            file = Path(scratch, "manifest")
            file.write_text(manifest, "utf-8")
            self.call("apply", "--filename", str(file), cancel=cancel)

    def answers(self, *, cancel: Cancel) -> bool:
        """True when the API says that it is ready."""
        try:
            self.call("get", "--raw", "/readyz", "--request-timeout=5s", cancel=cancel, timeout=10)
        except EnvironmentFault:
            return False
        return True

    def read(self, kind: str, *, cancel: Cancel) -> list[dict[str, Any]]:
        """All objects of a kind."""
        document = json.loads(self.call("get", kind, "--output=json", "--request-timeout=10s", cancel=cancel))
        return list(document["items"])


def read_node(items: list[dict[str, Any]]) -> Node:
    """The first node of the API's list."""
    if not items:
        return Node()
    status = items[0]["status"]
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    return Node(
        name=items[0]["metadata"]["name"],
        version=status.get("nodeInfo", {}).get("kubeletVersion", ""),
        ready=conditions.get("Ready") == "True",
    )


def find_kubectl(environ: Mapping[str, str]) -> Path | None:
    """The kubectl on PATH."""
    found = shutil.which("kubectl", path=environ.get("PATH", os.defpath))
    return Path(found) if found else None
