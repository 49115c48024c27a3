"""Who may speak to whom: both ends of a connection agree, and strangers come as far as values say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

COMPONENT = "app.kubernetes.io/component"
CLIENT = {"demo-spark-4-1-client": "true"}
EVERYTHING: Document = {
    **{key: {"enabled": True} for key in ("standalone", "historyServer", "jupyter", "eventLog")},
    "hiveMetastore": {"enabled": True, "database": {"host": "db", "existingSecret": "db"}},
}
BACKENDS = [{"connect": {"backendMode": mode}, **EVERYTHING} for mode in ("local", "k8s", "standalone")]
CLOSED = {"networkPolicy": {"allowExternal": False, "allowExternalEgress": False}}
SERVED = {("connect", "grpc"), ("connect", "ui"), ("history", "http"), ("jupyter", "http"), ("metastore", "thrift")}

every_backend = pytest.mark.parametrize("values", BACKENDS, ids=("local", "k8s", "standalone"))


def policies(render: Render, values: Document) -> dict[str, Any]:
    objects = render("spark-4.1", values)
    found = [each for each in objects if each["kind"] == "NetworkPolicy"]
    return {each["metadata"]["labels"][COMPONENT]: each["spec"] for each in found}


def connections(specs: dict[str, Any], way: str, end: str) -> Iterator[tuple[str, str, str]]:
    """Who, with whom, on which port, as the rules of one direction have it; only components of the release."""
    for component, spec in specs.items():
        for rule in spec[way]:
            for peer in rule.get(end, ()):
                other = peer.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT)
                if other in specs:
                    yield from ((component, other, str(port["port"])) for port in rule["ports"])


@every_backend
def test_what_may_go_out_may_come_in(render: Render, values: Document) -> None:
    specs = policies(render, {**values, **CLOSED})
    incoming = {(other, mine, port) for mine, other, port in connections(specs, "ingress", "from")}
    outgoing = set(connections(specs, "egress", "to"))
    assert incoming == outgoing


@every_backend
def test_every_component_has_a_policy_for_both_directions(render: Render, values: Document) -> None:
    specs = policies(render, values)
    mode = values["connect"]["backendMode"]
    assert set(specs) == {"connect", "master", "worker", "history", "jupyter", "metastore"} | (
        {"executor"} if mode == "k8s" else set()
    )
    assert all(spec["policyTypes"] == ["Ingress", "Egress"] for spec in specs.values())


def open_ports(specs: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (component, port["port"])
        for component, spec in specs.items()
        for rule in spec["ingress"]
        if "from" not in rule
        for port in rule["ports"]
    }


@every_backend
def test_strangers_reach_what_serves_them_and_nothing_between_processes(render: Render, values: Document) -> None:
    cluster = {("master", "rpc"), ("master", "ui"), ("worker", "ui")}
    assert open_ports(policies(render, values)) == SERVED | cluster


@every_backend
def test_closed_means_clients_by_their_label(render: Render, values: Document) -> None:
    specs = policies(render, {**values, **CLOSED})
    assert open_ports(specs) == set()
    for component, port in SERVED:
        (rule,) = (rule for rule in specs[component]["ingress"] if {"port": port} in rule["ports"])
        assert {"podSelector": {"matchLabels": CLIENT}} in rule["from"]


def test_no_rule_has_an_empty_list_of_peers(render: Render) -> None:
    for values in BACKENDS:
        for spec in policies(render, {**values, **CLOSED}).values():
            assert all(rule["from"] for rule in spec["ingress"])


def test_a_master_of_others_may_call_the_driver(render: Render) -> None:
    values = {"connect": {"backendMode": "standalone"}, "standalone": {"masterUrl": "spark://theirs:7077"}}
    assert {("connect", "driver-rpc"), ("connect", "blockmanager")} <= open_ports(policies(render, values))


def test_only_a_server_with_executors_of_its_own_reaches_the_api(render: Render) -> None:
    def ports(mode: str) -> list[object]:
        spec = policies(render, {"connect": {"backendMode": mode}, **CLOSED})["connect"]
        return [port["port"] for rule in spec["egress"] for port in rule["ports"]]

    assert 6443 in ports("k8s")
    assert 6443 not in ports("local")


def test_names_can_be_asked_for_by_all(render: Render) -> None:
    for spec in policies(render, {**BACKENDS[1], **CLOSED}).values():
        (rule,) = (rule for rule in spec["egress"] if {"port": 53, "protocol": "UDP"} in rule["ports"])
        assert "to" not in rule


@pytest.mark.parametrize(("replicas", "budgets"), [(1, set()), (2, {"connect", "worker"})])
def test_a_budget_is_for_more_than_one_pod(render: Render, replicas: int, budgets: set[str]) -> None:
    values = {
        "connect": {"replicas": replicas, "backendMode": "standalone"},
        "standalone": {"enabled": True, "worker": {"replicas": replicas}},
    }
    found = [each for each in render("spark-4.1", values) if each["kind"] == "PodDisruptionBudget"]
    assert {each["metadata"]["labels"][COMPONENT] for each in found} == budgets
