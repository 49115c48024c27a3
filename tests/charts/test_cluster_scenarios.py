"""The releases of the scenarios on a real node, as far as they can be judged without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.charts.gates.images import find_references, parse_reference
from tests.charts.gates.objects import find_pods
from tests.charts.gates.pod_security import find_violations
from tests.cluster.charts import Helm, Release, make_infra, make_release
from tests.cluster.client import make_client_pod
from tests.cluster.kubectl import Kubectl
from tests.cluster.table import Scenario, load_table
from tests.helm import RELEASES, ensure_helm

TABLE = load_table()
UID = 1_000_651_234


@pytest.fixture(scope="module", params=RELEASES)
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm.make(ensure_helm(request.param), tmp_path_factory.mktemp("charts"))


def make_releases(helm: Helm, scenario: Scenario) -> list[Release]:
    kubectl = Kubectl(program=("false",), kubeconfig=Path("none"), namespace=scenario.namespace)
    uid = UID if any(row.has_random_uid for row in scenario.releases) else 0
    infra = [make_infra(helm, kubectl, TABLE, scenario.infra, uid)] if scenario.infra else []
    return [*infra, *(make_release(helm, kubectl, TABLE, row, uid) for row in scenario.releases)]


@pytest.mark.parametrize("scenario", TABLE.scenarios, ids=lambda each: each.id)
def test_a_scenario_renders_and_its_pods_are_restricted_and_pinned(helm: Helm, scenario: Scenario) -> None:
    for release in make_releases(helm, scenario):
        objects = release.render()
        pods = find_pods(objects)
        assert pods
        assert find_violations(pods) == []
        references = [reference for _, text in find_references(objects) if (reference := parse_reference(text))]
        # What no ledger has yet is built and pinned later; its scenario is skipped until then.
        assert {each.name for each in references if not each.digest} <= {"spark-k8s/hive-metastore:3.1.3"}
        names = {each["metadata"]["name"] for each in objects}
        assert all(name.startswith(release.fullname) for name in names), names
        if release.chart != "spark-infra":
            client = make_client_pod(release, "client")
            assert find_violations(find_pods([client])) == []
            assert {text for _, text in find_references([client])} <= set(release.images())
        if scenario.name == "security":
            assert {pod.spec["securityContext"]["runAsUser"] for pod in pods} == {UID}
