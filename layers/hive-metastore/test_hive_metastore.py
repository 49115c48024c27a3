"""The metastore as Spark meets it: tables on S3, made and found by both lines, which outlive the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.adapters.fixtures import Completed, Container, Run, Serve, Start

ANYONE = "1234567:0"
PASSWORD = 'proof of <SCRAM> & "more"'  # noqa: S105 - of this test's own server
ACCESS = "proof-user"
SECRET = "proof/secret+key"  # noqa: S105 - of this test's own server
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
START_SECONDS = 300
SPARK_SECONDS = 900
TERMINATED = 143
PORT = 9083
# What the server answers to a request that curl signs with the keys in its environment.
ASK = """
curl --silent --show-error --aws-sigv4 aws:amz:us-east-1:s3 --user "$ROOT_ACCESS_KEY:$ROOT_SECRET_KEY" \\
    --header "x-amz-content-sha256: UNSIGNED-PAYLOAD" "${@:2}" "http://localhost:7070$1"
"""
# Each asks the metastore for something else, from plain tables to what it does with files itself: it moves them when a
# table or a partition of Hive is renamed, and deletes them when one is dropped.
MAKE = """
CREATE DATABASE {name}
USE {name}
CREATE TABLE numbers (id BIGINT, info STRUCT<a: INT, b: ARRAY<STRING>>) USING parquet COMMENT 'a note'
INSERT INTO numbers SELECT id, struct(cast(id AS INT), array('x')) FROM range(100)
ANALYZE TABLE numbers COMPUTE STATISTICS FOR COLUMNS id
ALTER TABLE numbers RENAME TO renamed
CREATE TABLE days (id BIGINT, day DATE, hour INT) USING parquet PARTITIONED BY (day, hour)
INSERT INTO days SELECT id, date_add(DATE'2026-01-01', cast(id % 10 AS INT)), cast(id % 2 AS INT) FROM range(100)
CREATE TABLE hive (id BIGINT) PARTITIONED BY (letter STRING) STORED AS PARQUET
INSERT INTO hive PARTITION (letter = 'a') SELECT id FROM range(10)
INSERT INTO hive PARTITION (letter = 'b') SELECT id FROM range(5)
ALTER TABLE hive PARTITION (letter = 'b') RENAME TO PARTITION (letter = 'c')
CREATE TABLE gone USING orc AS SELECT id FROM range(3)
DROP TABLE gone
CREATE VIEW few AS SELECT id FROM renamed WHERE id < 5
ALTER TABLE days ADD COLUMNS (note STRING)
MSCK REPAIR TABLE days
"""
LOOK = """
SELECT sum(id), sum(info.a), max(info.b[0]) FROM {name}.renamed
SELECT count(*) FROM {name}.days WHERE day >= DATE'2026-01-05' AND day < DATE'2026-01-07' AND hour = 1
SELECT letter, count(*) FROM {name}.hive WHERE letter IN ('a', 'c') GROUP BY letter ORDER BY letter
SELECT count(*) FROM {name}.few
SHOW TABLES IN {name}
SHOW PARTITIONS {name}.hive
"""
SEEN = [
    "4950 4950 x",
    "10",
    "a 10; c 5",
    "5",
    "{name} days False; {name} few False; {name} hive False; {name} renamed False",
    "letter=a; letter=c",
]
JOB = """
import os
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for statement in filter(None, open(sys.argv[1]).read().splitlines()):
    rows = spark.sql(statement).collect()
    if not statement.startswith(("CREATE", "INSERT", "ALTER", "DROP", "ANALYZE", "MSCK", "USE")):
        print("seen", "; ".join(sorted(" ".join(map(str, row)) for row in rows)))
