"""The checks of selectors see strangers, idle and moving ones, and objects with one name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.charts.gates.objects import Document, parse
from tests.charts.gates.samples import good, spoiled
from tests.charts.gates.selectors import find_idle, find_moved, find_strangers, find_twins, find_unstable

NAME, INSTANCE, COMPONENT = (f"app.kubernetes.io/{part}" for part in ("name", "instance", "component"))
DEPLOYMENT = "spec/selector/matchLabels"
SERVICE = "spec/selector"
POLICY = "spec/podSelector"
WIDE: list[tuple[str, str, object]] = [
    ("Deployment", DEPLOYMENT, {NAME: "spark"}),
    ("Service", SERVICE, {NAME: "spark"}),
    ("NetworkPolicy", POLICY, {}),
    ("NetworkPolicy", POLICY, {"matchExpressions": [{"key": INSTANCE, "operator": "Exists"}]}),
    ("NetworkPolicy", POLICY, {"matchExpressions": [{"key": NAME, "operator": "In", "values": ["spark"]}]}),
    ("NetworkPolicy", POLICY, {"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": ["x"]}]}),
    ("NetworkPolicy", POLICY, {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}),
]
MONITOR = f"""
kind: ServiceMonitor
metadata: {{name: m, labels: {{{COMPONENT}: connect}}}}
spec: {{selector: {{matchLabels: {{{NAME}: spark}}}}}}
"""


def test_two_good_releases_do_not_meet() -> None:
    releases = {"demo": good(), "other": _renamed("other")}
    assert find_strangers(releases) == []
    assert find_twins(releases) == []
    assert find_idle(good()) == []
    assert find_unstable(good()) == []
    assert find_moved(good(), good()) == []


@pytest.mark.parametrize(("kind", "path", "selector"), WIDE)
def test_a_wide_selector_reaches_strangers(kind: str, path: str, selector: object) -> None:
    found = find_strangers({"demo": spoiled(kind, path, selector), "other": _renamed("other")})
    where = f"demo: {kind} demo-connect selects "
    assert f"{where}Deployment other-connect of release other" in found
    assert f"{where}ConfigMap demo-connect, executor.yaml of another component" in found


def test_a_monitor_selects_services() -> None:
    objects = (*good(), *parse(MONITOR))
    found = find_strangers({"demo": objects, "other": _renamed("other")})
    assert found == ["demo: ServiceMonitor m selects Service other-connect of release other"]
    assert find_idle((*good(), *parse(MONITOR.replace("spark", "none")))) == ["ServiceMonitor m selects nothing"]


@pytest.mark.parametrize(
    ("selector", "problem"),
    [
        ({NAME: "spark", INSTANCE: "demo", COMPONENT: "connect", "helm.sh/chart": "x"}, "selects by helm.sh/chart"),
        ({NAME: "spark", INSTANCE: "demo", COMPONENT: "connect", "version": "4"}, "selects by version"),
        ({NAME: "spark", COMPONENT: "connect"}, f"does not select by {INSTANCE}"),
    ],
)
def test_a_selector_that_an_upgrade_would_move_is_seen(selector: object, problem: str) -> None:
    assert find_unstable(spoiled("Service", SERVICE, selector)) == [f"Service demo-connect {problem}"]


def test_a_selector_that_values_move_is_seen() -> None:
    assert len(find_moved(good(), spoiled("Deployment", DEPLOYMENT, {NAME: "other"}))) == 1


def test_a_name_that_is_taken_is_seen() -> None:
    assert "v1 Service demo-connect is there 2 times" not in find_twins({"demo": good()})
    found = find_twins({"demo": good(), "again": good()})
    assert "apps Deployment demo-connect is there 2 times" in found
    assert "Service demo-connect is there 2 times" in found


def _renamed(release: str) -> tuple[Document, ...]:
    return tuple(_rename(each, release) for each in good())


def _rename(value: Any, release: str) -> Any:
    if isinstance(value, str):
        return value.replace("demo", release)
    if isinstance(value, dict):
        return {key: _rename(below, release) for key, below in value.items()}
    return [_rename(below, release) for below in value] if isinstance(value, list) else value
