"""What starts JupyterLab and its kernels: who may come in, where things are, what Spark's sessions are told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import wait_until

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Container, Host, Run, Start

ANYONE = "1234567:0"
START = "/opt/spark/entrypoint.sh"
USAGE = 64
STARTS = 300
PORT = 8888
TOKEN = "a-token-of-this-test"  # noqa: S105 - there to be looked for
MADE = re.compile(r"token=([0-9a-f]{48})\b")
# Stands for a kernel: what its process would see.
SPY = """
import json, os, sys
print(json.dumps([sys.argv[1:], {name: value for name, value in os.environ.items() if "SPARK" in name}]))
"""
PROPERTIES = """
# settings of a test
spark.sql.catalog.iceberg            org.apache.iceberg.spark.SparkCatalog
spark.sql.catalog.iceberg.type       hadoop
spark.sql.catalog.iceberg.warehouse  /tmp/warehouse

spark.note   two words
"""


@pytest.fixture(scope="module")
def lab(session_container: Start) -> Container:
    """JupyterLab as anyone, with a read-only root and its token in a file that ends in a line feed."""
    server = session_container(
        "-c",
        'printf "%s\\n" "$SECRET" >/tmp/token; unset SECRET; exec /opt/spark/entrypoint.sh lab',
        entrypoint=("/usr/bin/tini", "--", "/bin/bash"),
        user=ANYONE,
        read_only=True,
        tmpfs=["/tmp"],
        env={"JUPYTER_TOKEN_FILE": "/tmp/token", "SECRET": TOKEN},
    )
    server.wait_for(port=PORT, timeout=STARTS)
    return server


@pytest.fixture(scope="module")
def plain(session_container: Start) -> Container:
    """JupyterLab as it starts when nothing is said."""
    return session_container("lab", entrypoint=("/usr/bin/tini", "--", START), user="185:0", network="bridge")


@pytest.fixture(scope="module")
def other(session_container: Start) -> Container:
    """JupyterLab with a blank token and notebooks of its own."""
    return session_container(
        "lab",
        entrypoint=(START,),
        user="185:0",
        network="bridge",
        env={"JUPYTER_TOKEN": " ", "JUPYTER_ROOT_DIR": "/srv/notebooks"},
        files={"/srv/notebooks/mine.ipynb": "{}"},
    )


def made_token(server: Container) -> str:
    """The token that Jupyter made and printed."""
    found = wait_until(lambda: MADE.search(server.logs()), STARTS, "a token in the log")
    assert found
    return found[1]


def list_notebooks(server: Container, token: str, folder: str = "") -> dict[str, bool]:
    """Name → whether it may be changed."""
    url = f"localhost:{PORT}/api/contents{folder}"
    listed = server.exec("curl", "-s", "-H", f"Authorization: token {token}", url)
    return {entry["name"]: entry["writable"] for entry in json.loads(listed.output)["content"]}


def ask(lab: Container, path: str, token: str = "") -> str:
    """The status of an answer."""
    header = ("-H", f"Authorization: token {token}") if token else ()
    url = f"localhost:{PORT}{path}"
    return lab.exec("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *header, url).output


@pytest.mark.parametrize("path", ["/api/status", "/api/kernels", "/api/contents"])
def test_the_token_opens_the_interface_and_nothing_else_does(lab: Container, path: str) -> None:
    assert [ask(lab, path, TOKEN), ask(lab, path), ask(lab, path, "another")] == ["200", "403", "403"]


def test_the_token_is_on_no_command_line(lab: Container) -> None:
    shown = lab.exec("ps", "-ww", "-eo", "args").output
    assert "jupyter-lab" in shown
    assert TOKEN not in shown


def test_without_a_token_each_start_makes_one_and_a_blank_one_is_none(plain: Container, other: Container) -> None:
    assert made_token(plain) != made_token(other)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"JUPYTER_TOKEN_FILE": "/none"}, "/none cannot be read"),
        ({"JUPYTER_TOKEN_FILE": "/run/secrets/token"}, "/run/secrets/token is empty"),
    ],
)
def test_a_token_file_that_holds_none_is_an_error(run: Run, env: dict[str, str], said: str) -> None:
    done = run("lab", entrypoint=(START,), user=ANYONE, env=env, files={"/run/secrets/token": " \n"})
    assert (done.code, said in done.stderr) == (USAGE, True)


def test_a_token_on_the_command_line_is_refused_and_not_repeated(run: Run) -> None:
    done = run("lab", f"--IdentityProvider.token={TOKEN}", entrypoint=(START,), user=ANYONE)
    assert (done.code, "--IdentityProvider.token: no token on the command line" in done.stderr) == (USAGE, True)
    assert TOKEN not in done.stdout + done.stderr


def test_anyone_has_a_writable_home_with_the_examples_in_its_notebooks(lab: Container) -> None:
    read = "tr '\\0' '\\n' </proc/$(ps --ppid 1 -o pid= | tr -d ' ')/environ"
    known = lab.exec("bash", "-c", read).output
    env = dict(line.split("=", 1) for line in known.splitlines())
    assert env["HOME"].startswith("/tmp/")
    assert env["JUPYTER_ROOT_DIR"] == f"{env['HOME']}/work"
    notebooks = list_notebooks(lab, TOKEN, "/examples")
    assert notebooks == {"spark-connect.ipynb": True, "spark-local.ipynb": True}


def test_notebooks_may_be_elsewhere_and_those_that_are_there_are_left_alone(other: Container) -> None:
    assert list(list_notebooks(other, made_token(other))) == ["mine.ipynb"]


def test_lab_ends_at_once_when_it_is_told_to(plain: Container) -> None:
    plain.wait_for(port=PORT, timeout=STARTS)
    assert plain.exec("cat", "/proc/1/comm").output == "tini"
    assert plain.stop(timeout=20) == 0


def test_the_modes_of_spark_are_still_there(run: Run) -> None:
    assert run("worker", entrypoint=(START,), user="185:0").code == USAGE


def test_the_kernels_are_python_and_two_for_spark(host: Host) -> None:
    kernels = json.loads(host.check_output("jupyter kernelspec list --json"))["kernelspecs"]
    names = {name: kernel["spec"]["display_name"] for name, kernel in kernels.items()}
    assert names == {
        "python3": "Python 3 (ipykernel)",
        "spark-connect": "Spark Connect",
        "spark-local": "Spark local",
    }


def start_kernel(run: Run, *args: str, **env: str) -> dict[str, str]:
    """What a kernel's process would see: ``ipykernel_launcher`` is another program here."""
    files = {
        "/opt/spy/ipykernel_launcher.py": SPY,
        "/opt/spy/a.conf": PROPERTIES,
        "/opt/spy/b.conf": "spark.b 1\n",
        "/opt/spy/c.conf": "spark.c 2\n",
    }
    done = run("spark-kernel", *args, entrypoint=(), env={"PYTHONPATH": "/opt/spy", **env}, files=files)
    argv, seen = json.loads(done.output)
    assert argv == ["-f", "/connection.json"]
    return dict(seen)


