"""The check of ports sees each place where a port is named that is not there."""

from __future__ import annotations

import pytest

from tests.charts.gates.objects import parse
from tests.charts.gates.ports import find_disagreements
from tests.charts.gates.samples import good, spoiled

SERVER = "spec/template/spec/containers/0"
LABELS = "app.kubernetes.io/component: connect"
CASES: list[tuple[str, str, object, str]] = [
    ("Service", "spec/ports/0/targetPort", "http", "Service demo-connect: Deployment demo-connect has no port http"),
    ("Service", "spec/ports/0/targetPort", 15002, "Service demo-connect: port grpc has no targetPort with a name"),
    ("Service", "spec/ports/0/targetPort", ..., "Service demo-connect: port grpc has no targetPort with a name"),
    (
        "Deployment",
        f"{SERVER}/readinessProbe/tcpSocket/port",
        "http",
        "Deployment demo-connect: readinessProbe of connect asks port http, which it does not name",
    ),
    (
        "Deployment",
        f"{SERVER}/livenessProbe",
        {"httpGet": {"port": 4040}},
        "Deployment demo-connect: livenessProbe of connect asks port 4040, which it does not name",
    ),
    ("Deployment", f"{SERVER}/ports/0/name", "ui", "Deployment demo-connect: name ui is there 2 times"),
    (
        "Deployment",
        f"{SERVER}/ports/0/containerPort",
        4040,
        "Deployment demo-connect: containerPort 4040 is there 2 times",
    ),
    ("Deployment", f"{SERVER}/ports/0/name", ..., "Deployment demo-connect: the port's name '' is not valid"),
    (
        "Deployment",
        f"{SERVER}/ports/0/name",
        "name-of-16-chars",
        "Deployment demo-connect: the port's name 'name-of-16-chars' is not valid",
    ),
    (
        "NetworkPolicy",
        "spec/ingress/0/ports/0/port",
        "http",
        "NetworkPolicy demo-connect: Deployment demo-connect has no port http",
    ),
    (
        "NetworkPolicy",
        "spec/ingress/0/ports/0/port",
        15002,
        "NetworkPolicy demo-connect: port 15002 has a number where Deployment demo-connect could be asked by name",
    ),
]
BACKEND = "{name: demo-connect, port: {name: x}}"
OTHERS = [
    (
        "kind: PodMonitor\nspec: {selector: {matchLabels: {LABELS}}, podMetricsEndpoints: [{port: x}]}",
        "PodMonitor ?: Deployment demo-connect has no port x",
    ),
    (
        "kind: ServiceMonitor\nspec: {selector: {matchLabels: {LABELS}}, endpoints: [{port: x}]}",
        "ServiceMonitor ?: Service demo-connect has no port x",
    ),
    (
        "kind: Route\nspec: {to: {name: demo-connect}, port: {targetPort: x}}",
        "Route ?: Service demo-connect has no port x",
    ),
    ("kind: Route\nspec: {to: {name: gone}}", "Route ?: there is no Service gone"),
    (
        "kind: HTTPRoute\nspec: {rules: [{backendRefs: [{name: demo-connect, port: 1}]}]}",
        "HTTPRoute ?: Service demo-connect has no port 1",
    ),
    (
        f"kind: Ingress\nspec: {{rules: [{{http: {{paths: [{{backend: {{service: {BACKEND}}}}}]}}}}]}}",
        "Ingress ?: Service demo-connect has no port x",
    ),
]


def test_good_ports_agree() -> None:
    assert find_disagreements(good()) == []


@pytest.mark.parametrize(("kind", "path", "value", "problem"), CASES)
def test_a_port_that_is_not_there_is_seen(kind: str, path: str, value: object, problem: str) -> None:
    assert problem in find_disagreements(spoiled(kind, path, value))


@pytest.mark.parametrize(("text", "problem"), OTHERS)
def test_monitors_and_routes_are_asked_too(text: str, problem: str) -> None:
    objects = (*good(), *parse(text.replace("LABELS", LABELS)))
    assert find_disagreements(objects) == [problem]


def test_executors_may_be_named_by_number() -> None:
    policy = """
kind: NetworkPolicy
metadata: {name: x}
spec: {podSelector: {matchLabels: {app.kubernetes.io/component: executor}}, ingress: [{ports: [{port: 7079}]}]}
"""
    assert find_disagreements((*good(), *parse(policy))) == []


def test_a_range_has_no_name() -> None:
    ports = "{port: 7079, endPort: 7095}"
    policy = f"""
kind: NetworkPolicy
metadata: {{name: x}}
spec: {{podSelector: {{matchLabels: {{LABELS}}}}, ingress: [{{ports: [{ports}]}}]}}
""".replace("LABELS", LABELS)
    assert find_disagreements((*good(), *parse(policy))) == []


def test_one_number_may_have_two_protocols() -> None:
    ports = [{"name": "a", "containerPort": 53}, {"name": "b", "containerPort": 53, "protocol": "UDP"}]
    text = f"kind: Pod\nmetadata: {{name: x}}\nspec: {{containers: [{{name: c, ports: {ports}}}]}}"
    assert find_disagreements(parse(text)) == []
