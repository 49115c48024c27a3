"""The live view: a table of what runs now with the totals below it; what ended scrolls away above it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from buildgraph.adapters.console.color import MARK_WIDTH, MARKS
from buildgraph.adapters.console.state import RunState
from buildgraph.adapters.console.wording import (
    describe_closed,
    describe_work,
    format_bytes,
    format_rest,
    format_seconds,
)
from buildgraph.events import Notice, Outcome, StepFinished

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderableType, RenderResult

    from buildgraph.adapters.console.state import Frame, Row
    from buildgraph.events import Event
    from buildgraph.ports import Clock

REFRESH_PER_SECOND = 8
SUMMARY_HEIGHT = 3
MINIMAL_STEP = 18
CRITICAL = "»"


class LiveView:
    """Draws at its own pace, whatever comes in meanwhile."""

    def __init__(
        self,
        stream: TextIO,
        *,
        is_colored: bool = True,
        console: Console | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Start drawing on ``stream``, a terminal, or on a given console."""
        self._mutex = threading.Lock()
        self._clock = clock
        self._state = RunState(clock())
        self._closed: dict[tuple[Outcome, str], list[str]] = {}
        self._console = console or Console(file=stream, force_terminal=True, no_color=not is_colored)
        self._live = Live(
            console=self._console,
            get_renderable=self.render,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start()

    def emit(self, event: Event) -> None:
        """Take the event in; what ended, and notices, are printed above the table."""
        with self._mutex:
            lines = self._describe(event)
            self._state.take(event, self._clock())
        for line in lines:
            self._print(line)

    def close(self) -> None:
        """Remove the table; the lines of ended steps stay."""
        with self._mutex:
            closed = self._take_closed()
        for line in closed:
            self._print(line)
        self._live.stop()

    def render(self) -> RenderableType:
        """The table and the totals as they are now."""
        with self._mutex:
            return FramePicture(self._state.look(self._clock()))

    def _describe(self, event: Event) -> tuple[Text, ...]:
        """The lines that an event leaves; steps that were never started wait until something else ends."""
        if isinstance(event, Notice):
            return (Text.assemble((f"{'note':>{MARK_WIDTH}} ", "dim"), event.text),)
        if not isinstance(event, StepFinished):
            return ()
        if self._state.is_running(event.step):
            return (*self._take_closed(), describe_end(event))
        self._closed.setdefault((event.outcome, event.note), []).append(event.step)
        return ()

    def _take_closed(self) -> tuple[Text, ...]:
        lines = tuple(_describe_block(outcome, steps, why) for (outcome, why), steps in self._closed.items())
        self._closed.clear()
        return lines

    def _print(self, line: Text) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class FramePicture:
    """A frame, drawn to fit the console: columns and rows that have no room are left out."""

    frame: Frame

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The running steps, the most urgent first, and the totals."""
        height = max(options.size.height - SUMMARY_HEIGHT - 1, 0)
        yield Group(*_draw_rows(self.frame, options.max_width, height), *_draw_totals(self.frame, options.max_width))


@dataclass(frozen=True, slots=True)
class _Column:
    """``worth``: the least goes first where the console is narrow."""

    width: int
    worth: int
    draw: Callable[[Row], RenderableType]
    justify: str = "right"


def _draw_rows(frame: Frame, width: int, height: int) -> list[RenderableType]:
    rows = sorted(frame.rows, key=lambda row: (not row.is_critical, -row.elapsed))
    hidden = max(len(rows) - height, 0)
    if hidden and height:
        hidden += 1
    shown = rows[: len(rows) - hidden]
    columns = _choose_columns(width)
    name = min(_step_width(width, columns), max(frame.longest, MINIMAL_STEP))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(width=name, no_wrap=True, overflow="ellipsis")
    for column in columns:
        table.add_column(width=column.width, justify=column.justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for row in shown:
        mark = Text(CRITICAL if row.is_critical else "", style="bold magenta")
        step = Text(row.step, style="bold" if row.is_critical else "")
        table.add_row(mark, step, *(column.draw(row) for column in columns))
    lines: list[RenderableType] = [table] if shown else []
    if hidden and height:
        lines.append(Text(f"  … and {hidden} more that run", style="dim", no_wrap=True, overflow="ellipsis"))
    return lines


def _choose_columns(width: int) -> list[_Column]:
    columns = list(_COLUMNS)
    while columns and _step_width(width, columns) < MINIMAL_STEP:
        columns.remove(min(columns, key=lambda column: column.worth))
    return columns


def _step_width(width: int, columns: list[_Column]) -> int:
    """What is left for the step's name, beside the mark and the columns, each with a space."""
    return width - 3 - sum(column.width + 1 for column in columns)


def _draw_bar(row: Row) -> RenderableType:
    if row.part is None:
        return Text("")
    return ProgressBar(total=1.0, completed=row.part, width=_BAR)


_BAR = 12
_COLUMNS = (
    _Column(11, 2, lambda row: Text(describe_work(row.action, moves=bool(row.done)), style="dim"), "left"),
    _Column(_BAR, 1, _draw_bar, "left"),
    _Column(7, 6, lambda row: Text(format_seconds(row.elapsed))),
    _Column(7, 4, lambda row: Text(format_bytes(row.done) if row.done else "", style="cyan")),
    _Column(9, 3, lambda row: Text(f"{format_bytes(row.speed)}/s" if row.done else "", style="cyan")),
    _Column(7, 5, lambda row: Text("" if row.rest is None else format_rest(row.rest), style="dim")),
)


def _draw_totals(frame: Frame, width: int) -> list[RenderableType]:
    bar = Table.grid(padding=(0, 1, 0, 0))
    end = f"{min(max(frame.part, 0), 1):4.0%}  ETA {format_rest(frame.rest)}"
    bar.add_column(width=max(width - len(end) - 2, 4))
    bar.add_column(no_wrap=True)
    bar.add_row(ProgressBar(total=1.0, completed=min(max(frame.part, 0), 1)), Text(end, style="bold"))
    words = [
        Text(f"{frame.ended}/{frame.total} steps", style="bold"),
        Text(format_seconds(frame.elapsed)),
        Text(f"{frame.failed} failed", style="bold red") if frame.failed else None,
        Text(f"{frame.blocked} blocked", style="yellow") if frame.blocked else None,
        Text(f"{len(frame.rows)} running, {frame.ready} ready, {frame.waiting} waiting"),
    ]
    more = [
        Text(f"{frame.reused} nodes reused"),
        Text(f"{format_bytes(frame.fetched)} fetched, {format_bytes(frame.speed)}/s", style="cyan"),
        Text(f"{CRITICAL} what the run waits for", style="dim") if any(row.is_critical for row in frame.rows) else None,
    ]
    return [bar, *(_join(line) for line in (words, more))]


def _join(words: list[Text | None]) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for word in words:
        if word:
            line.append(" · " if line else "", style="dim").append_text(word)
    return line


def describe_end(event: StepFinished) -> Text:
    """The line that stays of a step that ended."""
    word, style = MARKS[event.outcome]
    return Text.assemble(
        (f"{word:>{MARK_WIDTH}} ", style), event.step, (f" {format_seconds(event.seconds)}", "dim"), f"  {event.note}"
    )


def _describe_block(outcome: Outcome, steps: list[str], why: str) -> Text:
    word, style = MARKS[outcome]
    return Text.assemble((f"{word:>{MARK_WIDTH}} ", style), describe_closed(steps, why))
