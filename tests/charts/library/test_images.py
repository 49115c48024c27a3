"""Which image each pod runs, how its reference is written, and who may pull it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.pin import read_pin
from tests.charts.library.conftest import CHARTS
from tests.charts.rendering import COMPONENT, containers, find_pod, pods, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

DIGEST = "sha256:" + "ab" * 32
DATABASE = {"host": "db", "existingSecret": "db"}
EVERYTHING: Document = {
    **{key: {"enabled": True} for key in ("standalone", "historyServer", "jupyter")},
    "eventLog": {"enabled": True, "dir": "s3a://logs/events"},
    "hiveMetastore": {"enabled": True, "database": DATABASE},
}
PODS = {"connect", "executor", "master", "worker", "history", "jupyter", "metastore"}
TESTS = {f"test-{component}" for component in PODS - {"executor", "worker"}}
ICEBERG: Document = {"enabled": True, "catalog": {"warehouse": "s3a://warehouse"}}
FEATURES: dict[str, tuple[Document, str, str]] = {
    "none": ({}, "image", "jupyter.image"),
    "gpu": ({"gpu": {"enabled": True}}, "gpuImage", "jupyter.gpuImage"),
    "iceberg": ({"iceberg": ICEBERG}, "icebergImage", "jupyter.icebergImage"),
    "both": ({"gpu": {"enabled": True}, "iceberg": ICEBERG}, "gpuIcebergImage", "jupyter.icebergImage"),
}


def reference(path: str) -> str:
    text = (CHARTS / "spark-4.1/values.yaml").read_text(encoding="utf-8")
    pin = read_pin(text, path, file="values.yaml")
    return f"{pin.registry}/{pin.repository}:{pin.tag}@{pin.digest}"


def images(objects: tuple[Document, ...]) -> dict[str, set[str]]:
    """Component → the images of its containers."""
    return {
        pod["metadata"]["labels"][COMPONENT]: {container["image"] for container in containers(pod)}
        for pod in pods(objects)
    }


@pytest.mark.parametrize(("features", "spark", "jupyter"), FEATURES.values(), ids=FEATURES)
def test_features_choose_the_image_of_every_process(
    render: Render, features: Document, spark: str, jupyter: str
) -> None:
    objects = render("spark-4.1", {**EVERYTHING, "features": features})
    found = images(objects)
    del found["metastore"]
    assert found.pop("jupyter") == {reference(jupyter)}
    assert found == {key: {reference(spark)} for key in (PODS | TESTS) - {"jupyter", "metastore"}}
    assert settings(objects)["spark.kubernetes.container.image"] == reference(spark)


@pytest.mark.parametrize(
    ("image", "rendered"),
    [
        ({"tag": "x", "digest": DIGEST}, f"docker.io/spark-k8s/spark:x@{DIGEST}"),
        ({"tag": f"x@{DIGEST}", "digest": ""}, f"docker.io/spark-k8s/spark:x@{DIGEST}"),
        ({"tag": f"x@{DIGEST}", "digest": DIGEST}, f"docker.io/spark-k8s/spark:x@{DIGEST}"),
        ({"tag": "", "digest": DIGEST, "registry": "r:5000"}, f"r:5000/spark-k8s/spark@{DIGEST}"),
        ({"tag": "x", "digest": "", "registry": "", "repository": "mine"}, "mine:x"),
    ],
)
def test_a_reference_has_registry_repository_tag_and_digest(render: Render, image: Document, rendered: str) -> None:
    objects = render("spark-4.1", {"image": image})
    assert images(objects) == {key: {rendered} for key in ("connect", "executor", "test-connect")}
    assert settings(objects)["spark.kubernetes.container.image"] == rendered


def test_a_mirror_serves_every_image_and_pull_secrets_reach_every_pod(render: Render) -> None:
    shared = {"imageRegistry": "mirror.example:5000", "imagePullSecrets": ["shared", {"name": "own"}]}
    own = {"pullSecrets": ["own", "more"]}
    objects = render("spark-4.1", {**EVERYTHING, "global": shared, "image": own})
    found = images(objects)
    assert found.keys() == PODS | TESTS
    assert all(each.startswith("mirror.example:5000/spark-k8s/") for each in set.union(*found.values()))
    for pod in pods(objects):
        is_spark = pod["metadata"]["labels"][COMPONENT] not in {"jupyter", "metastore"}
        names = ["shared", "own", "more"] if is_spark else ["shared", "own"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": name} for name in names]


def test_a_component_may_pull_in_its_own_way(render: Render) -> None:
    image = {"pullPolicy": "Always", "pullSecrets": ["theirs"]}
    objects = render("spark-4.1", {"jupyter": {"enabled": True, "image": image}})
    jupyter, connect = find_pod(objects, "jupyter"), find_pod(objects)
    assert jupyter["spec"]["imagePullSecrets"] == [{"name": "theirs"}]
    assert [each["imagePullPolicy"] for each in containers(jupyter)] == ["Always"]
    assert "imagePullSecrets" not in connect["spec"]
    assert [each["imagePullPolicy"] for each in containers(connect)] == ["IfNotPresent"]
