"""The History Server: what an application that ended has left on the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cluster import checks
from tests.cluster.programs import EXPECTED_TOTALS, SUMS
from tests.cluster.readiness import container_statuses
from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.place import Place

SCENARIO = "history"
INIT = "event-log-prefix"
SECONDS = 180.0


def test_prefix_made(spark: Release) -> None:
    for component in ("connect", "history"):
        ended = {
            each["name"]: each["state"].get("terminated", {}).get("exitCode")
            for each in container_statuses(spark.pod(component))
        }
        assert ended[INIT] == 0, f"{component}: {INIT} ended with {ended[INIT]}"


def test_finished_application(place: Place, spark: Release) -> None:
    assert place.client.run(SUMS)["totals"] == EXPECTED_TOTALS
    deployment = f"deployment/{spark.fullname}-connect"
    place.kubectl.run("scale", deployment, "--replicas=0")
    try:
        found = wait_for("a completed application", lambda: _find_completed(place, spark), seconds=SECONDS)
        assert found["name"] == spark.fullname
        assert found["attempts"][-1]["appSparkVersion"] == place.scenario.versions["current"]
        jobs = place.client.ask_json(f"{_address(spark)}/applications/{found['id']}/jobs")
        assert {each["status"] for each in jobs} == {"SUCCEEDED"}
    finally:
        place.kubectl.run("scale", deployment, "--replicas=1")
    place.wait_ready(spark)


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _address(spark: Release) -> str:
    return f"http://{spark.service('history')}:18080/api/v1"


def _find_completed(place: Place, spark: Release) -> dict[str, Any]:
    status, text = place.client.ask(f"{_address(spark)}/applications?status=completed")
    require(status == 200, f"{status} {text[:200]}")
    applications: list[dict[str, Any]] = json.loads(text)
    require(applications, "none is listed")
    return applications[0]
