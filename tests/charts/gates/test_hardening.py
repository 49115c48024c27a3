"""The checks of root file systems, resources, probes and tokens see what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.gates.hardening import find_stray_tokens, find_unlimited, find_unprobed, find_unsealed
from tests.charts.gates.objects import find_pods
from tests.charts.gates.samples import good, spoiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.charts.gates.objects import Pod

SPEC = "spec/template/spec"
SERVER = f"{SPEC}/containers/0"
IDLE = {"name": "init", "image": "x"}
CASES: list[tuple[Callable[[Iterable[Pod]], list[str]], str, object, str]] = [
    (find_unsealed, f"{SERVER}/securityContext/readOnlyRootFilesystem", ..., "readOnlyRootFilesystem is not true"),
    (find_unsealed, f"{SERVER}/volumeMounts/0/mountPath", "/scratch", "/tmp is no volume that can be written"),
    (find_unsealed, f"{SERVER}/volumeMounts/0/readOnly", True, "/tmp is no volume that can be written"),
    (find_unsealed, f"{SPEC}/volumes/0", {"name": "tmp", "configMap": {}}, "/tmp is no volume that can be written"),
    (find_unsealed, f"{SERVER}/volumeMounts/1/name", "other", "there is no volume other"),
    (find_unsealed, f"{SERVER}/volumeMounts/1/mountPath", "/tmp", "/tmp is mounted twice"),
    (find_unlimited, f"{SERVER}/resources", ..., "no requests.cpu"),
    (find_unlimited, f"{SERVER}/resources/requests/memory", ..., "no requests.memory"),
    (find_unlimited, f"{SERVER}/resources/limits", {"cpu": 1}, "no limits.memory"),
    (find_unlimited, f"{SERVER}/resources/limits/memory", "2 GB", "limits.memory is no quantity: 2 GB"),
    (find_unprobed, f"{SERVER}/readinessProbe", ..., "no readinessProbe"),
    (find_unprobed, f"{SERVER}/livenessProbe", ..., "no livenessProbe or startupProbe"),
]


@pytest.mark.parametrize("find", [find_unsealed, find_unlimited, find_unprobed, find_stray_tokens])
def test_a_good_pod_passes(find: Callable[[Iterable[Pod]], list[str]]) -> None:
    assert find(find_pods(good())) == []


@pytest.mark.parametrize(("find", "path", "value", "problem"), CASES)
def test_a_problem_is_seen(find: Callable[[Iterable[Pod]], list[str]], path: str, value: object, problem: str) -> None:
    found = find(find_pods(spoiled("Deployment", path, value)))
    assert f"Deployment demo-connect, connect: {problem}" in found


def test_a_startup_probe_counts_as_life() -> None:
    pods = find_pods(spoiled("Deployment", SERVER + "/livenessProbe", ...))
    probe = {"tcpSocket": {"port": "grpc"}}
    started = find_pods(spoiled("Deployment", SERVER + "/startupProbe", probe))
    assert find_unprobed(pods) != []
    assert find_unprobed(started) == []


def test_init_containers_need_requests_but_no_probes() -> None:
    pods = find_pods(spoiled("Deployment", f"{SPEC}/initContainers", [IDLE]))
    assert "Deployment demo-connect, init: no requests.cpu" in find_unlimited(pods)
    assert find_unprobed(pods) == []


def test_a_sidecar_is_a_server() -> None:
    pods = find_pods(spoiled("Deployment", f"{SPEC}/initContainers", [{**IDLE, "restartPolicy": "Always"}]))
    assert "Deployment demo-connect, init: no readinessProbe" in find_unprobed(pods)


def test_a_claim_of_a_stateful_set_is_a_volume() -> None:
    objects = spoiled("Deployment", "spec/volumeClaimTemplates", [{"metadata": {"name": "data"}}])
    objects[0]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][1]["name"] = "data"
    assert find_unsealed(find_pods(objects)) == []


@pytest.mark.parametrize("value", [..., "yes"])
def test_a_pod_that_does_not_speak_of_its_token_is_seen(value: object) -> None:
    pods = find_pods(spoiled("Deployment", f"{SPEC}/automountServiceAccountToken", value))
    assert find_stray_tokens(pods) == ["Deployment demo-connect: automountServiceAccountToken is not said"]
