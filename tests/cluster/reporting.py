"""What a test says of its check, in a form that goes from pytest's workers to the one that writes the results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from _pytest.outcomes import Skipped

from tests.cluster.outcome import Result, Status, join, render_json, render_junit, render_table

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cluster.table import Scenario

PROPERTY = "cluster"
INTERRUPTED = "the run ended before the test did"


class NotEnforced(Skipped):
    """The node takes a rule and does not apply it."""


def not_enforced(reason: str) -> NoReturn:
    """End a check that this node cannot decide."""
    raise NotEnforced(reason)


class Results:
    """A plugin of the one pytest that hears of all tests: it writes files at the end, and prints the table last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._results: dict[str, Result] = {}
        self._decided: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = read_result(report)
        if result:
            before = self._results.get(result.id)
            self._results[result.id] = join(before, result) if before else result
            if report.when == "call" or result.status is not Status.PASSED:
                self._decided.add(result.id)

    def _all(self) -> list[Result]:
        """A check whose test was prepared and never ended has not passed."""
        return [
            each if each.id in self._decided else replace(each, status=Status.FAILED, reason=INTERRUPTED)
            for each in self._results.values()
        ]

    def pytest_sessionfinish(self) -> None:
        results = self._all()
        if results:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, render in {
                "results.json": render_json,
                "junit.xml": render_junit,
                "results.txt": render_table,
            }.items():
                (self._folder / name).write_text(render(results), encoding="utf-8")

    def pytest_unconfigure(self) -> None:
        if self._results:
            print(f"\n{render_table(self._all())}", end="")


def describe_phase(
    scenario: Scenario, check: str, report: pytest.TestReport, *, is_enforced: bool
) -> tuple[str, dict[str, str | float]]:
    """The result of one phase of a test, as a property of its report."""
    status = Status.PASSED
    if report.failed:
        status = Status.FAILED
    elif report.skipped:
        status = Status.SKIPPED if is_enforced else Status.NOT_ENFORCED
    where = "" if report.when == "call" or status is not Status.FAILED else f"{report.when}: "
    return PROPERTY, {
        "id": scenario.check_id(check),
        "title": scenario.checks[check],
        "status": status.value,
        "seconds": report.duration,
        "reason": f"{where}{_reason(report)}" if status is not Status.PASSED else "",
    }


def read_result(report: pytest.TestReport) -> Result | None:
    """The result that a report carries; none when it is of no check."""
    for name, value in getattr(report, "user_properties", ()):
        if name == PROPERTY:
            assert isinstance(value, dict)
            return Result(**{**value, "status": Status(value["status"])})
    return None


def _reason(report: pytest.TestReport) -> str:
    """The message, without the lines of code that led to it."""
    told = report.longrepr
    if isinstance(told, tuple):
        # After the name of the kind of skip, which may have dots.
        return str(told[2]).partition(": ")[2]
    crash = getattr(told, "reprcrash", None)
    return str(crash.message if crash else told) or "no message"
