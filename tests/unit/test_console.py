from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from buildgraph.adapters.console import QuietView, make_view
from buildgraph.adapters.console.color import wants_color
from buildgraph.adapters.console.lines import GithubView, JsonView, PlainView, defuse
from buildgraph.adapters.console.live import FramePicture, LiveView
from buildgraph.adapters.console.state import RunState, Speed
from buildgraph.adapters.console.wording import describe_closed, format_bytes, format_rest, format_seconds
from buildgraph.events import (
    Event,
    Notice,
    Outcome,
    PlannedStep,
    RunStarted,
    StepFinished,
    StepProgress,
    StepStarted,
)
from tests.fakes.sample import Terminal

if TYPE_CHECKING:
    from buildgraph.adapters.console.state import Frame

PG = "fetch:jars/pg"
STEPS = (
    PlannedStep(id=PG, action="fetch", expected=4, tail=44, resource="net"),
    PlannedStep(
        id="build:jars",
        action="build",
        needs=(PG,),
        expected=10,
        tail=40,
        resource="work",
        where="manifests/layers/jars.yaml:3",
    ),
    PlannedStep(id="test:jars", action="test", needs=("build:jars",), expected=30, tail=30, resource="work"),
    PlannedStep(id="build:os", action="build", expected=20, tail=20, resource="work"),
)
BEGUN = RunStarted(run="20260101-000000-abcd", steps=STEPS, reused=4, slots=(("net", 3), ("work", 2)))
STORY: tuple[Event, ...] = (
    BEGUN,
    StepStarted(step=PG, at=0.0),
    StepProgress(step=PG, done=500_000, total=1_000_000),
    StepProgress(step=PG, done=700_000, total=None),
    StepFinished(step=PG, outcome=Outcome.DONE, seconds=1.25, note="1.0 MB", moved=1_000_000),
    Notice(text="key [/abc] is locked by another run"),
    StepStarted(step="build:jars", at=1.3),
    StepFinished(step="build:jars", outcome=Outcome.FAILED, seconds=2.0, note="COPY [x] failed", log="/l"),
    StepFinished(step="test:jars", outcome=Outcome.BLOCKED, seconds=0.0, note="needs build:jars"),
    StepStarted(step="build:os", at=3.4),
    StepFinished(step="build:os", outcome=Outcome.REUSED, seconds=1.0, note="same content"),
)
CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"
ESCAPE = "\x1b["


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def play(view: PlainView | GithubView | JsonView | QuietView | LiveView, *story: Event) -> None:
    for event in story or STORY:
        view.emit(event)
    view.close()


def make_state(*events: tuple[float, Event]) -> RunState:
    state = RunState(0.0)
    for at, event in events:
        state.take(event, at)
    return state


def draw(frame: Frame, width: int, height: int) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, force_terminal=False)
    console.print(FramePicture(frame))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_plain_lines_tell_the_story_and_count_the_ends() -> None:
    stream = io.StringIO()
    play(PlainView(stream))
    assert stream.getvalue().splitlines() == [
        "run 20260101-000000-abcd: 4 steps, 4 nodes need none",
        "   start fetch:jars/pg",
        "      ok [1/4] fetch:jars/pg 1.2 s  1.0 MB",
        "    note key [/abc] is locked by another run",
        "   start build:jars",
        "  FAILED [2/4] build:jars 2.0 s  COPY [x] failed",
        " blocked [3/4] 1 step, needs build:jars: test:jars",
        "   start build:os",
        "    same [4/4] build:os 1.0 s  same content",
    ]


def test_what_a_failure_blocks_is_one_line_however_much_it_is() -> None:
    stream = io.StringIO()
    many = [
        StepFinished(step=f"build:n-{number}", outcome=Outcome.BLOCKED, seconds=0.001, note="needs build:os")
        for number in range(500)
    ]
    play(PlainView(stream), BEGUN, *many)
    lines = stream.getvalue().splitlines()
    assert lines[1:] == [" blocked [500/4] 500 steps, needs build:os: build:n-0, build:n-1, build:n-2 and 497 more"]


def test_a_step_that_was_stopped_while_it_ran_has_its_own_line() -> None:
    stream = io.StringIO()
    stopped = StepFinished(step="build:os", outcome=Outcome.CANCELLED, seconds=3.0, note="interrupted")
    idle = StepFinished(step="build:jars", outcome=Outcome.CANCELLED, seconds=0.0, note="not started")
    play(PlainView(stream), BEGUN, StepStarted(step="build:os", at=0), stopped, idle)
    assert stream.getvalue().splitlines()[2:] == [
        " stopped [1/4] build:os 3.0 s  interrupted",
        " stopped [2/4] 1 step, not started: build:jars",
    ]


def test_github_gets_a_group_and_an_annotation_at_the_manifest_of_what_failed() -> None:
    stream = io.StringIO()
    play(GithubView(stream))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "::group::buildgraph 20260101-000000-abcd"
    assert lines[-2:] == [
        "::endgroup::",
        "::error file=manifests/layers/jars.yaml,line=3,title=build%3Ajars::build:jars: COPY [x] failed",
    ]
    assert not [line for line in lines[1:-2] if line.startswith("::")]


