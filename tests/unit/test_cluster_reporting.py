"""From what pytest tells of a test's phases to the files of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from tests.cluster.reporting import NotEnforced, Results, describe_phase, not_enforced, read_result
from tests.cluster.table import Scenario

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = Scenario(id="a-4.1", name="a", title="A", set="core", memory=1, checks={"one_two": "One and two."})


def make_report(
    outcome: Literal["passed", "failed", "skipped"],
    when: Literal["setup", "call", "teardown"] = "call",
    *,
    told: str | tuple[str, int, str] | None = None,
    is_enforced: bool = True,
) -> pytest.TestReport:
    report = pytest.TestReport("t", ("t", 1, "t"), {}, outcome, told, when, duration=1.5)
    report.user_properties.append(describe_phase(SCENARIO, "one_two", report, is_enforced=is_enforced))
    return report


@pytest.mark.parametrize(
    ("report", "status", "reason"),
    [
        (make_report("passed"), "passed", ""),
        (make_report("failed", told="1 is not 2"), "failed", "1 is not 2"),
        (make_report("failed", "setup", told="no namespace"), "failed", "setup: no namespace"),
        (make_report("skipped", "setup", told=("f.py", 3, "Skipped: not built")), "skipped", "not built"),
        (make_report("skipped", told=("f.py", 3, "Skipped: taken"), is_enforced=False), "not enforced", "taken"),
    ],
)
def test_a_phase_has_one_of_four_outcomes_and_its_reason(report: pytest.TestReport, status: str, reason: str) -> None:
    result = read_result(report)
    assert result is not None
    assert (result.id, result.title, result.seconds) == ("a-4.1/one-two", "One and two.", 1.5)
    assert (result.status, result.reason) == (status, reason)


def test_what_is_not_enforced_is_a_skip_of_its_own_kind() -> None:
    with pytest.raises(NotEnforced, match="the node does not apply it"):
        not_enforced("the node does not apply it")
    assert issubclass(NotEnforced, pytest.skip.Exception)


def test_a_run_leaves_three_files_and_prints_its_table_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(tmp_path / "out")
    for report in (
        make_report("passed", "setup"),
        make_report("passed"),
        make_report("failed", "teardown", told="left"),
    ):
        results.pytest_runtest_logreport(report)
    results.pytest_sessionfinish()
    results.pytest_unconfigure()
    (row,) = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))["results"]
    assert (row["status"], row["seconds"], row["reason"]) == ("failed", 4.5, "teardown: left")
    assert 'name="one-two"' in (tmp_path / "out/junit.xml").read_text(encoding="utf-8")
    printed = capsys.readouterr().out
    assert printed.endswith("0 passed, 1 failed, 0 skipped, 0 not enforced\n")
    assert printed.strip() == (tmp_path / "out/results.txt").read_text(encoding="utf-8").strip()


def test_a_run_of_other_tests_leaves_nothing(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    results.pytest_runtest_logreport(pytest.TestReport("t", ("t", 1, "t"), {}, "passed", None, "call"))
    results.pytest_sessionfinish()
    assert not (tmp_path / "out").exists()


def test_a_check_whose_test_did_not_end_has_not_passed(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.pytest_runtest_logreport(make_report("passed", "setup"))
    results.pytest_sessionfinish()
    (row,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert (row["status"], row["reason"]) == ("failed", "the run ended before the test did")
