"""The support gate: which images are refused, why, and the real rows that decide it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.model import (
    Image,
    Kind,
    Layer,
    Location,
    Lock,
    LockEntry,
    PythonSpec,
    Support,
    SupportRow,
    SupportTable,
)
from buildgraph.ranges import Range
from buildgraph.report.support import describe_support, format_support
from buildgraph.support import (
    LABEL,
    Component,
    find_objections,
    find_row,
    find_versions,
    label_unsupported,
)
from tests.fakes.catalogues import make_catalogue, make_files_layer, make_image
from tests.fakes.family import ICEBERG, lock_family, make_family, real_table
from tests.fakes.fetcher import make_artifact
from tests.golden_files import check_golden
from tests.mistakes.support import SUPPORT_FILE, SUPPORT_TEXT
from tests.samples import find_mistakes, make_documents, make_layer

if TYPE_CHECKING:
    from buildgraph.model import Catalogue
    from tests.fakes.sample import Sample

REAL = real_table()
UNSUPPORTED_TODAY = {"spark-4.1.0-gpu", "spark-4.1.0-gpu-iceberg", "jupyter-4.1.0-gpu"}


def refused(catalogue: Catalogue, lock: Lock | None = None) -> dict[str, list[str]]:
    found = find_objections(catalogue, lock or lock_family(layers_of(catalogue)), catalogue.nodes)
    return {name: [str(objection) for objection in objections] for name, objections in found.items()}


def layers_of(catalogue: Catalogue) -> list[Layer]:
    return [node for node in catalogue.nodes.values() if isinstance(node, Layer)]


def row(
    *names: str, versions: str = "*", hosts: str = "*", verdict: Support = Support.UNSUPPORTED, reason: str = "it stops"
) -> SupportRow:
    return SupportRow(
        title="Plugin",
        components=names or ("maven:org.example:plugin",),
        versions=tuple(map(Range, versions.split())),
        hosts=tuple(map(Range, hosts.split())),
        verdict=verdict,
        reason=reason,
        source="release notes",
        location=Location(file="manifests/support.yaml", line=7),
    )


def table(*rows: SupportRow) -> SupportTable:
    return SupportTable(host="pypi:engine", title="Engine", rows=rows)


def small(
    *rows: SupportRow, plugin: str = "maven:org.example:plugin:2.1", engine: str = "pypi:engine==4.1"
) -> Catalogue:
    nodes = (
        make_files_layer("engine", sources=(engine,)),
        make_files_layer("plugin", sources=(plugin,)),
        make_image("both", ("engine", "plugin")),
        make_image("alone", ("plugin",)),
        make_image("plain", ("engine",)),
    )
    return replace(make_catalogue(*nodes), support=table(*rows))


class TestTheRealRows:
    def test_exactly_the_three_gpu_images_of_spark_4_1_0_are_unsupported(self) -> None:
        catalogue = make_family(REAL)
        assert sum(isinstance(node, Image) for node in catalogue.nodes.values()) == 28
        found = refused(catalogue)
        assert set(found) == UNSUPPORTED_TODAY
        ((line,),) = {tuple(lines) for lines in found.values()}
        assert line == (
            "rapids-4-spark_2.13 26.08.1 is unsupported with Spark 4.1.0: no release has a shim for Spark 4.1.0, and"
            " the plugin stops on a Spark that it does not know (files inside the jars (com/nvidia/spark/rapids/shims),"
            " RAPIDS Accelerator release notes to 26.08)"
        )

    def test_the_same_is_known_before_anything_is_locked(self) -> None:
        assert set(refused(make_family(REAL), Lock())) == UNSUPPORTED_TODAY

    def test_rapids_24_12_is_refused_with_spark_3_5_7(self) -> None:
        found = refused(make_family(REAL, rapids="maven:com.nvidia:rapids-4-spark_{scala}:24.12.0"))
        assert {"spark-3.5.7-gpu", "spark-3.5.7-gpu-iceberg", "jupyter-3.5.7-gpu", *UNSUPPORTED_TODAY} <= set(found)
        assert "rapids-4-spark_2.12 24.12.0 is unsupported with Spark 3.5.7" in found["spark-3.5.7-gpu"][0]
        assert not any(name.endswith(("baseline", "-iceberg")) and "gpu" not in name for name in found)

    def test_the_iceberg_runtime_for_spark_4_0_is_refused_on_4_1(self) -> None:
        old = "maven:org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.2"
        found = refused(make_family(REAL, iceberg={**ICEBERG, "4.1": old}))
        expected = {f"{family}-4.1.{patch}-iceberg" for family in ("spark", "jupyter") for patch in "01"}
        assert set(found) == expected | {"spark-4.1.1-gpu-iceberg"} | UNSUPPORTED_TODAY
        assert (
            "iceberg-spark-runtime-4.0_2.13 1.10.2 is unsupported with Spark 4.1.1" in found["spark-4.1.1-iceberg"][0]
        )

    @pytest.mark.parametrize(
        ("component", "version", "host", "verdict"),
        [
            ("maven:com.nvidia:rapids-4-spark_2.12", "26.08.1", "3.5.8", Support.SUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.12", "26.04.0", "3.5.8", Support.SUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.12", "26.02.0", "3.5.8", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.12", "25.04.0", "3.5.7", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.12", "24.12.0", "3.5.4", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.12", "24.12.0", "3.5.3", None),
            ("maven:com.nvidia:rapids-4-spark_2.12", "26.08.1", "4.1.1", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.13", "26.08.1", "3.5.8", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.13", "25.12.0", "4.1.1", Support.UNSUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.13", "26.08.1", "4.2.0", Support.SUPPORTED),
            ("maven:com.nvidia:rapids-4-spark_2.13", "27.02.0", "4.2.0", None),
            ("maven:org.apache.iceberg:iceberg-spark-runtime-4.1_2.13", "1.10.2", "4.1.1", Support.UNSUPPORTED),
            ("maven:org.apache.celeborn:celeborn-client-spark-4-shaded_2.13", "0.6.2", "4.1.1", Support.UNSUPPORTED),
            ("python", "3.10", "4.1.1", Support.SUPPORTED),
            ("python", "3.12", "3.5.8", Support.UNSUPPORTED),
            ("python", "3.9", "4.1.1", Support.UNSUPPORTED),
            ("pypi:protobuf", "6.32.1", "4.1.1", Support.UNSUPPORTED),
            ("pypi:numpy", "2.2.6", "3.5.8", Support.UNSUPPORTED),
            ("maven:org.postgresql:postgresql", "42.6.0", "4.1.1", Support.UNKNOWN),
            ("deb:openjdk-17-jdk-headless", "17.0.15+6-1~deb12u1", "3.5.7", Support.SUPPORTED),
        ],
    )
    def test_facts(self, component: str, version: str, host: str, verdict: Support | None) -> None:
        found = find_row(REAL, Component(name=component, version=version), host)
        assert (found.verdict if found else None) is verdict

    def test_the_end_of_life_of_python_3_10_is_said(self) -> None:
        found = find_row(REAL, Component(name="python", version="3.10"), "4.1.1")
        assert found is not None
        assert "past its end of life since October 2026" in found.reason


class TestObjections:
    def test_a_row_that_fits_refuses_the_image_with_both_and_no_other(self) -> None:
        assert refused(small(row(hosts="4.1"))) == {
            "both": ["plugin 2.1 is unsupported with Engine 4.1: it stops (release notes)"]
        }

    @pytest.mark.parametrize(
        "rows",
        [
            (row(versions="<2"),),
            (row(hosts="<4 >=5"),),
            (row("maven:org.example:other"),),
            (row(verdict=Support.UNKNOWN),),
            (row(verdict=Support.SUPPORTED), row()),
            (),
        ],
    )
    def test_what_no_row_calls_unsupported_first_is_not_refused(self, rows: tuple[SupportRow, ...]) -> None:
        assert refused(small(*rows)) == {}

    def test_one_of_several_ranges_is_enough(self) -> None:
        assert set(refused(small(row(versions="1.* 2.*", hosts="<3 4.*")))) == {"both"}

    def test_the_version_that_is_locked_counts_before_the_one_that_is_asked_for(self) -> None:
        catalogue = small(row(versions=">=2"), plugin="maven:org.example:plugin:2.*")
        answers = {"maven:org.example:plugin:2.*": "maven:org.example:plugin:2.7"}
        assert set(refused(catalogue, lock_family(layers_of(catalogue), answers))) == {"both"}
        assert refused(catalogue, Lock()) == {}, "what 2.* will be cannot be said"

    def test_a_locked_answer_to_another_request_does_not_count(self) -> None:
        catalogue = small(row(versions=">=2"))
        lock = lock_family(layers_of(catalogue))
        earlier = make_artifact("maven:org.example:plugin:1.0", b"x")
        for request, expected in (("maven:org.example:plugin:1.0", {"both"}), ("maven:org.example:plugin:2.1", set())):
            entry = LockEntry(request=(request,), artifacts=(earlier,))
            changed = replace(lock, entries={**lock.entries, "plugin": {"2.1": entry}})
            assert set(refused(catalogue, changed)) == expected

    def test_a_set_of_packages_is_judged_one_by_one_and_by_the_name_that_the_index_compares(self) -> None:
        catalogue = small(row("pypi:my-plugin"), plugin="pypi:My_Plugin==2.1")
        assert refused(catalogue)["both"][0].startswith("my-plugin 2.1 is unsupported")

    def test_the_interpreter_of_a_python_layer_is_a_component(self) -> None:
        spec = PythonSpec(prefix="/opt/python", version="3.10", platform="any")
        nodes = (make_files_layer("engine", sources=("pypi:engine==4.1",)), make_layer("packages", spec))
        image = make_image("both", ("engine", "packages"))
        catalogue = replace(make_catalogue(*nodes, image), support=table(row("python", versions="<3.11")))
        assert nodes[1].kind is Kind.PYTHON
        assert refused(catalogue) == {"both": ["python 3.10 is unsupported with Engine 4.1: it stops (release notes)"]}

    def test_an_image_that_was_not_asked_about_is_not_judged(self) -> None:
        assert find_objections(small(row()), Lock(), ["plain", "plugin"]) == {}


class TestLabels:
    def test_what_is_built_all_the_same_says_so_in_a_label_and_is_not_refused(self) -> None:
        catalogue = small(row())
        labelled = label_unsupported(catalogue, Lock())
        image = labelled.nodes["both"]
        assert isinstance(image, Image)
        reason = "plugin 2.1 is unsupported with Engine 4.1: it stops (release notes)"
        assert dict(image.config.labels) == {LABEL: reason}
        assert refused(labelled) == {}
        assert {name for name, node in labelled.nodes.items() if node != catalogue.nodes[name]} == {"both"}

    def test_labels_of_the_manifest_stay(self) -> None:
        catalogue = small(row())
        both = catalogue.nodes["both"]
        assert isinstance(both, Image)
        config = replace(both.config, labels={"org.example.team": "blue"})
        catalogue = replace(catalogue, nodes={**catalogue.nodes, "both": replace(both, config=config)})
        labelled = label_unsupported(catalogue, Lock()).nodes["both"]
        assert isinstance(labelled, Image)
        assert set(labelled.config.labels) == {"org.example.team", LABEL}


class TestTable:
    def test_the_table_reads_as_written_in_the_golden_file(self) -> None:
        catalogue = make_family(REAL, more=("maven:org.postgresql:postgresql:42.7.14",))
        lock = lock_family(layers_of(catalogue))
        found = find_objections(catalogue, lock, catalogue.nodes)
        check_golden("support.txt", format_support(REAL, find_versions(catalogue, lock), found) + "\n")

    def test_as_a_document_every_row_says_its_verdict_for_each_host(self) -> None:
        catalogue = make_family(REAL)
        lock = lock_family(layers_of(catalogue))
        document = describe_support(
            REAL, find_versions(catalogue, lock), find_objections(catalogue, lock, catalogue.nodes)
        )
        assert document["host"] == {
            "component": "pypi:pyspark",
            "title": "Spark",
            "versions": ["3.5.7", "3.5.8", "4.1.0", "4.1.1"],
        }
        assert isinstance(document["rows"], list)
        assert len(document["rows"]) == len(REAL.rows)
        first = document["rows"][0]
        assert isinstance(first, dict)
        assert first["hosts"] == {"4.1.0": "unsupported", "4.1.1": "unsupported"}
        assert isinstance(document["refused"], dict)
        assert set(document["refused"]) == UNSUPPORTED_TODAY

    def test_the_command_prints_it(self, sample: Sample) -> None:
        assert sample.call("support").out == "there is no manifests/support.yaml: no image is refused\n"
        sample.write(SUPPORT_FILE, SUPPORT_TEXT)
        done = sample.call("support")
        assert done.code == 0
        assert done.out.startswith("beside Engine (in no layer);")
        assert "no image is refused" in done.out
        assert json.loads(sample.call("support", "--json").out)["rows"][0]["with"] == [">=3.5,<4"]

    def test_a_sound_table_has_no_mistake(self) -> None:
        assert find_mistakes(make_documents({SUPPORT_FILE: SUPPORT_TEXT})) == []
