"""Views for logs: plain lines, the same with what GitHub Actions understands, and events as JSON lines."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from buildgraph.adapters.console.color import MARK_WIDTH, MARKS, paint
from buildgraph.adapters.console.wording import describe_closed
from buildgraph.events import Notice, Outcome, RunStarted, StepFinished, StepStarted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from buildgraph.events import Event


class PlainView:
    """One line when a step starts, one when it ends; one for all that a failure blocks."""

    def __init__(self, stream: TextIO, *, is_colored: bool = False) -> None:
        """``stream`` is standard error."""
        self._stream = stream
        self._is_colored = is_colored
        self._mutex = threading.Lock()
        self._count = 0
        self._ended = 0
        self._running: set[str] = set()
        self._closed: dict[tuple[Outcome, str], list[str]] = {}

    def emit(self, event: Event) -> None:
        """Print the event's line, if it has one."""
        with self._mutex:
            if isinstance(event, StepFinished) and event.step not in self._running:
                self._ended += 1
                self._closed.setdefault((event.outcome, event.note), []).append(event.step)
                return
            self._tell_closed()
            self._tell(event)

    def close(self) -> None:
        """Print what is held back."""
        with self._mutex:
            self._tell_closed()

    def _tell(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._count = len(event.steps)
            self._print(f"run {event.run}: {len(event.steps)} steps, {event.reused} nodes need none")
        elif isinstance(event, StepStarted):
            self._running.add(event.step)
            self._print(f"{'start':>{MARK_WIDTH}} {event.step}")
        elif isinstance(event, StepFinished):
            self._running.discard(event.step)
            self._ended += 1
            place = f"[{self._ended}/{self._count}]"
            self._print(f"{self._mark(event.outcome)} {place} {event.step} {event.seconds:.1f} s  {event.note}")
        elif isinstance(event, Notice):
            self._print(f"{'note':>{MARK_WIDTH}} {event.text}")

    def _tell_closed(self) -> None:
        """Steps that were never started, by what kept them from it."""
        for (outcome, why), steps in self._closed.items():
            self._print(f"{self._mark(outcome)} [{self._ended}/{self._count}] {describe_closed(steps, why)}")
        self._closed.clear()

    def _mark(self, outcome: Outcome) -> str:
        word, style = MARKS[outcome]
        text = f"{word:>{MARK_WIDTH}}"
        return paint(text, style) if self._is_colored else text

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class GithubView(PlainView):
    """Plain lines in a group that GitHub folds, and an annotation at the manifest of each node that failed."""

    def __init__(self, stream: TextIO, *, is_colored: bool = False) -> None:
        """``stream`` is standard error, which the runner reads for commands as it does standard output."""
        super().__init__(stream, is_colored=is_colored)
        self._places: dict[str, str] = {}
        self._failures: list[StepFinished] = []
        self._is_open = False

    def close(self) -> None:
        """End the group; then the annotations."""
        super().close()
        if self._is_open:
            super()._print("::endgroup::")
            self._is_open = False
        for event in self._failures:
            place = _format_place(self._places.get(event.step, ""))
            text = escape_command(f"{event.step}: {event.note}")
            super()._print(f"::error {place}title={escape_property(event.step)}::{text}")
        self._failures.clear()

    def _tell(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._places = {step.id: step.where for step in event.steps}
            super()._print(f"::group::buildgraph {escape_command(event.run)}")
            self._is_open = True
        elif isinstance(event, StepFinished) and event.outcome is Outcome.FAILED:
            self._failures.append(event)
        super()._tell(event)

    def _print(self, line: str) -> None:
        super()._print(defuse(line))


class JsonView:
    """Every event as one line of JSON: its name under ``event``, then its fields."""

    def __init__(self, stream: TextIO) -> None:
        """``stream`` is standard error."""
        self._stream = stream
        self._mutex = threading.Lock()

    def emit(self, event: Event) -> None:
        """Print it."""
        line = json.dumps({"event": type(event).__name__, **asdict(event)})
        with self._mutex:
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is held back."""


def is_github(environ: Mapping[str, str]) -> bool:
    """True in a job of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def defuse(line: str) -> str:
    """A line that the runner does not take for a command, whatever a program wrote into it."""
    line = " ".join(line.splitlines()).replace("##[", "# #[")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def escape_command(text: str) -> str:
    """Text after ``::``, as the runner reads it back."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """A value between commas before ``::``."""
    return escape_command(text).replace(":", "%3A").replace(",", "%2C")


def _format_place(where: str) -> str:
    """``file=…,line=…,`` of ``file:line``, or nothing."""
    file, _, line = where.partition(":")
    if not file:
        return ""
    return f"file={escape_property(file)}," + (f"line={line}," if line.isdigit() else "")
