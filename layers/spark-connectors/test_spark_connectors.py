"""Avro files are written and read; Kafka's client is found and asks its broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Run

# Nothing listens on port 9: what the client says of that shows that all its classes are there.
JOB = """
from pyspark.sql import SparkSession
from pyspark.sql.avro.functions import from_avro, to_avro

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.range(10).selectExpr("id", "struct(id, string(id) as name) as inner").write.format("avro").save("/tmp/avro")
frame = spark.read.format("avro").load("/tmp/avro")
inner = frame.schema["inner"].dataType.simpleString()
print("avro", frame.count(), frame.selectExpr("max(inner.name)").first()[0], inner)
packed = spark.range(3).select(to_avro("id").alias("bytes"))
print("functions", packed.select(from_avro("bytes", '"long"').alias("id")).selectExpr("sum(id)").first()[0])
options = {"kafka.bootstrap.servers": "127.0.0.1:9", "subscribe": "topic", "kafka.default.api.timeout.ms": "2000",
           "kafka.request.timeout.ms": "1000", "fetchOffset.numRetries": "1"}
topic = spark.read.format("kafka").options(**options).load()
print("kafka", topic.schema.simpleString())
try:
    topic.count()
except Exception as error:
    print("broker", " ".join(str(error).split()))
"""


@pytest.fixture(scope="module")
def job(run: Run) -> Completed:
    """One Spark session for all."""
    path = "/opt/spark/work-dir/job.py"
    return run("spark-submit", path, user="185:0", network="bridge", files={path: JOB})


@pytest.mark.inherited
def test_avro_files_are_written_and_read(job: Completed) -> None:
    assert "avro 10 9 struct<id:bigint,name:string>" in job.output


@pytest.mark.inherited
def test_avro_functions_pack_and_unpack(job: Completed) -> None:
    assert "functions 3" in job.output


@pytest.mark.inherited
def test_the_kafka_source_asks_its_broker(job: Completed) -> None:
    assert "kafka struct<key:binary,value:binary,topic:string,partition:int,offset:bigint" in job.output
    (broker,) = (line for line in job.output.splitlines() if line.startswith("broker "))
    assert "org.apache.kafka.common.errors.TimeoutException" in broker
