"""Ports agree by name: of services, containers, probes, policies, monitors, ingresses and routes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, Pod, containers, describe, find_pods, labels_of
from tests.charts.gates.selectors import find_selectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NAME = re.compile(r"(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
OF_EXECUTORS = frozenset({"blockmanager"})
"""Ports that Spark itself names in the pods that it makes from a template."""
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def find_disagreements(objects: Sequence[Document]) -> list[str]:
    """Ports that are named where no container has them, and numbers where a name should be."""
    pods = find_pods(objects)
    problems = [f"{pod.where}: {problem}" for pod in pods for problem in (*_badly_named(pod), *_unknown_probes(pod))]
    for each in objects:
        find = _FINDERS.get(each.get("kind", ""))
        if find:
            problems += [f"{describe(each)}: {problem}" for problem in find(each, objects, pods)]
    return problems


def ports_of(pod: Pod) -> Mapping[str, int]:
    """Name and number of each port of a pod."""
    return {port.get("name", ""): port["containerPort"] for port in _ports(pod)}


def _ports(pod: Pod) -> list[Document]:
    return [port for container in containers(pod) for port in container.get("ports") or ()]


def _known(pod: Pod) -> frozenset[str]:
    return frozenset(ports_of(pod)) | (OF_EXECUTORS if pod.is_template else frozenset())


def _badly_named(pod: Pod) -> Iterator[str]:
    ports = _ports(pod)
    for name in (port.get("name", "") for port in ports):
        if not NAME.fullmatch(name):
            yield f"the port's name {name!r} is not valid"
    for what in ("name", "containerPort"):
        seen = Counter((port.get(what), port.get("protocol", "TCP")) for port in ports)
        yield from (f"{what} {value} is there {count} times" for (value, _), count in seen.items() if count > 1)


def _unknown_probes(pod: Pod) -> Iterator[str]:
    for container in containers(pod):
        names = {port.get("name") for port in container.get("ports") or ()}
        for probe in PROBES:
            handler = container.get(probe) or {}
            for kind in ("httpGet", "tcpSocket", "grpc"):
                port = (handler.get(kind) or {}).get("port")
                # A gRPC probe has no way to name its port.
                if port is not None and kind != "grpc" and port not in names:
                    yield f"{probe} of {container['name']} asks port {port}, which it does not name"


def _selected(each: Document, pods: Iterable[Pod]) -> list[Pod]:
    selectors = find_selectors([each])
    return [pod for pod in pods if selectors and selectors[0].matches(pod.labels)]


def _of_service(service: Document, _: Sequence[Document], pods: Iterable[Pod]) -> Iterator[str]:
    spec = service["spec"]
    if not spec.get("selector"):
        return
    for port in spec.get("ports") or ():
        target = port.get("targetPort")
        if not isinstance(target, str):
            yield f"port {port.get('name', port['port'])} has no targetPort with a name"
        else:
            yield from (
                f"{pod.where} has no port {target}" for pod in _selected(service, pods) if target not in ports_of(pod)
            )


def _of_policy(policy: Document, _: Sequence[Document], pods: Iterable[Pod]) -> Iterator[str]:
    selected = _selected(policy, pods)
    for rule in policy["spec"].get("ingress") or ():
        # A range of ports has no name.
        for port in (each.get("port") for each in rule.get("ports") or () if "endPort" not in each):
            for pod in selected:
                if isinstance(port, str) and port not in _known(pod):
                    yield f"{pod.where} has no port {port}"
                elif isinstance(port, int) and not pod.is_template:
                    yield f"port {port} has a number where {pod.where} could be asked by name"


def _of_pod_monitor(monitor: Document, _: Sequence[Document], pods: Iterable[Pod]) -> Iterator[str]:
    for endpoint in monitor["spec"].get("podMetricsEndpoints") or ():
        port = endpoint.get("port")
        yield from (f"{pod.where} has no port {port}" for pod in _selected(monitor, pods) if port not in _known(pod))


def _of_service_monitor(monitor: Document, objects: Sequence[Document], _: Iterable[Pod]) -> Iterator[str]:
    (selector,) = find_selectors([monitor])
    for endpoint in monitor["spec"].get("endpoints") or ():
        services = [service for service in _services(objects) if selector.matches(labels_of(service))]
        # A headless Service beside the one that is meant may have other ports.
        if services and not any(endpoint.get("port") in _service_ports(service) for service in services):
            yield f"{' and '.join(map(describe, services))} has no port {endpoint.get('port')}"


def _of_ingress(ingress: Document, objects: Sequence[Document], _: Iterable[Pod]) -> Iterator[str]:
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            backend = path["backend"]["service"]
            port = backend.get("port") or {}
            yield from _backend(objects, backend["name"], port.get("name", port.get("number")))


def _of_route(route: Document, objects: Sequence[Document], _: Iterable[Pod]) -> Iterator[str]:
    spec = route["spec"]
    yield from _backend(objects, spec["to"]["name"], (spec.get("port") or {}).get("targetPort"))


def _of_http_route(route: Document, objects: Sequence[Document], _: Iterable[Pod]) -> Iterator[str]:
    for rule in route["spec"].get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            yield from _backend(objects, backend["name"], backend.get("port"))


def _backend(objects: Sequence[Document], name: str, port: object) -> Iterator[str]:
    service = next((each for each in _services(objects) if each["metadata"]["name"] == name), None)
    if service is None:
        yield f"there is no Service {name}"
    elif port not in (*_service_ports(service), *(each["port"] for each in service["spec"]["ports"])):
        yield f"Service {name} has no port {port}"


def _services(objects: Iterable[Document]) -> list[Document]:
    return [each for each in objects if each.get("kind") == "Service"]


def _service_ports(service: Document) -> list[str]:
    return [port.get("name", "") for port in service["spec"].get("ports") or ()]


_FINDERS = {
    "Service": _of_service,
    "NetworkPolicy": _of_policy,
    "PodMonitor": _of_pod_monitor,
    "ServiceMonitor": _of_service_monitor,
    "Ingress": _of_ingress,
    "Route": _of_route,
    "HTTPRoute": _of_http_route,
    "GRPCRoute": _of_http_route,
}
