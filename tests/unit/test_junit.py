from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from buildgraph.history import RunRefusal
from buildgraph.report.junit import format_junit
from tests.fakes.runs import RUN, TAILS, make_run_step
from tests.golden_files import check_golden

# What the schema of the Jenkins xUnit plugin, which others follow, knows: element → attributes, parts.
SHAPE: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "skipped"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message", "type"}, set()),
}
CASES = {
    "test:jars": """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" time="3.1">
<testcase classname="layers.jars.test_jars" name="test_that_it_is_there[a]" file="test_jars.py" line="3" time="1.5"/>
<testcase classname="layers.jars.test_jars" name="test_two" time="1.0"><failure message="no &lt;jar&gt;">E  text
</failure><system-out>noise</system-out></testcase>
<testcase classname="layers.jars.test_jars" name="test_gpu" time="0"><skipped type="pytest.skip" message="no GPU"/>
</testcase></testsuite></testsuites>"""
}


def check_shape(element: ET.Element) -> None:
    attributes, parts = SHAPE[element.tag]
    assert set(element.attrib) <= attributes
    for part in element:
        assert part.tag in parts
        check_shape(part)


def test_a_run_as_junit_stays_as_it_is() -> None:
    text = format_junit(RUN, CASES, TAILS)
    check_shape(ET.fromstring(text))
    check_golden("reports/junit.xml", text)


def test_the_counts_of_every_suite_are_those_of_its_cases() -> None:
    root = ET.fromstring(format_junit(RUN, CASES, TAILS))
    for suite in (*root.findall("testsuite"), root):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for attribute, part in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(sum(case.find(part) is not None for case in cases))


def test_failed_builds_are_errors_and_blocked_steps_are_skipped_with_their_reason() -> None:
    cases = {case.get("name"): case for case in ET.fromstring(format_junit(RUN, {}, TAILS)).iter("testcase")}
    error, skipped = cases["build:broken"].find("error"), cases["compose:app"].find("skipped")
    assert error is not None
    assert (error.get("message"), error.text) == ("exit code 1", "line one\nline <two>")
    assert skipped is not None
    assert skipped.get("message") == "needs build:broken"
    assert "fetch:jars/pg" not in cases


@pytest.mark.parametrize("text", ["", "<", "<testsuites/>", "no xml", "<a>&b;</a>"])
def test_tests_without_a_report_are_one_case(text: str) -> None:
    root = ET.fromstring(format_junit(RUN, {"test:jars": text}, TAILS))
    case = next(case for case in root.iter("testcase") if case.get("name") == "test:jars")
    failure = case.find("failure")
    assert failure is not None
    assert failure.text == "test_jars.py::test_two: no <jar>"


def test_tests_that_did_not_get_to_their_end_have_failed_whatever_they_reported() -> None:
    xml = '<testsuites><testsuite><testcase classname="a" name="b" time="1"/></testsuite></testsuites>'
    root = ET.fromstring(format_junit(RUN, {"test:jars": xml}, TAILS))
    suite = next(suite for suite in root if suite.get("name") == "jars")
    assert [case.get("name") for case in suite.iter("testcase")] == ["build:jars", "b", "test:jars"]
    assert suite.get("failures") == "1"


def test_what_xml_cannot_hold_is_replaced() -> None:
    note = "a\x00b\x1b[31m<&>\"'\ud800"
    step = make_run_step("build:jars", outcome="failed", note=note, details=(note,))
    error = next(ET.fromstring(format_junit(replace(RUN, steps=(step,)), {}, {})).iter("error"))
    assert error.get("message") == error.text == "a\ufffdb\ufffd[31m<&>\"'\ufffd"


def test_what_was_refused_is_skipped_with_the_reason() -> None:
    refusal = RunRefusal(node="late", cause="unlocked", reason="source jar is not locked", hint="run: buildgraph lock")
    root = ET.fromstring(format_junit(replace(RUN, steps=(), refused=(refusal,)), {}, {}))
    check_shape(root)
    (suite,) = root
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "source jar is not locked; run: buildgraph lock"
    assert (root.get("tests"), root.get("skipped"), suite.get("skipped")) == ("1", "1", "1")


def test_a_run_without_steps_has_no_suites() -> None:
    root = ET.fromstring(format_junit(replace(RUN, steps=()), {}, {}))
    assert (root.get("tests"), list(root)) == ("0", [])
