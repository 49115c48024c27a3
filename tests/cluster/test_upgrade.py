"""Another version of Spark, the way back, and an image that cannot be had: steps, each after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster import checks
from tests.cluster.charts import load_presets
from tests.cluster.programs import KEPT_ROWS, MAKE_TABLE, READ_TABLE
from tests.cluster.readiness import NEVER, container_statuses, is_ready
from tests.cluster.registry import ABSENT_DIGEST
from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from tests.cluster.kubectl import Object
    from tests.cluster.node import Images
    from tests.cluster.place import Place

SCENARIO = "upgrade"

SECONDS = 240.0


def test_upgrade(place: Place, images: Images) -> None:
    old = place.release
    assert place.client.run(MAKE_TABLE) == len(KEPT_ROWS)
    before = old.pod("connect")
    new = old.with_values(load_presets(f"version/{place.scenario.versions['current']}"))
    images.load(new.images())
    place.upgrade(new)
    after = new.pod("connect")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert _digests(after) != _digests(before)
    _require_table(place, "current")
    wait_for("executors of the new version", lambda: _require_executors(place, _digests(after)), seconds=SECONDS)


def test_store_rolled(place: Place) -> None:
    infra = place.releases["spark-infra"]
    before = infra.pod("s3")
    place.upgrade(infra.with_values({"s3": {"podAnnotations": {"buildgraph/rolled": "yes"}}}))
    assert place.releases["spark-infra"].pod("s3")["metadata"]["uid"] != before["metadata"]["uid"]
    _require_table(place, "current")


def test_rollback(place: Place) -> None:
    before = place.release.pod("connect")
    place.release.rollback(1)
    place.wait_ready(place.release)
    assert place.release.pod("connect")["metadata"]["uid"] != before["metadata"]["uid"]
    _require_table(place, "previous")


def test_broken_image(place: Place) -> None:
    good = place.release.revision()
    served_by = place.release.pod("connect")["metadata"]["uid"]
    previous = load_presets(f"version/{place.scenario.versions['previous']}")
    broken = place.release.with_values(previous, {"icebergImage": {"digest": ABSENT_DIGEST}})
    broken.upgrade()
    wait_for("a pod without its image", lambda: _require_broken(place), seconds=SECONDS)
    serving = [each["metadata"]["uid"] for each in place.release.pods("connect") if is_ready(each)]
    assert serving == [served_by], "the old server is no more"
    _require_table(place, "previous")
    place.release.rollback(good)
    place.wait_ready(place.release)
    assert place.release.pod("connect")["metadata"]["uid"] == served_by
    _require_table(place, "previous")


test_restricted = checks.test_restricted
test_digests = checks.test_digests


def _require_table(place: Place, which: str) -> None:
    assert place.client.run(READ_TABLE) == {"version": place.scenario.versions[which], "rows": KEPT_ROWS}


def _digests(pod: Object) -> set[str]:
    return {str(each["imageID"]).rpartition("@")[2] for each in container_statuses(pod)}


def _require_executors(place: Place, digests: set[str]) -> None:
    found = [_digests(each) for each in place.release.pods("executor") if is_ready(each)]
    require(found and all(each == digests for each in found), f"executors run {found}")


def _require_broken(place: Place) -> None:
    waiting = [
        each["state"].get("waiting", {}).get("reason")
        for pod in place.release.pods("connect")
        for each in container_statuses(pod)
    ]
    require(NEVER & set(waiting), f"pods wait for {waiting}")
