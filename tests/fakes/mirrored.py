"""The sample project with jars from a Maven mirror on this machine: one image fits, one does not, one cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.sample import TEST
from tests.fakes.webserver import Reply

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.fakes.sample import Ended, Sample
    from tests.fakes.webserver import WebServer

QUIETLY = ("--no-test", "--no-load", "--progress", "quiet")
RARE = "maven:org.example:rare:3.0"
SUPPORT = """\
host: maven:org.example:engine
title: Engine
components:
  - title: Plugin
    names: ["maven:org.example:plugin"]
    rows:
      - {versions: ["2.*"], with: ["4.*"], verdict: unsupported, source: release notes, reason: it stops}
      - {versions: ["1.*"], with: ["4.*"], verdict: supported, source: release notes, reason: it was tried}
"""
REASON = "plugin 2.0 is unsupported with Engine 4.1: it stops (release notes)"
JAR = """\
layer: {name}
kind: files
stage: intermediate
description: A jar
{variants}sources: {{jar: "maven:org.example:{name}:{version}"}}
files:
  - {{place: jar, to: /opt/jars/}}
test_on: [base]
"""
IMAGE = """\
image: {name}
description: An image
{variants}layers: [base, {layers}]
repository: sample/{name}
tags: ["{tag}"]
"""
FILES = {
    "manifests/support.yaml": SUPPORT,
    "manifests/layers/engine.yaml": JAR.format(name="engine", version="4.1", variants=""),
    "manifests/layers/plugin.yaml": JAR.format(
        name="plugin", version="{{ release }}", variants='variants: {"1": {release: "1.0"}, "2": {release: "2.0"}}\n'
    ),
    "manifests/layers/rare.yaml": JAR.format(name="rare", version="3.0", variants=""),
    "manifests/images/stack.yaml": IMAGE.format(
        name="stack",
        variants='variants: {"1": {major: "1"}, "2": {major: "2"}}\n',
        layers='engine, "plugin-{{ major }}"',
        tag="{{ major }}",
    ),
    "manifests/images/museum.yaml": IMAGE.format(name="museum", variants="", layers="rare", tag="1"),
    **{f"layers/{name}/test_{name}.py": TEST for name in ("engine", "plugin", "rare", "stack", "museum")},
}


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """The project and the server of its jars; ``rare`` is not served at first."""

    sample: Sample
    server: WebServer

    def call(self, *args: str) -> Ended:
        return self.sample.call(*args)

    def build(self, *args: str) -> Ended:
        return self.sample.call("build", *(args or ("all",)), *QUIETLY)

    def serve(self, name: str, version: str, *replies: Reply) -> None:
        """Let the mirror have a stand-in for a jar, or give other answers."""
        path = f"/org/example/{name}/{version}/{name}-{version}.jar"
        self.server.serve(path, *(replies or (Reply(body=f"jar of {name} {version}".encode()),)))

    def lock_text(self) -> str:
        return (self.sample.folder / "manifests/buildgraph.lock").read_text(encoding="utf-8")


def mirror(sample: Sample, server: WebServer, settings: Path, monkeypatch: pytest.MonkeyPatch) -> Mirrored:
    """Add the layers and images; the mirror has what two of the images need."""
    for path, text in FILES.items():
        sample.write(path, text)
    settings.write_text(f'mirrors:\n  maven: ["{server.url("")}"]\n', encoding="utf-8")
    monkeypatch.setenv("BUILDGRAPH_SETTINGS", str(settings))
    monkeypatch.delenv("BUILDGRAPH_OFFLINE", raising=False)
    mirrored = Mirrored(sample=sample, server=server)
    for name, version in (("engine", "4.1"), ("plugin", "1.0"), ("plugin", "2.0")):
        mirrored.serve(name, version)
    return mirrored
