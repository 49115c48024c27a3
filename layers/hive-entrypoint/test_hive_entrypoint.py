"""The entry point: what it refuses, where it keeps the password, and what it does with databases of every kind."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.adapters.fixtures import Completed, Container, Host, Run, Serve, Start

ENTRYPOINT = "/opt/hive/entrypoint.sh"
SCRIPT = "/opt/hive/scripts/metastore/upgrade/postgres/hive-schema-3.1.0.postgres.sql"
ANYONE = "1234567:0"
START_SECONDS = 120
# Characters that XML, shells and SQL would each take for something else.
PASSWORD = "a <secret> & 'more' with \"quotes\" and $signs"  # noqa: S105 - of this test's own server
OWNER = "of the server's owner"
NOWHERE = {
    "METASTORE_DB_HOST": "127.0.0.1",
    "METASTORE_DB_PORT": "9",
    "METASTORE_DB_NAME": "metastore",
    "METASTORE_DB_USER": "hive",
    "METASTORE_DB_PASSWORD": PASSWORD,
    "METASTORE_DB_WAIT": "1",
    "METASTORE_WAREHOUSE_DIR": "s3a://warehouse/hive",
}
# Exit codes.
MISTAKE, WRONG_VERSION, MISSING, UNREACHABLE, BROKEN, REFUSED = 64, 65, 66, 69, 70, 77


@pytest.fixture(scope="module")
def server(session_service: Serve) -> Container:
    """A server whose user hive may log in, and owns no database yet."""
    started = session_service("postgresql", env={"POSTGRES_PASSWORD": OWNER}, network="bridge")
    started.wait_for(log="ready to accept connections", timeout=START_SECONDS)
    ask(started, f"""create role hive login password '{PASSWORD.replace("'", "''")}'""")
    return started


def ask(server: Container, query: str, database: str = "postgres") -> str:
    words = ("psql", "-At", "-v", "ON_ERROR_STOP=1", "-h", "localhost", "-U", "postgres", "-d", database, "-c", query)
    return server.exec(*words, env={"PGPASSWORD": OWNER}).output


@pytest.fixture
def database(server: Container) -> str:
    """The name of a new database of the user hive."""
    name = f"db_{uuid.uuid4().hex}"
    ask(server, f"create database {name} owner hive")
    return name


@pytest.fixture
def settings(server: Container, database: str) -> dict[str, str]:
    place = {"METASTORE_DB_HOST": server.address, "METASTORE_DB_PORT": "5432", "METASTORE_DB_NAME": database}
    return {**NOWHERE, **place}


@pytest.fixture
def start(run: Run, settings: dict[str, str]) -> Callable[..., Completed]:
    """What a mode says that ends by itself, as OpenShift would run it."""

    def start(mode: str, **more: str) -> Completed:
        return run(
            mode,
            entrypoint=(ENTRYPOINT,),
            user=ANYONE,
            read_only=True,
            tmpfs=["/tmp"],
            network="bridge",
            env={**settings, **more},
        )

    return start


def count_tables(server: Container, database: str) -> int:
    return int(ask(server, "select count(*) from pg_tables where schemaname = 'public'", database))


def test_it_is_executable_and_only_root_may_change_it(host: Host) -> None:
    script = host.file(ENTRYPOINT)
    assert (script.mode, script.uid, script.gid) == (0o755, 0, 0)


def test_what_is_no_mode_is_run_as_it_is(run: Run) -> None:
    assert run("echo", "two words", "-x", entrypoint=(ENTRYPOINT,)).output == "two words -x"


@pytest.mark.parametrize(
    ("mode", "env", "line"),
    [
        ("schema", {"METASTORE_DB_HOST": ""}, "METASTORE_DB_HOST is not set"),
        ("metastore", {"METASTORE_WAREHOUSE_DIR": ""}, "METASTORE_WAREHOUSE_DIR is not set"),
        ("schema", {"METASTORE_DB_PORT": "many"}, "METASTORE_DB_PORT is no number: many"),
        ("metastore", {"METASTORE_PORT": "90x"}, "METASTORE_PORT is no number: 90x"),
        ("schema", {"METASTORE_S3_PATH_STYLE": "yes"}, "METASTORE_S3_PATH_STYLE is neither true nor false: yes"),
        (
            "schema",
            {"METASTORE_DB_PASSWORD": ""},
            "no password; set METASTORE_DB_PASSWORD or METASTORE_DB_PASSWORD_FILE",
        ),
        (
            "schema",
            {"METASTORE_DB_PASSWORD_FILE": "/run/none"},
            "METASTORE_DB_PASSWORD_FILE: /run/none cannot be read",
        ),
        (
            "schema",
            {"METASTORE_DB_PASSWORD": "a${user.name}"},
            "the password has ${ in it, which Hadoop would take for a variable",
        ),
    ],
)
def test_a_mistake_is_refused_in_a_line(run: Run, mode: str, env: dict[str, str], line: str) -> None:
    done = run(mode, entrypoint=(ENTRYPOINT,), env={**NOWHERE, **env})
    assert done.code == MISTAKE
    assert done.stderr.splitlines()[-1] == f"hive-metastore: {line}"


