"""Iceberg on this Spark: a table of a Hadoop catalogue is made, changed in every way, and read as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Completed, Host, Run, Serve

ACCESS = "proof-user"
SECRET = "proof/secret+key"  # noqa: S105 - of this test's own server
JOB = """
from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
with open("/opt/spark/flavours/iceberg.conf") as conf:
    for line in conf:
        if line.strip() and not line.startswith("#"):
            builder = builder.config(*line.split())
spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()


def ask(text):
    return [tuple(row) for row in spark.sql(text).collect()]


ask("CREATE TABLE iceberg.db.t (id BIGINT, name STRING) USING iceberg")
ask("INSERT INTO iceberg.db.t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
first = ask("SELECT snapshot_id FROM iceberg.db.t.snapshots")[0][0]
ask("UPDATE iceberg.db.t SET name = 'changed' WHERE id = 2")
ask("CREATE TEMPORARY VIEW news AS SELECT * FROM VALUES (BIGINT(3), 'merged'), (BIGINT(4), 'new') AS news(id, name)")
ask("MERGE INTO iceberg.db.t USING news ON t.id = news.id WHEN MATCHED THEN UPDATE SET name = news.name "
    "WHEN NOT MATCHED THEN INSERT *")
ask("DELETE FROM iceberg.db.t WHERE id = 1")
print("now", ask("SELECT * FROM iceberg.db.t ORDER BY id"))
print("then", ask(f"SELECT * FROM iceberg.db.t VERSION AS OF {first} ORDER BY id"))
print("snapshots", ask("SELECT count(*) FROM iceberg.db.t.snapshots")[0][0])
ask("ALTER TABLE iceberg.db.t ADD COLUMN size INT")
ask("ALTER TABLE iceberg.db.t RENAME COLUMN name TO label")
ask("ALTER TABLE iceberg.db.t ADD PARTITION FIELD bucket(4, id)")
ask("INSERT INTO iceberg.db.t VALUES (5, 'wide', 7)")
print("schema", spark.table("iceberg.db.t").schema.simpleString())
print("sizes", ask("SELECT id, size FROM iceberg.db.t WHERE id > 3 ORDER BY id"))
print("specs", ask("SELECT count(DISTINCT spec_id) FROM iceberg.db.t.files")[0][0])
ask(f"CALL iceberg.system.rollback_to_snapshot('db.t', {first})")
print("rolled", ask("SELECT count(*) FROM iceberg.db.t")[0][0])
"""
BUCKET = """
curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$ROOT_ACCESS_KEY:$ROOT_SECRET_KEY" \\
    --header "x-amz-content-sha256: UNSIGNED-PAYLOAD" --request PUT http://localhost:7070/proof
"""
STORED = """
import sys
from pyspark.sql import SparkSession

endpoint = f"http://{sys.argv[1]}:7070"
catalog = "spark.sql.catalog.stored"
options = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    catalog: "org.apache.iceberg.spark.SparkCatalog",
    f"{catalog}.type": "hadoop",
    f"{catalog}.warehouse": "s3a://proof/warehouse",
    f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    f"{catalog}.s3.endpoint": endpoint,
    f"{catalog}.s3.path-style-access": "true",
    f"{catalog}.client.region": "us-east-1",
    "spark.hadoop.fs.s3a.endpoint": endpoint,
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.multipart.size": "5M",
    # Hadoop 3.3 would go on deleting the markers of folders, which this server refuses where they hold something.
    "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
}
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
for name, value in options.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sql("CREATE TABLE stored.db.t (id BIGINT, name STRING) USING iceberg")
spark.sql("INSERT INTO stored.db.t SELECT id, string(id) FROM range(1000)")
spark.sql("DELETE FROM stored.db.t WHERE id < 10")
io = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, "stored.db.t").io()
print("io", io.getClass().getName(), spark.sql("SELECT count(*), sum(id) FROM stored.db.t").first())
spark.range(200_000, numPartitions=1).selectExpr("id", "sha1(string(id)) as text").write.parquet("s3a://proof/plain")
print("s3a", spark.read.parquet("s3a://proof/plain").selectExpr("count(distinct text)").first()[0])
"""
EXPECTED = {
    "now": "[(2, 'changed'), (3, 'merged'), (4, 'new')]",
    "then": "[(1, 'a'), (2, 'b'), (3, 'c')]",
    "snapshots": "4",
    "schema": "struct<id:bigint,label:string,size:int>",
    "sizes": "[(4, None), (5, 7)]",
    "specs": "2",
    "rolled": "3",
}


@pytest.fixture(scope="module")
def job(run: Run) -> Completed:
    """One Spark session for all."""
    path = "/opt/spark/work-dir/job.py"
    return run("spark-submit", path, user="185:0", network="bridge", files={path: JOB})


@pytest.mark.inherited
@pytest.mark.parametrize("name", EXPECTED)
def test_a_table_is_made_changed_and_read_as_it_was(job: Completed, name: str) -> None:
    (said,) = (line for line in job.output.splitlines() if line.startswith(f"{name} "))
    assert said == f"{name} {EXPECTED[name]}"


def test_tables_and_files_on_s3_go_through_the_sdk_of_the_bundle(run: Run, service: Serve) -> None:
    """S3FileIO holds a table, S3A its metadata and plain files; in images with Iceberg both have the same SDK."""
    server = service("versitygw", env={"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}, network="bridge")
    server.wait_for(port=7070, timeout=120)
    assert server.exec("bash", "-c", BUCKET).code == 0
    path = "/opt/spark/work-dir/stored.py"
    done = run(
        *("spark-submit", path, server.address),
        user="185:0",
        network="bridge",
        timeout=600,
        env={"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET},
        files={path: STORED},
    )
    assert "io org.apache.iceberg.aws.s3.S3FileIO Row(count(1)=990, sum(id)=499455)" in done.output
    assert "s3a 200000" in done.output


def test_the_jars_of_this_line_are_there_once(host: Host, params: Mapping[str, str]) -> None:
    jars = sorted(host.check_output("ls /opt/spark/jars | grep iceberg").split())
    runtime = f"iceberg-spark-runtime-{params['line']}_{params['scala']}-{params['iceberg']}.jar"
    assert jars == [f"iceberg-aws-bundle-{params['bundle']}.jar", runtime]
