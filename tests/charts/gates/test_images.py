"""The check of images sees what has no digest, moves, or is not known."""

from __future__ import annotations

import pytest

from tests.charts.gates.images import Reference, find_foreign, find_references, find_unpinned, parse_reference
from tests.charts.gates.samples import DIGEST, good, spoiled

IMAGE = "spec/template/spec/containers/0/image"
KNOWN = {"spark-k8s/spark:4.1.1": DIGEST}
WHERE = "Deployment demo-connect, connect: "


def test_good_images_pass() -> None:
    assert find_unpinned(good(), {}) == []
    assert find_foreign(good(), KNOWN) == []
    assert find_foreign(good(), {"spark-k8s/spark:4.1.1": ""}) == []


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("docker.io/a/b:1.2", "has no digest"),
        (f"docker.io/a/b@{DIGEST}", "has no tag"),
        (f"a/b:latest@{DIGEST}", "has a tag that moves: latest"),
        (f"a/b:15-alpine@{DIGEST}", "has a tag that moves: 15-alpine"),
        (f"a/b:3.5.x@{DIGEST}", "has a tag that moves: 3.5.x"),
        (f"a/b:main@{DIGEST}", "has a tag that moves: main"),
        (f"a/b:1.2-nightly@{DIGEST}", "has a tag that moves: 1.2-nightly"),
        ("/a/b:1.2", "is no reference"),
        ("", "is no reference"),
    ],
)
def test_an_image_that_may_change_is_seen(image: str, problem: str) -> None:
    assert f"{WHERE}{image} {problem}" in find_unpinned(spoiled("Deployment", IMAGE, image), {})


def test_an_exception_has_a_name() -> None:
    objects = spoiled("Deployment", IMAGE, "docker.io/a/b:1.2")
    assert find_unpinned(objects, {"a/b:1.2": "nobody can build it"}) == []


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (f"docker.io/x/y:1.2@{DIGEST}", "is neither in the catalogue nor in the list of others"),
        (f"docker.io/spark-k8s/spark:4.1.1@sha256:{'0' * 64}", f"has another digest than {DIGEST}"),
    ],
)
def test_an_image_that_is_not_ours_is_seen(image: str, problem: str) -> None:
    assert find_foreign(spoiled("Deployment", IMAGE, image), KNOWN) == [f"{WHERE}{image} {problem}"]


def test_images_of_executors_are_found_in_spark_s_settings() -> None:
    objects = spoiled("ConfigMap", "data/spark-defaults.conf", "spark.kubernetes.executor.container.image=a/b:1.2\n")
    where = "ConfigMap demo-connect, spark-defaults.conf, spark.kubernetes.executor.container.image"
    assert (where, "a/b:1.2") in find_references(objects)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ("", "a", "", "")),
        ("a/b:1", ("", "a/b", "1", "")),
        ("docker.io/a/b:1", ("docker.io", "a/b", "1", "")),
        ("localhost:5000/a:1", ("localhost:5000", "a", "1", "")),
        (f"x.example:5000/a/b:1@{DIGEST}", ("x.example:5000", "a/b", "1", DIGEST)),
    ],
)
def test_a_reference_has_four_parts(text: str, parts: tuple[str, str, str, str]) -> None:
    registry, repository, tag, digest = parts
    assert parse_reference(text) == Reference(registry=registry, repository=repository, tag=tag, digest=digest)
