"""What can be counted of the family: which nodes there are, what each holds, and what a change reaches."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from buildgraph.coordinate import parse_coordinate
from buildgraph.graph import find_closure, find_targets
from buildgraph.model import Image, Layer, Stage
from buildgraph.support import find_objections, find_versions
from tests.catalogue.conftest import ROOT, keys_of

if TYPE_CHECKING:
    from buildgraph.app.session import Session
    from buildgraph.model import Lock

VERSIONS = ("3.5.7", "3.5.8", "4.1.0", "4.1.1")
SPARK = {
    f"spark-{version}-{flavour}" for version in VERSIONS for flavour in ("baseline", "gpu", "iceberg", "gpu-iceberg")
}
SERVICES = {"hive-metastore", "postgresql", "versitygw"}
JUPYTER = {f"jupyter-{version}-{flavour}" for version in VERSIONS for flavour in ("baseline", "gpu", "iceberg")}
INTERMEDIATE = {"python-deps", "jdbc-drivers", "jars-rapids", "jars-iceberg"}
ALIASES = {
    "spark-3.5": "spark-3.5.8-baseline",
    "spark-4.1": "spark-4.1.1-baseline",
    "spark-3.5-iceberg": "spark-3.5.8-iceberg",
    "spark-4.1-gpu": "spark-4.1.1-gpu",
    "spark-4.1-gpu-iceberg": "spark-4.1.1-gpu-iceberg",
    "jupyter-3.5": "jupyter-3.5.8-baseline",
    "jupyter-4.1": "jupyter-4.1.1-baseline",
    "jupyter-4.1-gpu": "jupyter-4.1.1-gpu",
}


def layers_of(session: Session, name: str) -> set[str]:
    """The names of the layers (without variants) that an image is composed of."""
    found = set()
    for part in session.catalogue.nodes[name].reads:
        layer = session.catalogue.nodes[part]
        assert isinstance(layer, Layer)
        found.add(layer.layer)
    return found


def bump(session: Session, node: str, source: str) -> Lock:
    """The lock with other bytes for one source."""
    entry = session.lock.entries[node][source]
    moved = replace(entry, artifacts=tuple(replace(artifact, sha256="f" * 64) for artifact in entry.artifacts))
    entries = {**session.lock.entries, node: {**session.lock.entries[node], source: moved}}
    return replace(session.lock, entries=entries)


def moved_by(session: Session, node: str, source: str) -> set[str]:
    """The nodes whose key another file for that source changes."""
    before, after = keys_of(session, session.lock), keys_of(session, bump(session, node, source))
    return {name for name in before if before[name] != after[name]}


def test_there_are_three_base_and_eight_intermediate_layers(family: Session) -> None:
    nodes = family.catalogue.nodes.values()
    assert {node.name for node in nodes if node.stage is Stage.OS} == {"os"}
    assert {node.name for node in nodes if node.stage is Stage.BASE} == {"jdk-17", "python-3.10", "cuda-12.1"}
    layers = [node for node in nodes if isinstance(node, Layer) and node.stage is Stage.INTERMEDIATE]
    cores = {node.variant for node in layers if node.layer == "spark-core"}
    assert cores == set(VERSIONS)
    assert {node.layer for node in layers} - {"spark-core"} == INTERMEDIATE
    assert len(cores) + len(INTERMEDIATE) == 8


def test_there_are_sixteen_spark_and_twelve_jupyter_images(family: Session) -> None:
    assert set(find_targets(family.catalogue, ["spark"])) == SPARK
    assert set(find_targets(family.catalogue, ["jupyter"])) == JUPYTER
    assert set(find_targets(family.catalogue, ["all"])) == SPARK | JUPYTER
    assert (len(SPARK), len(JUPYTER)) == (16, 12)
    finals = {node.name for node in family.catalogue.nodes.values() if node.stage is Stage.FINAL}
    assert finals == SPARK | JUPYTER


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_newest_of_its_line(family: Session, alias: str) -> None:
    assert family.catalogue.aliases[alias] == ALIASES[alias]


@pytest.mark.parametrize("name", sorted(SPARK | JUPYTER))
def test_an_image_holds_what_its_name_says(family: Session, name: str) -> None:
    layers = layers_of(family, name)
    words = name.split("-")
    assert {"spark-core", "python-deps", "jdbc-drivers"} <= layers
    assert ("jars-rapids" in layers, "cuda-12.1" in layers) == ("gpu" in words, "gpu" in words)
    assert ("jars-iceberg" in layers) is ("iceberg" in words)
    assert ("jupyter-deps" in layers) is (words[0] == "jupyter")


@pytest.mark.parametrize("name", sorted(SPARK | JUPYTER))
def test_no_image_holds_a_python_distribution_twice(family: Session, name: str) -> None:
    held: list[str] = []
    for layer in family.catalogue.nodes[name].reads:
        for entry in family.lock.entries.get(layer, {}).values():
            coordinates = [parse_coordinate(artifact.coordinate) for artifact in entry.artifacts]
            held += [each.name for each in coordinates if layer.startswith(("python-", "jupyter-")) and each.name]
    assert len(held) > 10
    assert sorted(held) == sorted(set(held))


def test_another_jdbc_driver_changes_its_layer_and_all_images_and_nothing_else(family: Session) -> None:
    assert moved_by(family, "jdbc-drivers", "postgresql") == {"jdbc-drivers"} | SPARK | JUPYTER


def test_another_spark_3_5_7_changes_what_is_made_of_it(family: Session) -> None:
    images = {name for name in SPARK | JUPYTER if "-3.5.7-" in name}
    assert len(images) == 7
    assert moved_by(family, "spark-core-3.5.7", "dist") == {"spark-core-3.5.7", "spark-bytecode-3.5.7"} | images


def test_flavours_of_a_spark_begin_with_what_they_share(family: Session) -> None:
    """So that engines and registries keep the common layers once, and another flavour is a few layers more."""
    for version in VERSIONS:
        flavours = [family.catalogue.nodes[name].reads for name in sorted(SPARK) if f"-{version}-" in name]
        common = [layers[0] for layers in takewhile(lambda layers: len(set(layers)) == 1, zip(*flavours, strict=False))]
        assert {"os", f"spark-core-{version}", "jdbc-drivers", "entrypoint"} <= set(common)
        assert set.intersection(*map(set, flavours)) - set(common) <= {"aws-sdk-1"}


def test_what_charts_pin_is_in_the_catalogue(family: Session) -> None:
    pinned = {family.catalogue.aliases.get(pin.image, pin.image) for pin in family.catalogue.pins}
    assert pinned <= SPARK | JUPYTER | SERVICES
    assert pinned


def test_every_node_has_tests_of_its_own(family: Session) -> None:
    assert [node.name for node in family.catalogue.nodes.values() if not node.tests] == []


def test_every_test_file_is_for_some_node(family: Session) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("layers/*/test_*.py")}
    assert files - {file for node in family.catalogue.nodes.values() for file in node.tests} == set()


def test_every_final_image_needs_all_its_layers_only(family: Session) -> None:
    needed = set(find_closure(family.catalogue, tuple(sorted(SPARK | JUPYTER)), with_tests=False))
    layers = {node.name for node in family.catalogue.nodes.values() if isinstance(node, Layer)}
    services = {
        part
        for node in family.catalogue.nodes.values()
        if isinstance(node, Image) and node.stage is not Stage.FINAL
        for part in node.reads
    }
    assert layers - needed - services == set(), "a layer that no image holds"


def test_exactly_the_gpu_images_of_spark_4_1_0_are_unsupported(family: Session) -> None:
    found = find_objections(family.catalogue, family.lock, family.catalogue.nodes)
    assert set(found) == {"spark-4.1.0-gpu", "spark-4.1.0-gpu-iceberg", "jupyter-4.1.0-gpu"}


def test_every_spark_of_the_family_is_a_column_of_the_table_of_support(family: Session) -> None:
    versions = find_versions(family.catalogue, family.lock)[family.catalogue.support.host]
    assert tuple(versions) == VERSIONS
    assert [set(layers) for layers in versions.values()] == [{f"spark-core-{version}"} for version in VERSIONS]
