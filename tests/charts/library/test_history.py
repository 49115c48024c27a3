"""Event logs: who writes and reads them, and the prefix that must be there first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers, environment, find_pod, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

S3: Document = {"endpoint": "http://s3:9000", "region": "eu-1", "existingSecret": "keys"}
ON: Document = {"historyServer": {"enabled": True}, "global": {"s3": S3}}


def test_applications_write_where_the_server_reads(render: Render) -> None:
    objects = render("spark-4.1", {**ON, "eventLog": {"enabled": True, "dir": "s3a://logs/events"}})
    conf, history = settings(objects), settings(objects, "history")
    assert conf["spark.eventLog.enabled"] == conf["spark.eventLog.rolling.enabled"] == "true"
    assert conf["spark.eventLog.dir"] == history["spark.history.fs.logDirectory"] == "s3a://logs/events"
    shared = {key: value for key, value in conf.items() if key.startswith("spark.hadoop.fs.s3a.")}
    assert shared["spark.hadoop.fs.s3a.endpoint"] == "http://s3:9000"
    assert shared.items() <= history.items()


def test_a_server_may_read_elsewhere_and_keep_all(render: Render) -> None:
    server = {"enabled": True, "logDir": "s3a://others/logs", "cleaner": {"enabled": False}, "memory": "3g"}
    objects = render("spark-4.1", {"historyServer": server})
    history = settings(objects, "history")
    assert history["spark.history.fs.logDirectory"] == "s3a://others/logs"
    assert {key: value for key, value in history.items() if "cleaner" in key} == {
        "spark.history.fs.cleaner.enabled": "false"
    }
    assert "spark.eventLog.enabled" not in settings(objects)
    assert environment(find_pod(objects, "history")["spec"]["containers"][0])["SPARK_DAEMON_MEMORY"] == "3g"


def test_a_prefix_on_s3_is_made_with_what_spark_is_told_of_s3(render: Render) -> None:
    user = {"spark.hadoop.fs.s3a.endpoint": "http://other:9000", "spark.hadoop.fs.s3a.x": r"a\b"}
    event_log = {"enabled": True, "dir": "s3a://logs/events"}
    objects = render("spark-4.1", {**ON, "eventLog": event_log, "sparkConf": user})
    for component in ("connect", "history"):
        first, _ = containers(find_pod(objects, component))
        options = first["args"][4:]
        assert options[-3:] == ["-mkdir", "-p", "s3a://logs/events"]
        assert {"fs.s3a.endpoint=http://other:9000", "fs.s3a.endpoint.region=eu-1", r"fs.s3a.x=a\b"} <= set(options)
        assert options[:-3:2] == ["-D"] * (len(options[:-3]) // 2)
        assert {each["name"] for each in first["env"]} >= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.mark.parametrize(
    "event_log",
    [
        {"enabled": False},
        {"enabled": True, "dir": "file:///logs"},
        {"enabled": True, "dir": "s3a://logs", "createPrefix": False},
    ],
)
def test_otherwise_nothing_is_made(render: Render, event_log: Document) -> None:
    assert "initContainers" not in find_pod(render("spark-4.1", {"eventLog": event_log}))["spec"]