spark.stop()
"""


@pytest.fixture(scope="module")
def database(session_service: Serve) -> Container:
    """A PostgreSQL server; what asks it waits until it is ready."""
    return session_service("postgresql", env={"POSTGRES_PASSWORD": PASSWORD}, network="bridge")


@pytest.fixture(scope="module")
def store(session_service: Serve) -> Container:
    """An S3 server with a bucket for the warehouse."""
    keys = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    started = session_service("versitygw", env=keys, network="bridge")
    started.wait_for(port=7070, timeout=START_SECONDS)
    assert "<Code>" not in ask(started, "/warehouse", "--request", "PUT")
    return started


def ask(store: Container, path: str, *words: str) -> str:
    return store.exec("bash", "-c", ASK, "ask", path, *words).output


@pytest.fixture(scope="module")
def settings(database: Container, store: Container) -> dict[str, str]:
    """What a Deployment and its schema job would say alike."""
    return {
        **KEYS,
        "METASTORE_DB_HOST": database.address,
        "METASTORE_DB_NAME": "postgres",
        "METASTORE_DB_USER": "postgres",
        "METASTORE_DB_PASSWORD": PASSWORD,
        "METASTORE_DB_WAIT": str(START_SECONDS),
        "METASTORE_WAREHOUSE_DIR": "s3a://warehouse/hive",
        "METASTORE_S3_ENDPOINT": f"http://{store.address}:7070",
        "METASTORE_S3_REGION": "us-east-1",
        "METASTORE_S3_PATH_STYLE": "true",
    }


@pytest.fixture(scope="module")
def schema(run: Run, settings: dict[str, str]) -> Completed:
    return run(
        "schema", user=ANYONE, read_only=True, tmpfs=["/tmp"], network="bridge", env=settings, timeout=START_SECONDS
    )


def serve(start: Start, settings: dict[str, str], *, port: int = PORT, **more: str) -> Container:
    """A metastore as OpenShift would run it."""
    server = start(user=ANYONE, read_only=True, tmpfs=["/tmp"], network="bridge", env={**settings, **more})
    server.wait_for(port=port, timeout=START_SECONDS)
    return server


@pytest.fixture(scope="module")
def first(schema: Completed, session_container: Start, settings: dict[str, str]) -> Container:
    """The metastore that the first Spark makes its tables with."""
    assert schema.code == 0
    return serve(session_container, settings)


@pytest.fixture(scope="module")
def ask_spark(session_service: Serve, store: Container) -> Callable[..., list[str]]:
    """What a Spark sees that runs these statements with its own client of Hive, on a metastore."""

    def ask_spark(node: str, metastore: Container, statements: str) -> list[str]:
        conf = {
            "spark.master": "local[2]",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": "s3a://warehouse/hive",
            "spark.hadoop.hive.metastore.uris": f"thrift://{metastore.address}:{PORT}",
            "spark.hadoop.fs.s3a.endpoint": f"http://{store.address}:7070",
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
            # 4.1's defaults, which 3.5 has to be told.
            "spark.hadoop.fs.s3a.bucket.warehouse.committer.magic.enabled": "true",
            "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
        }
        words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
        job = session_service(
            node,
            *("spark-submit", *words, "/opt/spark/work-dir/job.py", "/opt/spark/work-dir/statements.sql"),
            user=ANYONE,
            network="bridge",
            env=KEYS,
            files={"/opt/spark/work-dir/job.py": JOB, "/opt/spark/work-dir/statements.sql": statements},
        )
        wait_until(lambda: not job.is_running(), SPARK_SECONDS, f"the end of the job of {node}")
        assert job.stop() == 0, job.logs()[-4000:]
        return [line.removeprefix("seen ") for line in job.logs().splitlines() if line.startswith("seen ")]

    return ask_spark


@pytest.fixture(scope="module")
def made(first: Container, ask_spark: Callable[..., list[str]]) -> list[str]:
    return ask_spark("spark-4.1.1-baseline", first, (MAKE + LOOK).format(name="newer"))


@pytest.fixture(scope="module")
def second(made: list[str], first: Container, session_container: Start, settings: dict[str, str]) -> Container:
    """The metastore that takes the place of the first."""
    assert made
    assert first.stop(timeout=60) == TERMINATED
    return serve(session_container, settings)


def seen(name: str) -> list[str]:
    return [line.format(name=name) for line in SEEN]


def test_the_schema_is_made_on_a_new_server_as_soon_as_it_answers(schema: Completed) -> None:
    assert "created the schema 3.1.0" in schema.output


def test_spark_4_1_makes_tables_on_s3_and_reads_them(made: list[str]) -> None:
    assert made == seen("newer")


def test_files_are_where_the_warehouse_is_and_gone_where_tables_are(made: list[str], store: Container) -> None:
    assert made
    keys = ask(store, "/warehouse?list-type=2")
    for place in ("renamed/part-", "hive/letter=c/part-", "days/day=2026-01-05/hour=0/part-"):
        assert f"<Key>hive/newer.db/{place}" in keys
    for place in ("numbers/", "gone/", "hive/letter=b/"):
        assert f"<Key>hive/newer.db/{place}" not in keys


def test_it_ends_cleanly_when_it_is_told_to(second: Container, first: Container) -> None:
    assert second.is_running()
    assert "Shutting down hive metastore." in first.logs()


def test_tables_outlive_the_server_and_spark_3_5_reads_those_of_4_1(
    second: Container, ask_spark: Callable[..., list[str]]
) -> None:
    found = ask_spark("spark-3.5.8-baseline", second, LOOK.format(name="newer") + (MAKE + LOOK).format(name="older"))
    assert found == seen("newer") + seen("older")


def test_tini_is_the_first_process_and_the_jvm_its_child(second: Container) -> None:
    assert second.exec("cat", "/proc/1/comm", user=ANYONE).output == "tini"
    child = second.exec("cat", "/proc/1/task/1/children", user=ANYONE).output
    assert second.exec("cat", f"/proc/{child}/comm", user=ANYONE).output == "java"


@pytest.fixture(scope="module")
def other(schema: Completed, session_container: Start, settings: dict[str, str]) -> Container:
    """A metastore that differs in all that is no place, and says all that it can."""
    assert schema.code == 0
    options = {
        "METASTORE_PORT": "9084",
        "METASTORE_HEAP": "300m",
        "METASTORE_JAVA_OPTS": "-Xss512k -Dproof=yes",
        "METASTORE_LOG_LEVEL": "DEBUG",
    }
    return serve(session_container, settings, port=9084, **options)


def read_commands(server: Container) -> list[str]:
    return server.exec("bash", "-c", "cat /proc/[0-9]*/cmdline", user=ANYONE).stdout.split("\0")


def test_heap_and_options_are_what_their_variables_say(other: Container) -> None:
    assert {"-Xmx300m", "-Xss512k", "-Dproof=yes"} <= set(read_commands(other))


def test_passwords_and_keys_are_in_no_log_and_no_argument(
    first: Container, second: Container, other: Container
) -> None:
    commands = read_commands(other)
    assert "org.apache.hadoop.hive.metastore.HiveMetaStore" in commands
    assert " DEBUG [main] " in other.logs()
    for said in (first.logs(), second.logs(), other.logs(), " ".join(commands)):
        assert "proof of" not in said
        assert SECRET not in said


def test_a_metastore_with_another_password_does_not_start(
    run: Run, schema: Completed, settings: dict[str, str]
) -> None:
    assert schema.code == 0
    done = run(user=ANYONE, network="bridge", env={**settings, "METASTORE_DB_PASSWORD": "another"})
    assert done.code == 77
    assert 'password authentication failed for user "postgres"' in done.stderr
