"""The jars: what a metastore on PostgreSQL and S3 meets loads on Java 17, and nothing else came along."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Host, Run

LIB = "/opt/hive/lib"
CLASS_PATH = f"{LIB}/*:/opt/spark/jars/*"
# artifact-version[-classifier].jar; the version is the last part that starts with a digit.
NAME = re.compile(r"(?P<artifact>.+?)-(?P<version>\d[\w.]*)(?P<classifier>(?:-[a-z]\w*)*)\.jar")
# Loads, verifies and initialises every class of a jar, and says which jars hold the same class.
CLASSES = """
import java.io.File;
import java.util.*;
import java.util.jar.JarFile;

class Classes {
    public static void main(String[] jars) throws Exception {
        Map<String, Set<String>> places = new TreeMap<>();
        for (String path : System.getProperty("java.class.path").split(":")) {
            String jar = new File(path).getName();
            for (String name : names(path)) places.computeIfAbsent(name, key -> new TreeSet<>()).add(jar);
        }
        places.forEach((name, where) -> { if (where.size() > 1) System.out.println("twice " + name + " " + where); });
        int loaded = 0;
        for (String name : names(jars[0])) {
            try {
                Class.forName(name).getDeclaredMethods();
                loaded++;
            } catch (Throwable error) {
                System.out.println("lacking " + name + " " + error);
            }
        }
        System.out.println("loaded " + loaded);
        System.exit(0);
    }

    static List<String> names(String path) throws Exception {
        List<String> found = new ArrayList<>();
        try (JarFile jar = new JarFile(path)) {
            jar.stream().map(entry -> entry.getName()).forEach(name -> {
                if (name.endsWith(".class") && !name.contains("-")) {
                    found.add(name.substring(0, name.length() - 6).replace('/', '.'));
                }
            });
        }
        return found;
    }
}
"""
NAMED = """
class Named {
    public static void main(String[] names) throws Exception {
        for (String name : names) Class.forName(name);
        System.out.println(String.join(" ", names));
    }
}
"""
NAMES = (
    "org.postgresql.Driver",
    "com.zaxxer.hikari.HikariDataSource",
    "org.apache.hadoop.fs.s3a.S3AFileSystem",
    "software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient",
    "org.datanucleus.store.rdbms.RDBMSStoreManager",
)
# Caches of ORC files' footers, tokens of Kerberos kept in ZooKeeper, notifications for replication, and schematool.
UNUSED = re.compile(
    r"org\.apache\.hadoop\.hive\.metastore\."
    r"(Metastore|FileFormatProxy|security\.ZooKeeperTokenStore|messaging\.json\.JSONMessage\w+|tools\.MetastoreSchemaTool)\b.*"
)


@pytest.fixture(scope="module")
def jars(host: Host) -> list[str]:
    return str(host.check_output(f"ls {LIB} /opt/spark/jars | grep jar$")).split()


@pytest.fixture(scope="module")
def classes(run: Run) -> Completed:
    return run(
        *("bash", "-c", f'exec java -cp "$(echo {LIB}/*.jar /opt/spark/jars/*.jar | tr " " :)" "$@"', "java"),
        *("/run/Classes.java", f"{LIB}/hive-standalone-metastore-3.1.3.jar"),
        files={"/run/Classes.java": CLASSES},
        network="bridge",  # else the machine has no address, which TxnHandler asks for
    )


def said(classes: Completed, word: str) -> list[list[str]]:
    return [line.split(maxsplit=2)[1:] for line in classes.output.splitlines() if line.startswith(f"{word} ")]


def test_all_classes_of_hive_load_on_java_17_but_those_of_what_is_not_used(classes: Completed) -> None:
    ((loaded,),) = said(classes, "loaded")
    assert int(loaded) > 5000
    assert [name for name, _ in said(classes, "lacking") if not UNUSED.match(name)] == []


def test_no_class_is_there_twice(classes: Completed) -> None:
    assert said(classes, "twice") == []


def test_what_is_loaded_by_its_name_is_there(run: Run) -> None:
    done = run("java", "-cp", CLASS_PATH, "/run/Named.java", *NAMES, files={"/run/Named.java": NAMED}, network="bridge")
    assert done.output == " ".join(NAMES)


def test_no_artifact_is_there_in_two_versions(jars: list[str]) -> None:
    artifacts = Counter(match["artifact"] for name in jars if (match := NAME.fullmatch(name)))
    assert len(artifacts) > 60
    assert [name for name, count in artifacts.items() if count > 1] == []


def test_hadoop_is_of_one_version(jars: list[str]) -> None:
    found = {match["artifact"]: match["version"] for name in jars if (match := NAME.fullmatch(name))}
    hadoop = {name: version for name, version in found.items() if name.startswith("hadoop-")}
    assert set(hadoop) == {"hadoop-aws", "hadoop-client-api", "hadoop-client-runtime"}
    assert len(set(hadoop.values())) == 1


@pytest.mark.parametrize(
    "artifact",
    ["derby", "bonecp", "protobuf-java", "orc-core", "aircompressor", "jackson-mapper-asl", "jline", "sqlline"],
)
def test_what_is_old_and_not_used_is_not_there(jars: list[str], artifact: str) -> None:
    assert [name for name in jars if name.startswith(f"{artifact}-")] == []


@pytest.mark.parametrize("artifact", ["log4j-api", "log4j-core", "log4j-slf4j2-impl", "log4j-1.2-api"])
def test_log4j_is_of_the_version_of_spark(jars: list[str], artifact: str) -> None:
    assert f"{artifact}-2.24.3.jar" in jars


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("LICENSE", "Apache License"),
        ("NOTICE", "Apache Hive Metastore"),
        ("binary-package-licenses/javolution-LICENSE", "Javolution"),
        ("binary-package-licenses/org.antlr-LICENSE", "Redistribution and use"),
        (
            "binary-package-licenses/javax.transaction.transaction-api-LICENSE",
            "COMMON DEVELOPMENT AND DISTRIBUTION LICENSE",
        ),
    ],
)
def test_the_licences_are_there(host: Host, file: str, text: str) -> None:
    assert host.file(f"/opt/hive/{file}").contains(text)


def test_the_schema_is_there_for_postgresql_and_for_nothing_else(host: Host) -> None:
    assert host.check_output("ls /opt/hive/scripts/metastore/upgrade") == "postgres"
    assert host.file("/opt/hive/scripts/metastore/upgrade/postgres/hive-schema-3.1.0.postgres.sql").size
