"""Notebooks: their server of Spark, their token, and the volume that outlives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers, environment, find, find_pod

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document


def render_jupyter(render: Render, values: Document, **others: Document) -> tuple[Document, ...]:
    return render("spark-4.1", {"jupyter": {"enabled": True, **values}, **others}, "--namespace", "team")


def work(pod: Document) -> Document:
    """The volume of the notebooks."""
    (container,) = containers(pod)
    directory = environment(container)["JUPYTER_ROOT_DIR"]
    (name,) = (each["name"] for each in container["volumeMounts"] if each["mountPath"] == directory)
    (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == name)
    return {key: value for key, value in volume.items() if key != "name"}


def test_notebooks_of_a_release_use_its_server(render: Render) -> None:
    objects = render_jupyter(
        render, {}, connect={"service": {"grpcPort": 25002}}, **{"global": {"s3": {"existingSecret": "keys"}}}
    )
    pod = find_pod(objects, "jupyter")
    (container,) = containers(pod)
    variables = environment(container)
    assert variables["SPARK_REMOTE"] == "sc://demo-spark-4-1-connect.team.svc:25002"
    # Data come through the server, so its keys are not theirs; without a Secret Jupyter makes a token by itself.
    assert not [each["name"] for each in container["env"] if each["name"].startswith(("AWS", "JUPYTER_TOKEN"))]
    assert work(pod) == {"emptyDir": {}}
    assert find(objects, "Deployment", "jupyter")["spec"]["strategy"] == {"type": "Recreate"}


def test_notebooks_alone_use_the_server_that_is_named(render: Render) -> None:
    values = {"remote": "sc://theirs:15002", "existingSecret": "entry"}
    objects = render_jupyter(render, values, connect={"enabled": False})
    assert {each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"} == {"demo-spark-4-1-jupyter"}
    pod = find_pod(objects, "jupyter")
    (container,) = containers(pod)
    variables = environment(container)
    assert variables["SPARK_REMOTE"] == "sc://theirs:15002"
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    directory, _, file = variables["JUPYTER_TOKEN_FILE"].rpartition("/")
    secret = {"secretName": "entry", "items": [{"key": "token", "path": file}]}
    assert {"name": mounts[directory], "secret": secret} in pod["spec"]["volumes"]


@pytest.mark.parametrize("existing", ["", "theirs"])
def test_notebooks_may_outlive_the_release(render: Render, existing: str) -> None:
    persistence = {"enabled": True, "existingClaim": existing, "size": "7Gi", "storageClassName": "fast"}
    objects = render_jupyter(render, {"persistence": persistence})
    name = work(find_pod(objects, "jupyter"))["persistentVolumeClaim"]["claimName"]
    claims = [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    if existing:
        assert name == existing
        assert not claims
        return
    (claim,) = claims
    assert name == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "7Gi"
