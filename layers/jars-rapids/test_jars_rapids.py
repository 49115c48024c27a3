"""The RAPIDS plugin: its classes load, it knows this Spark, Spark runs without it, and with it on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Completed, Host, Run

CONF = "/opt/spark/flavours/rapids.conf"
SHIM = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
loaded = spark._jvm.Thread.currentThread().getContextClassLoader().loadClass("com.nvidia.spark.SQLPlugin").getName()
loader = spark._jvm.com.nvidia.spark.rapids.ShimLoader
print("shim", loaded, loader.getShimVersion().toString())
print("cpu", spark.range(10).selectExpr("sum(id)").first()[0])
"""
PLAN = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").getOrCreate()
frame = spark.range(1000).selectExpr("id % 10 as bucket").groupBy("bucket").count()
print("rows", frame.count())
print(frame._jdf.queryExecution().executedPlan().toString())
"""


@pytest.fixture(scope="module")
def session(run: Run) -> Completed:
    """One Spark session without a GPU."""
    return run(
        "spark-submit",
        "/opt/spark/work-dir/shim.py",
        user="185:0",
        network="bridge",
        files={"/opt/spark/work-dir/shim.py": SHIM},
    )


def test_the_jar_of_this_scala_version_is_there_once(host: Host, params: Mapping[str, str]) -> None:
    jars = host.check_output("ls /opt/spark/jars | grep rapids").split()
    assert jars == [f"rapids-4-spark_{params['scala']}-{params['release']}.jar"]


def test_the_plugin_has_a_shim_for_this_spark(session: Completed, params: Mapping[str, str]) -> None:
    assert f"shim com.nvidia.spark.SQLPlugin {params['spark']}" in session.output


def test_spark_runs_without_a_gpu_while_the_plugin_is_off(session: Completed) -> None:
    assert "cpu 45" in session.output


def test_the_configuration_names_the_plugin(host: Host) -> None:
    lines = [line.split() for line in host.file(CONF).content_string.splitlines() if not line.startswith("#")]
    assert ["spark.plugins", "com.nvidia.spark.SQLPlugin"] in lines


@pytest.mark.inherited
@pytest.mark.gpu
def test_a_plan_runs_on_the_gpu(run: Run) -> None:
    done = run(
        "/opt/spark/entrypoint.sh",
        "spark-submit",
        "/opt/spark/work-dir/plan.py",
        entrypoint=(),
        user="185:0",
        env={"SPARK_FLAVOUR_CONF": CONF},
        files={"/opt/spark/work-dir/plan.py": PLAN},
        gpu=True,
    )
    assert "rows 10" in done.output
    assert "Gpu" in done.output
