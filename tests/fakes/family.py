"""The shape of the family of images, small: Spark versions and flavours, with the coordinates that decide what fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.model import Lock, LockEntry
from tests.fakes.catalogues import make_catalogue, make_files_layer, make_image
from tests.fakes.fetcher import make_artifact
from tests.samples import PROJECT_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from buildgraph.model import Catalogue, Layer, SupportTable

SPARK = ("3.5.7", "3.5.8", "4.1.0", "4.1.1")
FLAVOURS = ("baseline", "gpu", "iceberg", "gpu-iceberg")
JUPYTER = ("baseline", "gpu", "iceberg")
RAPIDS = "maven:com.nvidia:rapids-4-spark_{scala}:26.08.1"
ICEBERG = {
    "3.5": "maven:org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2",
    "4.1": "maven:org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0",
}
SUPPORT_FILE = Path(__file__).parents[2] / "manifests/support.yaml"


def real_table() -> SupportTable:
    """The rows of this repository."""
    texts = {"manifests/project.yaml": PROJECT_TEXT, "manifests/support.yaml": SUPPORT_FILE.read_text(encoding="utf-8")}
    return parse_catalogue(Documents(texts=texts, tests={})).support


def make_family(
    table: SupportTable, *, rapids: str = RAPIDS, iceberg: Mapping[str, str] | None = None, more: Iterable[str] = ()
) -> Catalogue:
    """All images; ``more`` are coordinates of a layer that every one of them holds."""
    iceberg = iceberg or ICEBERG
    layers = [make_files_layer("drivers", sources=tuple(more))]
    layers += [make_files_layer(f"core-{version}", sources=(f"pypi:pyspark=={version}!sdist",)) for version in SPARK]
    layers += [make_files_layer(f"rapids-{scala}", sources=(rapids.format(scala=scala),)) for scala in ("2.12", "2.13")]
    layers += [make_files_layer(f"iceberg-{line}", sources=(coordinate,)) for line, coordinate in iceberg.items()]
    images = [
        make_image(f"{family}-{version}-{flavour}", _layers_of(version, flavour))
        for family, flavours in (("spark", FLAVOURS), ("jupyter", JUPYTER))
        for version in SPARK
        for flavour in flavours
    ]
    return replace(make_catalogue(*layers, *images), support=table)


def lock_family(layers: Iterable[Layer], answers: Mapping[str, str] | None = None) -> Lock:
    """Every source locked; ``answers`` maps a request to what was found for it, else it is its own answer."""
    return Lock(
        entries={
            layer.name: {
                source.name: LockEntry(
                    request=source.request,
                    artifacts=tuple(make_artifact((answers or {}).get(one, one), b"x") for one in source.request),
                )
                for source in layer.sources
            }
            for layer in layers
            if layer.sources
        }
    )


def _layers_of(version: str, flavour: str) -> tuple[str, ...]:
    line, scala = version[:3], "2.12" if version.startswith("3") else "2.13"
    more = [f"rapids-{scala}"] if "gpu" in flavour else []
    more += [f"iceberg-{line}"] if "iceberg" in flavour else []
    return (f"core-{version}", "drivers", *more)
