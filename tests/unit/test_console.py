from __future__ import annotations

import io

import pytest

from buildgraph.adapters.console import LiveView, PlainView, QuietView, make_view
from buildgraph.events import Event, Notice, Outcome, RunStarted, StepFinished, StepProgress, StepStarted

STORY: tuple[Event, ...] = (
    RunStarted(run="20260101-000000-abcd", steps=("fetch:jars/pg", "build:jars", "test:jars"), reused=4),
    StepStarted(step="fetch:jars/pg", at=0.0),
    StepProgress(step="fetch:jars/pg", done=500_000, total=1_000_000),
    StepProgress(step="fetch:jars/pg", done=700_000, total=None),
    StepFinished(step="fetch:jars/pg", outcome=Outcome.DONE, seconds=1.25, note="1.0 MB"),
    Notice(text="key [/abc] is locked by another run"),
    StepStarted(step="build:jars", at=1.3),
    StepFinished(step="build:jars", outcome=Outcome.FAILED, seconds=2.0, note="COPY [x] failed", log="/l"),
    StepFinished(step="test:jars", outcome=Outcome.BLOCKED, seconds=0.0, note="needs build:jars"),
)


CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_tell_the_story_and_count_the_ends() -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    for event in STORY:
        view.emit(event)
    view.close()
    assert stream.getvalue().splitlines() == [
        "run 20260101-000000-abcd: 3 steps, 4 nodes need none",
        "   start fetch:jars/pg",
        "      ok [1/3] fetch:jars/pg 1.2 s  1.0 MB",
        "    note key [/abc] is locked by another run",
        "   start build:jars",
        "  FAILED [2/3] build:jars 2.0 s  COPY [x] failed",
        " blocked [3/3] test:jars 0.0 s  needs build:jars",
    ]


def test_a_live_view_shows_every_end_and_every_notice_as_written() -> None:
    stream = Terminal()
    view = LiveView(stream)
    for event in STORY:
        view.emit(event)
    view.close()
    shown = stream.getvalue()
    for text in ("fetch:jars/pg", "key [/abc] is locked by another run", "COPY [x] failed", "blocked"):
        assert text in shown
    assert shown.rindex(CURSOR_SHOWN) > shown.rindex(CURSOR_HIDDEN)


@pytest.mark.parametrize("total", [1_000_000, None])
def test_a_live_view_shows_what_runs_and_how_far_it_is(total: int | None) -> None:
    stream = Terminal()
    view = LiveView(stream)
    view.emit(STORY[0])
    view.emit(StepStarted(step="fetch:jars/pg", at=0.0))
    view.emit(StepProgress(step="fetch:jars/pg", done=600_000, total=total))
    view.emit(StepStarted(step="build:jars", at=0.0))
    view.close()
    shown = stream.getvalue()
    assert "0/3 steps, 4 nodes reused" in shown
    assert "build:jars" in shown
    assert "1 MB" in shown
    assert ("of 1 MB" in shown) == (total is not None)


def test_a_quiet_view_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    view = QuietView()
    for event in STORY:
        view.emit(event)
    view.close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("mode", "is_terminal", "environ", "kind"),
    [
        ("auto", True, {}, LiveView),
        ("auto", True, {"CI": "true"}, PlainView),
        ("auto", False, {}, PlainView),
        ("plain", True, {}, PlainView),
        ("rich", False, {"CI": "true"}, LiveView),
        ("quiet", True, {}, QuietView),
    ],
)
def test_a_table_is_drawn_only_on_a_terminal_unless_asked_for(
    mode: str, is_terminal: bool, environ: dict[str, str], kind: type
) -> None:
    view = make_view(mode, Terminal() if is_terminal else io.StringIO(), environ)
    view.close()
    assert isinstance(view, kind)