def test_a_connect_kernel_speaks_to_the_server_that_is_named_or_to_this_container(run: Run) -> None:
    assert start_kernel(run, "connect", "/connection.json", SPARK_REMOTE="")["SPARK_REMOTE"] == "sc://localhost:15002"
    seen = start_kernel(run, "connect", "/connection.json", SPARK_REMOTE="sc://spark:15002")
    assert seen["SPARK_REMOTE"] == "sc://spark:15002"


def test_a_local_kernel_starts_spark_here_with_the_settings_of_the_flavour(run: Run) -> None:
    seen = start_kernel(
        run,
        "local",
        "/connection.json",
        SPARK_REMOTE="sc://spark:15002",
        SPARK_FLAVOUR_CONF="/opt/spy/b.conf:/opt/spy/c.conf",
    )
    assert "SPARK_REMOTE" not in seen
    assert seen["PYSPARK_SUBMIT_ARGS"] == "--master 'local[*]' --conf spark.b=1 --conf spark.c=2 pyspark-shell"


def test_a_catalogue_of_iceberg_is_pointed_elsewhere_by_variables(run: Run) -> None:
    env = {"ICEBERG_CATALOG_TYPE": "rest", "ICEBERG_CATALOG_URI": "http://catalogue", "ICEBERG_WAREHOUSE": ""}
    seen = start_kernel(run, "local", "/connection.json", "/opt/spy/a.conf", PYSPARK_SUBMIT_ARGS="x", **env)
    assert seen["PYSPARK_SUBMIT_ARGS"] == (
        "--master 'local[*]' --conf spark.sql.catalog.iceberg=org.apache.iceberg.spark.SparkCatalog"
        " --conf spark.sql.catalog.iceberg.type=rest --conf spark.sql.catalog.iceberg.warehouse=/tmp/warehouse"
        " --conf 'spark.note=two words' --conf spark.sql.catalog.iceberg.uri=http://catalogue x"
    )


def test_variables_of_iceberg_say_nothing_where_there_is_no_catalogue(run: Run) -> None:
    seen = start_kernel(run, "local", "/connection.json", "/opt/spy/b.conf", ICEBERG_WAREHOUSE="/x")
    assert "/x" not in seen["PYSPARK_SUBMIT_ARGS"]
