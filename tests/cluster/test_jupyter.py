"""JupyterLab: its token, and a notebook whose queries run on the Connect server."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.cluster import checks
from tests.cluster.client import ENTRYPOINT

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.place import Place

SCENARIO = "jupyter"
NOTEBOOK = "/opt/jupyter/examples/spark-connect.ipynb"
SECONDS = 400.0
# Runs a notebook as the server would, in the kernel that it names itself; its last line is what the cells have put out.
EXECUTE = f"""
import json, sys
import nbclient, nbformat
notebook = nbformat.read({NOTEBOOK!r}, as_version=4)
nbclient.NotebookClient(notebook, timeout=300, resources={{"metadata": {{"path": "/tmp"}}}}).execute()
print()
print(json.dumps([output for cell in notebook.cells for output in cell.get("outputs", ())]))
"""


def test_token(place: Place, spark: Release) -> None:
    address = f"http://{spark.service('jupyter')}:8888/api"
    secret = place.kubectl.get("secret", "jupyter")["data"]["token"]
    token = base64.b64decode(secret).decode()
    assert place.client.ask(f"{address}/status")[0] == 403
    assert place.client.ask(f"{address}/status", Authorization="token wrong")[0] == 403
    status, text = place.client.ask(f"{address}/status", Authorization=f"token {token}")
    assert status == 200, text
    assert "started" in json.loads(text)


def test_notebook(place: Place, spark: Release) -> None:
    pod = spark.pod("jupyter")["metadata"]["name"]
    printed = place.kubectl.exec(pod, ENTRYPOINT, "python3", "-c", EXECUTE, seconds=SECONDS)
    outputs: list[dict[str, Any]] = json.loads(printed.rstrip().rpartition("\n")[2])
    assert [each for each in outputs if each["output_type"] == "error"] == []
    said = "".join(each["text"] for each in outputs if each["output_type"] == "stream" and each["name"] == "stdout")
    assert f"sum {sum(range(1000))}" in said
    versions = [each["data"]["text/plain"] for each in outputs if "text/plain" in each.get("data", {})]
    assert f"'{place.scenario.versions['current']}'" in versions


test_restricted = checks.test_restricted
test_digests = checks.test_digests
