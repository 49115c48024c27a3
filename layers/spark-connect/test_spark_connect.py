"""Spark 3.5's Connect server answers a real client. With every image it is tested again, as the image starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Start

CLIENT = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote("sc://localhost:15002").getOrCreate()
print("connect", type(spark).__module__, spark.range(1000).selectExpr("sum(id)").first()[0])
"""
# The server keeps what clients upload in its working directory.
SERVER = """
cd /opt/spark/work-dir
exec spark-class org.apache.spark.deploy.SparkSubmit \\
    --class org.apache.spark.sql.connect.service.SparkConnectServer spark-internal
"""


def test_a_server_answers_a_query(container: Start) -> None:
    server = container("bash", "-c", SERVER, user="185:0", network="bridge")
    server.wait_for(port=15002, timeout=300)
    said = server.exec("timeout", "300", "python3", "-c", CLIENT).output
    assert "connect pyspark.sql.connect.session 499500" in said
