"""The images that the charts name are those that pins write, and both Helms read what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from buildgraph.pin import IMAGES_ANNOTATION, PinValues, read_pin, splice, splice_images, splice_scalar
from tests.charts.rendering import Helm
from tests.charts.test_schema import make_stub

if TYPE_CHECKING:
    from tests.charts.rendering import Document

PROJECT = Path(__file__).parents[2]
SPARK_CHARTS = ("spark-3.5", "spark-4.1")
CHARTS = (*SPARK_CHARTS, "spark-infra")
DIGEST = "sha256:" + "ab" * 32


def load_pins() -> list[dict[str, str]]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "manifests/pins.yaml").read_text(encoding="utf-8"))
    pins: list[dict[str, str]] = loaded["pins"]
    return pins


def find_blocks(values: Document, path: str = "") -> set[str]:
    """Where there are blocks of images."""
    found = {path} if {"repository", "digest"} <= values.keys() else set()
    below = ((f"{path}.{key}".lstrip("."), value) for key, value in values.items())
    return found.union(*(find_blocks(value, key) for key, value in below if isinstance(value, dict)))


def test_every_image_of_a_values_file_is_pinned_or_has_a_reason() -> None:
    pinned = {(pin["file"], pin["path"]) for pin in load_pins()}
    files = [f"charts/{chart}/values.yaml" for chart in CHARTS]
    files += [file.relative_to(PROJECT).as_posix() for file in (PROJECT / "charts/presets").rglob("*.yaml")]
    blocks = {
        (file, path)
        for file in files
        for path in find_blocks(yaml.safe_load((PROJECT / file).read_text(encoding="utf-8")))
    }
    # No release of RAPIDS knows Spark 4.1.0: the preset takes the images away, so that the chart refuses the feature.
    preset = "charts/presets/version/4.1.0.yaml"
    none = {(preset, path) for path in ("gpuImage", "gpuIcebergImage", "jupyter.gpuImage")}
    assert blocks - pinned == none


def test_every_declared_pin_stands_in_its_file() -> None:
    for pin in load_pins():
        text = (PROJECT / pin["file"]).read_text(encoding="utf-8")
        assert read_pin(text, pin["path"], file=pin["file"]).repository


@pytest.mark.parametrize("chart", CHARTS)
def test_the_chart_lists_the_images_that_it_names(chart: str) -> None:
    file = f"charts/{chart}/values.yaml"
    text = (PROJECT / file).read_text(encoding="utf-8")
    metadata = yaml.safe_load((PROJECT / "charts" / chart / "Chart.yaml").read_text(encoding="utf-8"))
    listed = {each["name"]: each["image"] for each in yaml.safe_load(metadata["annotations"][IMAGES_ANNOTATION[-1]])}
    assert listed == {pin["image"]: reference(text, pin["path"]) for pin in load_pins() if pin["file"] == file}


def reference(text: str, path: str) -> str:
    """The reference that a values file pins at a path."""
    pin = read_pin(text, path, file="values.yaml")
    return f"{pin.registry}/{pin.repository}:{pin.tag}" + (f"@{pin.digest}" if pin.digest else "")


@pytest.mark.parametrize("tag", ["4.1.1-gpu", "4.10", "1e3", "0x1f", "0o17", "1_0", "y", "null", "2026-01-01", "1.2e3"])
def test_helm_reads_the_pin_that_was_written(helm: Helm, tmp_path: Path, tag: str) -> None:
    chart = make_stub(tmp_path, "spark-4.1")
    pin = PinValues(registry="docker.io", repository="a/b", tag=tag, digest=DIGEST)
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    (chart / "values.yaml").write_text(splice(text, "gpuImage", pin, file="values.yaml"), encoding="utf-8")
    seen = json.loads(yaml.safe_load(Helm(helm.program, chart).template({}))["data"]["values"])
    written = {"registry": "docker.io", "repository": "a/b", "tag": tag, "digest": DIGEST}
    assert written.items() <= seen["gpuImage"].items()


def test_the_charts_metadata_is_pinned_line_by_line() -> None:
    text = (PROJECT / "charts/spark-4.1/Chart.yaml").read_text(encoding="utf-8")
    spliced = splice_images(text, {"spark-4.1-gpu": f"docker.io/a/b:x@{DIGEST}"}, file="Chart.yaml")
    changed = [new for old, new in zip(text.splitlines(), spliced.splitlines(), strict=True) if old != new]
    assert changed == [f"      image: docker.io/a/b:x@{DIGEST}"]
    assert splice_scalar(text, "appVersion", "4.1.2", file="Chart.yaml") == text.replace('"4.1.1"', '"4.1.2"')