def test_arguments_of_a_mode_are_refused(run: Run) -> None:
    done = run("schema", "-upgradeSchema", entrypoint=(ENTRYPOINT,), env=NOWHERE)
    assert (done.code, done.stderr.strip()) == (MISTAKE, "hive-metastore: schema takes no arguments: -upgradeSchema")


@pytest.mark.parametrize("mode", ["schema", "metastore"])
def test_a_database_that_is_not_there_is_waited_for_and_then_told(run: Run, mode: str) -> None:
    done = run(mode, entrypoint=(ENTRYPOINT,), user=ANYONE, env=NOWHERE)
    assert done.code == UNREACHABLE
    first, last = done.stderr.splitlines()
    assert first.startswith("hive-metastore: waiting for jdbc:postgresql://127.0.0.1:9/metastore: ")
    assert last.startswith("hive-metastore: jdbc:postgresql://127.0.0.1:9/metastore: Connection to 127.0.0.1:9 refused")


def test_a_service_link_of_kubernetes_is_no_port(run: Run) -> None:
    links = {"METASTORE_DB_PORT": "tcp://10.0.0.1:5432", "METASTORE_PORT": "tcp://10.0.0.2:9083"}
    done = run("metastore", entrypoint=(ENTRYPOINT,), env={**NOWHERE, **links})
    assert done.code == UNREACHABLE
    assert "jdbc:postgresql://127.0.0.1:5432/metastore" in done.stderr


def test_the_password_is_in_one_file_that_only_this_user_may_read(container: Start) -> None:
    started = container(
        "schema",
        entrypoint=(ENTRYPOINT,),
        user=ANYONE,
        read_only=True,
        tmpfs=["/tmp"],
        env={**NOWHERE, "METASTORE_DB_WAIT": "300"},
    )
    started.wait_for(log="waiting for", timeout=START_SECONDS)
    look = "cd /tmp/hive-metastore.* && stat -c '%a %u %n' . *.xml && cat *.xml && grep -rl secret /tmp"
    directory, file, *text, found = started.exec("bash", "-c", look, user=ANYONE).output.splitlines()
    assert (directory, file) == ("700 1234567 .", "600 1234567 metastore-site.xml")
    assert any("<value>a &lt;secret&gt; &amp; 'more' with \"quotes\" and $signs</value>" in line for line in text)
    assert found.endswith("/metastore-site.xml")
    assert "secret" not in started.logs()
    # Process 1 is the JVM, which took the place of the shell.
    command = started.exec("cat", "/proc/1/cmdline", "/proc/1/environ", user=ANYONE).output
    assert command.startswith("java\0")
    assert "METASTORE_DB_HOST=127.0.0.1" in command
    assert "secret" not in command
    assert started.stop(timeout=30) == 143


def test_two_jobs_at_once_make_the_schema_once(
    container: Start, settings: dict[str, str], server: Container, database: str, host: Host
) -> None:
    options = {"entrypoint": (ENTRYPOINT,), "user": ANYONE, "network": "bridge", "env": settings}
    jobs = [container("schema", **options) for _ in range(2)]  # type: ignore[arg-type]
    for job in jobs:
        wait_until(lambda job=job: not job.is_running(), START_SECONDS, "the end of a job")  # type: ignore[misc]
    assert [job.stop() for job in jobs] == [0, 0]
    place = f"the schema 3.1.0 in jdbc:postgresql://{server.address}:5432/{database}"
    assert sorted(job.logs() for job in jobs) == [f"hive-metastore: {word} {place}\n" for word in ("created", "found")]
    tables = int(host.check_output(f"grep -ci '^create table' {SCRIPT}"))
    assert count_tables(server, database) == tables
    assert ask(server, 'select "SCHEMA_VERSION" from "VERSION"', database) == "3.1.0"


