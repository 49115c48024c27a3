"""A node that has the images, and no registry: nothing of a release asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster import checks
from tests.cluster.client import make_client_pod
from tests.cluster.programs import EXPECTED_TOTALS, SUMS
from tests.cluster.registry import ABSENT, find_unexpected, stand_in
from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.charts import Release
    from tests.cluster.kubectl import Object
    from tests.cluster.node import Node
    from tests.cluster.place import Place

SCENARIO = "airgap"
SECONDS = 120.0
PULLING = "Pulling"
"""The reason of the event of a node that asks a registry."""
CONTROL = "asks-a-registry"


@pytest.fixture(scope="module", autouse=True)
def asked(node: Node) -> Iterator[list[str]]:
    """What the registry was asked for since before the release was there."""
    if not node.is_ours:
        pytest.skip(
            "this cluster is another's and pulls from a registry; `buildgraph cluster up` brings up one that has none"
        )
    with stand_in(node) as paths:
        yield paths


def test_helm_test(place: Place, spark: Release) -> None:
    assert place.client.run(SUMS)["totals"] == EXPECTED_TOTALS
    said = spark.test()
    for component in ("connect", "history", "jupyter"):
        assert f"test-{component}" in said
    assert "Failed" not in said


def test_nothing_pulled(place: Place, spark: Release, asked: list[str]) -> None:
    """A pod whose image nobody has shows that asking would be seen, both in events and by the registry."""
    control = make_client_pod(spark, CONTROL)
    container = {**control["spec"]["containers"][0], "image": ABSENT}
    place.kubectl.apply({**control, "spec": {**control["spec"], "containers": [container]}})
    wait_for("the control to ask a registry", lambda: _require_asked(place, asked), seconds=SECONDS)
    place.kubectl.run("delete", "pod", CONTROL, "--grace-period=1")
    events = place.kubectl.list("events")
    pulls = [
        f"{_pod(each)}: {each['message']}" for each in events if each["reason"] == PULLING and _pod(each) != CONTROL
    ]
    assert pulls == []
    assert find_unexpected(asked) == []
    present = {_pod(each) for each in events if each["reason"] == "Pulled" and "already present" in each["message"]}
    pods = {each["metadata"]["name"] for each in place.running()}
    assert pods <= present, f"no event tells where the images of {sorted(pods - present)} came from"


test_digests = checks.test_digests


def _pod(event: Object) -> str:
    return str(event["involvedObject"]["name"])


def _require_asked(place: Place, asked: list[str]) -> None:
    reasons = [each["reason"] for each in place.kubectl.list("events") if _pod(each) == CONTROL]
    require(PULLING in reasons and any("/buildgraph-tests/" in path for path in asked), f"{reasons}, {asked}")
