"""What holds for all versions and ranges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from buildgraph.forms import RANGE
from buildgraph.ranges import Range, order

NUMBERS = st.lists(st.integers(0, 999), min_size=1, max_size=5)
VERSIONS = st.from_regex(r"[0-9][0-9A-Za-z.+_~-]{0,12}", fullmatch=True)


def write(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


def strip(numbers: list[int]) -> list[int]:
    kept = list(numbers)
    while kept and not kept[-1]:
        kept.pop()
    return kept


@given(NUMBERS, NUMBERS)
def test_versions_of_numbers_are_ordered_like_their_numbers(one: list[int], other: list[int]) -> None:
    assert (order(write(one)) < order(write(other))) == (strip(one) < strip(other))
    assert (order(write(one)) == order(write(other))) == (strip(one) == strip(other))


@given(VERSIONS, VERSIONS)
def test_exactly_one_of_below_at_and_above_holds(version: str, bound: str) -> None:
    held = [Range(f"{operator}{bound}").holds(version) for operator in ("<", "", ">")]
    assert held.count(True) == 1
    assert Range(f">={bound}").holds(version) == (held[1] or held[2])
    assert Range(f"<={bound}").holds(version) == (held[0] or held[1])


@given(VERSIONS)
def test_every_version_is_in_the_range_of_itself_and_of_all(version: str) -> None:
    assert Range(version).holds(version)
    assert Range("*").holds(version)
    assert RANGE.accepts(version)


@given(NUMBERS, NUMBERS)
def test_a_star_holds_what_begins_like_it(prefix: list[int], rest: list[int]) -> None:
    assert Range(f"{write(prefix)}.*").holds(write(prefix + rest))
    assert not Range(f"{write(prefix)}.*").holds(write([prefix[0] + 1, *prefix[1:], *rest]))
