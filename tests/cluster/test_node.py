"""The node itself: it comes up once, runs what it was given, and leaves the machine as it was.

Where a node runs already, it is used and left alone, and what takes a node of its own is skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from buildgraph.adapters.cluster import daemons, firewall, images, machine, record, root
from buildgraph.adapters.cluster.node import hold
from buildgraph.adapters.cluster.places import Places, default_places
from buildgraph.adapters.process import Never
from buildgraph.adapters.registry import OciRegistry
from buildgraph.adapters.settings import PUBLIC
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import ExitCode
from tests.e2e.registry import run_registry
from tests.fakes.tiny import PROGRAMS, compose, write_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from buildgraph.model import Composition
    from tests.e2e.registry import Server

ROOT = Path(__file__).parents[2]
FIRST_SECONDS = 3600
SECONDS = 90.0
REPOSITORY = "buildgraph-test/shell"
pytestmark = [
    pytest.mark.timeout(FIRST_SECONDS),
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mmdebstrap") is None, reason="takes root and mmdebstrap"),
]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a node may change on a machine."""

    settings: dict[str, str]
    filters: tuple[str, ...]
    sets: frozenset[str]
    interfaces: frozenset[str]
    mounts: frozenset[str]
    cgroups: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class OwnNode:
    """A node, and how the machine was before it; None when the node was there already."""

    places: Places
    environ: dict[str, str]
    kubectl: str
    before: Machine | None

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return run(self.environ, *args)

    def kube(self, *args: str, told: str = "") -> str:
        done = self.try_kube(*args, told=told)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_kube(self, *args: str, told: str = "") -> subprocess.CompletedProcess[str]:
        environ = {**self.environ, "KUBECONFIG": str(self.places.kubeconfig)}
        return subprocess.run(
            [self.kubectl, *args], env=environ, input=told, capture_output=True, text=True, check=False, timeout=SECONDS
        )


def run(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "buildgraph", "-C", str(ROOT), "cluster", *args]
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)