def test_a_schema_that_is_there_is_found(start: Callable[..., Completed], server: Container, database: str) -> None:
    assert "created the schema" in start("schema").output
    ask(server, """insert into "DBS" ("DB_ID", "DB_LOCATION_URI", "CTLG_NAME") values (7, 'kept', 'hive')""", database)
    assert "found the schema" in start("schema").output
    assert ask(server, 'select "DB_LOCATION_URI" from "DBS"', database) == "kept"


def test_a_job_that_fails_at_its_end_leaves_nothing(
    start: Callable[..., Completed], server: Container, database: str
) -> None:
    """One of the last tables of the script is there already."""
    ask(server, "create table runtime_stats (own int)", database)
    done = start("schema")
    assert done.code == BROKEN
    assert 'relation "runtime_stats" already exists' in done.stderr
    assert count_tables(server, database) == 1
    ask(server, "drop table runtime_stats", database)
    assert "created the schema" in start("schema").output


@pytest.mark.parametrize("version", ["2.3.0", "4.0.0"])
def test_a_schema_of_another_version_is_left_as_it_is(
    start: Callable[..., Completed], server: Container, database: str, version: str
) -> None:
    ask(server, """create table "VERSION" ("VER_ID" bigint, "SCHEMA_VERSION" text)""", database)
    ask(server, f"""alter table "VERSION" alter "SCHEMA_VERSION" set default '{version}'""", database)
    ask(server, """insert into "VERSION" values (1, default); grant select on "VERSION" to hive""", database)
    for mode in ("schema", "metastore"):
        done = start(mode)
        assert done.code == WRONG_VERSION
        assert f"holds the schema {version}, and this metastore needs 3.1.0; it is left as it is" in done.stderr
    assert count_tables(server, database) == 1


def test_tables_without_a_version_are_left_as_they_are(
    start: Callable[..., Completed], server: Container, database: str
) -> None:
    ask(server, 'create table "DBS" (own int)', database)
    for mode in ("schema", "metastore"):
        done = start(mode)
        assert done.code == WRONG_VERSION
        assert "holds tables of a metastore, but not their version" in done.stderr
    assert count_tables(server, database) == 1


def test_a_metastore_without_its_schema_says_which_mode_makes_it(
    start: Callable[..., Completed], database: str
) -> None:
    done = start("metastore")
    assert done.code == MISSING
    assert done.stderr.strip().endswith(f"/{database} holds no schema; the mode schema creates it")


@pytest.mark.parametrize("mode", ["schema", "metastore"])
@pytest.mark.parametrize(
    ("env", "code", "text"),
    [
        ({"METASTORE_DB_PASSWORD": "another"}, REFUSED, 'password authentication failed for user "hive"'),
        ({"METASTORE_DB_NAME": "nothing"}, MISSING, 'database "nothing" does not exist; create it first'),
    ],
)
def test_what_the_database_refuses_is_told_in_a_line(
    start: Callable[..., Completed], mode: str, env: dict[str, str], code: int, text: str
) -> None:
    done = start(mode, **env)
    assert done.code == code
    (line,) = done.stderr.splitlines()
    assert line.endswith(text)
    assert "another" not in done.stdout + done.stderr


def test_a_user_who_may_not_make_tables_is_told_so(
    start: Callable[..., Completed], server: Container, database: str
) -> None:
    ask(server, f"alter database {database} owner to postgres")
    done = start("schema")
    assert done.code == REFUSED
    assert "permission denied for schema public" in done.stderr
    assert count_tables(server, database) == 0


def test_the_password_may_come_from_a_file(run: Run, settings: dict[str, str]) -> None:
    done = run(
        "schema",
        entrypoint=(ENTRYPOINT,),
        network="bridge",
        env={**settings, "METASTORE_DB_PASSWORD": "", "METASTORE_DB_PASSWORD_FILE": "/run/secrets/password"},
        files={"/run/secrets/password": f"{PASSWORD}\n"},
    )
    assert "created the schema" in done.output


def test_mounted_files_say_it_otherwise_and_the_last_one_counts(run: Run, settings: dict[str, str]) -> None:
    def site(user: str) -> str:
        name = "javax.jdo.option.ConnectionUserName"
        return f"<configuration><property><name>{name}</name><value>{user}</value></property></configuration>"

    files = {"/opt/hive/conf.d/10.xml": site("first"), "/opt/hive/conf.d/20.xml": site("second")}
    done = run("schema", entrypoint=(ENTRYPOINT,), network="bridge", env=settings, files=files)
    assert done.code == REFUSED
    assert 'password authentication failed for user "second"' in done.stderr