@pytest.mark.parametrize(
    "note", ["::add-mask::x", "  ::set-output name=a::b", "##[command]x", "a\n::error::b", "a\r::stop-commands::t"]
)
def test_no_note_is_a_command_to_the_runner(note: str) -> None:
    stream = io.StringIO()
    failed = StepFinished(step="build:os", outcome=Outcome.FAILED, seconds=1.0, note=note)
    play(GithubView(stream), BEGUN, StepStarted(step="build:os", at=0), failed, Notice(text=note))
    lines = stream.getvalue().splitlines()
    commands = [line for line in lines if line.lstrip().startswith("::") or "##[" in line]
    assert [line.split("::")[1].split(" ")[0] for line in commands] == ["group", "endgroup", "error"]


def test_a_line_that_is_no_command_stays_as_it_is() -> None:
    assert defuse("a::b: c") == "a::b: c"


def test_events_as_json_are_one_document_a_line() -> None:
    stream = io.StringIO()
    play(JsonView(stream))
    documents = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [document["event"] for document in documents] == [type(event).__name__ for event in STORY]
    assert documents[0]["steps"][1]["needs"] == [PG]
    assert documents[2] == {"event": "StepProgress", "step": PG, "done": 500_000, "total": 1_000_000}


def test_a_live_view_leaves_every_end_and_every_notice_as_written() -> None:
    stream = Terminal()
    play(LiveView(stream, clock=Clock()))
    shown = stream.getvalue()
    for text in (PG, "key [/abc] is locked by another run", "COPY [x] failed", "1 step, needs build:jars: test:jars"):
        assert text in shown
    assert shown.rindex(CURSOR_SHOWN) > shown.rindex(CURSOR_HIDDEN)


def test_a_frame_shows_what_runs_how_far_it_is_and_when_the_run_will_end() -> None:
    state = make_state((0, BEGUN), (0, StepStarted(step=PG, at=0)), (0, StepStarted(step="build:os", at=0)))
    for second in (1.0, 2.0):
        state.take(StepProgress(step=PG, done=int(second * 1e8), total=800_000_000), second)
        frame = state.look(second)
    assert draw(frame, 80, 20) == [
        "» fetch:jars/pg      download    ━━━            2.0 s  200 MB  100 MB/s    ~6 s",
        "  build:os           build       ━              2.0 s                     ~18 s",
        "━━━╸                                                              6%  ETA ~46 s",
        "0/4 steps · 2.0 s · 2 running, 0 ready, 2 waiting",
        "4 nodes reused · 200 MB fetched, 100 MB/s · » what the run waits for",
    ]
    assert draw(frame, 44, 20)[:2] == [
        "» fetch:jars/pg        2.0 s    ~6 s",
        "  build:os             2.0 s   ~18 s",
    ]


def test_the_end_of_a_run_is_that_of_the_longest_chain_or_of_the_longest_queue() -> None:
    state = make_state((0, BEGUN))
    assert state.look(0.0).rest == 44.0
    narrow = RunState(0.0)
    narrow.take(RunStarted(run="r", steps=STEPS, reused=0, slots=(("net", 3), ("work", 1))), 0)
    assert narrow.look(0.0).rest == 60.0
    state.take(StepStarted(step=PG, at=0), 0)
    assert state.look(3.0).rest == 41.0


def test_a_download_says_itself_when_it_will_end() -> None:
    state = make_state((0, BEGUN), (0, StepStarted(step=PG, at=0)), (2, StepProgress(step=PG, done=10, total=100)))
    (row,) = state.look(2.0).rows
    assert (row.rest, row.part) == (18.0, 0.1)
    assert state.look(2.0).rest == 18.0 + 40.0


def test_a_step_that_takes_longer_than_ever_has_no_estimate() -> None:
    state = make_state((0, BEGUN), (0, StepStarted(step="build:os", at=0)))
    (row,) = state.look(25.0).rows
    assert (row.rest, row.part) == (None, 0.99)


def test_only_what_the_run_waits_for_is_marked() -> None:
    state = make_state((0, BEGUN), (0, StepStarted(step=PG, at=0)), (0, StepStarted(step="build:os", at=0)))
    assert {row.step: row.is_critical for row in state.look(1.0).rows} == {PG: True, "build:os": False}


