"""A node that has the images and no registry: nothing of a release asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster import checks
from tests.cluster.client import make_client_pod
from tests.cluster.programs import EXPECTED_TOTALS, SUMS
from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.kubectl import Object
    from tests.cluster.place import Place

SCENARIO = "airgap"
SECONDS = 120.0
PULLING = "Pulling"
"""The reason of the event of a node that asks a registry."""
CONTROL = "asks-a-registry"


def test_helm_test(place: Place, spark: Release) -> None:
    assert place.client.run(SUMS)["totals"] == EXPECTED_TOTALS
    said = spark.test()
    for component in ("connect", "history", "jupyter"):
        assert f"test-{component}" in said
    assert "Failed" not in said


def test_nothing_pulled(place: Place, spark: Release) -> None:
    """A pod whose image is not there shows that asking a registry would be seen."""
    control = make_client_pod(spark, CONTROL)
    container = control["spec"]["containers"][0]
    place.kubectl.apply(
        {**control, "spec": {**control["spec"], "containers": [{**container, "image": "docker.io/no-such/image:1.0"}]}}
    )
    wait_for("the control to ask a registry", lambda: _require_asked(place), seconds=SECONDS)
    place.kubectl.run("delete", "pod", CONTROL, "--grace-period=1")
    events = _events(place)
    found = [
        f"{_pod(each)}: {each['message']}" for each in events if each["reason"] == PULLING and _pod(each) != CONTROL
    ]
    assert found == []
    present = {_pod(each) for each in events if each["reason"] == "Pulled" and "already present" in each["message"]}
    pods = {each["metadata"]["name"] for each in place.running()}
    assert pods <= present, f"no event tells where the images of {sorted(pods - present)} came from"


test_digests = checks.test_digests


def _events(place: Place) -> list[Object]:
    return place.kubectl.list("events")


def _pod(event: Object) -> str:
    return str(event["involvedObject"]["name"])


def _require_asked(place: Place) -> None:
    reasons = [each["reason"] for each in _events(place) if _pod(each) == CONTROL]
    require(PULLING in reasons, f"its events are {reasons}")
