"""The Spark 4.1 chart, rendered by both major versions of Helm."""

from __future__ import annotations

import re

import pytest

from tests.charts.gates.objects import find_pods
from tests.charts.gates.pod_security import find_violations
from tests.charts.presets import DIGEST, EVERYTHING, PRESETS
from tests.charts.rendering import (
    Document,
    Helm,
    containers,
    find,
    is_selected,
    parse,
    pods,
    reference,
    render,
    settings,
)

every_preset = pytest.mark.parametrize("values", PRESETS.values(), ids=PRESETS)


@pytest.mark.parametrize(("preset", "path"), [("default", "image"), ("k8s", "image"), ("gpu-k8s", "gpu.image")])
def test_every_image_is_the_pinned_one(helm: Helm, preset: str, path: str) -> None:
    objects = render(helm, PRESETS[preset])
    images = {container["image"] for pod in pods(objects) for container in containers(pod)}
    assert images == {reference(path)}


def test_executors_run_the_image_of_the_server(helm: Helm) -> None:
    conf = settings(render(helm, {"backend": "k8s", "image": {"digest": DIGEST}}))
    assert conf["spark.kubernetes.executor.container.image"].endswith(f"@{DIGEST}")


@pytest.mark.parametrize(
    ("image", "rendered"),
    [
        ({"tag": "4.1.1", "digest": DIGEST}, f"docker.io/spark-k8s/spark:4.1.1@{DIGEST}"),
        ({"tag": f"4.1.1@{DIGEST}", "digest": ""}, f"docker.io/spark-k8s/spark:4.1.1@{DIGEST}"),
        ({"tag": f"4.1.1@{DIGEST}", "digest": DIGEST}, f"docker.io/spark-k8s/spark:4.1.1@{DIGEST}"),
        ({"tag": "x", "digest": "", "registry": ""}, "spark-k8s/spark:x"),
        ({"tag": "", "digest": ""}, "docker.io/spark-k8s/spark:4.1.1"),
    ],
)
def test_a_reference_has_registry_repository_tag_and_digest(helm: Helm, image: Document, rendered: str) -> None:
    assert {c["image"] for pod in pods(render(helm, {"image": image})) for c in containers(pod)} == {rendered}


@every_preset
def test_a_mirror_serves_every_image_and_pull_secrets_reach_every_pod(helm: Helm, values: Document) -> None:
    shared = {"imageRegistry": "mirror.example", "imagePullSecrets": ["pull"]}
    for pod in pods(render(helm, {**values, "global": shared})):
        assert {"name": "pull"} in pod["spec"]["imagePullSecrets"]
        assert all(container["image"].startswith("mirror.example/spark-k8s/") for container in containers(pod))


def test_a_pull_secret_that_is_named_twice_comes_once(helm: Helm) -> None:
    for pod in pods(render(helm, EVERYTHING)):
        assert pod["spec"]["imagePullSecrets"] == [{"name": "shared"}, {"name": "own"}]


@every_preset
def test_root_file_systems_are_read_only_and_what_is_written_is_a_volume(helm: Helm, values: Document) -> None:
    for pod in pods(render(helm, values)):
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        assert pod["spec"]["securityContext"]["runAsUser"] == 185
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            assert {mount["name"] for mount in mounts.values()} <= volumes.keys()
            for path in ("/tmp", "/opt/spark/work-dir"):
                assert "emptyDir" in volumes[mounts[path]["name"]]


def test_a_platform_may_choose_the_user(helm: Helm) -> None:
    context = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    objects = render(helm, {"backend": "k8s", "podSecurityContext": context})
    assert find_violations(find_pods(objects)) == []
    for pod in pods(objects):
        assert set(pod["spec"]["securityContext"]) == {"runAsNonRoot", "seccompProfile"}


@every_preset
def test_only_a_server_that_starts_executors_gets_a_token(helm: Helm, values: Document) -> None:
    objects = render(helm, values)
    server = find(objects, "Deployment")["spec"]["template"]
    assert server["spec"]["automountServiceAccountToken"] is (values.get("backend") == "k8s")
    others = [pod for pod in pods(objects) if pod != server]
    assert all(pod["spec"]["automountServiceAccountToken"] is False for pod in others)
    assert {each["kind"] for each in objects} >= ({"Role", "RoleBinding"} if values.get("backend") == "k8s" else set())


