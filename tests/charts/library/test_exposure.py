"""Hosts of the interfaces: an Ingress with a rule for each, a Route for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.charts.rendering import find

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

PORTS = {"connect": "ui", "history": "http", "jupyter": "http", "master": "ui"}
HOSTS = {"connectUi": "connect.example", "history": "history.example", "jupyter": "jupyter.example", "master": ""}
COMPONENTS: Document = {key: {"enabled": True} for key in ("standalone", "historyServer", "jupyter")}
BACKENDS = {
    f"{component}.example": (f"demo-spark-4-1-{component}", PORTS[component])
    for component in ("connect", "history", "jupyter")
}


def test_an_ingress_leads_each_host_to_its_interface(render: Render) -> None:
    tls = [{"hosts": ["connect.example"], "secretName": "tls"}]
    ingress = {"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "hosts": HOSTS, "tls": tls}
    found = find(render("spark-4.1", {**COMPONENTS, "ingress": ingress}), "Ingress")
    assert found["metadata"]["annotations"] == {"a": "b"}
    assert found["spec"]["ingressClassName"] == "nginx"
    assert found["spec"]["tls"] == tls
    backends = {}
    for rule in found["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        service = path["backend"]["service"]
        backends[rule["host"]] = (service["name"], service["port"]["name"])
    assert backends == BACKENDS


def test_a_route_leads_each_host_to_its_interface(render: Render) -> None:
    routes = {"enabled": True, "annotations": {"a": "b"}, "hosts": HOSTS, "tls": {"termination": "reencrypt"}}
    objects = render("spark-4.1", {**COMPONENTS, "routes": routes})
    found = [each for each in objects if each["kind"] == "Route"]
    assert {
        each["spec"]["host"]: (each["spec"]["to"]["name"], each["spec"]["port"]["targetPort"]) for each in found
    } == BACKENDS
    for route in found:
        assert route["metadata"]["annotations"] == {"a": "b"}
        assert route["spec"]["tls"] == {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}