def test_ready_and_waiting_steps_are_counted() -> None:
    state = make_state((0, BEGUN))
    counts = [(frame.ready, frame.waiting, len(frame.rows)) for frame in [state.look(0.0)]]
    story: tuple[Event, ...] = (
        StepStarted(step=PG, at=0),
        StepFinished(step=PG, outcome=Outcome.DONE, seconds=1.0, note="", moved=10),
        StepStarted(step="build:jars", at=0),
        StepFinished(step="build:jars", outcome=Outcome.FAILED, seconds=1.0, note=""),
        StepFinished(step="test:jars", outcome=Outcome.BLOCKED, seconds=0.0, note=""),
        StepFinished(step="build:os", outcome=Outcome.CANCELLED, seconds=0.0, note="not started"),
    )
    for event in story:
        state.take(event, 1.0)
        frame = state.look(1.0)
        counts.append((frame.ready, frame.waiting, len(frame.rows)))
    assert counts == [(2, 2, 0), (1, 2, 1), (2, 1, 0), (1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 0)]
    assert (frame.ended, frame.failed, frame.blocked, frame.fetched, frame.part) == (4, 1, 1, 10, 1.0)


def test_a_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed(0.0)
    assert speed.look(0.0, 0) == 0.0
    assert speed.look(1.0, 100) == 100.0
    for second in range(2, 8):
        last = speed.look(float(second), 100)
    assert last == 0.0


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 4), (60, 10), (80, 24), (100, 30), (200, 50)])
def test_a_frame_fits_the_terminal(width: int, height: int) -> None:
    steps = tuple(
        PlannedStep(id=f"build:a-very-long-name-of-a-layer-{number}-", action="build", expected=5, resource="work")
        for number in range(40)
    )
    state = make_state((0, RunStarted(run="r", steps=steps, reused=0, slots=(("work", 40),))))
    for step in steps:
        state.take(StepStarted(step=step.id, at=0), 0)
        state.take(StepProgress(step=step.id, done=123_456_789, total=None), 1)
    lines = draw(state.look(1.0), width, height)
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    assert lines[-2].startswith("0/40 steps")
    if width < 60:
        assert all("…" in line for line in lines[:-3])


def test_rows_that_have_no_room_are_counted() -> None:
    steps = tuple(PlannedStep(id=f"build:{n}", action="build", expected=5, resource="work") for n in range(10))
    state = make_state((0, RunStarted(run="r", steps=steps, reused=0, slots=(("work", 10),))))
    for step in steps:
        state.take(StepStarted(step=step.id, at=0), 0)
    lines = draw(state.look(1.0), 80, 8)
    assert lines[3] == "  … and 7 more that run"


@pytest.mark.parametrize(
    ("choice", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_wins_then_no_color_then_force_color_then_the_terminal(
    choice: str, environ: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert wants_color(choice, environ, is_terminal=is_terminal) is expected


@pytest.mark.parametrize("choice", ["always", "never"])
def test_plain_lines_are_coloured_only_where_wanted(choice: str) -> None:
    stream = io.StringIO()
    view = make_view("plain", stream, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, color=choice)
    for event in STORY:
        view.emit(event)
    assert (ESCAPE in stream.getvalue()) == (choice == "always")


def test_a_live_view_without_colours_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    colored, plain = Terminal(), Terminal()
    for stream, color in ((colored, "always"), (plain, "never")):
        view = make_view("rich", stream, {"NO_COLOR": "1"}, color=color)
        for event in STORY:
            view.emit(event)
        view.close()
    assert "\x1b[32m" in colored.getvalue()
    assert not [code for code in range(30, 38) if f"\x1b[{code}m" in plain.getvalue()]


@pytest.mark.parametrize(
    ("mode", "is_terminal", "environ", "kind"),
    [
        ("auto", True, {}, LiveView),
        ("auto", True, {"CI": "true"}, PlainView),
        ("auto", True, {"TERM": "dumb"}, PlainView),
        ("auto", False, {}, PlainView),
        ("auto", False, {"GITHUB_ACTIONS": "true", "CI": "true"}, GithubView),
        ("plain", True, {}, PlainView),
        ("plain", True, {"GITHUB_ACTIONS": "true"}, GithubView),
        ("rich", False, {"CI": "true"}, LiveView),
        ("quiet", True, {}, QuietView),
        ("json", True, {}, JsonView),
    ],
)
def test_a_table_is_drawn_only_on_a_terminal_unless_asked_for(
    mode: str, is_terminal: bool, environ: dict[str, str], kind: type
) -> None:
    view = make_view(mode, Terminal() if is_terminal else io.StringIO(), environ)
    view.close()
    assert type(view) is kind


def test_a_quiet_view_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    play(QuietView())
    assert capsys.readouterr() == ("", "")


def test_numbers_are_as_short_as_they_are_useful() -> None:
    assert [format_seconds(value) for value in (0, 7.26, 59.94, 59.96, 65, 7265)] == [
        "0.0 s",
        "7.3 s",
        "59.9 s",
        "1:00",
        "1:05",
        "2:01:05",
    ]
    assert [format_rest(value) for value in (0.2, 59.4, 59.6, 600)] == ["~0 s", "~59 s", "~1:00", "~10:00"]
    assert [format_bytes(value) for value in (0, 999, 1000, 99_949, 123_456, 999_600, 1.5e9, 2e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "99.9 kB",
        "123 kB",
        "1.0 MB",
        "1.5 GB",
        "2.0 TB",
    ]
    assert describe_closed(["a", "b"], "not started") == "2 steps, not started: a, b"
