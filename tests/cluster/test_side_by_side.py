"""Spark 3.5 and 4.1 in one namespace: neither gets in the other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.charts.gates.objects import INSTANCE
from tests.cluster import checks
from tests.cluster.programs import EXPECTED_TOTALS, SUMS

if TYPE_CHECKING:
    from tests.cluster.place import Place

SCENARIO = "side-by-side"
LINES = {"spark-old": "3.5.", "spark-new": "4.1."}

HOSTS = """
def host(batches):
    import socket
    for batch in batches:
        yield batch.assign(host=socket.gethostname())

answer = sorted({row.host for row in spark.range(4).mapInPandas(host, "id long, host string").collect()})
"""


def test_own_server(place: Place) -> None:
    for name, line in LINES.items():
        release = place.releases[name]
        client = place.client_of(release)
        answer = client.run(SUMS)
        assert answer["version"].startswith(line)
        assert answer["totals"] == EXPECTED_TOTALS
        assert set(client.run(HOSTS)) <= {each["metadata"]["name"] for each in release.pods("executor")}


def test_own_endpoints(place: Place) -> None:
    owner = {each["metadata"]["name"]: each["metadata"]["labels"].get(INSTANCE) for each in place.kubectl.list("pods")}
    for name in LINES:
        release = place.releases[name]
        slices = place.kubectl.list("endpointslices", release.labels)
        targets = [end["targetRef"]["name"] for each in slices for end in each["endpoints"] or ()]
        assert targets, f"no Service of {name} leads anywhere"
        assert {owner[target] for target in targets} == {name}


def test_names(place: Place) -> None:
    names = [{(each["kind"], each["metadata"]["name"]) for each in place.releases[name].render()} for name in LINES]
    assert not names[0] & names[1]
    executors = [{each["metadata"]["name"] for each in place.releases[name].pods("executor")} for name in LINES]
    assert all(executors)
    assert not executors[0] & executors[1]


test_restricted = checks.test_restricted
test_digests = checks.test_digests
