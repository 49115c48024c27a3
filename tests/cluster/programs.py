"""Programs of clients that several scenarios run; each leaves its result in ``answer``."""

from __future__ import annotations

TOTAL_ROWS = 24
"""What SLOW_ROWS counts."""

SUMS = """
rows = spark.range(10_000).withColumn("rest", functions.col("id") % 3)
sums = rows.groupBy("rest").agg(functions.sum("id").alias("total")).orderBy("rest").collect()
answer = {"version": spark.version, "totals": [row.total for row in sums]}
"""
EXPECTED_TOTALS = [sum(range(rest, 10_000, 3)) for rest in range(3)]

# One task for each row, each some seconds long, so that there is time to kill who computes it. Nothing is shuffled.
SLOW_ROWS = """
def slowly(batches):
    import socket, time
    for batch in batches:
        time.sleep(arguments["pause"] * len(batch))
        yield batch.assign(host=socket.gethostname())

spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
rows = spark.range(0, arguments["rows"], 1, arguments["rows"]).mapInPandas(slowly, "id long, host string").collect()
answer = {"ids": sorted(row.id for row in rows), "hosts": sorted({row.host for row in rows})}
"""

MAKE_TABLE = """
spark.sql("CREATE NAMESPACE IF NOT EXISTS iceberg.db")
spark.sql("CREATE TABLE iceberg.db.kept (id BIGINT, name STRING) USING iceberg")
spark.sql("INSERT INTO iceberg.db.kept VALUES (1, 'one'), (2, 'two')")
answer = spark.table("iceberg.db.kept").count()
"""

READ_TABLE = """
rows = spark.table("iceberg.db.kept").orderBy("id").collect()
answer = {"version": spark.version, "rows": [[row.id, row.name] for row in rows]}
"""
KEPT_ROWS = [[1, "one"], [2, "two"]]
