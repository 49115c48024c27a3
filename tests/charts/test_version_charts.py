"""spark-3.5 and spark-4.1 are one chart with other facts; presets and scenarios keep the names that people know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from buildgraph.values.scenarios import list_scenarios, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHARTS = Path(__file__).parents[2] / "charts"
OLD, NEW = "spark-3.5", "spark-4.1"
IMAGES = (
    "image",
    "gpuImage",
    "icebergImage",
    "gpuIcebergImage",
    *(f"jupyter.{key}" for key in ("image", "gpuImage", "icebergImage")),
)
DIFFERING = {
    "sparkVersion",
    *(f"{image}.{key}" for image in IMAGES for key in ("tag", "digest")),
    "eventLog.dir",
    "hiveMetastore.warehouse",
    "hiveMetastore.database.name",
}
FACTS = {"line", "scala", "versions", "hiveMetastore", "celebornClient"}
# Names that people know from charts that these ones replace.
PRESETS = {
    "backend/k8s",
    "backend/standalone",
    "backend/local",
    "client/jupyter",
    "client/airflow",
    "version/3.5.7",
    "version/3.5.8",
    "version/4.1.0",
    "version/4.1.1",
    "feature/iceberg-hadoop",
    "feature/iceberg-hive",
    "feature/iceberg-rest",
    "feature/gpu",
    "feature/celeborn",
    "feature/otel",
    "core/baseline",
    "platform/pss-restricted",
    "platform/pss-baseline",
    "platform/openshift-restricted",
    "platform/openshift-anyuid",
    "env/dev",
    "env/staging",
    "env/prod",
    "profile/cost-optimized",
    "profile/load-testing",
    "profile/standalone-prod-like",
}
SHARED = {
    *("core-baseline", "core-gpu", "core-iceberg", "core-gpu-iceberg", "gpu-values", "iceberg-values"),
    *("shared-infrastructure", "spark-infra", "spark-infra-values", "openshift-restricted", "openshift-anyuid"),
    *(f"{client}-connect-{backend}" for client in ("airflow", "jupyter") for backend in ("k8s", "standalone")),
    *("values-anyk8s", "values-connect-k8s", "values-connect-standalone", "values-sa-prodlike", "values-common"),
    *("values-prod-like", "values-scenario-airflow-connect", "dev", "staging", "prod"),
}
NAMES = {
    OLD: {
        *SHARED,
        *("airflow-standalone", "airflow-standalone-minimal", "jupyter-connect-standalone-minimal"),
        "values-demo-full-pipeline",
        *(
            f"{name}-{version}"
            for version in ("3.5.7", "3.5.8")
            for name in (
                *("airflow-connect-k8s", "airflow-connect-standalone", "airflow-gpu-connect-k8s"),
                *("airflow-iceberg-connect-k8s", "jupyter-connect-k8s", "jupyter-connect-standalone"),
            )
        ),
    },
    NEW: {
        *SHARED,
        *("cost-optimized-values", "load-testing-infra", "shared-only", "values-test-gpu-no-rapids"),
        *("jupyter-connect-k8s-gpu-4.1.0", "jupyter-connect-k8s-celeborn-4.1.0"),
        *(
            f"{name}-{version}"
            for version in ("4.1.0", "4.1.1")
            for name in (
                *("airflow-connect-k8s", "airflow-connect-standalone", "airflow-gpu-connect-k8s"),
                *("airflow-iceberg-connect-k8s", "jupyter-connect-k8s", "jupyter-connect-standalone"),
                "jupyter-connect-k8s-iceberg",
            )
        ),
        *(
            f"values-scenario-{name}"
            for name in (
                *("airflow-connect-k8s", "airflow-connect-standalone", "airflow-gpu-connect-k8s"),
                *("airflow-iceberg-connect-k8s", "airflow-k8s-submit", "airflow-operator"),
                *("jupyter-connect-k8s", "jupyter-connect-standalone"),
            )
        ),
    },
}


def load(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def files(chart: str) -> dict[str, bytes]:
    found = (CHARTS / chart).rglob("*")
    return {str(file.relative_to(CHARTS / chart)): file.read_bytes() for file in found if file.is_file()}


def test_templates_are_equal_byte_by_byte() -> None:
    old, new = (
        {name: text for name, text in files(chart).items() if name.startswith("templates/")} for chart in (OLD, NEW)
    )
    assert old
    assert old == new


def test_values_differ_in_facts_only() -> None:
    old, new = (dict(leaves(load(CHARTS / chart / "values.yaml"))) for chart in (OLD, NEW))
    assert list(old) == list(new)
    assert {path for path in old if old[path] != new[path]} <= DIFFERING
    assert all(old[path] != new[path] for path in DIFFERING if not path.endswith(".digest"))


def test_both_have_the_same_facts() -> None:
    assert {chart: set(load(CHARTS / chart / "facts.yaml")) for chart in (OLD, NEW)} == {OLD: FACTS, NEW: FACTS}


@pytest.mark.parametrize("chart", [OLD, NEW])
def test_a_chart_runs_the_newest_version_that_it_knows_and_has_a_preset_for_each(chart: str) -> None:
    versions = load(CHARTS / chart / "facts.yaml")["versions"]
    assert load(CHARTS / chart / "values.yaml")["sparkVersion"] == versions[-1]
    assert load(CHARTS / chart / "Chart.yaml")["appVersion"] == versions[-1]
    for version in versions:
        assert load(CHARTS / f"presets/version/{version}.yaml")["sparkVersion"] == version


@pytest.mark.parametrize("chart", [OLD, NEW])
def test_the_preset_of_the_newest_version_has_the_charts_own_images(chart: str) -> None:
    values = dict(leaves(load(CHARTS / chart / "values.yaml")))
    preset = dict(leaves(load(CHARTS / f"presets/version/{values['sparkVersion']}.yaml")))
    assert preset == {path: values[path] for path in preset}
    assert {path.rpartition(".")[0] for path in preset} == {"", *IMAGES}


def test_presets_have_the_names_that_are_promised() -> None:
    found = {
        file.relative_to(CHARTS / "presets").with_suffix("").as_posix() for file in CHARTS.glob("presets/*/*.yaml")
    }
    assert PRESETS - found == set()


def test_every_preset_begins_with_what_it_is_for() -> None:
    for file in CHARTS.glob("presets/*/*.yaml"):
        assert file.read_text(encoding="utf-8").startswith("# "), file


@pytest.mark.parametrize("chart", [OLD, NEW])
def test_every_known_name_has_a_scenario_or_a_reason(chart: str) -> None:
    table = read_table((CHARTS / "scenarios.yaml").read_text(encoding="utf-8"), "scenarios.yaml")
    there = {each.name for row in table.rows for each in list_scenarios(row) if each.chart == chart}
    absent = {name for each in table.absences if each.chart == chart for name in each.names}
    assert NAMES[chart] - there - absent == set()


def test_no_scenario_installs_airflow_and_each_says_so() -> None:
    table = read_table((CHARTS / "scenarios.yaml").read_text(encoding="utf-8"), "scenarios.yaml")
    rows = [row for row in table.rows if "client/airflow" in row.presets or "airflow" in row.name]
    assert rows
    assert [row.name for row in rows if "installed by" not in row.description] == []


def test_what_the_chart_asks_of_a_celeborn_client_is_what_the_support_gate_asks() -> None:
    tables = load(CHARTS.parent / "manifests/support.yaml")["components"]
    (table,) = (each for each in tables if each["title"] == "Celeborn client")
    line = load(CHARTS / NEW / "facts.yaml")
    (row,) = (each for each in table["rows"] if each["verdict"] == "supported")
    assert row["with"] == [f"{line['line']}.*"]
    assert row["versions"] == [f">={line['celebornClient']}"]
