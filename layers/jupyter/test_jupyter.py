"""A Jupyter image as a user meets it: JupyterLab behind its token, and notebooks that run in each of its kernels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Completed, Container, Run, Serve, Start

ANYONE = "1234567:0"
STARTS = 300
PORT = 8888
TOKEN = "a-token-of-this-test"  # noqa: S105 - there to be looked for
KERNELS = {
    "baseline": {"python3", "spark-connect", "spark-local"},
    "gpu": {"python3", "spark-connect", "spark-local", "spark-local-gpu"},
    "iceberg": {"python3", "spark-connect", "spark-local", "spark-local-iceberg"},
}
CELL_SECONDS = 600
# Runs a notebook as the server would, in the kernel that it names itself; its last line is what the cells have put out.
EXECUTE = f"""
import json, sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout={CELL_SECONDS}, resources={{"metadata": {{"path": "/tmp"}}}}).execute()
print()
print(json.dumps([output for cell in notebook.cells for output in cell.get("outputs", ())]))
"""


@pytest.fixture(scope="module")
def connect(session_service: Serve, params: Mapping[str, str]) -> Container:
    """A Connect server of the Spark image of the same version and flavour."""
    node = f"spark-{params['version']}-{params['flavour']}"
    server = session_service(node, "connect", user=ANYONE, read_only=True, tmpfs=["/tmp"], network="bridge")
    server.wait_for(port=15002, timeout=STARTS)
    return server


@pytest.fixture(scope="module")
def lab(session_container: Start, connect: Container) -> Container:
    """JupyterLab as OpenShift would run it, told where the Connect server is."""
    server = session_container(
        user=ANYONE,
        read_only=True,
        tmpfs=["/tmp"],
        network="bridge",
        env={"JUPYTER_TOKEN": TOKEN, "SPARK_REMOTE": f"sc://{connect.address}:15002"},
    )
    server.wait_for(port=PORT, timeout=STARTS)
    return server


@pytest.fixture(scope="module")
def idle(session_container: Start) -> Container:
    """A container where notebooks run without JupyterLab: libraries may be loaded from its /tmp."""
    return session_container("sleep", "infinity", user=ANYONE, network="bridge")


def ask(lab: Container, path: str, token: str) -> tuple[int, str]:
    """Status and text of an answer."""
    said = lab.exec(
        "curl", "-s", "-w", "\n%{http_code}", "-H", f"Authorization: token {token}", f"localhost:{PORT}{path}"
    )
    text, _, status = said.output.rpartition("\n")
    return int(status), text


def execute(container: Container, example: str) -> tuple[str, list[dict[str, Any]]]:
    """What the cells of an example print, and all that they put out. The entry point gives the kernel its home."""
    notebook = f"/opt/jupyter/examples/{example}"
    return read_outputs(container.exec("/opt/spark/entrypoint.sh", "python3", "-c", EXECUTE, notebook))


def read_outputs(done: Completed) -> tuple[str, list[dict[str, Any]]]:
    """The same of a program that has run."""
    outputs: list[dict[str, Any]] = json.loads(done.output.splitlines()[-1])
    return "".join(output["text"] for output in outputs if output.get("name") == "stdout"), outputs


@pytest.mark.parametrize("path", ["/api/status", "/api/kernels"])
def test_the_token_opens_the_interface_and_nothing_else_does(lab: Container, path: str) -> None:
    assert [ask(lab, path, token)[0] for token in (TOKEN, "another", "")] == [200, 403, 403]


def test_the_page_is_there(lab: Container) -> None:
    status, page = ask(lab, "/lab", TOKEN)
    assert (status, "jupyter-config-data" in page) == (200, True)


def test_tini_is_the_first_process_and_jupyter_the_second(lab: Container) -> None:
    assert lab.exec("cat", "/proc/1/comm").output == "tini"
    assert lab.exec("ps", "--ppid", "1", "-o", "comm=,uid=").output.split() == ["jupyter-lab", "1234567"]


def test_the_kernels_are_those_of_the_flavour(lab: Container, params: Mapping[str, str]) -> None:
    _, text = ask(lab, "/api/kernelspecs", TOKEN)
    assert set(json.loads(text)["kernelspecs"]) == KERNELS[params["flavour"]]


def test_a_notebook_runs_on_the_connect_server_of_the_spark_image(
    lab: Container, connect: Container, params: Mapping[str, str]
) -> None:
    printed, outputs = execute(lab, "spark-connect.ipynb")
    assert printed == "sum 499500\n"
    shown = [output["data"] for output in outputs if "data" in output]
    assert shown[0]["text/plain"] == f"'{params['version']}'"
    assert any("image/png" in data for data in shown)
    assert "java" not in lab.exec("ps", "-eo", "comm=").output.split()
    assert connect.is_running()


def test_a_notebook_runs_spark_in_the_container(idle: Container) -> None:
    printed, _ = execute(idle, "spark-local.ipynb")
    assert printed.endswith("sum 2475.0\nsquares 285\n")


def test_a_notebook_keeps_iceberg_tables_where_the_flavour_has_them(idle: Container, params: Mapping[str, str]) -> None:
    has_example = "iceberg.ipynb" in idle.exec("ls", "/opt/jupyter/examples").output.split()
    assert has_example is (params["flavour"] == "iceberg")
    if has_example:
        assert execute(idle, "iceberg.ipynb")[0] == "snapshots 2 before two\n"


def test_a_notebook_runs_on_the_gpu_where_the_flavour_wants_one(
    run: Run, idle: Container, params: Mapping[str, str], request: pytest.FixtureRequest
) -> None:
    has_example = "gpu.ipynb" in idle.exec("ls", "/opt/jupyter/examples").output.split()
    assert has_example is (params["flavour"] == "gpu")
    if has_example:
        request.getfixturevalue("gpu")
        notebook = "/opt/jupyter/examples/gpu.ipynb"
        done = run("python3", "-c", EXECUTE, notebook, network="bridge", gpu=True, timeout=CELL_SECONDS)
        printed, _ = read_outputs(done)
        assert "GpuHashAggregate" in printed
        assert printed.endswith("rows 1000000\n")


def test_lab_ends_at_once_when_it_is_told_to(lab: Container) -> None:
    assert lab.stop(timeout=30) == 0
