"""What holds for all pods of a release, and the objects that the user puts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.library.test_images import EVERYTHING
from tests.charts.rendering import containers, pods

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

OPEN: Document = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CLOSED: Document = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
NAMED: Document = {"runAsUser": 185, "runAsGroup": 0, "fsGroup": 0, "fsGroupChangePolicy": "OnRootMismatch"}
CUSTOM: Document = {
    "mode": "custom",
    "podSecurityContext": {"runAsUser": 7},
    "containerSecurityContext": {"privileged": False},
}


@pytest.mark.parametrize(
    ("security", "pod_context", "container_context"),
    [
        ({"mode": "restricted"}, {**OPEN, **NAMED}, CLOSED),
        ({"mode": "openshift"}, OPEN, CLOSED),
        (CUSTOM, {"runAsUser": 7}, {"privileged": False}),
    ],
    ids=("restricted", "openshift", "custom"),
)
def test_every_pod_is_as_safe_as_the_mode_says(
    render: Render, security: Document, pod_context: Document, container_context: Document
) -> None:
    for pod in pods(render("spark-4.1", {**EVERYTHING, "security": security})):
        assert pod["spec"]["securityContext"] == pod_context
        assert all(each["securityContext"] == container_context for each in containers(pod))


def test_objects_of_the_user_may_be_maps_or_text_with_templates(render: Render) -> None:
    mapping = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-map"}}
    text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: {{ include "spark-base.fullname" . }}-text}\n'
    objects = render("spark-4.1", {"extraObjects": [mapping, text]})
    names = {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"}
    assert names == {"demo-map", "demo-spark-4-1-text"}
