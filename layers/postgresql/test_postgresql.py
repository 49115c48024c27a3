"""The database as tests start it: any user, a password that is checked by SCRAM, data that outlive a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Container, Run, Start

PASSWORD = "a 'secret' with \"quotes\" and $signs"  # noqa: S105 - of this test's own server
ANYONE = "1234567:0"
START_SECONDS = 120
REFUSED = 2
MISTAKE = 64


@pytest.fixture(scope="module")
def database(session_container: Start) -> Container:
    """A server as OpenShift would run it."""
    server = session_container(user=ANYONE, env={"POSTGRES_PASSWORD": PASSWORD}, network="bridge")
    server.wait_for(log="ready to accept connections", timeout=START_SECONDS)
    return server


def ask(run: Run, server: Container, query: str, *, password: str = PASSWORD, user: str = "postgres") -> Completed:
    """What psql says in a container of its own."""
    url = f"host={server.address} user={user} dbname=postgres connect_timeout=10"
    return run(
        "-At",
        "-v",
        "ON_ERROR_STOP=1",
        url,
        "-c",
        query,
        entrypoint=("psql",),
        env={"PGPASSWORD": password},
        network="bridge",
    )


def test_a_table_is_written_and_read_over_the_network(run: Run, database: Container) -> None:
    made = ask(run, database, "create table t as select n, n * n as square from generate_series(1, 10) n")
    assert made.output == "SELECT 10"
    assert ask(run, database, "select sum(square) from t").output == "385"


def test_a_wrong_password_is_refused(run: Run, database: Container) -> None:
    done = ask(run, database, "select 1", password=PASSWORD.upper())
    assert done.code == REFUSED
    assert "password authentication failed" in done.stderr


def test_no_password_is_refused_inside_the_container_as_well(database: Container) -> None:
    done = database.exec("psql", "-w", "-h", "/tmp", "-U", "postgres", "-c", "select 1", user=ANYONE)
    assert done.code == REFUSED
    assert "no password supplied" in done.stderr


def test_passwords_are_kept_and_asked_for_by_scram_alone(run: Run, database: Container) -> None:
    kept = ask(run, database, "select left(rolpassword, 14) from pg_authid where rolname = 'postgres'")
    assert kept.output == "SCRAM-SHA-256$"
    ways = ask(run, database, "select distinct auth_method from pg_hba_file_rules")
    assert ways.output == "scram-sha-256"


def test_texts_are_unicode(run: Run, database: Container) -> None:
    assert ask(run, database, "select length('日本'), upper('ö')").output == "2|Ö"


def test_the_password_is_in_no_argument_log_or_environment(database: Container) -> None:
    assert "secret" not in database.logs()
    seen = database.exec("bash", "-c", "cat /proc/[0-9]*/cmdline; cat /proc/1/task/*/children", user=ANYONE).stdout
    assert "secret" not in seen
    server = database.exec("bash", "-c", "head -n 1 $PGDATA/postmaster.pid", user=ANYONE).output
    assert "secret" not in database.exec("cat", f"/proc/{server}/environ", user=ANYONE).output


def test_tini_is_the_first_process_and_the_server_its_child(database: Container) -> None:
    assert database.exec("cat", "/proc/1/comm").output == "tini"
    assert database.exec("bash", "-c", "cat /proc/$(cat /proc/1/task/1/children | xargs)/comm").output == "postgres"


def test_it_stops_cleanly_and_a_restart_finds_its_data(volume: str, container: Start, run: Run) -> None:
    def start(password: str) -> Container:
        env = {"POSTGRES_PASSWORD": password, "POSTGRES_USER": "owner"}
        server = container(
            env=env, network="bridge", volumes={volume: "/var/lib/postgresql"}, read_only=True, tmpfs=["/tmp"]
        )
        server.wait_for(log="ready to accept connections", timeout=START_SECONDS)
        return server

    first = start(PASSWORD)
    assert ask(run, first, "create table kept as select 42 as answer", user="owner").output == "SELECT 1"
    assert first.stop(timeout=60) == 0
    assert "database system is shut down" in first.logs()
    second = start("another password, which no longer counts")
    assert "initdb" not in second.logs()
    assert ask(run, second, "select answer from kept", user="owner").output == "42"
    assert second.stop(timeout=60) == 0


def test_the_password_may_come_from_a_file(container: Start, run: Run) -> None:
    server = container(
        env={"POSTGRES_PASSWORD_FILE": "/run/password"}, files={"/run/password": f"{PASSWORD}\n"}, network="bridge"
    )
    server.wait_for(log="ready to accept connections", timeout=START_SECONDS)
    assert ask(run, server, "select 1").output == "1"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"env": {}}, "postgresql: no password; set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"),
        ({"env": {"POSTGRES_PASSWORD_FILE": "/nowhere"}}, "postgresql: /nowhere cannot be read"),
        ({"user": "0:0"}, "postgresql: PostgreSQL refuses to run as root; start it as another user of group 0"),
    ],
)
def test_what_cannot_work_is_refused_in_a_line(run: Run, options: dict[str, str], line: str) -> None:
    done = run(**options)  # type: ignore[arg-type]
    assert (done.code, done.stderr.strip()) == (MISTAKE, line)
