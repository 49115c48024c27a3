"""A Connect server whose executors are on workers of a standalone cluster; workers and master are killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster import checks
from tests.cluster.driver import find_busy
from tests.cluster.programs import EXPECTED_TOTALS, SLOW_ROWS, SUMS, TOTAL_ROWS
from tests.cluster.waits import NotYetError, require, wait_for

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.kubectl import Object
    from tests.cluster.place import Place

SCENARIO = "connect-standalone"
WORKERS = 2
SECONDS = 240.0
JOB_SECONDS = 400.0


def test_job(place: Place, spark: Release) -> None:
    _wait_for_workers(place, spark)
    assert place.client.run(SUMS) == {"version": place.scenario.versions["current"], "totals": EXPECTED_TOTALS}
    answer = place.client.run(SLOW_ROWS, rows=8, pause=1)
    assert answer["ids"] == list(range(8))
    assert set(answer["hosts"]) == {each["metadata"]["name"] for each in spark.pods("worker")}


def test_worker_killed(place: Place, spark: Release) -> None:
    job = place.client.start(SLOW_ROWS, rows=TOTAL_ROWS, pause=4)
    try:
        wait_for("executors at work", lambda: _require_busy(place, spark), seconds=SECONDS)
        place.kill(spark.pods("worker")[0])
        assert not job.has_ended, "the job was over before the worker was killed"
        assert job.wait(JOB_SECONDS)["ids"] == list(range(TOTAL_ROWS))
    finally:
        job.stop()
    place.wait_ready(spark)
    _wait_for_workers(place, spark)


def test_master_restarted(place: Place, spark: Release) -> None:
    before, (application,) = spark.pod("master"), _active_applications(_ask_master(place, spark))
    workers = {each["id"] for each in _alive_workers(_ask_master(place, spark))}
    place.kill(before)
    place.wait_ready(spark)
    assert spark.pod("master")["metadata"]["uid"] != before["metadata"]["uid"]
    state = _wait_for_workers(place, spark)
    assert {each["id"] for each in _alive_workers(state)} == workers, "the workers are others"
    (recovered,) = _active_applications(state)
    assert recovered["id"] == application["id"], "the application is another one"
    assert recovered["state"] == "RUNNING"
    assert place.client.run(SUMS)["totals"] == EXPECTED_TOTALS


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _wait_for_workers(place: Place, spark: Release) -> dict[str, Any]:
    """What the master says as soon as it leads and has its workers."""

    def ask() -> dict[str, Any]:
        state = _ask_master(place, spark)
        alive = len(_alive_workers(state))
        require(state["status"] == "ALIVE" and alive == WORKERS, f"{state['status']}, {alive} workers")
        return state

    return wait_for(f"a master with {WORKERS} workers", ask, seconds=SECONDS)


def _ask_master(place: Place, spark: Release) -> dict[str, Any]:
    try:
        state: dict[str, Any] = place.client.ask_json(f"http://{spark.service('master')}:8080/json/")
    except AssertionError as error:
        raise NotYetError(str(error)[:300]) from error
    return state


def _alive_workers(state: dict[str, Any]) -> list[Object]:
    return [each for each in state["workers"] if each["state"] == "ALIVE"]


def _active_applications(state: dict[str, Any]) -> list[Object]:
    return list(state["activeapps"])


def _require_busy(place: Place, spark: Release) -> None:
    busy = len(find_busy(place.client, spark))
    require(busy == WORKERS, f"{busy} executors are at work")
