"""Spark's settings: the user has the last word, lists grow, and what is written is what Java reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers, find_pod, settings
from tests.helm import RELEASES

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

JARS: Document = {"volume": {"persistentVolumeClaim": {"claimName": "jars"}}}
TRACES: Document = {"enabled": True, "agentJar": "agent.jar", "endpoint": "http://collector:4317"}
ICEBERG: Document = {"enabled": True, "catalog": {"warehouse": "s3a://warehouse"}}

every_helm = pytest.mark.parametrize("helm", RELEASES)


def checksums(objects: tuple[Document, ...], *components: str) -> list[str]:
    return [find_pod(objects, each)["metadata"]["annotations"]["checksum/config"] for each in components]


@every_helm
def test_the_users_settings_win_as_they_are_written(render: Render, helm: str) -> None:
    user = {
        "spark.eventLog.enabled": False,
        "spark.executor.instances": 0,
        "spark.executor.memory": "8g",
        "spark.big": 123456789012,
        "spark.huge": 1e21,
        "spark.part": 0.25,
        "spark.text": "007",
        "spark.redaction.regex": r"(?i)secret\d",
        "spark.none": "",
        "spark.driver.port": None,
    }
    objects = render("spark-4.1", {"eventLog": {"enabled": True}, "sparkConf": user}, helm=helm)
    conf = settings(objects)
    assert {key: conf.get(key) for key in user} == {
        "spark.eventLog.enabled": "false",
        "spark.executor.instances": "0",
        "spark.executor.memory": "8g",
        "spark.big": "123456789012",
        "spark.huge": "1000000000000000000000",
        "spark.part": "0.25",
        "spark.text": "007",
        "spark.redaction.regex": r"(?i)secret\\d",
        "spark.none": "",
        "spark.driver.port": None,
    }


def test_settings_that_are_lists_are_joined(render: Render) -> None:
    iceberg = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    mine = {
        "spark.sql.extensions": f"org.mine.Extensions, {iceberg}",
        "spark.plugins": "org.mine.Plugin",
        "spark.driver.extraClassPath": "/mine.jar",
        "spark.extraListeners": "org.mine.Listener",
    }
    features = {"iceberg": ICEBERG, "gpu": {"enabled": True}}
    conf = settings(render("spark-4.1", {"features": features, "extraJars": JARS, "sparkConf": mine}))
    assert conf["spark.sql.extensions"] == f"{iceberg},org.mine.Extensions"
    assert conf["spark.plugins"] == "com.nvidia.spark.SQLPlugin,org.mine.Plugin"
    assert conf["spark.driver.extraClassPath"] == "/opt/spark/extra-jars/*:/mine.jar"
    assert conf["spark.executor.extraClassPath"] == "/opt/spark/extra-jars/*"
    assert conf["spark.extraListeners"] == "org.mine.Listener"


def test_options_of_java_keep_every_word(render: Render) -> None:
    mine = '--add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED -Dtitle="a  b"'
    both = {f"spark.{process}.extraJavaOptions": mine for process in ("driver", "executor")}
    conf = settings(render("spark-4.1", {"features": {"openTelemetry": TRACES}, "extraJars": JARS, "sparkConf": both}))
    for process in ("driver", "executor"):
        options = conf[f"spark.{process}.extraJavaOptions"]
        assert options.endswith(f" {mine}")
        assert f"-javaagent:/opt/spark/extra-jars/agent.jar -Dotel.service.name=demo-spark-4-1-{process} " in options
    assert conf["spark.driver.extraJavaOptions"].startswith("-Dderby.system.home=/tmp/spark-derby ")


def test_arguments_of_the_server_yield_to_the_user(render: Render) -> None:
    user = {
        "spark.app.name": "mine",
        "spark.driver.host": "driver.example",
        "spark.connect.grpc.binding.address": "::1",
    }
    arguments = [
        containers(find_pod(render("spark-4.1", {"sparkConf": conf})))[0]["args"]
        for conf in ({}, user, {"spark.driver.host": None})
    ]
    host = ["--conf", "spark.driver.host=$(POD_IP)"]
    pod = ["--conf", "spark.kubernetes.driver.pod.name=$(POD_NAME)"]
    assert arguments == [
        ["connect", "--name", "demo-spark-4-1", *host, *pod],
        ["connect", "--name", "mine", "--conf", "spark.connect.grpc.binding.address=::1", *pod],
        ["connect", "--name", "demo-spark-4-1", *pod],
    ]


def test_a_change_restarts_the_processes_that_read_it(render: Render) -> None:
    components = ("connect", "history", "master", "worker")
    values = {"standalone": {"enabled": True}, "historyServer": {"enabled": True}}
    before, application, all_of_them = (
        render("spark-4.1", {**values, "sparkConf": conf})
        for conf in ({}, {"spark.sql.shuffle.partitions": 8}, {"spark.network.timeout": "200s"})
    )
    was = checksums(before, *components)
    assert [new == old for new, old in zip(checksums(application, *components), was, strict=True)] == [
        False,
        False,
        True,
        True,
    ]
    assert not set(checksums(all_of_them, *components)) & set(was)
    assert settings(application, "history")["spark.sql.shuffle.partitions"] == "8"
    for component in components:
        assert settings(all_of_them, component)["spark.network.timeout"] == "200s"


def test_a_change_of_executor_pods_restarts_their_server(render: Render) -> None:
    one, other = (render("spark-4.1", {"executor": {"podLabels": {"team": team}}}) for team in ("a", "b"))
    assert checksums(one, "connect") != checksums(other, "connect")
