"""What holds for the pods of every scenario. Its modules take these tests over by their names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.charts.gates.images import parse_reference
from tests.charts.gates.objects import Pod
from tests.charts.gates.pod_security import find_violations
from tests.cluster.readiness import container_statuses

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl, Object
    from tests.cluster.node import Images
    from tests.cluster.place import Place

NO_CAPABILITIES = "0000000000000000"
FILTERED = "2"
"""What the kernel says of a process with a seccomp profile."""
# The first process of a container is what its image started; a shell in it may say otherwise of itself.
_LOOK = """
set -u
cat /proc/1/status
test -e /run/secrets/kubernetes.io/serviceaccount/token && echo "Token: yes"
for place in / /etc /opt /usr/local /var/lib; do
    if touch "$place/.written" 2>/dev/null; then echo "Written: $place"; fi
done
if touch /tmp/.written; then echo "Scratch: yes"; fi
"""


def test_restricted(place: Place) -> None:
    """The namespace lets nothing else in; and the kernel says of each first process that it is so."""
    labels = place.kubectl.get("namespace", place.kubectl.namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = place.running()
    assert pods
    assert find_violations([_as_pod(each) for each in pods]) == []
    found = {where: _find_powers(look) for where, look in look_into(place.kubectl, pods).items()}
    assert {where: powers for where, powers in found.items() if powers} == {}


def test_digests(place: Place, images: Images) -> None:
    """What the node runs, what the release names, and what the catalogue has built are one."""
    problems = []
    pods = place.running()
    for pod in pods:
        named = {each["name"]: each["image"] for each in _containers(pod)}
        for status in container_statuses(pod):
            problems += _compare(pod, named[status["name"]], str(status["imageID"]), images)
    assert pods
    assert problems == []


def look_into(kubectl: Kubectl, pods: list[Object]) -> dict[str, dict[str, list[str]]]:
    """What can be seen inside of each container: key → values; the user is ``Uid``, a written place ``Written``."""
    looks = {}
    for pod in pods:
        for container in pod["spec"]["containers"]:
            name = pod["metadata"]["name"]
            text = kubectl.exec(name, "bash", "-c", _LOOK, container=container["name"])
            looks[f"{name}, {container['name']}"] = parse_look(text)
    return looks


def parse_look(text: str) -> dict[str, list[str]]:
    """``Key: value`` lines as a mapping; a key may be there several times."""
    seen: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if separator:
            seen.setdefault(key, []).extend(value.split() if key in {"Uid", "Gid"} else [value.strip()])
    return seen


def _find_powers(look: dict[str, list[str]]) -> list[str]:
    """What a process has that it should not have."""
    checks = {
        "is root": "0" not in look["Uid"],
        "has capabilities": look["CapEff"] == [NO_CAPABILITIES] == look["CapPrm"] == look["CapBnd"],
        "may gain privileges": look["NoNewPrivs"] == ["1"],
        "has no seccomp profile": look["Seccomp"] == [FILTERED],
    }
    return [power for power, is_absent in checks.items() if not is_absent]


def _compare(pod: Object, named: str, running: str, images: Images) -> list[str]:
    reference = parse_reference(named)
    assert reference is not None, named
    where = f"{pod['metadata']['name']}: {reference.name}"
    digest = running.rpartition("@")[2]
    built = images.digest_of(named)
    if digest == reference.digest == built:
        return []
    return [f"{where}: the node runs {running}, the release names {reference.digest or 'no digest'}, built is {built}"]


def _containers(pod: Object) -> list[Object]:
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


def _as_pod(pod: Object) -> Pod:
    metadata = pod["metadata"]
    # What the API server adds is no part of what was asked for, and the gates read plain documents.
    plain = json.loads(json.dumps(pod["spec"]))
    return Pod(where=metadata["name"], kind="Pod", namespace=metadata["namespace"], metadata=metadata, spec=plain)
