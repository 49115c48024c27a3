"""The drivers: stable names, registered with the JVM, found by Spark without being named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Host, Run

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
from pyspark.sql import SparkSession

URLS = {
    "mssql": "jdbc:sqlserver://127.0.0.1:9;encrypt=false;loginTimeout=5;connectRetryCount=0",
    "mysql": "jdbc:mysql://127.0.0.1:9/test?connectTimeout=5000",
    "oracle": "jdbc:oracle:thin:@//127.0.0.1:9/test",
    "postgresql": "jdbc:postgresql://127.0.0.1:9/test",
    "vertica": "jdbc:vertica://127.0.0.1:9/test",
}
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
for name, url in URLS.items():
    try:
        spark.read.jdbc(url, "t")
    except Exception as error:
        print(name, " ".join(str(error).split())[:300])

derby = "jdbc:derby:memory:proof;create=true"
spark.range(5).selectExpr("id", "id * id as square").write.jdbc(derby, "squares")
print("derby", spark.read.jdbc(derby, "squares").selectExpr("sum(square)").first()[0])
"""
REFUSALS = {
    "mssql": "SQLServerException",
    "mysql": "com.mysql.cj.jdbc.exceptions.CommunicationsException",
    "oracle": "ORA-",
    "postgresql": "org.postgresql.util.PSQLException: Connection to 127.0.0.1:9 refused",
    "vertica": "java.sql.SQLException: [Vertica]",
}


@pytest.fixture(scope="module")
def queries(run: Run) -> Completed:
    """One Spark session that asks every database, none of which is there, and one that is."""
    return run(
        "spark-submit",
        "/opt/spark/work-dir/queries.py",
        user="185:0",
        network="bridge",
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
    assert "derby 30" in queries.output


def test_the_terms_of_the_drivers_are_shown(host: Host) -> None:
    text = host.file("/opt/jdbc/LICENCES.txt").content_string
    assert all(f"{name}.jar" in text for name in NAMES)
