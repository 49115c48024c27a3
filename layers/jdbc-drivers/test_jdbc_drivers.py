"""The drivers: stable names, registered with the JVM, found by Spark without being named; a real database answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Container, Host, Run, Serve

PASSWORD = "proof of SCRAM"  # noqa: S105 - of this test's own server
START_SECONDS = 120
SPARK_SECONDS = 600
NAMES = ("mssql", "mysql", "oracle", "postgresql", "vertica")
CLASSES = {
    "com.microsoft.sqlserver.jdbc.SQLServerDriver",
    "com.mysql.cj.jdbc.Driver",
    "com.vertica.jdbc.Driver",
    "oracle.jdbc.OracleDriver",
    "org.postgresql.Driver",
}
REGISTERED = """
class Registered {
    public static void main(String[] arguments) throws Exception {
        for (String name : arguments) System.out.println(Class.forName(name).getName());
        System.out.println("--");
        java.sql.DriverManager.drivers().forEach(driver -> System.out.println(driver.getClass().getName()));
    }
}
"""
# Nothing listens on port 9. What each driver says of that shows that Spark found it by its URL.
QUERIES = """
import os
from pyspark.sql import SparkSession

URLS = {
    "mssql": "jdbc:sqlserver://127.0.0.1:9;encrypt=false;loginTimeout=5;connectRetryCount=0",
    "mysql": "jdbc:mysql://127.0.0.1:9/test?connectTimeout=5000",
    "oracle": "jdbc:oracle:thin:@//127.0.0.1:9/test",
    "postgresql": "jdbc:postgresql://127.0.0.1:9/test",
    "vertica": "jdbc:vertica://127.0.0.1:9/test",
}
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
for name, url in URLS.items():
    try:
        spark.read.jdbc(url, "t")
    except Exception as error:
        print(name, " ".join(str(error).split())[:300])

database = f"jdbc:postgresql://{os.environ['DATABASE']}:5432/postgres"
account = {"user": "postgres", "password": os.environ["PASSWORD"]}
columns = ("id", "id * id as square", "cast(id as string) as text", "cast(id / 4 as decimal(10, 2)) as quarter",
           "timestamp '2026-01-01 00:00:00' as moment", "id % 2 = 0 as even")
spark.range(1000, numPartitions=2).selectExpr(*columns).write.jdbc(database, "squares", properties=account)
table = spark.read.jdbc(database, "squares", properties=account)
print("types", *(kind for _, kind in table.dtypes))
print("sums", *table.selectExpr("count(*)", "sum(square)", "sum(quarter)", "count_if(even)").first())
print("found", *table.where("id > 995 and text <> '997'").selectExpr("min(square)", "count(*)").first())
parts = spark.read.jdbc(database, "squares", "id", 0, 1000, 4, properties=account)
print("parts", parts.rdd.getNumPartitions(), parts.selectExpr("count(distinct text)").first()[0])
try:
    spark.read.jdbc(database, "squares", properties={**account, "password": "another"})
except Exception as error:
    print("refused", " ".join(str(error).split())[:300])
"""
REFUSALS = {
    "mssql": "SQLServerException",
    "mysql": "com.mysql.cj.jdbc.exceptions.CommunicationsException",
    "oracle": "ORA-",
    "postgresql": "org.postgresql.util.PSQLException: Connection to 127.0.0.1:9 refused",
    "vertica": "java.sql.SQLException: [Vertica]",
}


@pytest.fixture(scope="module")
def database(session_service: Serve) -> Container:
    """A PostgreSQL that knows passwords by SCRAM alone, and notes what it is asked."""
    server = session_service(
        "postgresql", "-c", "log_statement=all", env={"POSTGRES_PASSWORD": PASSWORD}, network="bridge"
    )
    server.wait_for(log="ready to accept connections", timeout=START_SECONDS)
    return server


@pytest.fixture(scope="module")
def queries(run: Run, database: Container) -> Completed:
    """One Spark session that asks every database: four of which are not there, and one that is."""
    return run(
        "spark-submit",
        "/opt/spark/work-dir/queries.py",
        user="185:0",
        network="bridge",
        timeout=SPARK_SECONDS,
        env={"DATABASE": database.address, "PASSWORD": PASSWORD},
        files={"/opt/spark/work-dir/queries.py": QUERIES},
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_has_a_stable_name(host: Host, name: str) -> None:
    link = host.file(f"/opt/jdbc/{name}.jar")
    assert link.is_symlink
    assert host.file(link.linked_to).is_file
    assert host.file(f"/opt/spark/jars/jdbc-{name}.jar").linked_to == link.linked_to


def test_the_environment_names_their_directory(host: Host) -> None:
    assert host.check_output("printenv JDBC_DRIVERS") == "/opt/jdbc"


def test_all_drivers_load_and_register(run: Run) -> None:
    files = {"/opt/spark/work-dir/Registered.java": REGISTERED}
    done = run("java", "-cp", "/opt/jdbc/*", "/opt/spark/work-dir/Registered.java", *sorted(CLASSES), files=files)
    loaded, registered = done.output.split("--")
    assert set(loaded.split()) == CLASSES
    assert set(registered.split()) >= CLASSES


@pytest.mark.parametrize("name", NAMES)
def test_spark_finds_a_driver_by_its_url(queries: Completed, name: str) -> None:
    said = [line for line in queries.output.splitlines() if line.startswith(f"{name} ")]
    assert said
    assert REFUSALS[name] in said[0]


def test_spark_writes_and_reads_a_real_database(queries: Completed) -> None:
    assert "types bigint bigint string decimal(10,2) timestamp boolean" in queries.output
    assert "sums 1000 332833500 124875.00 500" in queries.output
    assert "parts 4 1000" in queries.output


def test_filters_are_answered_by_the_database(queries: Completed, database: Container) -> None:
    assert "found 992016 3" in queries.output
    asked = [line for line in database.logs().splitlines() if "SELECT" in line and "> 995" in line]
    assert any("'997'" in line for line in asked), asked


def test_a_wrong_password_is_refused(queries: Completed) -> None:
    (refusal,) = [line for line in queries.output.splitlines() if line.startswith("refused ")]
    assert "password authentication failed" in refusal


def test_the_terms_of_the_drivers_are_shown(host: Host) -> None:
    text = host.file("/opt/jdbc/LICENCES.txt").content_string
    assert all(f"{name}.jar" in text for name in NAMES)
