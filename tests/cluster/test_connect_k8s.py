"""A Connect server that starts executor pods: work, tables, and what happens when pods are killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster import checks
from tests.cluster.driver import find_busy
from tests.cluster.kubectl import CommandError
from tests.cluster.programs import EXPECTED_TOTALS, SLOW_ROWS, SUMS, TOTAL_ROWS
from tests.cluster.waits import NotYetError, require, wait_for

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.kubectl import Object
    from tests.cluster.place import Place

SCENARIO = "connect-k8s"
EXECUTORS = 2
IDLE_SECONDS = 180.0
START_SECONDS = 240.0
JOB_SECONDS = 400.0

WHERE_UDF = """
import pandas as pd
from pyspark.sql.functions import pandas_udf

@pandas_udf("long")
def doubled(numbers: pd.Series) -> pd.Series:
    return numbers * 2

@pandas_udf("string")
def host(numbers: pd.Series) -> pd.Series:
    import socket
    return pd.Series([socket.gethostname()] * len(numbers))

rows = spark.range(100).select(doubled("id").alias("doubled"), host("id").alias("host")).collect()
answer = {"sum": sum(row.doubled for row in rows), "hosts": sorted({row.host for row in rows})}
"""

TIME_TRAVEL = """
spark.sql("CREATE NAMESPACE IF NOT EXISTS iceberg.db")
spark.sql("CREATE TABLE iceberg.db.points (id BIGINT, name STRING) USING iceberg")
spark.sql("INSERT INTO iceberg.db.points VALUES (1, 'one'), (2, 'two')")
before = spark.sql("SELECT snapshot_id FROM iceberg.db.points.snapshots").first().snapshot_id
spark.sql('''
    MERGE INTO iceberg.db.points AS old
    USING (SELECT * FROM VALUES (2, 'TWO'), (3, 'three') AS new(id, name)) AS new ON old.id = new.id
    WHEN MATCHED THEN UPDATE SET name = new.name
    WHEN NOT MATCHED THEN INSERT *
''')
read = lambda query: [[row.id, row.name] for row in spark.sql(query).collect()]
answer = {
    "now": read("SELECT * FROM iceberg.db.points ORDER BY id"),
    "then": read(f"SELECT * FROM iceberg.db.points VERSION AS OF {before} ORDER BY id"),
    "files": [row.file_path for row in spark.sql("SELECT file_path FROM iceberg.db.points.files").collect()],
}
"""

POINTS = """
answer = [[row.id, row.name] for row in spark.sql("SELECT * FROM iceberg.db.points ORDER BY id").collect()]
"""
MERGED = [[1, "one"], [2, "TWO"], [3, "three"]]


def test_dynamic_allocation(place: Place, spark: Release) -> None:
    _wait_for_executors(spark, 0, IDLE_SECONDS)
    job = place.client.start(SLOW_ROWS, rows=TOTAL_ROWS, pause=2)
    try:
        _wait_for_executors(spark, EXECUTORS, START_SECONDS)
        assert job.wait(JOB_SECONDS)["ids"] == list(range(TOTAL_ROWS))
    finally:
        job.stop()
    _wait_for_executors(spark, 0, IDLE_SECONDS)


def test_sql(place: Place, spark: Release) -> None:
    answer = place.client.run(SUMS)
    assert answer == {"version": place.scenario.versions["current"], "totals": EXPECTED_TOTALS}
    assert spark.pods("executor"), "no executor has computed it"


def test_pandas_udf(place: Place, spark: Release) -> None:
    answer = place.client.run(WHERE_UDF)
    assert answer["sum"] == sum(2 * number for number in range(100))
    executors = {each["metadata"]["name"] for each in place.kubectl.list("pods", spark.labels) if _is_executor(each)}
    assert answer["hosts"]
    assert set(answer["hosts"]) <= executors


def test_iceberg(place: Place) -> None:
    answer = place.client.run(TIME_TRAVEL)
    assert answer["now"] == MERGED
    assert answer["then"] == [[1, "one"], [2, "two"]]
    assert answer["files"]
    assert all(file.startswith("s3a://warehouse/iceberg/") for file in answer["files"])


def test_executor_killed(place: Place, spark: Release) -> None:
    job = place.client.start(SLOW_ROWS, rows=TOTAL_ROWS, pause=4)
    try:
        victim = wait_for("an executor at work", lambda: _find_busy(place, spark), seconds=START_SECONDS)
        place.kill(victim)
        assert not job.has_ended, "the job was over before the executor was killed"
        assert job.wait(JOB_SECONDS)["ids"] == list(range(TOTAL_ROWS))
    finally:
        job.stop()


def test_server_killed(place: Place, spark: Release) -> None:
    place.client.run(SUMS)
    before = spark.pod("connect")
    orphans = {each["metadata"]["uid"] for each in spark.pods("executor")}
    assert orphans, "there is no executor that could go with its server"
    place.kill(before)
    place.wait_ready(spark)
    assert spark.pod("connect")["metadata"]["uid"] != before["metadata"]["uid"]
    assert wait_for("a new session", lambda: _try(place, POINTS), seconds=START_SECONDS) == MERGED
    wait_for("the end of the old executors", lambda: _require_gone(spark, orphans), seconds=IDLE_SECONDS)


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _wait_for_executors(spark: Release, number: int, seconds: float) -> None:
    def ask() -> None:
        running = [each for each in spark.pods("executor") if each["status"].get("phase") == "Running"]
        require(len(running) == number, f"{len(running)} executors run")

    wait_for(f"{number} executors", ask, seconds=seconds)


def _find_busy(place: Place, spark: Release) -> Object:
    """An executor's pod whose tasks run."""
    busy = find_busy(place.client, spark)
    pods = [each for each in spark.pods("executor") if each["status"].get("podIP") in busy]
    require(len(busy) == EXECUTORS and pods, f"{len(busy)} executors are at work")
    return pods[0]


def _is_executor(pod: Object) -> bool:
    return bool(pod["metadata"]["labels"].get("spark-role") == "executor")


def _require_gone(spark: Release, uids: set[str]) -> None:
    left = uids & {each["metadata"]["uid"] for each in spark.pods("executor")}
    require(not left, f"{len(left)} are there")


def _try(place: Place, program: str) -> Any:
    try:
        return place.client.run(program)
    except CommandError as error:
        raise NotYetError(error.said[-300:]) from error
