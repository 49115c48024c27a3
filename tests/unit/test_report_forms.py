from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from buildgraph.events import Outcome
from buildgraph.history import RunRefusal
from buildgraph.report.figures import (
    count_stored,
    describe_outcome,
    find_bound,
    find_critical,
    find_image_sizes,
    find_reused,
    sum_up,
)
from buildgraph.report.gantt import ROWS, draw_gantt
from buildgraph.report.github import format_digests, format_markdown
from buildgraph.report.html import draw_graph, format_html, format_size, format_time
from buildgraph.report.summary import format_text
from tests.fakes.runs import RUN, TAILS, make_run_node, make_run_step
from tests.golden_files import check_golden

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=a> \"'&|`{{ 7*7 }}\x1b[2J\n[a](javascript:b)"
VOID = {"meta", "link", "img", "br", "hr"}
IDLE = replace(RUN, steps=(), exit_code=0, seconds=0.0)


class Page(HTMLParser):
    """Reads a page: every tag is closed by its own end, what it shows, what it names."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def make_hostile() -> tuple[str, str]:
    node = replace(make_run_node("os", "image", size=5), references=(HOSTILE,), node=HOSTILE, kind="image")
    step = make_run_step("test:os", outcome="failed", node=HOSTILE, reason=HOSTILE, note=HOSTILE, details=(HOSTILE,))
    step = replace(step, id=f"test:{HOSTILE}", skipped=((HOSTILE, HOSTILE),), log=HOSTILE)
    refused = RunRefusal(node=HOSTILE, cause="unsupported", reason=HOSTILE, hint=HOSTILE)
    run = replace(RUN, nodes=(node,), steps=(step,), targets=(HOSTILE,), refused=(refused,))
    tails = {step.id: (HOSTILE, "::error::x")}
    return format_html(run, tails), format_markdown(run, tails)


def test_a_run_as_text_stays_as_it_is() -> None:
    check_golden("reports/text.txt", format_text(RUN, TAILS) + "\n")


def test_a_run_as_markdown_stays_as_it_is() -> None:
    check_golden("reports/github.md", format_markdown(RUN, TAILS))


def test_a_run_that_had_nothing_to_do_has_reports_too() -> None:
    assert "6 of 6 nodes reused" in format_markdown(IDLE, {})
    assert "| cached |" in format_markdown(IDLE, {})
    assert "0 of 0 done" in format_text(IDLE, {})
    assert "Nothing had to be done." in Page(format_html(IDLE, {})).text


def test_what_was_refused_is_in_every_report_and_alone_is_no_failure() -> None:
    refusal = RunRefusal(node="late", cause="unlocked", reason="source jar is not locked", hint="run: buildgraph lock")
    run = replace(IDLE, exit_code=1, refused=(refusal,))
    line = "late: source jar is not locked; run: buildgraph lock"
    assert format_text(run, {}).splitlines()[-1] == f"unlocked: {line}"
    assert "outcome  refused after" in format_text(run, {})
    assert f"- unlocked: {line}" in format_markdown(run, {})
    page = Page(format_html(run, {}))
    assert "source jar is not locked; run: buildgraph lock" in page.text
    assert not page.open
    assert describe_outcome(run) == "refused"
    assert describe_outcome(replace(run, steps=(make_run_step("build:a", outcome="failed"),))) == "failed"
    assert describe_outcome(replace(run, exit_code=130)) == "interrupted"


def test_only_images_that_passed_have_digests_for_later_jobs() -> None:
    digests = json.loads(format_digests(RUN))
    assert digests == {"sample/plain:1": "sha256:" + "4" * 64, "sample/other:1": "sha256:" + "5" * 64}
    failed = replace(RUN, steps=(make_run_step("test:plain", outcome="failed"),))
    assert "sample/plain:1" not in format_digests(failed)
    assert "\n" not in format_digests(RUN)


def test_the_page_is_well_formed_and_names_every_step_and_node() -> None:
    page = Page(format_html(RUN, TAILS))
    assert not page.open
    for name in (*(step.id for step in RUN.steps), *(node.node for node in RUN.nodes)):
        assert name in page.text
    for text in ("exit code 1", "line <two>", "test_jars.py::test_two: no <jar>", "no GPU", "needs build:broken"):
        assert text in page.text


def test_the_page_needs_nothing_beside_itself() -> None:
    text = format_html(RUN, TAILS)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(page.tags)
    text = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.findall(r"https?:|//[a-z]|@import|url\([^#]", text)
    links = [value for name, value in page.attributes if name in {"href", "src", "xlink:href"}]
    assert links
    assert all(link.startswith("#") for link in links)
    targets = {value for name, value in page.attributes if name == "id"}
    assert {link.removeprefix("#") for link in links} == targets - {"diagram-arrow"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_nothing_that_a_manifest_or_a_log_says_is_markup() -> None:
    text, markdown = make_hostile()
    page = Page(text)
    assert not page.open
    assert not {"script", "img"} & set(page.tags)
    assert "alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text
    assert not re.findall(r"<(script|img)", markdown)
    rows = [line for line in markdown.splitlines() if line.startswith("| ")][1:]
    (row,) = rows
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert "[a](" not in row


def test_the_page_fits_dark_rooms_and_paper() -> None:
    text = format_html(RUN, TAILS)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_graph_says_what_came_of_each_node() -> None:
    text = " ".join(Page(draw_graph(RUN)).words)
    for words in ("os → plain", "jars → other", "failed · 2.5 MB", "reused · 40.0 MB", "blocked"):
        assert words in text
    assert draw_graph(replace(RUN, nodes=())) == ""


def test_a_kept_graph_that_goes_in_a_circle_is_drawn_without_what_closes_it() -> None:
    nodes = (make_run_node("a", reads=("b",)), make_run_node("b", reads=("a", "c")))
    text = draw_graph(replace(RUN, nodes=nodes))
    assert "a → b" in text
    assert "b → a" not in text


def test_the_chain_that_a_run_waited_for_goes_back_from_its_last_end() -> None:
    assert find_critical(RUN) == ("fetch:jars/pg", "build:jars", "test:jars")
    assert find_critical(IDLE) == ()
    assert find_bound(RUN) == 12.5


def test_a_step_that_waited_for_a_worker_waited_for_the_one_that_freed_it() -> None:
    steps = (
        make_run_step("build:a", started=0.0, seconds=1.0),
        make_run_step("build:b", started=0.0, seconds=5.0),
        make_run_step("fetch:c/x", started=0.0, seconds=5.1),
        make_run_step("test:a", "build:a", started=5.1, seconds=4.0),
    )
    run = replace(RUN, steps=steps)
    assert find_critical(run) == ("build:b", "test:a")
    assert find_bound(run) == 5.1


def test_totals_count_what_was_done() -> None:
    totals = sum_up(RUN)
    assert (totals.steps, totals.done, totals.failed, totals.blocked, totals.reused) == (7, 3, 2, 2, 2)
    assert (totals.passed, totals.failures, totals.skipped) == (5, 1, 1)
    assert (totals.fetched, totals.written) == (2_400_000, 2_500_000)
    assert find_reused(RUN) == ("os", "other")


def test_shared_layers_are_counted_once() -> None:
    sizes = find_image_sizes(RUN)
    assert [(size.node, size.shared, size.own) for size in sizes] == [
        ("other", 40_000_000, 2_500_000),
        ("plain", 40_000_000, 0),
    ]
    assert count_stored(RUN, sizes) == 42_500_000


def test_every_started_step_has_a_bar_within_the_chart() -> None:
    gantt = draw_gantt(RUN)
    assert [row.label for row in gantt.rows] == [
        "fetch:jars/pg",
        "build:broken",
        "build:jars",
        "test:jars",
        "test:plain",
    ]
    bars = [bar for row in gantt.rows for bar in row.bars]
    assert all(bar.x >= 0 and bar.x + bar.width <= 100.001 for bar in bars)
    styles = {bar.step: bar.style for bar in bars}
    assert styles["test:jars"] == "test critical failed"
    assert styles["test:plain"] == "test"
    assert [tick.text for tick in gantt.ticks] == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s"]


def test_the_downloads_of_a_node_share_a_row() -> None:
    steps = tuple(make_run_step(f"fetch:jars/{name}", started=place / 2) for place, name in enumerate("abc"))
    (row,) = draw_gantt(replace(RUN, steps=steps)).rows
    assert row.label == "fetch:jars (3)"
    assert [bar.step for bar in row.bars] == ["fetch:jars/a", "fetch:jars/b", "fetch:jars/c"]


def test_of_very_many_steps_the_longest_are_drawn() -> None:
    steps = tuple(make_run_step(f"build:n-{number}", seconds=float(number)) for number in range(ROWS + 5))
    gantt = draw_gantt(replace(RUN, steps=steps))
    assert (len(gantt.rows), gantt.hidden) == (ROWS, 5)
    assert "build:n-4" not in {row.label for row in gantt.rows}


def test_steps_that_never_started_have_no_bar() -> None:
    steps = (
        make_run_step("build:a", outcome=Outcome.CANCELLED, seconds=0.0),
        make_run_step("build:b", outcome=Outcome.CANCELLED, seconds=3.0),
    )
    assert [row.label for row in draw_gantt(replace(RUN, steps=steps)).rows] == ["build:b"]


@pytest.mark.parametrize(
    ("code", "word"), [(0, "passed"), (1, "failed"), (3, "failed"), (130, "interrupted"), (77, "failed")]
)
def test_the_page_says_first_how_it_ended(code: int, word: str) -> None:
    assert f'<span class="badge {word}">{word}</span>' in format_html(replace(RUN, exit_code=code), TAILS)


def test_numbers_on_the_page_have_units() -> None:
    assert [format_size(value) for value in (0, 999, 1500, 2.5e8, 3e12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "250 MB",
        "3.0 TB",
    ]
    assert [format_time(value) for value in (0, 59.9, 65, 7260)] == ["0.0 s", "59.9 s", "1 min 05 s", "2 h 01 min"]


def test_many_targets_are_counted_and_a_few_of_them_named() -> None:
    names = tuple(f"image-{number}" for number in range(28))
    page = format_html(replace(RUN, targets=names), TAILS)
    assert ">image-0, image-1, image-2, image-3 and 24 more</h1>" in page
    assert ", ".join(names) in page
    assert "image-3 and 24 more\n" in format_text(replace(RUN, targets=names), TAILS)
    assert "targets  image-0, image-1, image-2, image-3, image-4\n" in format_text(
        replace(RUN, targets=names[:5]), TAILS
    )
