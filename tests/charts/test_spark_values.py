"""The Spark 4.1 chart's values: what the schema and the templates refuse, and that schema, README and pins agree."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure
from buildgraph.pin import IMAGES_ANNOTATION, PinValues, read_pin, splice, splice_images, splice_scalar
from tests.charts import values_table
from tests.charts.presets import DIGEST, OTHER_DIGEST
from tests.charts.rendering import Document, Helm, containers, pods, reference, render

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = values_table.CHART.parents[1]


@pytest.mark.parametrize(
    "values",
    [
        {"sparkconf": {}},
        {"image": {"name": "x"}},
        {"image": {"digest": "sha256:1"}},
        {"image": {"digest": DIGEST.upper()}},
        {"image": {"tag": 4.1}},
        {"image": {"tag": "a:b"}},
        {"image": {"repository": ""}},
        {"gpu": {"image": {"digest": "x"}}},
        {"gpu": {"count": 0}},
        {"backend": "standalone"},
        {"connect": {"replicas": -1}},
        {"connect": {"memory": "1 GB"}},
        {"executor": {"memroy": "1g"}},
        {"sparkConf": {"spark.x": "a\nspark.y=b"}},
        {"sparkConf": {"spark.x y": "z"}},
        {"sparkConf": {"hadoop.x": "z"}},
        {"s3": {"accessKey": "x"}},
        {"networkPolicy": {"enabled": "yes"}},
    ],
    ids=str,
)
def test_the_schema_refuses(helm: Helm, values: Document) -> None:
    assert "values don't meet the specifications of the schema" in helm.refusal(values)


def test_the_schema_takes_what_a_parent_chart_adds(helm: Helm) -> None:
    values = {"enabled": True, "global": {"imageRegistry": "mirror.example", "other": {"deep": 1}}}
    assert render(helm, values)


def test_all_contradictions_are_named_at_once(helm: Helm) -> None:
    refusal = helm.refusal(
        {
            "backend": "k8s",
            "image": {"tag": f"4.1.1@{DIGEST}", "digest": OTHER_DIGEST},
            "connect": {"replicas": 2, "service": {"sessionAffinity": "None"}},
            "eventLog": {"enabled": True},
            "serviceAccount": {"create": False},
        }
    )
    assert f"image.tag holds {DIGEST}, but image.digest is {OTHER_DIGEST}" in refusal
    assert "connect.replicas is more than 1" in refusal
    assert "eventLog.enabled needs eventLog.dir" in refusal
    assert "needs serviceAccount.name" in refusal


def test_latest_without_a_digest_is_refused(helm: Helm) -> None:
    assert "image.tag is latest" in helm.refusal({"image": {"tag": "latest", "digest": ""}})
    with pytest.raises(BuildFailure):
        helm.template({"gpu": {"enabled": True, "image": {"tag": "latest", "digest": ""}}})


def test_values_and_schema_name_the_same_keys() -> None:
    schema = values_table.load_schema()
    named = {path for path, _ in values_table.walk_values(values_table.load_values(), schema)}
    assert named == set(values_table.walk_schema(schema)) - {"enabled"}
    assert [path for path in named if not values_table.describe(schema, path).get("description")] == []


def test_the_readme_shows_the_values_as_they_are() -> None:
    readme = (values_table.CHART / "README.md").read_text(encoding="utf-8")
    table = values_table.render_table(values_table.load_values(), values_table.load_schema())
    assert values_table.insert_table(readme, table) == readme, "run: python -m tests.charts.values_table"


def test_the_chart_lists_the_images_that_it_runs() -> None:
    chart = yaml.safe_load((values_table.CHART / "Chart.yaml").read_text(encoding="utf-8"))
    listed = {each["name"]: each["image"] for each in yaml.safe_load(chart["annotations"][IMAGES_ANNOTATION[-1]])}
    assert listed == {"spark-4.1": reference("image"), "spark-4.1-gpu": reference("gpu.image")}
    assert values_table.load_values()["image"]["tag"].startswith(chart["appVersion"])


@pytest.mark.parametrize("tag", ["4.1.1-gpu", "4.10", "1e3", "0x1f", "0o17", "1_0", "y", "null", "2026-01-01", "1.2e3"])
def test_helm_reads_the_pin_that_was_written(helm: Helm, tmp_path: Path, tag: str) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(values_table.CHART, chart)
    pin = PinValues(registry="docker.io", repository="a/b", tag=tag, digest=DIGEST)
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    (chart / "values.yaml").write_text(splice(text, "gpu.image", pin, file="values.yaml"), encoding="utf-8")
    objects = render(replace(helm, chart=chart), {"gpu": {"enabled": True}})
    assert {c["image"] for pod in pods(objects) for c in containers(pod)} == {f"docker.io/a/b:{tag}@{DIGEST}"}


def test_the_charts_metadata_is_pinned_line_by_line() -> None:
    text = (values_table.CHART / "Chart.yaml").read_text(encoding="utf-8")
    spliced = splice_images(text, {"spark-4.1-gpu": f"docker.io/a/b:x@{DIGEST}"}, file="Chart.yaml")
    changed = [new for old, new in zip(text.splitlines(), spliced.splitlines(), strict=True) if old != new]
    assert changed == [f"      image: docker.io/a/b:x@{DIGEST}"]
    assert splice_scalar(text, "appVersion", "4.1.2", file="Chart.yaml") == text.replace('"4.1.1"', '"4.1.2"')


def test_every_declared_pin_stands_in_its_file() -> None:
    pins = yaml.safe_load((PROJECT / "manifests/pins.yaml").read_text(encoding="utf-8"))["pins"]
    assert {(pin["image"], pin["path"]) for pin in pins} >= {("spark-4.1", "image"), ("spark-4.1-gpu", "gpu.image")}
    for pin in pins:
        text = (PROJECT / pin["file"]).read_text(encoding="utf-8")
        assert read_pin(text, pin["path"], file=pin["file"]).repository


@pytest.mark.parametrize(("indexes", "addresses"), [("0", ["0"]), ("0\n3", ["0", "3"])])
def test_the_discovery_script_says_which_gpus_there_are(tmp_path: Path, indexes: str, addresses: list[str]) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\necho '{indexes}'\n", encoding="utf-8")
    smi.chmod(0o755)
    script = str(values_table.CHART / "files/discover-gpus.sh")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = process.output(["sh", script], scratch=tmp_path, cancel=process.Never(), env=env)
    assert json.loads(said) == {"name": "gpu", "addresses": addresses}
