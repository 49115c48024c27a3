"""A Spark image as a user meets it: its modes answer, as any user, with a read-only root, and end when told to."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Container, Host, Run, Start

ANYONE = "1234567:0"
START_SECONDS = 300
TERMINATED = 143
# artifact-version[-classifier].jar; the version is the last part that starts with a digit.
VERSION = re.compile(r"(.+)-\d[\w.]*?((?:-[a-z]\w*)*\.jar)")
CLIENT = """
import pandas
from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.remote("sc://localhost:15002").getOrCreate()
print("connect", spark.version, spark.range(1000).selectExpr("sum(id)").first()[0])

@functions.pandas_udf("double")
def halved(numbers: pandas.Series) -> pandas.Series:
    return numbers / 2

print("halved", spark.range(100).select(halved("id").alias("half")).toPandas()["half"].sum())
spark.range(5).write.mode("overwrite").format("csv").saveAsTable("numbers")
print("table", spark.table("numbers").count())
"""
JOB = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("proof").getOrCreate()
total = spark.sparkContext.parallelize(range(100), 4).map(lambda number: number * 2).sum()
print("job", total, spark.conf.get("spark.master"))
"""
# What a flavour adds: a path of it, and the word in the flavour's name.
PARTS = {
    "/opt/spark/jars/rapids-4-spark_*.jar": "gpu",
    "/opt/spark/flavours/rapids.conf": "gpu",
    "/usr/local/cuda-12.1": "gpu",
    "/opt/spark/jars/iceberg-spark-runtime-*.jar": "iceberg",
    "/opt/spark/flavours/iceberg.conf": "iceberg",
}
ADDED = (
    "com/amazonaws/",
    "com/mysql/",
    "com/vertica/",
    "oracle/jdbc/",
    "org/apache/hadoop/fs/s3a/",
    "org/apache/iceberg/",
    "org/apache/kafka/",
    "org/apache/spark/",
    "org/postgresql/",
    "software/amazon/awssdk/",
)
CLASSES = """
import collections, json, pathlib, sys, zipfile

found = collections.defaultdict(list)
for path in sorted(pathlib.Path("/opt/spark/jars").glob("*.jar")):
    with zipfile.ZipFile(path) as jar:
        for name in jar.namelist():
            # Spark's build puts this one into every jar.
            if name.endswith(".class") and name.startswith(tuple(sys.argv[1:])) and "UnusedStubClass" not in name:
                found[name].append(path.name)
twice = {name: jars for name, jars in found.items() if len(jars) > 1}
print(json.dumps({"classes": len(found), "twice": dict(list(twice.items())[:20])}))
"""
EVENTS = "/tmp/spark-events"
SUBMIT = """
mkdir "$1"
exec timeout 300 /opt/spark/entrypoint.sh spark-submit --master "$2" --conf spark.driver.host="$3" \\
    --conf spark.eventLog.enabled=true --conf spark.eventLog.rolling.enabled=false \\
    --conf spark.eventLog.compress=false /opt/job/job.py
"""


@pytest.fixture(scope="module")
def connect(session_container: Start) -> Container:
    """A Connect server as OpenShift would run it."""
    server = session_container("connect", user=ANYONE, read_only=True, tmpfs=["/tmp"], network="bridge")
    server.wait_for(port=15002, timeout=START_SECONDS)
    return server


@pytest.fixture(scope="module")
def event_log(session_container: Start) -> tuple[str, str]:
    """Name and content of the event log of a job that ran on a standalone master and a worker of its own container."""
    master = session_container("master", user=ANYONE, network="bridge", files={"/opt/job/job.py": JOB})
    master.wait_for(port=7077, timeout=START_SECONDS)
    url = f"spark://{master.address}:7077"
    worker = session_container("worker", "--cores", "1", user=ANYONE, network="bridge", env={"SPARK_MASTER_URL": url})
    worker.wait_for(log="Successfully registered with master", timeout=START_SECONDS)
    # Containers of a default bridge do not know each other's names.
    said = master.exec("bash", "-c", SUBMIT, "submit", EVENTS, url, master.address)
    assert f"job 9900 {url}" in said.output
    name = master.exec("ls", EVENTS).output
    return name, master.exec("cat", f"{EVENTS}/{name}").output


