"""Shows a run on standard error: a live table on a terminal, plain lines elsewhere. Data never goes through here."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from buildgraph.events import Notice, Outcome, RunStarted, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from rich.console import Console, RenderableType

    from buildgraph.events import Event

REFRESH_PER_SECOND = 8
_MARKS = {
    Outcome.DONE: ("ok", "green"),
    Outcome.REUSED: ("same", "cyan"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.BLOCKED: ("blocked", "yellow"),
    Outcome.CANCELLED: ("stopped", "yellow"),
}


class View(Protocol):
    """Something that shows events; ``close`` leaves the terminal as it was."""

    def emit(self, event: Event) -> None:
        """Show the event."""
        ...

    def close(self) -> None:
        """Stop showing."""
        ...


def make_view(mode: str, stream: TextIO, environ: Mapping[str, str]) -> View:
    """The view for ``auto``, ``rich``, ``plain`` or ``quiet``; auto is rich on a terminal outside CI."""
    if mode == "quiet":
        return QuietView()
    if mode == "rich" or (mode == "auto" and stream.isatty() and not environ.get("CI")):
        return LiveView(stream)
    return PlainView(stream)


class QuietView:
    """Shows nothing; failures are reported by the command itself."""

    def emit(self, event: Event) -> None:
        """Ignore the event."""

    def close(self) -> None:
        """Nothing to do."""


class PlainView:
    """One line when a step starts, one when it ends."""

    def __init__(self, stream: TextIO) -> None:
        """``stream`` is standard error."""
        self._stream = stream
        self._mutex = threading.Lock()
        self._count = 0
        self._ended = 0

    def emit(self, event: Event) -> None:
        """Print the event's line, if it has one."""
        with self._mutex:
            if isinstance(event, RunStarted):
                self._count = len(event.steps)
                self._print(f"run {event.run}: {len(event.steps)} steps, {event.reused} nodes need none")
            elif isinstance(event, StepStarted):
                self._print(f"{'start':>8} {event.step}")
            elif isinstance(event, StepFinished):
                self._ended += 1
                word = _MARKS[event.outcome][0]
                place = f"[{self._ended}/{self._count}]"
                self._print(f"{word:>8} {place} {event.step} {event.seconds:.1f} s  {event.note}")
            elif isinstance(event, Notice):
                self._print(f"    note {event.text}")

    def close(self) -> None:
        """Nothing to undo."""

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveView:
    """A table of what runs now, above it what ended last, below it the totals."""

    def __init__(self, stream: TextIO) -> None:
        """Start drawing on ``stream``, a terminal."""
        from rich.console import Console
        from rich.live import Live

        self._mutex = threading.Lock()
        self._began = time.monotonic()
        self._total = 0
        self._reused = 0
        self._running: dict[str, float] = {}
        self._bytes: dict[str, tuple[int, int | None]] = {}
        self._ended: list[StepFinished] = []
        self._console: Console = Console(file=stream)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
        )
        self._live.start()

    def emit(self, event: Event) -> None:
        """Take the event in; the table is drawn at its own pace."""
        from rich.markup import escape

        with self._mutex:
            if isinstance(event, RunStarted):
                self._total, self._reused = len(event.steps), event.reused
            elif isinstance(event, StepStarted):
                self._running[event.step] = time.monotonic()
            elif isinstance(event, StepProgress):
                self._bytes[event.step] = (event.done, event.total)
            elif isinstance(event, StepFinished):
                self._running.pop(event.step, None)
                self._ended.append(event)
        if isinstance(event, Notice):
            self._console.print(f"[dim]note[/] {escape(event.text)}", highlight=False)
        elif isinstance(event, StepFinished):
            self._console.print(_describe_end(event), highlight=False)

    def close(self) -> None:
        """Remove the table; the lines of ended steps stay."""
        self._live.stop()

    def _render(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        with self._mutex:
            now = time.monotonic()
            table = Table.grid(padding=(0, 2))
            for step, began in self._running.items():
                table.add_row(
                    Text("run", style="bold blue"),
                    Text(step, no_wrap=True),
                    Text(f"{now - began:5.1f} s", justify="right"),
                    _describe_bytes(self._bytes.get(step), now - began),
                )
            failed = sum(event.outcome is Outcome.FAILED for event in self._ended)
            summary = f"{len(self._ended)}/{self._total} steps, {self._reused} nodes reused, {now - self._began:.0f} s"
            table.add_row(Text(""), Text(summary, style="dim"), Text(""), Text(f"{failed} failed" if failed else ""))
            return table


def _describe_bytes(progress: tuple[int, int | None] | None, seconds: float) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if progress is None:
        return Text("")
    done, total = progress
    speed = f"{done / 1e6:.0f} MB  {done / max(seconds, 0.1) / 1e6:.0f} MB/s"
    if not total:
        return Text(speed)
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=total, completed=done, width=24), Text(f"{speed} of {total / 1e6:.0f} MB"))
    return row


def _describe_end(event: StepFinished) -> str:
    from rich.markup import escape

    word, style = _MARKS[event.outcome]
    return f"[{style}]{word:>7}[/] {escape(event.step)} [dim]{event.seconds:.1f} s[/]  {escape(event.note)}"
