"""Reports through the program: after a build, of a run that was kept, in a GitHub job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from buildgraph.app.reporting import SUFFIXES, choose_form
from buildgraph.errors import ExitCode
from buildgraph.history import RUN_FILE, cases_name, log_name

if TYPE_CHECKING:
    from tests.fakes.sample import Sample

REPOSITORY = Path(__file__).parents[2]


def runs(sample: Sample) -> list[str]:
    """Ids, oldest first; two of the same second are told apart only by what they say of themselves."""
    files = (sample.store / "runs").glob(f"*/{RUN_FILE}")
    return [file.parent.name for file in sorted(files, key=lambda file: json.loads(file.read_text())["began"])]


def test_a_run_that_failed_leaves_its_reports_and_its_own_exit_code(sample: Sample, tmp_path: Path) -> None:
    page, junit = tmp_path / "out" / "report.html", tmp_path / "junit.xml"
    ended = sample.call("build", "app", "--no-load", "--report", str(page), "--junit", str(junit))
    assert ended.code == 3
    assert "failed" in page.read_text()
    root = ET.parse(junit).getroot()
    assert int(root.get("errors", "0")) > 0
    assert root.find("testsuite/testcase/error") is not None


def test_a_run_that_had_nothing_to_do_leaves_reports_too(sample: Sample, tmp_path: Path) -> None:
    sample.build("plain")
    page, junit = tmp_path / "report.html", tmp_path / "junit.xml"
    words = ("--no-test", "--no-load", "--report", str(page), "--junit", str(junit))
    ended = sample.call("build", "plain", *words)
    assert (ended.code, len(runs(sample))) == (0, 1)
    assert "Nothing had to be done." in page.read_text()
    assert ET.parse(junit).getroot().get("tests") == "0"


def test_a_report_that_cannot_be_written_hides_nothing_of_the_run(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = sample.call("build", "plain", "--no-test", "--no-load", "--report", str(tmp_path / "file" / "r.html"))
    assert ended.code == 3
    assert "r.html: cannot write the report" in ended.err
    assert "2 built, 1 composed" in ended.out


@pytest.mark.parametrize("form", ["html", "junit", "json", "text", "github"])
def test_the_last_run_is_reported_in_every_form(sample: Sample, form: str) -> None:
    sample.build("plain")
    sample.build("app")
    ended = sample.call("report", "--format", form)
    assert ended.code == 0
    assert runs(sample)[-1] in ended.out or form == "github"
    assert ended.err == ""


def test_the_name_of_the_output_chooses_the_form(sample: Sample, tmp_path: Path) -> None:
    sample.build("plain")
    for suffix, form in SUFFIXES.items():
        output = tmp_path / f"report{suffix}"
        ended = sample.call("report", "--output", str(output))
        assert (ended.code, ended.out) == (0, f"{output}\n")
        assert output.read_text() == sample.call("report", "--format", form).out
    assert choose_form("", None) == choose_form("", Path("-")) == "text"
    assert choose_form("json", Path("a.html")) == "json"


def test_a_run_is_named_by_the_beginning_of_its_id(sample: Sample) -> None:
    sample.build("plain")
    sample.build("app")
    first = runs(sample)[0]
    assert json.loads(sample.call("report", first, "--format", "json").out)["run"] == first
    unknown = sample.call("report", "nothing")
    assert unknown.code == 2
    assert "no run 'nothing' is kept" in unknown.err
    both = sample.call("report", "2")
    assert both.code == 2
    assert "'2' begins the ids of 2 runs" in both.err


def test_a_store_without_runs_and_a_damaged_run_are_errors_with_a_place(sample: Sample) -> None:
    nothing = sample.call("report")
    assert (nothing.code, "no run is kept that came to its end" in nothing.err) == (2, True)
    sample.build("plain")
    sample.build("app")
    first, second = runs(sample)
    (sample.store / "runs" / second / RUN_FILE).write_bytes(b"\xff{")
    damaged = sample.call("report", second)
    assert damaged.code == 2
    assert f"{second}: this run did not come to its end" in damaged.err
    assert first in sample.call("report").out
    assert first in sample.call("report", "last").out


def test_a_github_job_gets_a_summary_and_the_digests(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ended = sample.call("build", "plain", "--no-test", "--no-load")
    assert ended.code == 0
    assert ended.err.splitlines()[0].startswith("::group::buildgraph ")
    assert summary.read_text().startswith("before\n### buildgraph: passed")
    assert "| plain | `sample/plain:1@sha256:" in summary.read_text()
    name, _, value = output.read_text().partition("=")
    assert name == "digests"
    assert list(json.loads(value)) == ["sample/plain:1"]


@pytest.mark.parametrize("variable", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"])
def test_a_file_of_a_github_job_that_cannot_be_written_is_told(sample: Sample, tmp_path: Path, variable: str) -> None:
    sample.build("plain")
    sample.monkeypatch.setenv(variable, str(tmp_path))
    ended = sample.call("build", "plain", "--no-test", "--no-load")
    assert ended.code == ExitCode.ENVIRONMENT
    assert f"error: {tmp_path}: cannot write the report: Is a directory; name another file" in ended.err


def test_a_page_is_not_written_to_a_terminal(sample: Sample) -> None:
    sample.build("plain")
    ended = sample.call("report", "--format", "html", screen=True)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert "A page of HTML is not for a terminal: give --output FILE." in ended.err
    assert sample.call("report", "--format", "html", "--output", "-", screen=True).out.startswith("<!")
    assert sample.call("report", "--format", "json", screen=True).code == ExitCode.OK


def test_events_can_be_read_as_json_lines(sample: Sample) -> None:
    ended = sample.call("build", "plain", "--no-test", "--no-load", "--progress", "json")
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert events[0] == "RunStarted"
    assert events.count("StepFinished") == 3


def test_a_step_that_cannot_run_is_annotated_at_its_manifest(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ended = sample.call("build", "plain", "--no-load", "--progress", "plain")
    assert "::error file=manifests/layers/base.yaml,line=1,title=test%3Abase::test:base: no Docker engine" in ended.err


def test_files_of_a_step_have_safe_names() -> None:
    assert log_name("fetch:jars/../pg A") == "fetch_jars_.._pg__.log"
    assert cases_name("test:jars-1.2") == "test_jars-1.2.xml"


def test_reports_that_nobody_asked_for_cost_no_import(sample: Sample) -> None:
    sample.build("plain")
    code = "import sys; from buildgraph.cli import main\ntry: main()\nfinally: print(*sorted(sys.modules))"
    words = [sys.executable, "-c", code, *sample.words, "build", "plain", "--no-test", "--no-load"]
    shown = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "nothing to do" in shown
    assert not {"rich", "buildgraph.report.html", "buildgraph.app.reporting", "buildgraph.report.junit"} & set(
        shown.split()
    )
