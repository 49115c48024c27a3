"""What a check came to, in four words that never stand for each other, and a run's results as JSON, JUnit and a table.

A check that was not run is *skipped* and says why. One that a node cannot decide, since it takes a rule and does not
apply it, is *not enforced*: it has neither passed nor failed.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
WIDTH = 120


class Status(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_ENFORCED = "not enforced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check that was asked for."""

    id: str
    title: str
    status: Status
    seconds: float
    reason: str = ""

    def __post_init__(self) -> None:
        assert self.reason or self.status is Status.PASSED, f"{self.id} is {self.status} without a reason"


def join(first: Result, second: Result) -> Result:
    """One result of two phases of a check; the worse status counts."""
    worse = max(first, second, key=lambda each: _WEIGHT[each.status])
    return Result(
        id=first.id,
        title=first.title,
        status=worse.status,
        seconds=first.seconds + second.seconds,
        reason=worse.reason,
    )


_WEIGHT = {Status.PASSED: 0, Status.NOT_ENFORCED: 1, Status.SKIPPED: 2, Status.FAILED: 3}


def count(results: Sequence[Result]) -> dict[str, int]:
    """How many there are of each status, all four of them."""
    counts = Counter(each.status for each in results)
    return {status.value: counts[status] for status in Status}


def summarise(results: Sequence[Result]) -> str:
    """One line with all four numbers."""
    return ", ".join(f"{number} {status}" for status, number in count(results).items())


def render_json(results: Sequence[Result]) -> str:
    """The results for programs."""
    rows = [asdict(each) | {"seconds": round(each.seconds, 1)} for each in results]
    return json.dumps({"format": FORMAT, "counts": count(results), "results": rows}, indent=2) + "\n"


def render_junit(results: Sequence[Result]) -> str:
    """The results as JUnit knows them; what is not enforced is ``skipped`` with a type of its own."""
    counts = count(results)
    suite = ET.Element(
        "testsuite",
        name="cluster",
        tests=str(len(results)),
        failures=str(counts[Status.FAILED]),
        errors="0",
        skipped=str(counts[Status.SKIPPED] + counts[Status.NOT_ENFORCED]),
        time=f"{sum(each.seconds for each in results):.1f}",
    )
    properties = ET.SubElement(suite, "properties")
    for status, number in counts.items():
        ET.SubElement(properties, "property", name=status, value=str(number))
    for each in results:
        _add_case(suite, each)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, result: Result) -> None:
    scenario, _, check = result.id.partition("/")
    case = ET.SubElement(suite, "testcase", classname=f"cluster.{scenario}", name=check, time=f"{result.seconds:.1f}")
    if result.status is Status.FAILED:
        ET.SubElement(case, "failure", message=_first_line(result.reason)).text = _clean(result.reason)
    elif result.status is not Status.PASSED:
        ET.SubElement(case, "skipped", type=result.status.value.replace(" ", "-"), message=_clean(result.reason))


def render_table(results: Sequence[Result]) -> str:
    """The results for people: a line for each, then what did not pass with its reason, then the numbers."""
    width = max((len(each.id) for each in results), default=0)
    lines = [f"{each.id:<{width}}  {each.seconds:7.1f} s  {each.status}" for each in results]
    for status in (Status.SKIPPED, Status.NOT_ENFORCED, Status.FAILED):
        chosen = [each for each in results if each.status is status]
        if chosen:
            lines += ["", f"{status}:"]
            lines += [_shorten(f"  {each.id}: {_first_line(each.reason)}") for each in chosen]
    return "\n".join([*lines, "", summarise(results)]) + "\n"


def _first_line(text: str) -> str:
    return _clean(text).strip().partition("\n")[0]


def _shorten(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _clean(text: str) -> str:
    """Without control characters, which XML has no way to say."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