@every_preset
def test_spark_listens_where_its_ports_are(helm: Helm, values: Document) -> None:
    objects = render(helm, values)
    (container,) = containers(find(objects, "Deployment")["spec"]["template"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    conf = settings(objects)
    assert conf["spark.connect.grpc.binding.port"] == str(ports["grpc"]) == "15002"
    assert conf["spark.ui.port"] == str(ports["ui"])


def test_executors_and_server_reach_each_other_on_fixed_ports(helm: Helm) -> None:
    objects = render(helm, PRESETS["k8s"])
    conf = settings(objects)
    template = find(objects, "ConfigMap")["data"]["executor.yaml"]
    (executor,) = parse(template)
    policy = next(each for each in objects if each["kind"] == "NetworkPolicy" and _selects(each, executor))
    (rule,) = policy["spec"]["ingress"]
    assert [str(port["port"]) for port in rule["ports"]] == [conf["spark.blockManager.port"]]
    server = find(objects, "Deployment")["spec"]["template"]
    ports = {port["name"]: str(port["containerPort"]) for port in containers(server)[0]["ports"]}
    assert ports["driver-rpc"] == conf["spark.driver.port"]
    assert ports["blockmanager"] == conf["spark.driver.blockManager.port"]
    peers = [peer["podSelector"]["matchLabels"] for peer in rule["from"]]
    assert [is_selected(labels, pod) for labels, pod in zip(peers, (server, executor), strict=True)] == [True, True]


def test_a_closed_policy_lets_labelled_pods_in(helm: Helm) -> None:
    objects = render(helm, EVERYTHING)
    test = find(objects, "Pod")
    server = find(objects, "Deployment")["spec"]["template"]
    policy = next(each for each in objects if each["kind"] == "NetworkPolicy" and _selects(each, server))
    peers = policy["spec"]["ingress"][0]["from"]
    assert is_selected(peers[0]["podSelector"]["matchLabels"], test)
    assert peers[1] == {"namespaceSelector": {}}
    assert {} not in policy["spec"]["egress"]


def test_the_users_settings_win(helm: Helm) -> None:
    values = {
        "backend": "k8s",
        "eventLog": {"enabled": True, "dir": "s3a://logs"},
        "sparkConf": {
            "spark.eventLog.enabled": False,
            "spark.executor.instances": 0,
            "spark.executor.memory": "8g",
            "spark.big": 123456789012,
            "spark.part": 0.25,
            "spark.redaction.regex": r"(?i)secret\d",
            "spark.driver.host": "driver.example",
            "spark.app.name": "mine",
        },
    }
    objects = render(helm, values)
    conf = settings(objects)
    assert conf["spark.eventLog.enabled"] == "false"
    assert conf["spark.executor.instances"] == "0"
    assert conf["spark.executor.memory"] == "8g"
    assert conf["spark.big"] == "123456789012"
    assert conf["spark.part"] == "0.25"
    assert conf["spark.redaction.regex"] == r"(?i)secret\\d"
    (container,) = containers(find(objects, "Deployment")["spec"]["template"])
    pod_name = "spark.kubernetes.driver.pod.name=$(POD_NAME)"
    assert container["args"] == ["connect", "--name", "mine", "--conf", pod_name]


def test_gpus_on_executors(helm: Helm) -> None:
    objects = render(helm, {"backend": "k8s", "gpu": {"enabled": True, "count": 2}})
    conf = settings(objects)
    assert conf["spark.plugins"] == "com.nvidia.spark.SQLPlugin"
    assert conf["spark.executor.resource.gpu.amount"] == "2"
    assert conf["spark.executor.resource.gpu.vendor"] == "nvidia.com"
    (server,) = containers(find(objects, "Deployment")["spec"]["template"])
    assert "nvidia.com/gpu" not in server["resources"]["limits"]
    (executor,) = parse(find(objects, "ConfigMap")["data"]["executor.yaml"])
    volumes = {volume["name"]: volume for volume in executor["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in executor["spec"]["containers"][0]["volumeMounts"]}
    script = volumes[mounts["/opt/spark/gpu"]]["configMap"]
    assert script["defaultMode"] == 0o555
    assert conf["spark.executor.resource.gpu.discoveryScript"] == f"/opt/spark/gpu/{script['items'][0]['path']}"
    assert script["items"][0]["key"] in find(objects, "ConfigMap")["data"]


def test_gpus_on_the_server(helm: Helm) -> None:
    objects = render(helm, {"gpu": {"enabled": True}})
    (server,) = containers(find(objects, "Deployment")["spec"]["template"])
    assert server["resources"]["limits"] == {"memory": "4Gi", "nvidia.com/gpu": 1}
    conf = settings(objects)
    assert conf["spark.plugins"] == "com.nvidia.spark.SQLPlugin"
    assert not [key for key in conf if ".resource.gpu." in key]


def test_no_gpu_without_asking(helm: Helm) -> None:
    assert not re.search("nvidia|rapids", helm.template(PRESETS["k8s"]))


def test_credentials_come_from_a_secret_only(helm: Helm) -> None:
    objects = render(helm, EVERYTHING)
    assert not [key for key in settings(objects) if re.search(r"access\.key|secret|password|token", key)]
    for pod in pods(objects):
        if pod["metadata"].get("name", "").endswith("-test"):
            continue
        env = {each["name"]: each for each in containers(pod)[0]["env"]}
        for name, key in (("AWS_ACCESS_KEY_ID", "access-key"), ("AWS_SECRET_ACCESS_KEY", "secret-key")):
            assert env[name] == {"name": name, "valueFrom": {"secretKeyRef": {"name": "s3-keys", "key": key}}}


def test_what_the_user_adds_reaches_server_and_executors(helm: Helm) -> None:
    objects = render(helm, EVERYTHING)
    server = find(objects, "Deployment")["spec"]["template"]
    (executor,) = parse(find(objects, "ConfigMap")["data"]["executor.yaml"])
    for pod in (server, executor):
        assert pod["metadata"]["labels"]["team"] == "data"
        assert pod["metadata"]["annotations"]["note"] == "x"
        assert {"name": "TZ", "value": "UTC"} in containers(pod)[0]["env"]
        assert {"name": "ca", "mountPath": "/etc/ca"} in containers(pod)[0]["volumeMounts"]
    assert server["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert executor["spec"]["nodeSelector"] == {"gpu": "yes"}
    assert {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"} == {"demo-map", "demo-text"}


def test_a_changed_setting_restarts_the_server(helm: Helm) -> None:
    sums = {_checksum(render(helm, {"sparkConf": {"spark.x": value}})) for value in ("1", "2")}
    assert len(sums) == 2


def test_a_budget_comes_with_the_second_server(helm: Helm) -> None:
    kinds = [{each["kind"] for each in render(helm, {"connect": {"replicas": count}})} for count in (1, 2)]
    assert [("PodDisruptionBudget" in kind) for kind in kinds] == [False, True]


def _selects(policy: Document, pod: Document) -> bool:
    return is_selected(policy["spec"]["podSelector"]["matchLabels"], pod)


def _checksum(objects: tuple[Document, ...]) -> str:
    annotations = find(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    return str(annotations["checksum/config"])
