"""docs/faults.md says of each fault which tests stand for it, and names no test that is not there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.fault_tests import find_numbered, find_tests, format_list
from tests.figures.__main__ import HEAD, format_row
from tests.figures.catalogue import FIGURES

DOCUMENT = Path(__file__).parents[2] / "docs/faults.md"
FAULTS = range(1, 41)
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
NAMED = re.compile(r"`(test_\w+)`")


def read() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def part(text: str, name: str) -> str:
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]


def rows() -> dict[int, tuple[str, str, str, str]]:
    found = [match.groups() for line in read().splitlines() if (match := ROW.fullmatch(line))]
    assert [int(number) for number, *_ in found] == list(FAULTS), "each number has one row, in order"
    return {int(number): (fault, expected, tested, result) for number, fault, expected, tested, result in found}


@pytest.mark.parametrize("number", FAULTS)
def test_a_row_names_all_modules_with_tests_of_its_number_and_none_that_is_not_there(number: int) -> None:
    _, _, tested, result = rows()[number]
    named = set(NAMED.findall(tested))
    assert named <= set(find_tests()), "it names a module that is not there"
    assert set(find_numbered().get(number, {})) <= named, "it leaves a module out"
    assert named or result.startswith("not applicable")
    assert not (named and result.startswith("not applicable"))


def test_every_test_of_a_fault_is_listed() -> None:
    text = read()
    if os.environ.get("UPDATE_GOLDEN"):
        text = text.replace(part(text, "tests"), format_list())
        DOCUMENT.write_text(text, encoding="utf-8")
    assert part(text, "tests") == format_list(), "run this with UPDATE_GOLDEN=1"


def test_every_number_of_a_test_is_that_of_a_fault() -> None:
    assert set(find_numbered()) <= set(FAULTS)


def test_the_table_of_figures_has_them_all() -> None:
    head, line, *figures = part(read(), "figures").splitlines()
    assert (head, line) == (format_row(HEAD), "|" + "---|" * len(HEAD))
    assert len(figures) == len(FIGURES)
    assert all(row.count("|") == len(HEAD) + 1 for row in figures)
