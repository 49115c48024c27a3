"""The checks of names and labels see what Kubernetes refuses, what is missing, and digests."""

from __future__ import annotations

import pytest

from tests.charts.gates.identity import RECOMMENDED, find_bad_labels, find_bad_names
from tests.charts.gates.samples import DIGEST, good, spoiled

NAME = "is no DNS label of at most 63 letters"


def test_good_names_and_labels_pass() -> None:
    assert find_bad_names(good()) == []
    assert find_bad_labels(good()) == []


@pytest.mark.parametrize("name", ["Big", "with.dot", "-a", "a-", "a" * 64, "under_score", ""])
def test_a_name_that_kubernetes_refuses_is_seen(name: str) -> None:
    assert find_bad_names(spoiled("Service", "metadata/name", name)) == [f"Service {name}: the name {NAME}"]


def test_a_name_leaves_room_for_what_is_appended() -> None:
    name = "a" * 53
    assert find_bad_names([{"kind": "Service", "metadata": {"name": name}}]) == []
    assert find_bad_names([{"kind": "StatefulSet", "metadata": {"name": name}}]) == [
        f"StatefulSet {name}: the name leaves no room for what Kubernetes appends"
    ]


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ({"x": "a" * 64}, f"the label x has no valid value: {'a' * 64!r}"),
        ({"x": "N/A"}, "the label x has no valid value: 'N/A'"),
        ({"x": "-a"}, "the label x has no valid value: '-a'"),
        ({"x": 4.1}, "the label x has no valid value: 4.1"),
        ({"x": True}, "the label x has no valid value: True"),
        ({"x": DIGEST.replace(":", "-")[:60]}, f"the label x holds a digest: {DIGEST.replace(':', '-')[:60]}"),
        ({"x": "0123456789abcdef" * 2}, f"the label x holds a digest: {'0123456789abcdef' * 2}"),
        ({"a b": "x"}, "the label's name is not valid: a b"),
    ],
)
def test_a_label_that_kubernetes_refuses_is_seen(label: dict[str, object], problem: str) -> None:
    (service,) = (each for each in good() if each["kind"] == "Service")
    labels = {**service["metadata"]["labels"], **label}
    assert find_bad_labels(spoiled("Service", "metadata/labels", labels)) == [f"Service demo-connect: {problem}"]


@pytest.mark.parametrize("name", RECOMMENDED)
def test_a_missing_label_is_seen(name: str) -> None:
    (service,) = (each for each in good() if each["kind"] == "Service")
    labels = {key: value for key, value in service["metadata"]["labels"].items() if key != name}
    found = find_bad_labels(spoiled("Service", "metadata/labels", labels))
    assert found == [f"Service demo-connect: the label {name} is missing"]


def test_pods_need_labels_too() -> None:
    found = find_bad_labels(spoiled("Deployment", "spec/template/metadata/labels", {"x": "N/A"}))
    assert "Deployment demo-connect, pod: the label app.kubernetes.io/component is missing" in found
    assert "Deployment demo-connect, pod: the label x has no valid value: 'N/A'" in found
