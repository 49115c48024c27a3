"""The registry that has nothing, and what tests tell about their checks."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.cluster.kubectl import CommandError, Kubectl
from tests.cluster.node import Images, Node
from tests.cluster.registry import ABSENT_DIGEST, find_unexpected, stand_in

if TYPE_CHECKING:
    from pathlib import Path

BUILT, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def make_node(home: Path) -> Node:
    kubectl = Kubectl(program=("sh", "-c", 'echo "$@" >&2; exit 3', "kubectl"), kubeconfig=home / "kubeconfig")
    return Node(kubectl=kubectl, is_ours=True)


def test_whoever_asks_the_stand_in_is_noted_and_gets_nothing(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.registries.mkdir(parents=True)
    with stand_in(node) as asked:
        text = (node.registries / "docker.io/hosts.toml").read_text(encoding="utf-8")
        url = text.partition('server = "')[2].partition('"')[0]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/v2/spark-k8s/spark/manifests/4.1.1", timeout=10)
        assert asked == ["/v2/spark-k8s/spark/manifests/4.1.1"]
    assert list(node.registries.iterdir()) == []


def test_only_requests_for_what_nobody_has_are_expected() -> None:
    known = ["/v2/buildgraph-tests/absent/manifests/1", f"/v2/spark-k8s/spark/manifests/{ABSENT_DIGEST}?ns=docker.io"]
    assert find_unexpected([*known, "/v2/spark-k8s/spark/manifests/4.1.1"]) == ["/v2/spark-k8s/spark/manifests/4.1.1"]


def test_a_command_that_ends_badly_says_what_it_said(tmp_path: Path) -> None:
    kubectl = make_node(tmp_path).kubectl.into("there")
    with pytest.raises(CommandError, match="ended with 3: --namespace there get pods") as caught:
        kubectl.run("get", "pods")
    assert caught.value.code == 3
    with pytest.raises(CommandError, match="ended with 3"):
        kubectl.start("get", "pods", text="x").wait(10)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (f"docker.io/a/built:1@{BUILT}", ""),
        (
            f"docker.io/a/built:1@{OTHER}",
            "a/built:1 is built as sha256:aaaaaaaaaaaa, but pinned as sha256:bbbbbbbbbbbb: buildgraph pin",
        ),
        ("docker.io/a/built:1", "a/built:1 is built, but not pinned: buildgraph pin"),
        (f"docker.io/a/lacking:1@{BUILT}", "a/lacking:1 is not built: buildgraph build lacking"),
        (f"docker.io/a/strange:1@{BUILT}", "a/strange:1 is not in the catalogue"),
    ],
)
def test_an_image_that_cannot_be_had_says_what_to_do(tmp_path: Path, reference: str, reason: str) -> None:
    images = Images(
        nodes={"a/built:1": "built", "a/lacking:1": "lacking"},
        digests={"a/built:1": BUILT, "a/lacking:1": ""},
        folder=tmp_path,
        is_loaded_here=True,
    )
    assert images.find_missing([reference]) == ([reason] if reason else [])
