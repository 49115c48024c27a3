"""The Hive metastore: tables that outlive the pods that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster import checks
from tests.cluster.kubectl import CommandError
from tests.cluster.waits import NotYetError, wait_for

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.place import Place

SCENARIO = "metastore"
SECONDS = 240.0

CREATE = """
spark.sql("CREATE DATABASE sales")
spark.sql("CREATE TABLE sales.orders (id BIGINT, customer STRING) USING parquet")
spark.sql("INSERT INTO sales.orders VALUES (1, 'ann'), (2, 'bob')")
answer = spark.table("sales.orders").count()
"""

SELECT = """
rows = spark.sql("SELECT id, customer FROM sales.orders ORDER BY id").collect()
described = spark.sql("DESCRIBE FORMATTED sales.orders").collect()
location = [row.data_type for row in described if row.col_name == "Location"]
answer = {"rows": [[row.id, row.customer] for row in rows], "location": location}
"""
ROWS = [[1, "ann"], [2, "bob"]]


def test_create_and_select(place: Place) -> None:
    assert place.client.run(CREATE) == len(ROWS)
    answer = place.client.run(SELECT)
    assert answer["rows"] == ROWS
    (location,) = answer["location"]
    assert location.startswith("s3a://warehouse/spark-")


def test_restarts(place: Place, spark: Release) -> None:
    infra = place.releases["spark-infra"]
    before = {spark.pod("metastore")["metadata"]["uid"], infra.pod("postgresql")["metadata"]["uid"]}
    place.kill(infra.pod("postgresql"))
    place.kill(spark.pod("metastore"))
    place.wait_ready(infra)
    place.wait_ready(spark)
    after = {spark.pod("metastore")["metadata"]["uid"], infra.pod("postgresql")["metadata"]["uid"]}
    assert not before & after, "a pod is the old one"
    answer = wait_for("the table", lambda: _select(place), seconds=SECONDS)
    assert answer["rows"] == ROWS


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _select(place: Place) -> Any:
    try:
        return place.client.run(SELECT)
    except CommandError as error:
        raise NotYetError(error.said[-300:]) from error
