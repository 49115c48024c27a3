"""A tiny project on disk: three layers of local files, two images, one chart. Builds without network and engine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.app.planning import plan_targets
from buildgraph.app.session import open_session
from buildgraph.cli import main
from buildgraph.graph import references_of
from buildgraph.key import hash_document, hide_values
from buildgraph.model import Image, Verdict
from buildgraph.plan import Wishes, compose_test_image, find_services, find_test_document
from buildgraph.record import LOADED, VERDICTS, Load, format_load, format_verdict, name_load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import pytest

    from buildgraph.app.session import Session

REPOSITORY = Path(__file__).parents[2]
DEAD_SOCKET = "unix:///nowhere/docker.sock"
ZERO = "sha256:" + "0" * 64
TEST = "def test_that_it_is_there(host):\n    assert host.file('/etc').is_directory\n"

FILES = {
    "manifests/project.yaml": """\
project: sample
epoch: 1767225600
platform: linux/amd64
registry: registry.example
groups:
  all: ["*"]
  apps: ["app-*"]
""",
    "manifests/layers/base.yaml": """\
layer: base
kind: files
stage: base
description: The root of everything
files:
  - {write: /etc/base, text: "one\\n"}
  - {directory: /opt/app, mode: "0775"}
env: {BASE: "1"}
""",
    "manifests/layers/tool.yaml": """\
layer: tool
kind: files
stage: intermediate
description: A program
files:
  - {copy: tool.sh, to: /opt/tool.sh}
test_on: [base]
""",
    "manifests/layers/extra.yaml": """\
layer: extra
kind: files
stage: intermediate
description: Configuration
files:
  - {copy: conf, to: /etc/extra}
test_on: [base]
""",
    "manifests/images/app.yaml": """\
image: app
description: The application
variants:
  "1": {version: "1"}
layers: [base, tool]
config: {user: "185:0", cmd: [/opt/tool.sh]}
repository: sample/app
tags: ["{{ version }}"]
aliases: {app: "1"}
""",
    "manifests/images/plain.yaml": """\
image: plain
description: Without the program
layers: [base, extra]
repository: sample/plain
tags: ["1"]
""",
    "manifests/pins.yaml": """\
pins:
  - image: app
    file: charts/app/values.yaml
    path: image
""",
    "charts/app/values.yaml": f"""\
# What is deployed.
image:
  registry: registry.example
  repository: sample/app
  tag: "0"
  digest: {ZERO}  # written by buildgraph pin
replicas: 2
""",
    "layers/base/test_base.py": TEST,
    "layers/tool/test_tool.py": TEST,
    "layers/tool/files/tool.sh": "#!/bin/sh\nexec true\n",
    "layers/extra/test_extra.py": TEST,
    "layers/extra/files/conf/extra.conf": "size = 1\n",
    "layers/app/test_app.py": TEST,
    "layers/plain/test_plain.py": TEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a call of the program left."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """What is written to a screen."""

    def isatty(self) -> bool:
        return True


class Child(subprocess.Popen[str]):
    """A process that does not outlive the test that it made fail."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The project in ``folder`` with a store of its own beside it."""

    folder: Path
    store: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def words(self) -> list[str]:
        """The options before each command."""
        return ["-C", str(self.folder), "--store", str(self.store)]

    def call(self, *args: str, screen: bool = False) -> Ended:
        """The program in this process: fast. ``screen``: its standard output is a terminal."""
        self.monkeypatch.setattr(sys, "argv", ["buildgraph", *self.words, *args])
        out, err = Terminal() if screen else io.StringIO(), io.StringIO()
        code: int | str | None = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code
        return Ended(code=int(code or 0), out=out.getvalue(), err=err.getvalue())

    def spawn(self, *args: str, module: str = "buildgraph", env: Mapping[str, str] | None = None) -> Child:
        """The program as a process, its output in pipes."""
        return Child(
            [sys.executable, "-m", module, *self.words, *args],
            cwd=REPOSITORY,
            env=dict(os.environ if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def build(self, *targets: str) -> None:
        """Build and compose the targets; they must succeed."""
        done = self.call("build", *targets, "--no-test", "--no-load", "--progress", "quiet")
        assert done.code == 0, done.err

    def session(self) -> Session:
        """The project, read anew."""
        return open_session(self.folder, store=self.store, lock_file=None, environ=dict(os.environ))

    def plant_verdicts(self, *targets: str, without: str = "") -> None:
        """Let the tests of built targets and of all that they are made of have passed, but for the node ``without``."""
        session = self.session()
        planned = plan_targets(session, targets, wishes=Wishes(test=False, load=False))
        for name in planned.plan.nodes:
            node = session.catalogue.nodes[name]
            composition = compose_test_image(session.catalogue, node, planned.records)
            assert composition is not None, f"{name} is not built"
            services = find_services(node, planned.records)
            assert services is not None, f"what {name} is tested with is not built"
            document = find_test_document(session.catalogue, node, composition.digest, session.facts, services=services)
            key = hash_document(document)
            verdict = Verdict(node=name, test_key=key, image=composition.digest, passed=1, skipped=(), seconds=0.1)
            if name != without:
                session.store.write(VERDICTS, key, format_verdict(verdict, hide_values(document)))

    def plant_loads(self, *targets: str) -> None:
        """Let an engine have been given the images among the built targets."""
        session = self.session()
        planned = plan_targets(session, targets, wishes=Wishes(test=False, load=False))
        for name in planned.plan.targets:
            node = session.catalogue.nodes[name]
            for reference in references_of(node) if isinstance(node, Image) else ():
                session.store.write(LOADED, name_load(reference), format_load(Load(planned.records[name].digest)))

    def write(self, path: str, text: str) -> None:
        """Put a file into the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace what stands exactly once in a file of the project."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(path, text.replace(old, new))


def make_sample(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """Write the project below ``folder``; nothing of this machine's engine and stores reaches it."""
    monkeypatch.setenv("DOCKER_HOST", DEAD_SOCKET)
    monkeypatch.setenv("HOME", str(folder / "home"))
    for name in ("BUILDGRAPH_STORE", "BUILDGRAPH_LOCK", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    sample = Sample(folder=folder / "project", store=folder / "store", monkeypatch=monkeypatch)
    for path, text in FILES.items():
        sample.write(path, text)
    (sample.folder / "layers/tool/files/tool.sh").chmod(0o755)
    return sample
