"""Helm: releases of the project's charts, and what they render."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import yaml

from tests.charts.combinations import CHARTS, PRESETS
from tests.charts.gates.images import find_references
from tests.charts.gates.objects import COMPONENT, INSTANCE, find_pods, parse
from tests.charts.renders import stage_charts
from tests.cluster.kubectl import CommandError, Kubectl, Object
from tests.cluster.table import Table, Values, merge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.table import ReleaseRow

INFRA = "spark-infra"
SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Helm:
    """A Helm program, and the charts as packages have them."""

    program: Path
    charts: Path
    scratch: Path
    rendered: dict[str, tuple[Object, ...]] = field(default_factory=dict)
    """By what the objects depend on."""

    @classmethod
    def make(cls, program: Path, scratch: Path, source: Path = CHARTS) -> Helm:
        """Helm with a copy of the charts in ``source`` in which their dependencies are."""
        charts = scratch / "charts"
        if not charts.exists():
            stage_charts(charts, source)
        return cls(program=program, charts=charts, scratch=scratch)

    def run(self, kubectl: Kubectl, *args: str, seconds: float = SECONDS) -> str:
        """What a command prints; ``CommandError`` when it ends badly."""
        argv = [str(self.program), "--namespace", kubectl.namespace, *args]
        try:
            done = subprocess.run(
                argv, env=self._environ(kubectl), capture_output=True, text=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(argv, None, str(error)) from error
        if done.returncode:
            raise CommandError(argv, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def _environ(self, kubectl: Kubectl) -> dict[str, str]:
        homes = {f"HELM_{name}_HOME": str(self.scratch / "helm" / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        return {**kubectl.environ, **homes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release: its chart, its values, and where it is."""

    helm: Helm
    kubectl: Kubectl
    name: str
    chart: str
    values: Values

    @property
    def fullname(self) -> str:
        """The beginning of the names of its objects, as the library makes it."""
        chart = self.chart.replace(".", "-")
        return self.name if chart in self.name else f"{self.name}-{chart}"

    @property
    def labels(self) -> dict[str, str]:
        """What all of its objects have."""
        return {INSTANCE: self.name}

    def service(self, component: str) -> str:
        """The full name of a component's Service."""
        return f"{self.fullname}-{component}.{self.kubectl.namespace}.svc"

    def with_values(self, *layers: Values) -> Release:
        """The same release as it will be with other values over its own."""
        return replace(self, values=merge(self.values, *layers))

    def render(self) -> tuple[Object, ...]:
        """Its objects, those of ``helm test`` among them."""
        key = json.dumps([self.kubectl.namespace, self.name, self.chart, self.values])
        if key not in self.helm.rendered:
            with self._values() as file:
                text = self.helm.run(self.kubectl, "template", self.name, self._folder(), "--values", file)
            self.helm.rendered[key] = parse(text)
        return self.helm.rendered[key]

    def images(self) -> list[str]:
        """Every image that it names: those of pods, of executors and of tests."""
        return sorted({reference for _, reference in find_references(self.render())})

    def upgrade(self) -> None:
        """Install it, or bring it to its values; nothing is waited for."""
        with self._values() as file:
            self.helm.run(self.kubectl, "upgrade", "--install", self.name, self._folder(), "--values", file)

    def rollback(self, revision: int) -> None:
        """Back to what it was at a revision."""
        self.helm.run(self.kubectl, "rollback", self.name, str(revision))

    def revision(self) -> int:
        """The number of its last change."""
        history = json.loads(self.helm.run(self.kubectl, "history", self.name, "--output", "json"))
        return int(history[-1]["revision"])

    def test(self) -> str:
        """What ``helm test`` says."""
        return self.helm.run(self.kubectl, "test", self.name, "--timeout", "15m", seconds=1000)

    def uninstall(self) -> None:
        """Take it away, if it is there."""
        self.helm.run(self.kubectl, "uninstall", self.name, "--ignore-not-found", "--wait", "--timeout", "3m")

    def pods(self, component: str = "") -> list[Object]:
        """Its pods that are not on their way out, or those of a component."""
        labels = {**self.labels, **({COMPONENT: component} if component else {})}
        return [each for each in self.kubectl.list("pods", labels) if "deletionTimestamp" not in each["metadata"]]

    def pod(self, component: str) -> Object:
        """The one pod of a component."""
        (found,) = self.pods(component)
        return found

    def _folder(self) -> str:
        return str(self.helm.charts / self.chart)

    @contextmanager
    def _values(self) -> Iterator[str]:
        file = self.helm.scratch / f"values-{self.kubectl.namespace}-{self.name}.json"
        file.write_text(json.dumps(self.values), encoding="utf-8")
        try:
            yield str(file)
        finally:
            file.unlink()


def load_presets(*names: str) -> Values:
    """Presets laid one over the other."""
    return merge(*(yaml.safe_load((PRESETS / f"{name}.yaml").read_text(encoding="utf-8")) or {} for name in names))


def make_release(helm: Helm, kubectl: Kubectl, table: Table, row: ReleaseRow, uid: int = 0) -> Release:
    """The release of a row: its presets over small sizes, its values over both; with a uid, run as that user."""
    values = merge(table.small["spark"], load_presets(*row.presets), row.values)
    release = Release(helm=helm, kubectl=kubectl, name=row.name, chart=row.chart, values=values)
    return run_as(release, uid) if uid else release


def make_infra(helm: Helm, kubectl: Kubectl, table: Table, parts: tuple[str, ...], uid: int = 0) -> Release:
    """A release of spark-infra with the parts that are named."""
    database = "postgresql" in parts
    chosen = {
        "s3": {"enabled": "s3" in parts},
        "buckets": {"enabled": "s3" in parts},
        "postgresql": {"enabled": database},
        "databases": {"enabled": database},
    }
    values = merge(table.small["infra"], chosen, {"security": {"mode": "openshift"}} if uid else {})
    release = Release(helm=helm, kubectl=kubectl, name=INFRA, chart=INFRA, values=values)
    return run_as(release, uid) if uid else release


def run_as(release: Release, uid: int) -> Release:
    """The release as OpenShift admits it: user and group of volumes, which it leaves open, are filled in.

    A plain cluster has no one who does that, and executors are made by Spark: so the values say it.
    """
    pod = next(each for each in find_pods(release.render()) if each.is_server)
    own = pod.spec["securityContext"]
    assert "runAsUser" not in own, f"{release.name} chooses its user itself: {own}"
    contexts = {
        "podSecurityContext": {**own, "runAsUser": uid, "fsGroup": uid},
        "containerSecurityContext": pod.spec["containers"][0]["securityContext"],
    }
    return release.with_values({"security": {"mode": "custom", **contexts}})
