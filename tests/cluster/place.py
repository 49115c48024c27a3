"""A namespace of its own for a scenario: made, filled, looked into when something fails, and taken away."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.cluster.client import Client, make_client_pod
from tests.cluster.kubectl import CommandError, Kubectl, Object
from tests.cluster.readiness import is_ready, require_ready
from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.cluster.charts import Release
    from tests.cluster.table import Scenario

PROFILE = "restricted"
READY_SECONDS = 420.0
GONE_SECONDS = 240.0
TOKEN_BYTES = 20
SECRETS = {
    "s3-keys": ("access-key", "secret-key"),
    "postgresql": ("password",),
    "hive-metastore": ("password",),
    "jupyter": ("token",),
}
_LABEL = "buildgraph/scenario"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The namespace of a scenario with its releases, by name."""

    scenario: Scenario
    kubectl: Kubectl
    results: Path
    """Where logs and events of a failure go."""
    releases: dict[str, Release] = field(default_factory=dict)
    uid: int = 0

    @property
    def release(self) -> Release:
        """The scenario's one release of Spark."""
        (name,) = (row.name for row in self.scenario.releases)
        return self.releases[name]

    @property
    def client(self) -> Client:
        """The client of the one release."""
        return self.client_of(self.release)

    def client_of(self, release: Release) -> Client:
        """The client of a release."""
        return Client(kubectl=self.kubectl, pod=f"{release.name}-client", remote=_remote(release), release=release)

    def make(self) -> None:
        """The namespace, and in it Secrets with random values."""
        self.remove()
        labels = {f"pod-security.kubernetes.io/{mode}": PROFILE for mode in ("enforce", "warn", "audit")}
        name = self.kubectl.namespace
        self.kubectl.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {**labels, _LABEL: self.scenario.id}},
            }
        )
        self.kubectl.apply(*(_make_secret(secret, keys) for secret, keys in SECRETS.items()))

    def install(self, release: Release) -> None:
        """Install a release; what it makes is not waited for."""
        self.releases[release.name] = release
        release.upgrade()

    def upgrade(self, release: Release) -> None:
        """Bring a release to other values, and wait until it has them."""
        self.releases[release.name] = release
        release.upgrade()
        self.wait_ready(release)

    def start_client(self, release: Release) -> Client:
        """A pod from which a release is asked, of the image that it runs."""
        self.kubectl.apply(make_client_pod(release, f"{release.name}-client"))
        client = self.client_of(release)
        self.wait_pod(client.pod)
        return client

    def wait_ready(self, release: Release, seconds: float = READY_SECONDS) -> None:
        """Wait until all of a release is up."""

        def ask() -> None:
            workloads = self.kubectl.list("deployments,statefulsets", release.labels)
            require_ready(workloads, self.kubectl.list("jobs", release.labels), release.pods())

        wait_for(f"{release.name} in {self.kubectl.namespace}", ask, seconds=seconds)

    def wait_pod(self, name: str, seconds: float = READY_SECONDS) -> Object:
        """Wait until a pod serves."""

        def ask() -> Object:
            pod: Object = self.kubectl.get("pod", name)
            require(is_ready(pod), f"{name} is {pod['status'].get('phase')}")
            return pod

        return wait_for(f"pod {name}", ask, seconds=seconds)

    def kill(self, pod: Object) -> None:
        """End a pod at once, without a chance to say farewell."""
        self.kubectl.run("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=true")

    def running(self) -> list[Object]:
        """Every pod of the namespace that runs."""
        pods = self.kubectl.list("pods")
        return [
            each
            for each in pods
            if each["status"].get("phase") == "Running" and "deletionTimestamp" not in each["metadata"]
        ]

    def keep(self, what: str) -> Path:
        """Write down what can be known of the namespace: objects, events, and the logs of all containers."""
        folder = self.results / self.scenario.id / what
        folder.mkdir(parents=True, exist_ok=True)
        for name, words in {
            "pods.txt": ("get", "all,configmaps,persistentvolumeclaims,endpoints", "--output", "wide"),
            "events.txt": ("get", "events", "--sort-by", ".lastTimestamp"),
            "described.txt": ("describe", "pods"),
        }.items():
            (folder / name).write_text(self._try(*words), encoding="utf-8")
        for pod in self.kubectl.list("pods"):
            name = pod["metadata"]["name"]
            for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
                words = ("logs", name, "--container", container["name"])
                stem = f"{name}.{container['name']}"
                (folder / f"{stem}.log").write_text(self._try(*words), encoding="utf-8")
                if any(each.get("restartCount") for each in pod["status"].get("containerStatuses") or ()):
                    (folder / f"{stem}.previous.log").write_text(self._try(*words, "--previous"), encoding="utf-8")
        return folder

    def remove(self) -> None:
        """Take everything away, and see that it is gone."""
        name = self.kubectl.namespace
        for release in reversed(self.releases.values()):
            release.uninstall()
        self.kubectl.run("delete", "namespace", name, "--ignore-not-found", "--wait=false")
        wait_for(f"the end of {name}", self._require_gone, seconds=GONE_SECONDS)

    def _require_gone(self) -> None:
        name = self.kubectl.namespace
        left = self.kubectl.run("get", "namespace", name, "--ignore-not-found", "--output", "name").strip()
        require(not left, f"{left} is there")

    def _try(self, *words: str) -> str:
        try:
            return self.kubectl.run(*words)
        except CommandError as error:
            return f"{error}\n"


def _remote(release: Release) -> str:
    return f"sc://{release.service('connect')}:15002"


def _make_secret(name: str, keys: Iterable[str]) -> Object:
    values = {key: secrets.token_hex(TOKEN_BYTES) for key in keys}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
