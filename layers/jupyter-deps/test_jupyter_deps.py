"""JupyterLab and the packages of notebooks: there, as locked, in agreement with the Python set below, and each once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Host

LOCK = Path(__file__).parents[2] / "manifests" / "buildgraph.lock"
SITE = "/opt/python/lib/python3.10/site-packages"
MODULES = (
    "boto3",
    "dotenv",
    "ipykernel.kernelapp",
    "ipywidgets",
    "jupyter_server.serverapp",
    "jupyterhub.singleuser.extension",
    "jupyterlab.labapp",
    "jupyterlab_git",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "nbclient",
    "nbconvert",
    "plotly.express",
    "polars",
    "s3fs",
    "seaborn",
)
IMPORTS = """
import importlib
failed = []
for module in {modules}:
    try:
        importlib.import_module(module)
    except Exception as error:
        failed.append((module, error))
print("failed", failed)
"""
INSTALLED = """
import importlib.metadata, json
print(json.dumps([[d.metadata["Name"].lower().replace("_", "-").replace(".", "-"), d.version]
                  for d in importlib.metadata.distributions()]))
"""
FRAMES = """
import pandas, polars
frame = polars.DataFrame({"word": ["a", "b", "a"], "number": [1, 2, 3]})
print(frame.group_by("word").agg(polars.col("number").sum()).sort("word").to_pandas().to_dict("list"))
print(polars.from_pandas(pandas.DataFrame({"x": [1.5]})).item())
"""
PICTURES = """
import io
import matplotlib
import plotly.express
import seaborn
matplotlib.use("agg")
from matplotlib import pyplot
seaborn.lineplot(x=[1, 2, 3], y=[1, 4, 9])
picture = io.BytesIO()
pyplot.savefig(picture, format="png")
print(picture.getvalue()[1:4].decode(), "plotly" in plotly.express.line(x=[1], y=[2]).to_html(include_plotlyjs=False))
"""
TRACKING = """
import mlflow
mlflow.set_tracking_uri("sqlite:////tmp/mlflow.db")
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
print(mlflow.search_runs()["metrics.loss"].tolist())
"""


@pytest.fixture(scope="module")
def installed(host: Host) -> list[tuple[str, str]]:
    """Name and version of every distribution that Python finds."""
    return [(name, version) for name, version in json.loads(host.check_output("python3 -c %s", INSTALLED))]


def test_every_package_imports(host: Host) -> None:
    assert host.check_output("python3 -c %s", IMPORTS.format(modules=MODULES)).splitlines()[-1] == "failed []"


def test_the_packages_agree_with_each_other(host: Host) -> None:
    assert host.check_output("python3 -m pip check") == "No broken requirements found."


def test_versions_are_the_locked_ones(installed: list[tuple[str, str]], params: Mapping[str, str]) -> None:
    entry = json.loads(LOCK.read_text(encoding="utf-8"))["nodes"][params["node"]]["requirements"]
    locked = [artifact["coordinate"].removeprefix("pypi:").split("==") for artifact in entry["artifacts"]]
    assert len(locked) > 100
    assert [(name, version) for name, version in locked if (name, version) not in installed] == []


def test_no_distribution_is_there_twice(installed: list[tuple[str, str]]) -> None:
    names = [name for name, _ in installed]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_the_extensions_of_lab_and_server_are_found_and_on(host: Host) -> None:
    shown = host.run("jupyter labextension list")
    assert shown.rc == 0
    lines = (shown.stdout + shown.stderr).splitlines()
    on = {line.split()[0] for line in lines if "enabled" in line and "OK" in line}
    assert {"@jupyterlab/git", "@jupyter-widgets/jupyterlab-manager"} <= on
    servers = host.run("jupyter server extension list")
    assert "jupyterlab_git" in servers.stdout + servers.stderr
    assert "X is" not in servers.stdout + servers.stderr


def test_programs_run_with_the_python_of_the_image(host: Host) -> None:
    for program in ("jupyter-lab", "jupyterhub-singleuser", "mlflow", "nbdime"):
        assert host.check_output(f"head -n 1 /opt/python/bin/{program}") == "#!/opt/python/bin/python3.10"
    assert host.check_output("jupyter lab --version").startswith("4.")
    assert host.check_output("mlflow --version").startswith("mlflow, version 3.")


def test_frames_move_between_polars_and_pandas(host: Host) -> None:
    assert host.check_output("python3 -c %s", FRAMES).splitlines() == ["{'word': ['a', 'b'], 'number': [4, 2]}", "1.5"]


def test_pictures_are_drawn_without_a_screen(host: Host) -> None:
    assert host.check_output("MPLCONFIGDIR=/tmp python3 -c %s", PICTURES) == "PNG True"


def test_mlflow_keeps_runs(host: Host) -> None:
    assert host.check_output("cd /tmp && GIT_PYTHON_REFRESH=quiet python3 -c %s", TRACKING).splitlines()[-1] == "[0.5]"


def test_packages_are_compiled_and_come_without_tests_and_source_maps(host: Host) -> None:
    assert host.file(f"{SITE}/jupyterlab/__pycache__/labapp.cpython-310.pyc").is_file
    assert not host.file(f"{SITE}/matplotlib/tests").exists
    assert not host.file(f"{SITE}/jupyterlab/tests").exists
    assert host.check_output("find /opt/python/share/jupyter /opt/python/lib -name '*.js.map'") == ""
