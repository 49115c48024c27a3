"""``logs``: which runs there were, and the logs of a node; also of runs that were killed or damaged."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.runs import list_runs
from buildgraph.errors import ExitCode
from buildgraph.history import JOURNAL, RUN_FILE
from buildgraph.model import TestCounts as Counts
from tests.fakes.equipped import carry_out

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.app.runs import KeptRun
    from tests.fakes.sample import Sample

OLD = "20240102-030405-0a0b0c0d"


def runs_of(sample: Sample) -> tuple[KeptRun, ...]:
    return list_runs(sample.session().store)


def add_killed_run(sample: Sample, *lines: str) -> Path:
    """A run that left no document."""
    folder = sample.store / "runs" / OLD
    folder.mkdir(parents=True)
    (folder / JOURNAL).write_text("\n".join(lines))
    return folder


def test_without_runs_nothing_is_listed(sample: Sample) -> None:
    ended = sample.call("logs")
    assert (ended.code, ended.out, ended.err) == (ExitCode.OK, "", "no run is kept\n")
    assert json.loads(sample.call("logs", "--json").out) == {"runs": []}
    assert not sample.store.exists()


def test_runs_are_listed_newest_first(sample: Sample) -> None:
    carry_out(sample, "plain")
    carry_out(sample, "app", results={"tool": Counts(passed=0, failed=2, skipped=())})
    heading, first, second = sample.call("logs").out.splitlines()
    assert heading.split() == ["run", "began", "(UTC)", "steps", "failed", "seconds", "exit", "targets"]
    cells = r"  20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  {}      {}       \d+\.\d      {}     {}"
    assert re.fullmatch(r"20\d{6}-\d{6}-[0-9a-f]+" + cells.format(4, 1, 1, "app-1"), first)
    assert re.fullmatch(r"20\d{6}-\d{6}-[0-9a-f]+" + cells.format(6, 0, 0, "plain"), second)


def test_a_run_is_a_document_for_programs(sample: Sample) -> None:
    carry_out(sample, "plain")
    (kept,) = runs_of(sample)
    (document,) = json.loads(sample.call("logs", "--json").out)["runs"]
    assert document.pop("seconds") >= 0
    assert document == {
        "run": kept.name,
        "began": kept.began.isoformat(),
        "state": "finished",
        "targets": ["plain"],
        "steps": 6,
        "failed": 0,
        "exit_code": 0,
        "folder": str(sample.store / "runs" / kept.name),
    }


def test_fault_01_a_run_that_was_killed_is_listed_as_unfinished(sample: Sample) -> None:
    step = {"id": "build:base", "action": "build"}
    started = json.dumps({"event": "RunStarted", "run": OLD, "steps": [step, step, step], "reused": 0})
    failed = json.dumps({"event": "StepFinished", "step": "build:base", "outcome": "failed"})
    add_killed_run(sample, started, failed, '{"event": "StepFin')
    assert sample.call("logs").out.splitlines()[1:] == [
        f"{OLD}  2024-01-02 03:04:05  3      1       -        unfinished"
    ]
    (document,) = json.loads(sample.call("logs", "--json").out)["runs"]
    assert (document["state"], document["exit_code"], document["targets"]) == ("unfinished", None, None)


@pytest.mark.parametrize(
    "text", ["", "\0", "[]", '{"event": "RunStarted"}', '{"event": "RunStarted", "steps": 7}', "[" * 9999]
)
def test_fault_07_a_damaged_journal_is_no_error(sample: Sample, text: str) -> None:
    add_killed_run(sample, text)
    assert sample.call("logs").out.splitlines()[1:] == [
        f"{OLD}  2024-01-02 03:04:05  0      0       -        unfinished"
    ]


def test_fault_07_a_document_with_a_wrong_time_is_listed_by_its_name(sample: Sample) -> None:
    carry_out(sample, "plain")
    (kept,) = runs_of(sample)
    body = json.loads((kept.folder / RUN_FILE).read_text())
    for wrong in ("yesterday", None, 7, "0001-01-01T00:00:00+23:59"):
        (kept.folder / RUN_FILE).write_text(json.dumps({**body, "began": wrong}))
        assert runs_of(sample)[0].began.replace(tzinfo=None).isoformat()[:4] == kept.name[:4]


def test_folders_and_files_that_are_no_runs_are_passed_over(sample: Sample) -> None:
    for name in ("notes", "20240102-030405", "20249999-999999-ab"):
        (sample.store / "runs" / name).mkdir(parents=True)
    (sample.store / "runs" / OLD).write_text("a file")
    assert sample.call("logs").err == "no run is kept\n"


def test_the_logs_of_a_node_go_to_standard_output_and_their_headings_do_not(sample: Sample) -> None:
    carry_out(sample, "plain")
    (kept,) = runs_of(sample)
    ended = sample.call("logs", "extra")
    assert ended.code == ExitCode.OK
    assert ended.out == "extra: 1 passed, 0 failed\n"
    assert ended.err == f"-- test:extra of {kept.name}: done\n"


def test_the_newest_run_that_has_a_log_is_shown(sample: Sample) -> None:
    carry_out(sample, "plain")
    sample.write("layers/extra/test_extra.py", "def test_more():\n    assert True\n")
    failed = Counts(passed=3, failed=1, skipped=(), failures=("test_more failed",))
    carry_out(sample, "plain", results={"extra": failed})
    carry_out(sample, "app")
    newer = runs_of(sample)[1]
    assert sample.call("logs", "extra").err == f"-- test:extra of {newer.name}: failed\n"
    assert sample.call("logs", "extra").out == "extra: 3 passed, 1 failed\n"
    older = runs_of(sample)[2]
    assert sample.call("logs", "extra", "--run", older.name).out == "extra: 1 passed, 0 failed\n"
    assert sample.call("logs", "extra", "--run", "last").out == "extra: 3 passed, 1 failed\n"


def test_paths_alone_can_be_had(sample: Sample) -> None:
    carry_out(sample, "plain")
    (kept,) = runs_of(sample)
    ended = sample.call("logs", "extra", "--step", "test", "--path")
    assert (ended.out, ended.err) == (f"{kept.folder / 'test_extra.log'}\n", "")


def test_logs_are_documents_for_programs(sample: Sample) -> None:
    carry_out(sample, "plain")
    (kept,) = runs_of(sample)
    assert json.loads(sample.call("logs", "extra", "--json").out) == {
        "logs": [
            {
                "run": kept.name,
                "step": "test:extra",
                "outcome": "done",
                "note": "1 passed, 0 skipped",
                "details": [],
                "path": str(kept.folder / "test_extra.log"),
                "text": "extra: 1 passed, 0 failed\n",
            }
        ]
    }


def test_a_step_that_failed_without_a_log_shows_its_note(sample: Sample) -> None:
    sample.edit("manifests/layers/extra.yaml", "copy: conf", "copy: nowhere")
    carry_out(sample, "plain")
    ended = sample.call("logs", "extra")
    assert ended.err.endswith(": failed\n")
    assert "manifests/layers/extra.yaml:6" in ended.out
    assert "nowhere" in ended.out
    assert sample.call("logs", "extra", "--path").code == ExitCode.USAGE


def test_the_log_of_a_killed_run_is_shown_with_whatever_bytes_it_has(sample: Sample) -> None:
    folder = add_killed_run(sample)
    (folder / "build_base.log").write_bytes(b"half a line \xff\xfe")
    ended = sample.call("logs", "base")
    assert ended.out == "half a line \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\n"
    assert ended.err == f"-- build:base of {OLD}: unfinished\n"


def test_an_alias_leads_to_its_node(sample: Sample) -> None:
    carry_out(sample, "app")
    assert sample.call("logs", "app").out == "app-1: 3 passed, 0 failed\n"


def test_a_project_that_cannot_be_read_hides_no_logs(sample: Sample) -> None:
    carry_out(sample, "plain")
    sample.write("manifests/project.yaml", "{")
    assert sample.call("logs", "extra").out == "extra: 1 passed, 0 failed\n"
    shutil.rmtree(sample.folder / "manifests")
    assert len(sample.call("logs").out.splitlines()) == 2


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("nothing",), "error: no target is called 'nothing'"),
        (("tool",), "error: no log of tool is kept; see: buildgraph logs\n"),
        (("extra", "--run", "last", "--step", "build"), "error: no log of extra is kept of the run 20"),
        (("extra", "--run", "1999"), "error: no run '1999' is kept; see: buildgraph logs\n"),
        (("--step", "test"), "Error: Name a node, too."),
        (("--path",), "Error: Name a node, too."),
    ],
)
def test_what_is_not_there_is_said_in_one_line(sample: Sample, args: tuple[str, ...], error: str) -> None:
    carry_out(sample, "plain")
    ended = sample.call("logs", *args)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert error in ended.err


def test_one_run_can_be_listed_by_the_beginning_of_its_id(sample: Sample) -> None:
    carry_out(sample, "plain")
    add_killed_run(sample)
    assert sample.call("logs", "--run", "2024").out.splitlines()[1].startswith(OLD)
    assert "begins the ids of 2 runs" in sample.call("logs", "--run", "20").err
