"""The Python packages: they import, agree with each other, are compiled, and work under Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

SITE = "/opt/python/lib/python3.10/site-packages"
MODULES = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "pyarrow.flight",
    "grpc",
    "grpc_status.rpc_status",
    "google.protobuf",
    "google.rpc.status_pb2",
    "zstandard",
    "scipy.stats",
    "scipy.sparse.linalg",
    "sklearn.linear_model",
    "sqlalchemy.dialects.postgresql",
    "psycopg2.extras",
    "requests",
    "pyspark.sql.connect.session",
    "pyspark.pandas",
)
JOB = """
import pandas
import pyspark.pandas
from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()

@functions.pandas_udf("double")
def halved(numbers: pandas.Series) -> pandas.Series:
    return numbers / 2

frame = spark.range(100).withColumn("half", halved("id"))
total = frame.selectExpr("sum(half)").first()[0]
spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
local = frame.toPandas()["half"].sum()
grouped = frame.groupBy((frame.id % 2).alias("odd")).applyInPandas(
    lambda group: pandas.DataFrame({"count": [len(group)]}), "count long").toPandas()["count"].tolist()
mean = pyspark.pandas.range(11)["id"].mean()
print("job", total, local, grouped, mean)
"""
REGRESSION = """
import numpy, sklearn.linear_model
points = numpy.arange(10.0).reshape(-1, 1)
print(round(sklearn.linear_model.LinearRegression().fit(points, 3 * points[:, 0] + 1).coef_[0], 6))
"""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports(host: Host, module: str) -> None:
    host.run_expect([0], f"python3 -W error::ImportWarning -c 'import {module}'")


def test_numbers_come_out_right(host: Host) -> None:
    assert host.check_output("python3 -c %s", REGRESSION) == "3.0"


def test_pandas_functions_run_in_spark(run: Run) -> None:
    done = run(
        "spark-submit",
        "/opt/spark/work-dir/job.py",
        user="185:0",
        network="bridge",
        files={"/opt/spark/work-dir/job.py": JOB},
    )
    assert "job 2475.0 2475.0 [50, 50] 5.0" in done.output


def test_packages_are_compiled_and_come_without_their_tests(host: Host) -> None:
    assert host.file(f"{SITE}/pandas/__pycache__/__init__.cpython-310.pyc").is_file
    packages = " ".join(f"{SITE}/{name}" for name in ("pandas", "scipy", "sklearn", "pyarrow"))
    assert host.check_output(f"find {packages} -type d -name tests") == ""


def test_console_scripts_use_the_python_of_the_image(host: Host) -> None:
    assert host.check_output("head -n 1 /opt/python/bin/f2py") == "#!/opt/python/bin/python3.10"
    assert host.run("f2py -v").rc == 0
