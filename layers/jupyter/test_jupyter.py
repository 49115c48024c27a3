"""A Jupyter image as a user meets it: JupyterLab behind its token, and notebooks that run in each of its kernels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Container, Serve, Start

ANYONE = "1234567:0"
STARTS = 180
PORT = 8888
TOKEN = "a-token-of-this-test"  # noqa: S105 - there to be looked for
KERNELS = {
    "baseline": {"python3", "spark-connect", "spark-local"},
    "gpu": {"python3", "spark-connect", "spark-local", "spark-local-gpu"},
    "iceberg": {"python3", "spark-connect", "spark-local", "spark-local-iceberg"},
}
# Runs a notebook as the server would, in the kernel that it names itself; what its cells said comes out.
EXECUTE = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=170, resources={"metadata": {"path": "/tmp"}}).execute()
print(nbformat.writes(notebook))
"""


@pytest.fixture(scope="module")
def connect(session_service: Serve, params: Mapping[str, str]) -> Container:
    """A Connect server of the Spark image of the same version and flavour."""
    node = f"spark-{params['version']}-{params['flavour']}"
    server = session_service(node, "connect", user=ANYONE, read_only=True, tmpfs=["/tmp:exec"], network="bridge")
    server.wait_for(port=15002, timeout=STARTS)
    return server


@pytest.fixture(scope="module")
def lab(session_container: Start, connect: Container) -> Container:
    """JupyterLab as OpenShift would run it, told where the Connect server is."""
    server = session_container(
        user=ANYONE,
        read_only=True,
        tmpfs=["/tmp:exec"],
        network="bridge",
        env={"JUPYTER_TOKEN": TOKEN, "SPARK_REMOTE": f"sc://{connect.address}:15002", "SPARK_DRIVER_MEMORY": "512m"},
    )
    server.wait_for(port=PORT, timeout=STARTS)
    return server


def ask(lab: Container, path: str, token: str) -> tuple[int, str]:
    """Status and text of an answer."""
    said = lab.exec(
        "curl", "-s", "-w", "\n%{http_code}", "-H", f"Authorization: token {token}", f"localhost:{PORT}{path}"
    )
    text, _, status = said.output.rpartition("\n")
    return int(status), text


def execute(lab: Container, example: str) -> tuple[str, list[dict[str, Any]]]:
    """What the cells of an example print, and all that they put out; the entry point gives the program its home."""
    done = lab.exec("timeout", "175", "/opt/spark/entrypoint.sh", "python3", "-c", EXECUTE, example)
    outputs = [output for cell in json.loads(done.output)["cells"] for output in cell.get("outputs", ())]
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
    printed, outputs = execute(lab, "/opt/jupyter/examples/spark-connect.ipynb")
    assert printed == "sum 499500\n"
    shown = [output["data"] for output in outputs if "data" in output]
    assert shown[0]["text/plain"] == f"'{params['version']}'"
    assert any("image/png" in data for data in shown)
    assert "java" not in lab.exec("ps", "-eo", "comm=").output.split()
    assert connect.is_running()


def test_a_notebook_runs_spark_in_the_container(lab: Container) -> None:
    printed, _ = execute(lab, "/opt/jupyter/examples/spark-local.ipynb")
    assert printed.endswith("sum 2475.0\nsquares 285\n")


def test_a_notebook_keeps_iceberg_tables(lab: Container, params: Mapping[str, str]) -> None:
    if params["flavour"] != "iceberg":
        assert lab.exec("ls", "/opt/jupyter/examples").output.split().count("iceberg.ipynb") == 0
        return
    printed, _ = execute(lab, "/opt/jupyter/examples/iceberg.ipynb")
    assert printed == "snapshots 2 before two\n"


@pytest.mark.gpu
def test_a_notebook_runs_on_the_gpu(session_container: Start, params: Mapping[str, str]) -> None:
    assert params["flavour"] == "gpu"
    lab = session_container(user=ANYONE, network="bridge", gpu=True)
    printed, _ = execute(lab, "/opt/jupyter/examples/gpu.ipynb")
    assert "GpuHashAggregate" in printed
    assert printed.endswith("rows 1000000\n")


def test_lab_ends_at_once_when_it_is_told_to(lab: Container) -> None:
    assert lab.stop(timeout=30) == 0
