"""Four outcomes that never stand for each other."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tests.cluster.outcome import Result, Status, join, render_json, render_junit, render_table, summarise


def make(name: str, status: Status = Status.PASSED, reason: str = "") -> Result:
    return Result(id=f"a-4.1/{name}", title=name, status=status, seconds=1.25, reason=reason)


RESULTS = [
    make("one"),
    make("two", Status.FAILED, "AssertionError: 1 is not 2\nassert 1 == 2\x1b"),
    make("three", Status.SKIPPED, "spark-k8s/spark:4.1.1 is not built"),
    make("four", Status.NOT_ENFORCED, "the node takes it & does not apply it"),
]


def test_whatever_did_not_pass_has_a_reason() -> None:
    for status in set(Status) - {Status.PASSED}:
        with pytest.raises(AssertionError, match="without a reason"):
            make("a", status)


def test_the_numbers_of_all_four_are_told_even_where_there_are_none() -> None:
    assert summarise(RESULTS) == "1 passed, 1 failed, 1 skipped, 1 not enforced"
    assert summarise([]) == "0 passed, 0 failed, 0 skipped, 0 not enforced"


def test_phases_are_joined_and_the_worse_one_counts() -> None:
    joined = join(make("a"), make("a", Status.FAILED, "teardown: left"))
    assert (joined.status, joined.seconds, joined.reason) == (Status.FAILED, 2.5, "teardown: left")
    skipped = join(make("a", Status.SKIPPED, "not built"), make("a"))
    assert (skipped.status, skipped.reason) == (Status.SKIPPED, "not built")
    assert join(make("a", Status.NOT_ENFORCED, "no"), make("a")).status is Status.NOT_ENFORCED


def test_json_has_each_result_and_its_reason() -> None:
    document = json.loads(render_json(RESULTS))
    assert document["counts"] == {"passed": 1, "failed": 1, "skipped": 1, "not enforced": 1}
    assert [each["status"] for each in document["results"]] == ["passed", "failed", "skipped", "not enforced"]
    assert document["results"][3]["reason"] == RESULTS[3].reason


def test_junit_tells_what_is_not_enforced_from_what_was_skipped() -> None:
    suite = ET.fromstring(render_junit(RESULTS))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert len(cases["one"]) == 0
    assert cases["one"].get("classname") == "cluster.a-4.1"
    failure = cases["two"].find("failure")
    assert failure is not None
    assert failure.get("message") == "AssertionError: 1 is not 2"
    types = {name: each.get("type") for name, case in cases.items() if (each := case.find("skipped")) is not None}
    assert types == {"three": "skipped", "four": "not-enforced"}
    numbers = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert numbers == {"passed": "1", "failed": "1", "skipped": "1", "not enforced": "1"}


def test_the_table_names_what_did_not_pass_with_its_reason() -> None:
    text = render_table(RESULTS)
    assert "a-4.1/one        1.2 s  passed\n" in text
    assert "not enforced:\n  a-4.1/four: the node takes it & does not apply it\n" in text
    assert "skipped:\n  a-4.1/three: spark-k8s/spark:4.1.1 is not built\n" in text
    assert "failed:\n  a-4.1/two: AssertionError: 1 is not 2\n" in text
    assert text.endswith("\n1 passed, 1 failed, 1 skipped, 1 not enforced\n")