def test_docker_run_takes_a_program_of_spark(run: Run, params: Mapping[str, str]) -> None:
    done = run("spark-submit", "--version")
    assert done.code == 0
    assert f"version {params['version']}\n" in done.stderr


def test_the_default_command_is_a_shell_that_ends_with_its_input(run: Run, params: Mapping[str, str]) -> None:
    done = run(network="bridge")
    assert f"version {params['version']}" in done.output


def test_a_connect_server_answers_queries(connect: Container, params: Mapping[str, str]) -> None:
    said = connect.exec("timeout", "300", "python3", "-c", CLIENT).output
    assert f"connect {params['version']} 499500" in said
    assert "halved 2475.0" in said
    assert "table 5" in said


def test_tini_is_the_first_process_and_java_the_second(connect: Container) -> None:
    assert connect.exec("cat", "/proc/1/comm").output == "tini"
    children = connect.exec("ps", "--ppid", "1", "-o", "comm=,uid=").output.split()
    assert children == ["java", "1234567"]


def test_a_standalone_cluster_runs_a_job(event_log: tuple[str, str]) -> None:
    events = [json.loads(line) for line in event_log[1].splitlines()]
    assert any(event["Event"] == "SparkListenerApplicationEnd" for event in events)


def test_the_history_server_lists_a_job(container: Start, event_log: tuple[str, str]) -> None:
    name, content = event_log
    server = container("history", user=ANYONE, network="bridge", files={f"/tmp/spark-events/{name}": content})
    server.wait_for(port=18080, timeout=START_SECONDS)

    def listed() -> list[str]:
        answer = server.exec("curl", "-fsS", "localhost:18080/api/v1/applications").output
        return [application["name"] for application in json.loads(answer)]

    assert wait_until(listed, 30, "an application in the list") == ["proof"]


def test_the_thrift_server_answers_sql(container: Start) -> None:
    server = container("thrift", user=ANYONE, network="bridge")
    server.wait_for(port=10000, timeout=START_SECONDS)
    query = ("-u", "jdbc:hive2://localhost:10000", "-n", "spark", "--outputformat=csv2", "--silent=true")
    said = server.exec("timeout", "60", "/opt/spark/entrypoint.sh", "beeline", *query, "-e", "select 6 * 7 as answer")
    assert said.output.splitlines()[-1] == "42"


def test_no_artifact_is_there_in_two_versions(host: Host) -> None:
    paths = host.check_output("find /opt/spark/jars /opt/jdbc -name '*.jar' -type f").split()
    artifacts = Counter(VERSION.sub(r"\1\2", path.rsplit("/", 1)[1]) for path in paths)
    assert [name for name, count in artifacts.items() if count > 1] == []


def test_no_class_of_what_layers_add_is_there_twice(run: Run) -> None:
    """Two AWS SDKs of one package, or a connector beside another of it, would be chosen between by chance."""
    said = run("python3", "-c", CLASSES, *ADDED).output
    twice = json.loads(said)
    assert twice["classes"] > 1000
    assert twice["twice"] == {}


@pytest.mark.parametrize("part", PARTS)
def test_the_flavour_decides_about_its_parts(host: Host, params: Mapping[str, str], part: str) -> None:
    is_there = host.run(f"ls -d {part}").rc == 0
    assert is_there is (PARTS[part] in params["flavour"].split("-"))


def test_a_server_ends_at_once_when_it_is_told_to(connect: Container) -> None:
    assert connect.stop(timeout=30) == TERMINATED
