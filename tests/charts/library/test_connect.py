"""The Connect server and its executors: where they compute, and what the user adds to their pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers, find, find_pod, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

DYNAMIC: Document = {"enabled": True, "minExecutors": 2, "maxExecutors": 5, "initialExecutors": 1}


def test_executors_are_pods_of_the_servers_namespace(render: Render) -> None:
    executor = {
        "instances": 3,
        "cores": 2,
        "memory": "4g",
        "memoryOverhead": "1g",
        "requestCores": "500m",
        "limitCores": "2",
    }
    objects = render("spark-4.1", {"executor": executor}, "--namespace", "team")
    conf = settings(objects)
    assert (
        conf.items()
        >= {
            "spark.master": "k8s://https://kubernetes.default.svc:443",
            "spark.kubernetes.namespace": "team",
            "spark.executor.instances": "3",
            "spark.executor.cores": "2",
            "spark.executor.memory": "4g",
            "spark.executor.memoryOverhead": "1g",
            "spark.kubernetes.executor.request.cores": "500m",
            "spark.kubernetes.executor.limit.cores": "2",
        }.items()
    )
    assert not [key for key in conf if key.startswith("spark.dynamicAllocation")]
    (server,) = containers(find_pod(objects))
    mounts = {each["mountPath"] for each in server["volumeMounts"]}
    directory, _, file = conf["spark.kubernetes.executor.podTemplateFile"].rpartition("/")
    assert directory in mounts
    assert file in find(objects, "ConfigMap", "executor")["data"]


def test_a_local_server_computes_by_itself(render: Render) -> None:
    objects = render("spark-4.1", {"connect": {"backendMode": "local", "memory": "3g"}})
    conf = settings(objects)
    assert conf["spark.master"] == "local[*]"
    assert conf["spark.driver.memory"] == "3g"
    assert not [key for key in conf if key.startswith(("spark.executor", "spark.kubernetes", "spark.driver.port"))]
    (server,) = containers(find_pod(objects))
    assert [port["name"] for port in server["ports"]] == ["grpc", "ui"]
    assert not [each for each in objects if each["metadata"]["name"].endswith("-executor")]


@pytest.mark.parametrize(
    ("standalone", "master"),
    [
        ({"enabled": True}, "spark://demo-spark-4-1-master.default.svc:7077"),
        ({"enabled": False, "masterUrl": "spark://one:7077,two:7077"}, "spark://one:7077,two:7077"),
    ],
)
def test_executors_on_workers_take_no_more_than_their_share(render: Render, standalone: Document, master: str) -> None:
    values = {"connect": {"backendMode": "standalone"}, "executor": {"instances": 3}, "standalone": standalone}
    conf = settings(render("spark-4.1", values))
    assert conf["spark.master"] == master
    assert conf["spark.cores.max"] == "3"
    assert "spark.executor.instances" not in conf
    assert ("spark.shuffle.service.enabled" in conf) is standalone["enabled"]
    assert not [key for key in conf if key.startswith("spark.kubernetes")]


def test_a_number_of_executors_that_changes(render: Render) -> None:
    conf = settings(render("spark-4.1", {"executor": {"dynamicAllocation": DYNAMIC}}))
    found = {key.rpartition("spark.dynamicAllocation.")[2]: value for key, value in conf.items() if "Alloc" in key}
    assert found == {
        "enabled": "true",
        "minExecutors": "2",
        "maxExecutors": "5",
        "initialExecutors": "2",
        "executorIdleTimeout": "60s",
        "shuffleTracking.enabled": "true",
    }
    assert conf["spark.decommission.enabled"] == conf["spark.storage.decommission.shuffleBlocks.enabled"] == "true"
    assert "spark.executor.instances" not in conf


@pytest.mark.parametrize("service", [True, False])
def test_workers_keep_shuffles_of_executors_that_go(render: Render, service: bool) -> None:
    values = {
        "connect": {"backendMode": "standalone"},
        "standalone": {"enabled": True, "worker": {"shuffleService": {"enabled": service, "port": 7447}}},
        "executor": {"dynamicAllocation": DYNAMIC},
    }
    objects = render("spark-4.1", values)
    conf, worker = settings(objects), settings(objects, "worker")
    assert conf["spark.dynamicAllocation.shuffleTracking.enabled"] == str(not service).lower()
    assert conf.get("spark.shuffle.service.enabled", "false") == worker["spark.shuffle.service.enabled"]
    assert (conf.get("spark.shuffle.service.port") == worker["spark.shuffle.service.port"]) is service
    assert "spark.cores.max" not in conf


def test_what_the_user_adds_reaches_server_and_executors(render: Render) -> None:
    own = {"podLabels": {"team": "data"}, "podAnnotations": {"note": "x"}}
    values: Document = {
        "global": {"s3": {"existingSecret": "keys"}},
        "commonLabels": {"cost": "7"},
        "scheduling": {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}]},
        "connect": own,
        "executor": {**own, "scheduling": {"nodeSelector": {"disk": "none"}}},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
    }
    objects = render("spark-4.1", values)
    for component, disk in (("connect", "ssd"), ("executor", "none")):
        pod = find_pod(objects, component)
        assert pod["metadata"]["labels"].items() >= {"team": "data", "cost": "7"}.items()
        assert pod["metadata"]["annotations"]["note"] == "x"
        assert pod["spec"]["nodeSelector"] == {"disk": disk}
        assert pod["spec"]["tolerations"] == [{"operator": "Exists"}]
        assert {"name": "ca", "configMap": {"name": "ca"}} in pod["spec"]["volumes"]
        (container,) = containers(pod)
        assert {"name": "ca", "mountPath": "/etc/ca"} in container["volumeMounts"]
        names = [each["name"] for each in container["env"]]
        assert names[-3:] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TZ"]


@pytest.mark.parametrize(
    ("values", "account"),
    [
        ({}, "demo-spark-4-1"),
        ({"global": {"s3": {"existingSecret": "keys"}}}, "default"),
        ({"sparkConf": {"spark.kubernetes.authenticate.executor.serviceAccountName": "theirs"}}, "theirs"),
    ],
)
def test_executors_have_the_identity_that_their_storage_asks_for(
    render: Render, values: Document, account: str
) -> None:
    executor = find_pod(render("spark-4.1", values), "executor")["spec"]
    assert executor["serviceAccountName"] == account
    assert executor["automountServiceAccountToken"] is False
