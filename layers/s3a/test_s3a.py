"""S3A: just the SDK modules that it needs, proven on a real S3 server, which checks signatures."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Completed, Container, Host, Run, Serve, Start

# artifact-version[-classifier].jar; the version is the last part that starts with a digit.
VERSION = re.compile(r"(.+)-\d[\w.]*?((?:-[a-z]\w*)*\.jar)")
ACCESS = "proof-user"
SECRET = "proof/secret+key"  # noqa: S105 - of this test's own server
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
START_SECONDS = 120
SPARK_SECONDS = 600
PART_BYTES = 5 * 1024 * 1024
EVENTS = "s3a://proof/events"
# What the server answers to a request that curl signs with the keys in its environment.
ASK = """
curl --silent --show-error --aws-sigv4 aws:amz:us-east-1:s3 --user "$ROOT_ACCESS_KEY:$ROOT_SECRET_KEY" \\
    --header "x-amz-content-sha256: UNSIGNED-PAYLOAD" "${@:2}" "http://localhost:7070$1"
"""
JOB = """
import os
from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.appName("proof").getOrCreate()
frame = spark.range(200_000, numPartitions=1).withColumn("text", functions.sha1(functions.col("id").cast("string")))
frame.write.parquet("s3a://proof/table")

settings = spark._jsc.hadoopConfiguration()
path = spark._jvm.org.apache.hadoop.fs.Path
files = path("s3a://proof/").getFileSystem(settings)
for file in files.listStatus(path("s3a://proof/table")):
    if file.getPath().getName().startswith("part-"):
        print("part", file.getLen(), file.getEtag())
files.rename(path("s3a://proof/table"), path("s3a://proof/renamed"))
rows = spark.read.parquet("s3a://proof/renamed").selectExpr("count(distinct text)", "sum(id)").first()
print("rows", rows[0], rows[1])
print("old", files.exists(path("s3a://proof/table")))

settings.set("fs.s3a.bucket.locked.secret.key", "another")
settings.set("fs.s3a.bucket.locked.access.key", os.environ["AWS_ACCESS_KEY_ID"])
try:
    spark.read.text("s3a://locked/file").count()
except Exception as error:
    print("refused", " ".join(str(error).split())[:500])
spark.stop()
"""


@pytest.fixture(scope="module")
def server(session_service: Serve) -> Container:
    """An S3 server with two buckets, and a folder in one."""
    keys = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    started = session_service("versitygw", env=keys, network="bridge")
    started.wait_for(port=7070, timeout=START_SECONDS)
    for place in ("/proof", "/locked", "/proof/events/"):
        assert "<Code>" not in ask(started, place, "--request", "PUT")
    return started


def ask(server: Container, path: str, *words: str) -> str:
    return server.exec("bash", "-c", ASK, "ask", path, *words).output


@pytest.fixture(scope="module")
def settings(server: Container, params: Mapping[str, str]) -> Mapping[str, str]:
    """Where the server is. Spark 3.5 is told what is the default of 4.1.

    That is the magic committer, and to keep the markers of folders: on this server a folder is a folder, and one that
    is not empty cannot be deleted. And it is to ask five times, not twenty, where it is refused.
    """
    told = {
        "spark.hadoop.fs.s3a.bucket.proof.committer.magic.enabled": "true",
        "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
        "spark.hadoop.fs.s3a.attempts.maximum": "5",
    }
    return {
        "spark.hadoop.fs.s3a.endpoint": f"http://{server.address}:7070",
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.multipart.size": "5M",
        **(told if params["spark"].startswith("3.") else {}),
    }


@pytest.fixture(scope="module")
def job(run: Run, settings: Mapping[str, str]) -> Completed:
    """One Spark session: a table is written, renamed and read back, and its events go to the server, too."""
    conf = {
        **settings,
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": EVENTS,
    }
    words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    return run(
        *("spark-submit", *words, "/opt/spark/work-dir/job.py"),
        user="185:0",
        network="bridge",
        timeout=SPARK_SECONDS,
        env=KEYS,
        files={"/opt/spark/work-dir/job.py": JOB},
    )


def test_rows_are_written_and_read_back(job: Completed) -> None:
    assert "rows 200000 19999900000" in job.output


def test_large_files_go_in_parts(job: Completed) -> None:
    (part,) = [line.split() for line in job.output.splitlines() if line.startswith("part ")]
    assert int(part[1]) > PART_BYTES
    assert re.fullmatch(r'"?[0-9a-f]{32}-[2-9]"?', part[2]), "the tag of an object that came whole counts no parts"


def test_a_renamed_folder_is_gone_from_its_old_place(job: Completed) -> None:
    assert "old False" in job.output


def test_the_magic_committer_is_used_and_leaves_nothing_behind(job: Completed, server: Container) -> None:
    assert job.code == 0
    assert '"committer":"magic"' in ask(server, "/proof/renamed/_SUCCESS").replace(" ", "")
    assert "<Upload>" not in ask(server, "/proof?uploads")
    keys = re.findall(r"<Key>([^<]+)</Key>", ask(server, "/proof?list-type=2"))
    assert {key.split("/")[0] for key in keys} == {"renamed", "events"}


def test_a_wrong_key_is_refused(job: Completed) -> None:
    (refusal,) = [line for line in job.output.splitlines() if line.startswith("refused ")]
    assert "AccessDenied" in refusal
    assert "403" in refusal


def test_the_history_server_reads_events_from_the_server(
    job: Completed, settings: Mapping[str, str], container: Start
) -> None:
    assert job.code == 0
    options = {**settings, "spark.history.fs.logDirectory": EVENTS}
    history = container(
        *("spark-class", "org.apache.spark.deploy.history.HistoryServer"),
        user="185:0",
        network="bridge",
        env={**KEYS, "SPARK_HISTORY_OPTS": " ".join(f"-D{name}={value}" for name, value in options.items())},
    )
    history.wait_for(port=18080, timeout=START_SECONDS)
    found = '"name" : "proof"'
    said = history.exec(
        *("timeout", str(START_SECONDS), "bash", "-c", 'until curl -fsS "$1" | grep -F "$2"; do sleep 1; done', "ask"),
        *("http://localhost:18080/api/v1/applications", found),
    )
    assert found in said.output


def test_the_connector_has_the_version_of_the_hadoop_client(host: Host, params: Mapping[str, str]) -> None:
    for artifact in ("hadoop-aws", "hadoop-client-api", "hadoop-client-runtime"):
        assert host.file(f"/opt/spark/jars/{artifact}-{params['hadoop']}.jar").is_file


def test_no_artifact_is_there_in_two_versions(host: Host) -> None:
    names = host.check_output("ls /opt/spark/jars").split()
    artifacts = Counter(VERSION.sub(r"\1\2", name) for name in names)
    assert [name for name, count in artifacts.items() if count > 1] == []
