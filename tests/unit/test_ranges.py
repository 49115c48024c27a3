"""Ranges of versions of every ecosystem, as rows of support.yaml write them."""

from __future__ import annotations

import pytest

from buildgraph.forms import RANGE
from buildgraph.ranges import Range, order

RISING = (
    "0.9",
    "1.0-alpha",
    "1.0-alpha2",
    "1.0-rc1",
    "1.0",
    "1.0-jre11",
    "1.0.1",
    "1.9",
    "1.10",
    "2.0-M1",
    "2",
    "17.0.9+9-1",
    "17.0.15+6-1~deb12u1",
    "24.12.0",
    "26.08.1",
)


def test_versions_are_ordered_as_people_read_them() -> None:
    assert sorted(sorted(RISING), key=order) == list(RISING)
    assert len({order(version) for version in RISING}) == len(RISING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4.1", "4.1.0"),
        ("26.8.1", "26.08.1"),
        ("1.0-RC1", "1-rc1"),
        ("1:2.3", "2.3"),
        ("1!2.3", "2.3"),
        ("v1.2", "V1.2"),
    ],
)
def test_versions_that_are_written_differently_are_the_same(one: str, other: str) -> None:
    assert order(one) == order(other)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("*", RISING, ()),
        ("26.08.*", ("26.08", "26.08.1", "26.8.0-rc1"), ("26.0", "26.10.8", "25.08.1", "126.08.1")),
        ("4.1.0", ("4.1.0", "4.1"), ("4.1.1", "4.1.0.1", "4.1.0-rc1", "4")),
        (">=3.5.0,<=3.5.9", ("3.5.0", "3.5", "3.5.7", "3.5.9"), ("3.4.9", "3.5.10", "3.6", "35.0")),
        (">=3.5,<4", ("3.5.8", "3.99", "4.0-rc1"), ("4", "4.0.0", "3.4")),
        (">1.0", ("1.0.1", "1.0-jre11"), ("1.0", "1.0-rc1")),
        ("<25", ("24.12.0", "24.12.1", "2"), ("25.0", "25.02.0")),
        (">=42.7", ("42.7.14", "42.7", "42.10.1"), ("42.6.2", "42.2.27.jre7")),
        ("17.*", ("17.0.15+6-1~deb12u1",), ("21.0.1", "1.7.0", "170.1")),
        (">=1,1.2.*", ("1.2.3",), ("1.3", "0.1.2")),
    ],
)
def test_a_range_holds_what_fulfils_all_its_conditions(
    text: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    assert RANGE.accepts(text)
    assert [version for version in inside if not Range(text).holds(version)] == []
    assert [version for version in outside if Range(text).holds(version)] == []


def test_numbers_may_be_longer_than_the_interpreter_reads() -> None:
    assert Range(f">{'9' * 5000}").holds("1" * 5001)
