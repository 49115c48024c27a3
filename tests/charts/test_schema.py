"""What the schemas of the charts' values refuse, in both Helms, and what they leave to parents and users."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
import yaml

from buildgraph.adapters.workspace import Workspace
from buildgraph.app.documenting import check_pages
from buildgraph.values.overlays import lay
from tests.charts.refused_values import REFUSED, Refused, make_batches
from tests.charts.rendering import Helm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.charts.rendering import Document

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
SPARK_CHARTS = ("spark-3.5", "spark-4.1")
DESCRIBED = (*SPARK_CHARTS, "spark-infra")
SCENARIOS = sorted((CHARTS / "scenarios").glob("*/*.yaml"))


def make_stub(folder: Path, chart: str) -> Path:
    """A chart that has the values, the schema and the library of a real one and renders the values that it gets."""
    stub = folder / chart
    shutil.copytree(CHARTS / chart, stub, ignore=shutil.ignore_patterns("templates", "charts", "ci"))
    library = stub / "charts/spark-base"
    library.mkdir(parents=True)
    shutil.copy(CHARTS / "spark-base/Chart.yaml", library)
    (stub / "templates").mkdir()
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {values: {{ toJson .Values | quote }}}\n"
    )
    (stub / "templates/values.yaml").write_text(template, encoding="utf-8")
    return stub


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stubs")
    return {chart: make_stub(folder, chart) for chart in REFUSED}


@pytest.fixture(scope="session")
def stub(stubs: dict[str, Path]) -> Path:
    return stubs["spark-4.1"]


def take(helm: Helm, chart: Path, values: Document, *options: str) -> Document:
    """The values as templates see them."""
    text = Helm(helm.program, chart).template(values, *options)
    seen: Document = json.loads(yaml.safe_load(text)["data"]["values"])
    return seen


def major(helm: Helm) -> str:
    return helm.program.name.removeprefix("helm-").split(".")[0]


BATCHES = [(chart, batch) for chart, mistakes in REFUSED.items() for batch in make_batches(mistakes)]


@pytest.mark.parametrize(("chart", "batch"), BATCHES, ids=lambda each: each if isinstance(each, str) else len(each))
def test_all_mistakes_are_told_each_with_its_place(
    helm: Helm, stubs: dict[str, Path], chart: str, batch: list[Refused]
) -> None:
    said = Helm(helm.program, stubs[chart]).refusal(lay(mistake.values for mistake in batch))
    lines = (line.strip().removeprefix("- ") for line in said.splitlines() if line.strip().startswith("- "))
    told = sorted(line for line in lines if not line.endswith(": validation failed"))
    assert told == sorted(mistake.line(major(helm)) for mistake in batch)


@pytest.mark.parametrize(
    ("security", "fragments"),
    [
        ({"mode": "custom"}, ("podSecurityContext", "containerSecurityContext")),
        ({"mode": "openshift", "podSecurityContext": {"runAsUser": 0}}, ("podSecurityContext",)),
        ({"containerSecurityContext": {"privileged": True}}, ("containerSecurityContext",)),
    ],
    ids=str,
)
def test_contexts_belong_to_the_mode_custom(
    helm: Helm, stub: Path, security: Document, fragments: tuple[str, ...]
) -> None:
    said = Helm(helm.program, stub).refusal({"security": security})
    assert [fragment for fragment in fragments if fragment not in said] == []


@pytest.mark.parametrize("key", ["hadoop.x", "spark.x y", "spark.", "spark.x=y"])
def test_settings_are_those_of_spark(helm: Helm, stub: Path, key: str) -> None:
    said = Helm(helm.program, stub).refusal({"sparkConf": {key: "z"}})
    assert f'Property name of "{key}" does not match' in said or f"invalid propertyName '{key}'" in said


def test_what_is_free_stays_free(helm: Helm, stub: Path) -> None:
    values: Document = {
        "commonLabels": {"example.com/team": "data"},
        "sparkConf": {"spark.a": "x", "spark.b": 1, "spark.c": True, "spark.d": 0.5, "spark.e": None},
        "connect": {"resources": {"limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}, "podAnnotations": {"a/b": "1"}},
        "scheduling": {"affinity": {"nodeAffinity": {"x": 1}}, "tolerations": [{"operator": "Exists"}]},
        "extraJars": {"volume": {"persistentVolumeClaim": {"claimName": "jars"}}},
        "extraEnv": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "extraVolumes": [{"name": "a", "emptyDir": {}}],
        "extraObjects": [{"kind": "Secret"}, "kind: Secret"],
        "security": {
            "mode": "custom",
            "podSecurityContext": {"fsGroup": 1},
            "containerSecurityContext": {"privileged": False},
        },
        "global": {"imagePullSecrets": ["a", {"name": "b"}]},
    }
    seen = take(helm, stub, values)
    assert seen["extraObjects"] == values["extraObjects"]
    assert {key: value for key, value in seen["sparkConf"].items() if value is not None} == {
        key: value for key, value in values["sparkConf"].items() if value is not None
    }


def test_a_default_can_be_taken_away(helm: Helm, stub: Path) -> None:
    seen = take(helm, stub, {"connect": {"resources": {"limits": None}}})
    assert "limits" not in seen["connect"]["resources"]


def test_one_values_file_serves_the_store_and_the_spark_charts(helm: Helm, stubs: dict[str, Path]) -> None:
    file = str(CHARTS / "presets/core/store.yaml")
    for chart in stubs.values():
        assert take(helm, chart, {}, "--values", file)["global"]["s3"]["existingSecret"] == "s3-keys"


def test_a_parent_chart_adds_its_globals_and_a_condition(helm: Helm, stub: Path, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(stub, parent / "charts/spark-4.1")
    # Helm gives a dependency with a dot in its name no values at all; an alias helps.
    dependency = {"name": "spark-4.1", "version": "0.2.0", "alias": "spark", "condition": "spark.enabled"}
    metadata = {"apiVersion": "v2", "name": "parent", "version": "0.1.0", "dependencies": [dependency]}
    (parent / "Chart.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
    (parent / "values.yaml").write_text("spark: {enabled: true}\n", encoding="utf-8")
    values = {"global": {"imageRegistry": "mirror.example", "domain": "example.com", "other": {"deep": 1}}}
    seen = take(helm, parent, values)
    assert seen["enabled"] is True
    assert seen["global"]["domain"] == "example.com"
    assert "global.s3" in Helm(helm.program, parent).refusal({"global": {"s3": {"accessKey": "x"}}}).replace("/", ".")


def test_what_is_written_from_the_sources_is_up_to_date() -> None:
    check_pages(Workspace(ROOT))


def test_the_version_charts_have_one_schema() -> None:
    first, second = ((CHARTS / chart / "values.schema.json").read_bytes() for chart in SPARK_CHARTS)
    assert first == second


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_scenario_meets_the_schema_of_its_chart(file: Path) -> None:
    schema = json.loads((CHARTS / file.parent.name / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("chart", SPARK_CHARTS)
def test_a_scenario_is_taken_as_a_values_file(helm: Helm, chart: str, tmp_path: Path) -> None:
    file = CHARTS / "scenarios" / chart / "prod.yaml"
    seen = take(helm, make_stub(tmp_path, chart), {}, "--values", str(file))
    assert seen["connect"]["replicas"] == 3


def load_schema(chart: str) -> Document:
    schema: Document = json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))
    return schema


def walk(schema: Document, node: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Document]]:
    """Every key that the schema names, with what it says of it."""
    for key, below in node.get("properties", {}).items():
        target = schema["definitions"].get(below.get("$ref", "").removeprefix("#/definitions/"), {})
        resolved = {**target, **below}
        yield (*path, key), resolved
        yield from walk(schema, resolved, (*path, key))


def nest(path: tuple[str, ...], value: object) -> Document:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("chart", DESCRIBED)
def test_free_maps_are_those_that_must_be(chart: str) -> None:
    schema = load_schema(chart)
    free = {
        path[-1] if len(path) > 1 else path[0]
        for path, node in walk(schema, schema)
        if node.get("type") == "object" and node.get("additionalProperties", True) is not False
    }
    labels = {"commonLabels", "podLabels", "podAnnotations", "annotations", "labels", "nodeSelector"}
    kubernetes = {"requests", "limits", "affinity", "rollingUpdate", "volume"}
    contexts = {"podSecurityContext", "containerSecurityContext"}
    assert free <= {"global", *labels, *kubernetes, *contexts, "sparkConf"}


@pytest.mark.parametrize("chart", DESCRIBED)
def test_every_other_map_refuses_unknown_keys_and_every_leaf_a_value_of_another_kind(chart: str) -> None:
    schema = load_schema(chart)
    validator = jsonschema_rs.validator_for(schema)
    taken = []
    for path, node in walk(schema, schema):
        if "properties" in node:
            is_open = node.get("additionalProperties") is True
            taken += [path] if validator.is_valid(nest(path, {"no such key": 1})) and not is_open else []
        wrong = "text" if node.get("type") in ("object", "array") else {"no": "scalar"}
        taken += [path] if validator.is_valid(nest(path, wrong)) else []
    assert taken == []
