"""What pods may do, seen from inside of them; and who may do what to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.charts.gates.objects import COMPONENT
from tests.cluster import checks
from tests.cluster.checks import look_into
from tests.cluster.client import ENTRYPOINT, make_client_pod, read_answer
from tests.cluster.kubectl import CommandError
from tests.cluster.programs import EXPECTED_TOTALS, SUMS
from tests.cluster.reporting import not_enforced
from tests.cluster.waits import DeadlineError, require, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.charts import Release
    from tests.cluster.place import Place

SCENARIO = "security"
FORBIDDEN = 403
PORT = 8099
SECONDS = 60.0

# Asks the API server with the pod's own token. Nothing is changed: what would be is a dry run, or matches nothing.
CALLS = """
import json, os, ssl, sys, urllib.error, urllib.request
folder = "/run/secrets/kubernetes.io/serviceaccount"
token = open(f"{folder}/token").read()
namespace = open(f"{folder}/namespace").read()
context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
answer = {}
for name, (method, path, body) in json.load(sys.stdin).items():
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    data = None if body is None else json.dumps(body).encode()
    url = "https://kubernetes.default.svc" + path
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as reply:
            answer[name] = reply.status
    except urllib.error.HTTPError as error:
        answer[name] = error.code
print("ANSWER " + json.dumps(answer))
"""
LISTEN = f"""
import socket
server = socket.create_server(("0.0.0.0", {PORT}))
while True:
    server.accept()[0].close()
