"""Where the bars of a run's chart stand, in the order in which the steps started. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.events import Outcome
from buildgraph.plan import Action
from buildgraph.report.figures import find_critical, was_started

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from buildgraph.history import Run, RunStep

ROWS = 250
ROW_HEIGHT = 17
HEAD_HEIGHT = 24
TICKS = 10
THINNEST = 0.15  # per cent: what is still seen
_NICE = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_INSIDE = 28.0  # per cent: a bar that wide has room for its label
_RIGHT_EDGE = 62.0  # per cent: a label after a bar that ends there would leave the chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step: ``x`` and ``width`` in per cent of the chart."""

    step: str
    x: float
    width: float
    style: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Bars side by side: ``y`` in pixels. ``place`` says where the label stands, ``label_x`` at how many per cent."""

    bars: tuple[Bar, ...]
    y: int
    label: str
    style: str
    place: str
    label_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the time axis: ``x`` in per cent."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """The chart; ``hidden`` short steps have no room."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    hidden: int


def draw_gantt(run: Run) -> Gantt:
    """The chart of a run: a row for each step, one for all downloads of a node; ``ROWS`` of them, the longest."""
    groups: dict[tuple[str, str], list[RunStep]] = {}
    started = [step for step in run.steps if was_started(step)]
    for step in sorted(started, key=lambda step: (step.started, -step.seconds, step.id)):
        groups.setdefault((step.action, step.node if step.action == Action.FETCH else step.id), []).append(step)
    longest = sorted(groups, key=lambda key: -sum(step.seconds for step in groups[key]))[:ROWS]
    shown = [groups[key] for key in sorted(longest, key=lambda key: (groups[key][0].started, key))]
    end = max([run.seconds, *(_end(step) for step in started)]) or 1.0
    critical = frozenset(find_critical(run))
    rows = tuple(_make_row(group, HEAD_HEIGHT + place * ROW_HEIGHT, end, critical) for place, group in enumerate(shown))
    hidden = len(started) - sum(len(group) for group in shown)
    height = HEAD_HEIGHT + len(rows) * ROW_HEIGHT + 4
    return Gantt(rows=rows, ticks=_make_ticks(end), height=height, hidden=hidden)


def _make_row(steps: Sequence[RunStep], y: int, end: float, critical: Collection[str]) -> Row:
    first = steps[0]
    x, last = 100 * first.started / end, 100 * max(map(_end, steps)) / end
    place, label_x = _place_label(x, last - x)
    label = first.id if len(steps) == 1 else f"{first.action}:{first.node} ({len(steps)})"
    return Row(
        bars=tuple(_make_bar(step, end, critical) for step in steps),
        y=y,
        label=label,
        style="critical" if any(step.id in critical for step in steps) else "",
        place=place,
        label_x=round(label_x, 3),
    )


def _make_bar(step: RunStep, end: float, critical: Collection[str]) -> Bar:
    classes = [step.action]
    classes += ["critical"] if step.id in critical else []
    classes += ["failed"] if step.outcome == Outcome.FAILED else []
    why = "; the run waited for it" if step.id in critical else ""
    return Bar(
        step=step.id,
        x=round(100 * step.started / end, 3),
        width=round(max(100 * step.seconds / end, THINNEST), 3),
        style=" ".join(classes),
        title=f"{step.id}: {step.outcome}, {step.seconds:.1f} s from {step.started:.1f} s{why}\n{step.note}",
    )


def _end(step: RunStep) -> float:
    return step.started + step.seconds


def _place_label(x: float, width: float) -> tuple[str, float]:
    if width > _INSIDE:
        return "inside", x
    return ("before", x) if x + width > _RIGHT_EDGE else ("after", x + width)


def _make_ticks(end: float) -> tuple[Tick, ...]:
    step = next((nice for nice in _NICE if end / nice <= TICKS), _NICE[-1])
    count = min(int(end / step), 2 * TICKS)
    return tuple(Tick(x=round(100 * n * step / end, 3), text=_format_time(n * step)) for n in range(count + 1))


def _format_time(seconds: int) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"  # noqa: PLR2004
