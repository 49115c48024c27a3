"""Monitors ask for what Spark serves, and dashboards for metrics that were seen: each recorded scrape says which."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

SCRAPES = Path(__file__).parents[1] / "testdata"
METRIC = re.compile(r"\b(?:metrics|spark)_\w+(?=[{])")
LABEL = re.compile(r'(\w+)=~?"')
TARGET_LABELS = {"namespace", "pod"}
"""Labels that Prometheus gives each metric of a pod."""
ON: Document = {key: {"enabled": True} for key in ("serviceMonitor", "podMonitor", "dashboards")}
TITLES = ["Executor Metrics", "Job Performance", "Spark Overview"]

every_line = pytest.mark.parametrize("line", ["3.5", "4.1"])


def read_scrape(line: str) -> str:
    return (SCRAPES / f"scrape-{line}.prom").read_text(encoding="utf-8")


def read_dashboards(render: Render, line: str) -> list[Document]:
    objects = render(f"spark-{line}", {"monitoring": ON})
    (config,) = (each for each in objects if each["metadata"]["name"].endswith("-dashboards"))
    return [json.loads(text) for _, text in sorted(config["data"].items())]


def queries(dashboard: Document) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (each["query"] for each in dashboard["templating"]["list"] if each["type"] == "query")


@every_line
def test_every_metric_and_label_of_a_dashboard_was_seen(render: Render, line: str) -> None:
    seen = {metric: set(LABEL.findall(labels)) for metric, labels in re.findall(r"(\w+){(.*)}", read_scrape(line))}
    for dashboard in read_dashboards(render, line):
        for query in queries(dashboard):
            assert METRIC.findall(query), query
            for metric in METRIC.findall(query):
                assert metric in seen, f"{dashboard['title']}: {metric}"
            labels = set(LABEL.findall(query)) | set(re.findall(r'(\w+)!="', query))
            assert labels <= TARGET_LABELS | set.union(*(seen[metric] for metric in METRIC.findall(query))), query


@every_line
def test_the_lines_of_a_panel_are_named_by_labels_that_its_metrics_have(render: Render, line: str) -> None:
    seen = dict(re.findall(r"(\w+){(.*)}", read_scrape(line)))
    for dashboard in read_dashboards(render, line):
        for target in (target for panel in dashboard["panels"] for target in panel["targets"]):
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert label in TARGET_LABELS or all(
                    f"{label}=" in seen[metric] for metric in METRIC.findall(target["expr"])
                )


@every_line
def test_panels_have_their_places_and_dashboards_their_names(render: Render, line: str) -> None:
    dashboards = read_dashboards(render, line)
    assert sorted(each["title"].partition(":")[0] for each in dashboards) == TITLES
    assert len({each["uid"] for each in dashboards}) == len(TITLES)
    for dashboard in dashboards:
        for one, other in combinations([panel["gridPos"] for panel in dashboard["panels"]], 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or above


def test_releases_have_dashboards_of_their_own(render: Render) -> None:
    uids = [
        json.loads(text)["uid"]
        for namespace in ("one", "two")
        for each in render("spark-4.1", {"monitoring": ON}, "--namespace", namespace)
        if each["metadata"]["name"].endswith("-dashboards")
        for text in each["data"].values()
    ]
    assert len(set(uids)) == 2 * len(TITLES)


@every_line
def test_the_server_is_asked_for_what_was_recorded(render: Render, line: str) -> None:
    objects = render(f"spark-{line}", {"monitoring": ON})
    asked = {
        endpoint["path"]
        for each in objects
        if each["kind"] in {"ServiceMonitor", "PodMonitor"}
        for endpoint in each["spec"].get("endpoints", each["spec"].get("podMetricsEndpoints"))
    }
    assert asked == set(re.findall(r"^# (/\S+)$", read_scrape(line), re.MULTILINE))


@pytest.mark.parametrize("monitor", [None, "serviceMonitor", "podMonitor"])
def test_spark_gives_metrics_when_somebody_collects_them(render: Render, monitor: str | None) -> None:
    values = {"monitoring": {monitor: {"enabled": True}}} if monitor else {}
    objects = render("spark-4.1", values)
    (config,) = (each for each in objects if "spark-defaults.conf" in each.get("data", {}))
    text = config["data"]["spark-defaults.conf"]
    assert ("spark.metrics.namespace=spark" in text.splitlines()) is bool(monitor)
    assert ("metrics" in text) is bool(monitor)
    assert [each["kind"] for each in objects if each["kind"].endswith("Monitor")] == (
        [monitor[0].upper() + monitor[1:]] if monitor else []
    )


def test_a_cluster_is_asked_as_well(render: Render) -> None:
    objects = render("spark-4.1", {"monitoring": ON, "standalone": {"enabled": True}})
    names = {(each["kind"], each["metadata"]["name"].rpartition("-")[2]) for each in objects}
    assert {("ServiceMonitor", "master"), ("PodMonitor", "worker")} <= names
    for component in ("master", "worker"):
        (config,) = (
            each
            for each in objects
            if each["kind"] == "ConfigMap" and each["metadata"]["name"].endswith(f"-{component}")
        )
        assert "spark.metrics.conf.master.sink.prometheusServlet.path" in config["data"]["spark-defaults.conf"]