def look() -> Machine:
    """The machine now, without what engines and other tests do meanwhile."""
    saved = "\n".join(machine.ask(root.root_path(default_places().cache), save) for save in firewall.SAVES)
    rules = re.findall(r"^(?::|-A ).*(?:KUBE-|CNI-|buildgraph-cluster).*$", saved, re.MULTILINE)
    tables = machine.ask(root.root_path(default_places().cache), "nft", "list", "tables").splitlines()
    return Machine(
        settings={
            name: (machine.SYSTEM / name).read_text() for name in machine.CHANGED if (machine.SYSTEM / name).exists()
        },
        filters=(*rules, *sorted(tables)),
        sets=machine.find_sets(root.root_path(default_places().cache)),
        interfaces=frozenset(path.name for path in machine.INTERFACES.iterdir() if path.name.startswith("cni")),
        mounts=frozenset(
            line for line in Path("/proc/mounts").read_text().splitlines() if "kube" in line or "cni" in line
        ),
        cgroups=frozenset(str(path) for path in machine.CGROUPS.rglob("kubepods*")),
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnNode]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("KUBECONFIG", None)
    status = json.loads(run(environ, "status", "--json").stdout)
    if status["running"]:
        yield OwnNode(places=default_places(), environ=environ, kubectl=status["kubectl"], before=None)
        return
    data = tmp_path_factory.mktemp("data")
    environ["XDG_DATA_HOME"] = str(data)
    places = Places(cache=default_places().cache, state=data / "buildgraph/cluster")
    root.ensure_root(places.cache, say=print, cancel=Never(), settings=PUBLIC)
    before = look()
    done = run(environ, "up", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    status = json.loads(done.stdout)
    try:
        yield OwnNode(places=places, environ=environ, kubectl=status["kubectl"], before=before)
    finally:
        run(environ, "down")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LayoutStore:
    return LayoutStore(tmp_path_factory.mktemp("store") / "store")


@pytest.fixture(scope="module")
def shell(own: OwnNode, store: LayoutStore) -> str:
    """A reference, as charts write it, to a loaded image with a shell and what looks names up."""
    image = make_image(store)
    load(own, store, image)
    return f"docker.io/{REPOSITORY}:1@{image.digest}"


@pytest.fixture(scope="module")
def space(own: OwnNode) -> Iterator[str]:
    """A namespace that admits what is restricted."""
    name = f"node-{uuid.uuid4().hex[:8]}"
    own.kube("create", "namespace", name)
    own.kube("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    wait(lambda: own.try_kube("-n", name, "get", "serviceaccount", "default").returncode == 0)
    yield name
    own.try_kube("delete", "namespace", name, "--wait=false")  # the node may be down by now


def make_image(store: LayoutStore) -> Composition:
    """One that nobody else has."""
    programs = [*PROGRAMS, "/usr/bin/getent", "/usr/bin/id"]
    listing = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listing, flags=re.MULTILINE)
    base = write_layer(store, "shell", {path[1:]: Path(path).read_bytes() for path in {*programs, *libraries}})
    return compose(store, base, write_layer(store, "mark", {"mark": uuid.uuid4().bytes}))


def load(own: OwnNode, store: LayoutStore, image: Composition) -> int:
    with hold(own.places) as holder:
        return images.load(holder, image, [f"{REPOSITORY}:1"], store, cancel=Never())


def make_pod(name: str, image: str, script: str, *, policy: str = "IfNotPresent", claim: str = "") -> str:
    refused = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container: dict[str, Any] = {
        "name": "it",
        "image": image,
        "imagePullPolicy": policy,
        "command": ["/bin/sh", "-euc", script],
        "securityContext": {
            **refused,
            "runAsNonRoot": True,
            "runAsUser": 185,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    spec: dict[str, Any] = {"restartPolicy": "Never", "containers": [container], "terminationGracePeriodSeconds": 1}
    if claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        spec["securityContext"] = {"fsGroup": 4711}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def finish(own: OwnNode, space: str, pod: str, told: str) -> str:
    """What a pod has printed when it has ended well."""
    own.kube("-n", space, "apply", "-f", "-", told=told)
    phases = "Succeeded", "Failed"
    phase = ("-n", space, "get", "pod", pod, "-o", "jsonpath={.status.phase}")
    wait(lambda: own.kube(*phase) in phases, lambda: own.kube("-n", space, "describe", "pod", pod))
    printed = own.kube("-n", space, "logs", pod)
    assert own.kube(*phase) == "Succeeded", printed
    return printed


def wait(is_so: Callable[[], bool], tell: Callable[[], str] = lambda: "it did not come about") -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(tell())
        time.sleep(0.2)


def test_up_tells_of_a_node_that_is_ready_and_once_more_that_it_runs(own: OwnNode) -> None:
    done = own.run("up", "--json")
    assert done.returncode == ExitCode.OK
    assert done.stderr == "the node buildgraph runs already\n"
    document = json.loads(done.stdout)
    assert (document["running"], document["ours"]) == (True, True)
    assert document["node"]["name"] == "buildgraph"
    assert document["node"]["ready"]
    assert document["kubeconfig"] == str(own.places.kubeconfig)
    assert json.loads(own.run("status", "--json").stdout) == document


def test_what_holds_keys_is_private(own: OwnNode) -> None:
    keys = [own.places.kubeconfig, *own.places.configuration.glob("*.key"), *own.places.configuration.glob("*.conf")]
    assert len(keys) > 10
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_a_pod_finds_a_loaded_image_by_the_digest_that_charts_pin(own: OwnNode, space: str, shell: str) -> None:
    assert finish(own, space, "pinned", make_pod("pinned", shell, "id -u; echo here")) == "185\nhere\n"


def test_an_image_is_sent_without_the_layers_that_the_node_has(own: OwnNode, store: LayoutStore, shell: str) -> None:
    assert shell
    image = make_image(store)
    assert load(own, store, image) == image.layers[1].size
    assert load(own, store, image) == 0


def test_a_privileged_pod_is_refused_where_pods_are_restricted(own: OwnNode, space: str, shell: str) -> None:
    pod = json.loads(make_pod("strong", shell, "id"))
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    done = own.try_kube("-n", space, "apply", "-f", "-", told=json.dumps(pod))
    assert 'violates PodSecurity "restricted' in done.stderr


def test_names_of_services_are_looked_up(own: OwnNode, space: str, shell: str) -> None:
    script = "for n in 1 2 3 4 5; do getent hosts kubernetes.default && exit; sleep 1; done; exit 1"
    assert finish(own, space, "names", make_pod("names", shell, script)).split()[0] == "10.96.0.1"


def test_a_network_policy_lets_nothing_through_that_it_does_not_allow(own: OwnNode, space: str, shell: str) -> None:
    if not machine.has_sets(root.root_path(default_places().cache)):
        pytest.skip("the kernel has no sets of addresses, which network policies are made of")
    ask = "getent hosts kubernetes.default"
    script = f"until {ask}; do sleep 1; done; while {ask}; do sleep 1; done; echo silenced"
    own.kube("-n", space, "apply", "-f", "-", told=make_pod("talks", shell, script))
    wait(lambda: "10.96.0.1" in own.try_kube("-n", space, "logs", "talks").stdout)
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "silence"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    own.kube("-n", space, "apply", "-f", "-", told=json.dumps(policy))
    wait(lambda: "silenced" in own.kube("-n", space, "logs", "talks"))
    own.kube("-n", space, "delete", "networkpolicy", "silence")
    again = make_pod("talks-again", shell, f"until {ask}; do sleep 1; done")
    assert "10.96.0.1" in finish(own, space, "talks-again", again)


def test_a_claim_gets_a_volume_that_its_pod_may_write_to_and_that_is_emptied_afterwards(
    own: OwnNode, space: str, shell: str
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}
    own.kube("-n", space, "apply", "-f", "-", told=json.dumps(claim))
    finish(own, space, "writes", make_pod("writes", shell, "echo kept > /data/file", claim="data"))
    assert finish(own, space, "reads", make_pod("reads", shell, "cat /data/file", claim="data")) == "kept\n"
    volume = own.kube("-n", space, "get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
    folder = own.places.volumes / volume
    assert [path.name for path in folder.iterdir()] == ["file"]
    own.kube("-n", space, "delete", "pod", "writes", "reads")
    own.kube("-n", space, "delete", "pvc", "data")
    wait(lambda: own.kube("get", "pv", volume, "-o", "jsonpath={.status.phase}") == "Available")
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def push(server: Server, store: LayoutStore, repository: str) -> str:
    """The digest of a new image there."""
    image = make_image(store)
    registry = OciRegistry(server.address, store, PUBLIC, is_plain=True)
    registry.push(image, repository, ("1",), say=print, cancel=Never())
    return image.digest


def test_an_image_is_pulled_from_a_registry_on_loopback(
    own: OwnNode, space: str, store: LayoutStore, server: Server
) -> None:
    digest = push(server, store, f"team/{REPOSITORY}")
    reference = f"{server.address}/team/{REPOSITORY}:1@{digest}"
    assert finish(own, space, "pulled", make_pod("pulled", reference, "echo here", policy="Always")) == "here\n"


def test_the_references_of_charts_are_pulled_from_a_mirror(
    own: OwnNode, space: str, store: LayoutStore, server: Server
) -> None:
    if own.before is None:
        pytest.skip("the node that runs here is not this test's to set")
    digest = push(server, store, f"team/{REPOSITORY}")
    done = own.run("up", "--registry-mirror", f"http://{server.address}/team")
    assert "first for images that it lacks" in done.stderr
    pod = make_pod("mirrored", f"docker.io/{REPOSITORY}:1@{digest}", "echo here")
    assert finish(own, space, "mirrored", pod) == "here\n"


def test_a_cluster_that_kubeconfig_names_is_used_as_it_is(own: OwnNode, tmp_path: Path) -> None:
    other = tmp_path / "kubeconfig"
    shutil.copyfile(own.places.kubeconfig, other)
    environ = {**own.environ, "KUBECONFIG": str(other)}
    done = run(environ, "up", "--json")
    assert done.stderr == f"KUBECONFIG is set: using the cluster of {other}\n"
    assert json.loads(done.stdout)["ours"] is False
    refused = run(environ, "load", "all")
    assert refused.returncode == ExitCode.USAGE
    assert "images go there by a registry that it pulls from; buildgraph push all --registry HOST" in refused.stderr
    other.write_text(other.read_text().replace(":6443", ":1"))
    gone = run(environ, "up")
    assert gone.returncode == ExitCode.ENVIRONMENT
    assert f"nothing answers at KUBECONFIG={other}" in gone.stderr


def test_a_node_that_lost_its_programs_is_brought_up_anew_with_its_images(own: OwnNode, shell: str) -> None:
    if own.before is None:
        pytest.skip("the node that runs here is not this test's to break")
    found = record.read_record(own.places)
    assert found is not None
    for name in ("containerd", "kubelet", "holder"):
        os.kill(found.processes[name].pid, signal.SIGKILL)
    wait(lambda: own.run("status").returncode == ExitCode.ENVIRONMENT)
    done = own.run("up")
    assert done.returncode == ExitCode.OK, done.stderr
    own.kube("create", "namespace", "again")
    wait(lambda: own.try_kube("-n", "again", "get", "serviceaccount", "default").returncode == 0)
    assert finish(own, "again", "pinned", make_pod("pinned", shell, "echo here")) == "here\n"


def test_down_leaves_the_machine_as_it_was(own: OwnNode, shell: str) -> None:
    """With a pod that runs, has a port of the machine, and does not care about signals."""
    if own.before is None:
        pytest.skip("the node that runs here is not this test's to end")
    pod = json.loads(make_pod("stays", shell, "trap '' TERM; while :; do sleep 600; done"))
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "hostPort": 18080}]
    own.kube("-n", "default", "apply", "-f", "-", told=json.dumps(pod))
    phase = ("-n", "default", "get", "pod", "stays", "-o", "jsonpath={.status.phase}")
    wait(lambda: own.kube(*phase) == "Running")
    found = record.read_record(own.places)
    assert found is not None
    with suppress(ProcessLookupError):  # a part of it is gone already
        os.kill(found.processes["kube-apiserver"].pid, signal.SIGKILL)
    done = own.run("down")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "the node is down\n")
    assert not daemons.find_marked(own.places.state)
    assert not machine.find_pod_processes()
    assert look() == own.before
    assert sorted(path.name for path in own.places.state.iterdir()) == ["images", "lock", "logs"]
    assert own.run("down").stderr == "no node was brought up here\n"
