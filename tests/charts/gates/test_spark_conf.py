"""The check of Spark's settings reads properties as Java does, and sees what Spark would misread."""

from __future__ import annotations

import re

import pytest

from tests.charts.combinations import PROJECT
from tests.charts.documented_keys import FOLDER, IMAGES, jars_of, read_lists, write_lists
from tests.charts.gates.samples import good, spoiled
from tests.charts.gates.spark_conf import Setting, find_mistakes, parse_properties, read_documented

KNOWN = read_documented(
    ["# page\nspark.driver.memory\nspark.ui.port\nspark.driver.host\n", "spark.label.**\nspark.sql.catalog.*.uri\n"]
)
FILE = "data/spark-defaults.conf"
WHERE = "ConfigMap demo-connect, spark-defaults.conf: "


def test_good_settings_pass() -> None:
    assert find_mistakes(good(), KNOWN) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("spark.ui.port=1\nspark.driver.memory=1g\n", "the keys are not sorted"),
        ("spark.ui.port=1\nspark.ui.port=2\n", "spark.ui.port is set 2 times"),
        ("spark.ui.port 4040\n", "spark.ui.port is not followed by = alone"),
        ("spark.ui.port = 4040\n", "spark.ui.port is not followed by = alone"),
        ("spark.ui.port: 4040\n", "spark.ui.port is not followed by = alone"),
        ("spark.made.up=1\n", "spark.made.up is documented nowhere"),
        ("spark.sql.catalog.a.b.uri=1\n", "spark.sql.catalog.a.b.uri is documented nowhere"),
        ("spark.ui.port=\n", "spark.ui.port has no value"),
        ('spark.ui.port="4040"\n', 'spark.ui.port has quotes in its value: "4040"'),
        ("spark.ui.port='4040'\n", "spark.ui.port has quotes in its value: '4040'"),
        ("spark.ui.port=4040 \n", "spark.ui.port has blanks around its value"),
        ("spark.ui.port=${PORT}\n", "spark.ui.port is not expanded: ${PORT}"),
        ("spark.ui.port=$(PORT)\n", "spark.ui.port is not expanded: $(PORT)"),
        ("spark.ui.port={{ .Values.port }}\n", "spark.ui.port is not expanded: {{ .Values.port }}"),
        ("spark.ui.port=<no value>\n", "spark.ui.port is not expanded: <no value>"),
        ("spark.ui.port=%!s(int=1)\n", "spark.ui.port is not expanded: %!s(int=1)"),
    ],
)
def test_a_mistake_in_a_file_is_seen(text: str, problem: str) -> None:
    assert WHERE + problem in find_mistakes(spoiled("ConfigMap", FILE, text), KNOWN)


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("spark.driver.host=$(HOST)", "--conf spark.driver.host asks for the variable HOST, which is not set"),
        ("spark.made.up=1", "spark.made.up is documented nowhere"),
        ('spark.driver.host="x"', 'spark.driver.host has quotes in its value: "x"'),
    ],
)
def test_a_mistake_in_an_argument_is_seen(argument: str, problem: str) -> None:
    objects = spoiled("Deployment", "spec/template/spec/containers/0/args", ["connect", "--conf", argument])
    assert f"Deployment demo-connect: {problem}" in find_mistakes(objects, KNOWN)


@pytest.mark.parametrize("key", ["spark.label.a.b/c", "spark.sql.catalog.mine.uri", "spark.ui.port"])
def test_families_hold_what_users_name(key: str) -> None:
    assert KNOWN.knows(key)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("a=1\nb=2", [("a", "=", "1"), ("b", "=", "2")]),
        ("# no\n! no\n\n  a=1", [("a", "=", "1")]),
        ("a = 1", [("a", " = ", "1")]),
        ("a : 1", [("a", " : ", "1")]),
        ("a 1", [("a", " ", "1")]),
        ("a", [("a", "", "")]),
        ("a=b=c", [("a", "=", "b=c")]),
        ("a=one \\\n   two", [("a", "=", "one two")]),
        ("a=\\\\d\\tx", [("a", "=", "\\d\tx")]),
        ("a=x\\\\\nb=1", [("a", "=", "x\\"), ("b", "=", "1")]),
        ("a=\\u0041", [("a", "=", "A")]),
        ("a\\=b=c", [("a=b", "=", "c")]),
        ("a=1\\", [("a", "=", "1")]),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, settings: list[tuple[str, str, str]]) -> None:
    wanted = tuple(Setting(key=key, separator=separator, value=value) for key, separator, value in settings)
    assert parse_properties(text) == wanted


REAL = """
spark.master spark.app.name spark.driver.memory spark.sql.extensions spark.connect.grpc.binding.port
spark.hadoop.fs.s3a.path.style.access spark.hadoop.hive.metastore.uris spark.rapids.sql.concurrentGpuTasks
spark.executor.resource.gpu.amount spark.kubernetes.executor.podTemplateFile spark.history.fs.logDirectory
spark.sql.catalog.lake spark.sql.catalog.lake.io-impl spark.celeborn.master.endpoints spark.deploy.recoveryMode
"""
INVENTED = """
spark.sql.iceberg.v2.enabled spark.sql.iceberg.v1.enabled spark.sql.iceberg.deletes.enabled spark.rapids.cpp.enabled
spark.sql.iceberg.delete-planning.enabled spark.sql.catalog.iceberg.enabled
"""


@pytest.mark.parametrize("line", [*IMAGES, "other"])
def test_the_lists_know_real_settings_and_no_invented_ones(line: str) -> None:
    known = read_documented(read_lists(line))
    assert [key for key in REAL.split() if not known.knows(key)] == []
    assert [key for key in INVENTED.split() if known.knows(key)] == []


@pytest.mark.parametrize("line", IMAGES)
def test_the_lists_are_of_the_jars_that_are_locked(line: str) -> None:
    lock = (PROJECT / "manifests/buildgraph.lock").read_text(encoding="utf-8")
    for file in (FOLDER / line).glob("*.txt"):
        jars = jars_of(file.read_text(encoding="utf-8"))
        assert jars, file
        for jar in jars:
            # What comes with Spark is in the lock as Spark.
            spark = re.sub(r"spark-core_[\d.]+-([\d.]+)\.jar", r"pyspark==\1", jar)
            assert f'"{jar}"' in lock or f"pypi:{spark}" in lock or jar.startswith(("hadoop-client", "hive-")), (
                f"{jar} is not locked any more; run: python -m tests.charts.documented_keys"
            )


def test_a_list_is_made_of_what_the_classes_say() -> None:
    answer = "iceberg\tfrom\ticeberg-1.jar\niceberg\turi\niceberg\tprefix.\niceberg\torg.x.Y\niceberg\tspark.a.b\n"
    lists = write_lists("4.1", answer)
    assert list(lists) == ["4.1/iceberg.txt"]
    head, made, *keys = lists["4.1/iceberg.txt"].splitlines()
    assert jars_of(head + "\n") == ["iceberg-1.jar"]
    assert made.startswith("# Made by")
    assert keys == ["spark.a.b", "spark.sql.catalog.*.prefix.**", "spark.sql.catalog.*.uri"]
