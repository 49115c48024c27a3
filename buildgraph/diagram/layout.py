"""Where boxes stand: columns by longest path, order by barycentres, heights near what they are joined to.

An edge over several columns passes through a *bend* in each column between, which is ordered like a box.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_DRAWN = 2000
"""More nodes than these are no drawing any more."""
_SWEEPS = 12
_SETTLINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``columns``: for each the ids of its points from the top; ``ways``: for each edge its points from left to right.

    A point is a box (``0 <= id < number of nodes``, in the order given) or a bend; ``heights`` are their centres.
    """

    columns: tuple[tuple[int, ...], ...]
    ways: tuple[tuple[int, ...], ...]
    heights: Mapping[int, float]


def lay_out(count: int, edges: Sequence[tuple[int, int]], *, box: float, bend: float) -> Layout:
    """A layout of ``count`` boxes without a cycle. ``box`` and ``bend`` are their heights with the gaps around them."""
    levels = find_levels(count, edges)
    ways, columns = _bend(levels, edges)
    links = [link for way in ways for link in pairwise(way)]
    left, right = _neighbours(links, reverse=True), _neighbours(links, reverse=False)
    columns = _order(columns, left, right)
    spaces = {point: box if point < count else bend for column in columns for point in column}
    return Layout(
        columns=tuple(map(tuple, columns)), ways=tuple(map(tuple, ways)), heights=_settle(columns, left, right, spaces)
    )


def find_levels(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The column of each node: as far right as what reads it allows, so that what nobody reads stands at the end."""
    readers: dict[int, list[int]] = {node: [] for node in range(count)}
    for start, end in edges:
        readers[start].append(end)
    depth = [0] * count
    for node in TopologicalSorter(readers).static_order():  # whatever reads a node comes before it
        depth[node] = max((depth[reader] + 1 for reader in readers[node]), default=0)
    deepest = max(depth, default=0)
    return [deepest - value for value in depth]


def count_crossings(upper: Sequence[int], lower: Sequence[int], right: Mapping[int, Sequence[int]]) -> int:
    """How many links between two neighbouring columns cross."""
    places = {point: place for place, point in enumerate(lower)}
    passed: list[int] = []
    crossings = 0
    for point in upper:
        ends = sorted(places[end] for end in right.get(point, ()))
        crossings += sum(len(passed) - bisect_right(passed, end) for end in ends)
        for end in ends:
            insort(passed, end)
    return crossings


def _bend(levels: Sequence[int], edges: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    columns: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
    for node, level in enumerate(levels):
        columns[level].append(node)
    following = len(levels)
    ways = []
    for start, end in edges:
        between = range(levels[start] + 1, levels[end])
        bends = list(range(following, following + len(between)))
        following += len(bends)
        for level, point in zip(between, bends, strict=True):
            columns[level].append(point)
        ways.append([start, *bends, end])
    return ways, columns


def _neighbours(links: Iterable[tuple[int, int]], *, reverse: bool) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for start, end in links:
        own, other = (end, start) if reverse else (start, end)
        found.setdefault(own, []).append(other)
    return found


def _order(
    columns: list[list[int]], left: Mapping[int, Sequence[int]], right: Mapping[int, Sequence[int]]
) -> list[list[int]]:
    """The order with the fewest crossings that sweeping to and fro comes by."""
    best, fewest = columns, _all_crossings(columns, right)
    current = columns
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        current = _sweep(current, left) if sweep % 2 == 0 else _sweep(current[::-1], right)[::-1]
        crossings = _all_crossings(current, right)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _all_crossings(columns: Sequence[Sequence[int]], right: Mapping[int, Sequence[int]]) -> int:
    return sum(count_crossings(upper, lower, right) for upper, lower in pairwise(columns))


def _sweep(columns: Sequence[list[int]], behind: Mapping[int, Sequence[int]]) -> list[list[int]]:
    swept = [columns[0]]
    for column in columns[1:]:
        places = {point: place for place, point in enumerate(swept[-1])}
        stay = {point: place for place, point in enumerate(column)}
        middles = {point: _mean([places[other] for other in behind.get(point, ())], stay[point]) for point in column}
        swept.append(sorted(column, key=middles.__getitem__))
    return swept


def _settle(
    columns: Sequence[Sequence[int]],
    left: Mapping[int, Sequence[int]],
    right: Mapping[int, Sequence[int]],
    spaces: Mapping[int, float],
) -> dict[int, float]:
    """Heights: each point as near to its neighbours as the order and the spaces allow."""
    heights: dict[int, float] = {}
    for column in columns:
        top = -sum(spaces[point] for point in column) / 2
        for point in column:
            heights[point] = top + spaces[point] / 2
            top += spaces[point]
    for turn in range(_SETTLINGS):
        for column in columns if turn % 2 == 0 else reversed(columns):
            near = left if turn % 2 == 0 else right
            wishes = [_mean([heights[other] for other in near.get(point, ())], heights[point]) for point in column]
            heights.update(zip(column, _space_out(wishes, [spaces[point] for point in column]), strict=True))
    top = min((heights[point] - spaces[point] / 2 for point in heights), default=0.0)
    return {point: round(height - top, 1) for point, height in heights.items()}


def _space_out(wishes: Sequence[float], spaces: Sequence[float]) -> list[float]:
    """Centres near the wishes that overlap nowhere: the middle between pushing all down and pushing all up."""
    down = _push(wishes, spaces)
    up = [-value for value in _push([-wish for wish in reversed(wishes)], list(reversed(spaces)))][::-1]
    return [(lower + upper) / 2 for lower, upper in zip(down, up, strict=True)]


def _push(wishes: Sequence[float], spaces: Sequence[float]) -> list[float]:
    placed: list[float] = []
    for index, wish in enumerate(wishes):
        least = placed[-1] + (spaces[index - 1] + spaces[index]) / 2 if placed else wish
        placed.append(max(wish, least))
    return placed


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else float(default)