"""


def test_random_uid(place: Place) -> None:
    assert place.client.run(SUMS)["totals"] == EXPECTED_TOTALS
    pods = place.running()
    assert {"connect", "executor", "history", "jupyter", "s3"} <= {
        each["metadata"]["labels"].get(COMPONENT) for each in pods
    }
    looks = look_into(place.kubectl, pods)
    expected = {"Uid": [str(place.uid)] * 4, "Gid": ["0"] * 4}
    assert {where: {key: look[key] for key in expected} for where, look in looks.items()} == dict.fromkeys(
        looks, expected
    )


def test_privileged_refused(place: Place, spark: Release) -> None:
    pod = json.loads(json.dumps(make_client_pod(spark, "privileged")))
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(CommandError, match='violates PodSecurity "restricted'):
        place.kubectl.apply(pod)


def test_allowed_verbs(place: Place, spark: Release) -> None:
    name, core = spark.pod("connect")["metadata"]["name"], f"/api/v1/namespaces/{place.kubectl.namespace}"
    dry, none = "dryRun=All", "labelSelector=app%3Dno-such-thing"
    configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "not-made"}}
    answers = _call(
        place,
        spark,
        {
            "create pods": ("POST", f"{core}/pods?{dry}", make_client_pod(spark, "not-made")),
            "get pods": ("GET", f"{core}/pods/{name}", None),
            "list pods": ("GET", f"{core}/pods", None),
            "watch pods": ("GET", f"{core}/pods?watch=1&timeoutSeconds=1", None),
            "patch pods": ("PATCH", f"{core}/pods/{name}?{dry}", {"metadata": {"labels": {"a": "b"}}}),
            "delete pods": ("DELETE", f"{core}/pods/{name}?{dry}", None),
            "deletecollection pods": ("DELETE", f"{core}/pods?{dry}&{none}", None),
            "create configmaps": ("POST", f"{core}/configmaps?{dry}", configmap),
            "deletecollection configmaps": ("DELETE", f"{core}/configmaps?{dry}&{none}", None),
        },
    )
    assert {call: status for call, status in answers.items() if status not in {200, 201}} == {}


def test_other_verbs(place: Place, spark: Release) -> None:
    name, core = spark.pod("connect")["metadata"]["name"], f"/api/v1/namespaces/{place.kubectl.namespace}"
    apps = core.replace("/api/v1", "/apis/apps/v1")
    rules = core.replace("/api/v1", "/apis/rbac.authorization.k8s.io/v1")
    answers = _call(
        place,
        spark,
        {
            "list secrets": ("GET", f"{core}/secrets", None),
            "get secrets": ("GET", f"{core}/secrets/s3-keys", None),
            "list configmaps": ("GET", f"{core}/configmaps", None),
            "update pods": ("PUT", f"{core}/pods/{name}?dryRun=All", make_client_pod(spark, name)),
            "get pods/log": ("GET", f"{core}/pods/{name}/log", None),
            "create pods/exec": ("POST", f"{core}/pods/{name}/exec?command=id&stdout=1", None),
            "create services": ("POST", f"{core}/services?dryRun=All", {"metadata": {"name": "not-made"}}),
            "list services": ("GET", f"{core}/services", None),
            "list persistentvolumeclaims": ("GET", f"{core}/persistentvolumeclaims", None),
            "list serviceaccounts": ("GET", f"{core}/serviceaccounts", None),
            "create serviceaccounts/token": ("POST", f"{core}/serviceaccounts/default/token", {}),
            "list events": ("GET", f"{core}/events", None),
            "list deployments": ("GET", f"{apps}/deployments", None),
            "list roles": ("GET", f"{rules}/roles", None),
            "create rolebindings": ("POST", f"{rules}/rolebindings?dryRun=All", {"metadata": {"name": "not-made"}}),
            "list pods elsewhere": ("GET", "/api/v1/namespaces/kube-system/pods", None),
            "list pods everywhere": ("GET", "/api/v1/pods", None),
            "list namespaces": ("GET", "/api/v1/namespaces", None),
            "list nodes": ("GET", "/api/v1/nodes", None),
        },
    )
    assert answers == dict.fromkeys(answers, FORBIDDEN)


def test_tokens(place: Place) -> None:
    pods = place.running()
    components = {each["metadata"]["name"]: each["metadata"]["labels"].get(COMPONENT, "client") for each in pods}
    looks = look_into(place.kubectl, pods)
    with_token = {components[where.partition(",")[0]] for where, look in looks.items() if "Token" in look}
    assert with_token == {"connect"}


def test_read_only_root(place: Place) -> None:
    looks = look_into(place.kubectl, place.running())
    assert {where: look["Written"] for where, look in looks.items() if "Written" in look} == {}
    assert {where for where, look in looks.items() if "Scratch" not in look} == set()


def test_network_policy(place: Place, spark: Release) -> None:
    """Where the node applies policies at all, which a policy shows that lets nothing in."""
    stranger = make_client_pod(spark, "stranger")
    place.kubectl.apply({**stranger, "metadata": {"name": "stranger", "labels": {"part": "stranger"}}})
    target = place.wait_pod("stranger")["status"]["podIP"]
    listener = place.kubectl.start_exec("stranger", ENTRYPOINT, "python3", "-c", LISTEN)
    try:
        wait_for("a listener", lambda: _require_reached(place, place.client.pod, target, PORT), seconds=SECONDS)
        place.kubectl.apply(_deny_all(place.kubectl.namespace))
        # A policy holds when whoever applies it has seen it.
        try:
            wait_for("a shut door", lambda: _require_shut(place, place.client.pod, target, PORT), seconds=SECONDS)
        except DeadlineError:
            not_enforced("this node takes NetworkPolicy and does not apply it: one that denies all lets connections in")
        assert not _reaches(place, "stranger", spark.service("connect"), 15002), "a pod that is no client gets in"
        assert _reaches(place, place.client.pod, spark.service("connect"), 15002), "a client does not get in"
        place.kubectl.run("delete", "networkpolicy", "deny-all")
        wait_for("an open door", lambda: _require_reached(place, place.client.pod, target, PORT), seconds=SECONDS)
        server = spark.pod("connect")["metadata"]["name"]
        assert not _reaches(place, server, target, PORT), "the server gets out to whom it likes"
        assert _reaches(place, server, "spark-infra-s3", 7070), "the server does not get out to what is named"
    finally:
        listener.stop()
        place.kubectl.run("delete", "networkpolicy", "deny-all", "--ignore-not-found")
        place.kubectl.run("delete", "pod", "stranger", "--grace-period=1")


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _call(place: Place, spark: Release, calls: Mapping[str, tuple[str, str, object]]) -> dict[str, int]:
    """The status of each call to the API server, made inside the Connect server's pod."""
    pod = spark.pod("connect")["metadata"]["name"]
    printed = place.kubectl.exec(pod, ENTRYPOINT, "python3", "-c", CALLS, text=json.dumps(calls))
    answers: dict[str, int] = read_answer(printed)
    assert answers.keys() == calls.keys()
    return answers


def _reaches(place: Place, pod: str, host: str, port: int) -> bool:
    program = f"import socket; socket.create_connection(({host!r}, {port}), timeout=5)"
    try:
        place.kubectl.exec(pod, ENTRYPOINT, "python3", "-c", program)
    except CommandError as error:
        if error.code is None:
            raise
        return False
    return True


def _require_reached(place: Place, pod: str, host: str, port: int) -> None:
    require(_reaches(place, pod, host, port), f"{host}:{port} does not answer")


def _require_shut(place: Place, pod: str, host: str, port: int) -> None:
    require(not _reaches(place, pod, host, port), f"{host}:{port} answers")


def _deny_all(namespace: str) -> dict[str, object]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny-all", "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": {"part": "stranger"}}, "policyTypes": ["Ingress"]},
    }
