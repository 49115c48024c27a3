"""Features of applications: Iceberg's catalogs, GPUs where tasks run, Celeborn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers, find, find_pod, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

METASTORE = "thrift://theirs:9083"
CATALOG = "spark.sql.catalog."
SPARK_CATALOG = "org.apache.iceberg.spark.SparkCatalog"
SCRIPT = "/opt/spark/scripts/discover-gpus.sh"


@pytest.mark.parametrize(
    ("catalog", "rendered"),
    [
        (
            {"type": "hadoop", "warehouse": "s3a://tables"},
            {"iceberg": SPARK_CATALOG, "iceberg.type": "hadoop", "iceberg.warehouse": "s3a://tables"},
        ),
        (
            {"type": "hive", "name": "spark_catalog"},
            {
                "spark_catalog": "org.apache.iceberg.spark.SparkSessionCatalog",
                "spark_catalog.type": "hive",
                "spark_catalog.uri": METASTORE,
            },
        ),
        (
            {
                "type": "rest",
                "name": "lake",
                "uri": "http://rest:8181",
                "warehouse": "w",
                "fileIO": "org.apache.iceberg.aws.s3.S3FileIO",
                "existingSecret": "token",
            },
            {
                "lake": SPARK_CATALOG,
                "lake.type": "rest",
                "lake.uri": "http://rest:8181",
                "lake.warehouse": "w",
                "lake.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
                "lake.token": "env:ICEBERG_REST_TOKEN",
            },
        ),
    ],
    ids=("hadoop", "hive", "rest"),
)
def test_iceberg_has_a_catalog_of_each_type(render: Render, catalog: Document, rendered: dict[str, str]) -> None:
    values = {
        "features": {"iceberg": {"enabled": True, "catalog": catalog}},
        "hiveMetastore": {"externalUri": METASTORE},
    }
    objects = render("spark-4.1", values)
    conf = settings(objects)
    assert {key.removeprefix(CATALOG): value for key, value in conf.items() if key.startswith(CATALOG)} == rendered
    (server,) = containers(find_pod(objects))
    token = {"secretKeyRef": {"name": "token", "key": "token"}}
    has_token = {"name": "ICEBERG_REST_TOKEN", "valueFrom": token} in server["env"]
    assert has_token is bool(catalog.get("existingSecret"))


def test_one_server_may_keep_its_tables(render: Render) -> None:
    values = {"connect": {"backendMode": "local"}, "features": {"iceberg": {"enabled": True}}}
    conf = settings(render("spark-4.1", values))
    assert conf["spark.sql.catalog.iceberg.warehouse"] == "/tmp/iceberg-warehouse"


@pytest.mark.parametrize(("mode", "component"), [("local", "connect"), ("k8s", "executor"), ("standalone", "worker")])
def test_gpus_are_where_tasks_run(render: Render, mode: str, component: str) -> None:
    gpu = {"enabled": True, "vendor": "amd.com", "runtimeClassName": "gpus"}
    values = {
        "connect": {"backendMode": mode},
        "standalone": {"enabled": mode == "standalone"},
        "features": {"gpu": gpu},
    }
    objects = render("spark-4.1", values)
    conf = settings(objects)
    assert conf["spark.plugins"] == "com.nvidia.spark.SQLPlugin"
    assert conf.get("spark.executor.resource.gpu.amount") == (None if mode == "local" else "1")
    assert conf.get("spark.task.resource.gpu.amount") == (None if mode == "local" else "0.25")
    # Executors' pods get their GPUs from Spark, which is told the vendor; others get them here.
    assert conf.get("spark.executor.resource.gpu.vendor") == ("amd.com" if mode == "k8s" else None)
    for name in {"connect", component}:
        pod = find_pod(objects, name)
        (container,) = containers(pod)
        limits = container.get("resources", {}).get("limits", {})
        assert limits.get("amd.com/gpu") == (1 if name == component and mode != "k8s" else None)
        assert pod["spec"].get("runtimeClassName") == ("gpus" if name == component else None)


@pytest.mark.parametrize(("mode", "component"), [("k8s", "executor"), ("standalone", "worker")])
def test_gpus_are_found_by_a_script(render: Render, mode: str, component: str) -> None:
    values = {
        "connect": {"backendMode": mode},
        "standalone": {"enabled": mode == "standalone"},
        "features": {"gpu": {"enabled": True}},
    }
    objects = render("spark-4.1", values)
    conf = settings(objects, "connect" if mode == "k8s" else "worker")
    assert conf[f"spark.{component}.resource.gpu.discoveryScript"] == SCRIPT
    pod = find_pod(objects, component)
    (container,) = containers(pod)
    volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    directory, _, name = SCRIPT.rpartition("/")
    scripts = volumes[mounts[directory]]["configMap"]
    assert scripts["defaultMode"] == 0o555
    assert {"key": name, "path": name} in scripts["items"]
    assert find(objects, "ConfigMap", component)["data"][name].startswith("#!/bin/sh\n")


def test_celeborn_takes_the_shuffles_over(render: Render) -> None:
    values = {
        "features": {"celeborn": {"enabled": True, "clientVersion": "0.7.0", "masters": ["one:9097", "two:9097"]}},
        "extraJars": {"volume": {"persistentVolumeClaim": {"claimName": "jars"}}},
        "executor": {"dynamicAllocation": {"enabled": True}},
    }
    objects = render("spark-4.1", values)
    conf = settings(objects)
    assert conf["spark.shuffle.manager"] == "org.apache.spark.shuffle.celeborn.SparkShuffleManager"
    assert conf["spark.celeborn.master.endpoints"] == "one:9097,two:9097"
    assert conf["spark.celeborn.client.push.replicate.enabled"] == "true"
    assert conf["spark.dynamicAllocation.enabled"] == "true"
    # Executors hold no shuffles, so none waits with them to be fetched.
    assert conf["spark.dynamicAllocation.shuffleTracking.enabled"] == "false"
    assert conf["spark.storage.decommission.shuffleBlocks.enabled"] == "false"
    for component in ("connect", "executor"):
        pod = find_pod(objects, component)
        assert {"name": "extra-jars", "persistentVolumeClaim": {"claimName": "jars"}} in pod["spec"]["volumes"]
        assert "/opt/spark/extra-jars" in [each["mountPath"] for each in containers(pod)[0]["volumeMounts"]]
