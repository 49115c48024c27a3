"""Whether what a release made is up, and why not: questions about objects as the cluster gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.waits import HopelessError, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.cluster.kubectl import Object

NEVER = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}
)
MANY_RESTARTS = 8
"""Containers may start anew while others come up; one that does so for ever is broken."""


def require_ready(workloads: Sequence[Object], jobs: Sequence[Object], pods: Sequence[Object]) -> None:
    """``NotYetError`` until all is as it was asked for; ``HopelessError`` when it never will be."""
    assert workloads or jobs, "there is nothing that could become ready"
    hopeless = [problem for pod in pods for problem in find_hopeless(pod)]
    if hopeless:
        raise HopelessError("; ".join(hopeless))
    waiting = [*_waiting_workloads(workloads), *_waiting_jobs(jobs)]
    require(not waiting, "; ".join(waiting))


def find_hopeless(pod: Object) -> list[str]:
    """Containers of a pod that cannot start."""
    problems = []
    for each in container_statuses(pod):
        waiting = each.get("state", {}).get("waiting") or {}
        where = f"{pod['metadata']['name']}, {each['name']}"
        if waiting.get("reason") in NEVER:
            problems.append(f"{where}: {waiting['reason']}: {waiting.get('message', '')}")
        elif each.get("restartCount", 0) > MANY_RESTARTS:
            problems.append(f"{where}: started {each['restartCount']} times anew")
    return problems


def container_statuses(pod: Object) -> list[Object]:
    """Of all containers of a pod, those that have one."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def is_ready(pod: Object) -> bool:
    """Whether a pod serves, and is not on its way out."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True" for each in conditions
    )


def _waiting_workloads(workloads: Iterable[Object]) -> list[str]:
    waiting = []
    for each in workloads:
        status, wanted = each.get("status") or {}, each["spec"].get("replicas", 1)
        seen = status.get("observedGeneration", 0) >= each["metadata"]["generation"]
        numbers = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
        if not seen or numbers != [wanted] * len(numbers):
            waiting.append(f"{each['kind']} {each['metadata']['name']} has {numbers[2]} of {wanted} pods ready")
    return waiting


def _waiting_jobs(jobs: Iterable[Object]) -> list[str]:
    waiting = []
    for each in jobs:
        conditions = {item["type"]: item["status"] for item in (each.get("status") or {}).get("conditions") or ()}
        name = f"Job {each['metadata']['name']}"
        if conditions.get("Failed") == "True":
            raise HopelessError(f"{name} failed")
        if conditions.get("Complete") != "True":
            waiting.append(f"{name} has not ended")
    return waiting
