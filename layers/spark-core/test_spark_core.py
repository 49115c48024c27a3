"""Spark itself: versions, layout, a local job in Python with real Python workers, the Scala shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Host, Run

JOB = """
import pyspark
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
total = spark.range(1000).selectExpr("sum(id)").first()[0]
squares = spark.sparkContext.parallelize(range(10), 2).map(lambda number: number * number).sum()
print("job", pyspark.__version__, spark.version, total, squares)
"""
SHELL = """
println(s"shell ${spark.version} ${scala.util.Properties.versionNumberString} ${spark.range(10).count()}")
System.exit(0)
"""


@pytest.mark.inherited
def test_spark_submit_says_its_version(run: Run, params: Mapping[str, str]) -> None:
    done = run("spark-submit", "--version", entrypoint=(), network="bridge")
    assert done.code == 0
    assert f"version {params['version']}\n" in done.stderr
    assert f"Using Scala version {params['scala']}." in done.stderr


def test_a_python_job_runs_as_the_user_spark(run: Run, params: Mapping[str, str]) -> None:
    done = run(
        "spark-submit",
        "/opt/spark/work-dir/job.py",
        user="185:0",
        network="bridge",
        files={"/opt/spark/work-dir/job.py": JOB},
    )
    assert f"job {params['version']} {params['version']} 499500 285" in done.output


def test_the_scala_shell_runs(run: Run, params: Mapping[str, str]) -> None:
    done = run(
        "spark-shell",
        "-I",
        "/opt/spark/work-dir/shell.scala",
        user="185:0",
        network="bridge",
        files={"/opt/spark/work-dir/shell.scala": SHELL},
    )
    assert f"shell {params['version']} {params['scala']}." in done.output


def test_the_release_file_names_the_versions(host: Host, params: Mapping[str, str]) -> None:
    expected = f"Spark {params['version']} built for Hadoop {params['hadoop']}\n"
    assert host.file("/opt/spark/RELEASE").content_string == expected
    assert host.file(f"/opt/spark/jars/hadoop-client-api-{params['hadoop']}.jar").is_file


def test_every_entry_of_the_python_path_is_there(host: Host) -> None:
    entries = host.check_output("printenv PYTHONPATH").split(":")
    assert "/opt/spark/python" in entries
    assert all(host.file(entry).exists for entry in entries)


def test_the_work_directory_is_for_the_user_and_the_group(host: Host) -> None:
    directory = host.file("/opt/spark/work-dir")
    assert (directory.mode, directory.uid, directory.gid) == (0o775, 185, 0)


def test_only_the_work_directory_is_writable(host: Host) -> None:
    writable = host.check_output("find /opt/spark -perm /022 ! -type l -o ! -uid 0 -o ! -gid 0")
    assert writable.split() == ["/opt/spark/work-dir"]


def test_nothing_for_windows_is_there(host: Host) -> None:
    assert host.check_output("find /opt/spark -name '*.cmd'") == ""
