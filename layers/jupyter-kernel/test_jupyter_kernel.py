"""A flavour's kernel: it is there and starts with the settings of the flavour; its example is a notebook of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Host, Run

TITLES = {"gpu": "Spark local (GPU)", "iceberg": "Spark local (Iceberg)"}
SETTINGS = {
    "gpu": "spark.plugins=com.nvidia.spark.SQLPlugin",
    "iceberg": "spark.sql.catalog.iceberg=org.apache.iceberg.spark.SparkCatalog",
}
SPY = 'import os\nprint(os.environ["PYSPARK_SUBMIT_ARGS"])\n'
CHECK = "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))"


def test_the_kernel_is_listed_beside_those_of_all_flavours(host: Host, params: Mapping[str, str]) -> None:
    kernels = json.loads(host.check_output("jupyter kernelspec list --json"))["kernelspecs"]
    flavour = params["flavour"]
    assert set(kernels) == {"python3", "spark-connect", "spark-local", f"spark-local-{flavour}"}
    assert kernels[f"spark-local-{flavour}"]["spec"]["display_name"] == TITLES[flavour]


def test_the_kernel_starts_with_the_settings_of_its_flavour(host: Host, run: Run, params: Mapping[str, str]) -> None:
    flavour = params["flavour"]
    kernel = json.loads(
        host.file(f"/opt/jupyter/share/jupyter/kernels/spark-local-{flavour}/kernel.json").content_string
    )
    files = {"/opt/spy/ipykernel_launcher.py": SPY}
    done = run(*kernel["argv"], entrypoint=(), env={"PYTHONPATH": "/opt/spy"}, files=files)
    assert SETTINGS[flavour] in done.output


def test_the_example_is_a_notebook_of_the_kernel(host: Host, params: Mapping[str, str]) -> None:
    flavour = params["flavour"]
    path = f"/opt/jupyter/examples/{flavour}.ipynb"
    assert json.loads(host.file(path).content_string)["metadata"]["kernelspec"]["name"] == f"spark-local-{flavour}"
    assert host.run("python3 -c %s %s", CHECK, path).rc == 0
