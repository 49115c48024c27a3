"""The probe runs a real pytest in a child process; only the Docker CLI is a script that notes its calls."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import has_gpu
from buildgraph.errors import Interrupted
from buildgraph.model import Skip
from tests.fakes.probe import FakeProbe
from tests.fakes.probing import Project, has_ended, make_nap, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.model import TestCounts
    from buildgraph.ports import Probe


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def test_passes_failures_and_skips_are_counted_apart(project: Project) -> None:
    name = project.write(
        "test_demo.py",
        """
import pytest

def test_good():
    pass

@pytest.mark.parametrize("n", [1, 2])
def test_bad(n):
    assert n == 2, f"n is {n}"

@pytest.mark.skip(reason="not here")
def test_skipped():
    pass
""",
    )
    counts = project.run(name)
    assert (counts.passed, counts.failed) == (2, 1)
    assert counts.skipped == (Skip(test="test_demo.py::test_skipped", reason="not here"),)
    assert counts.failures == ("test_demo.py::test_bad[1]: AssertionError: n is 1",)
    assert counts.seconds > 0


def test_a_test_that_fails_twice_is_one_failure(project: Project) -> None:
    name = project.write(
        "test_demo.py",
        """
import pytest

@pytest.fixture
def broken():
    yield
    raise ValueError("while cleaning up")

def test_bad(broken):
    assert False, "first"
""",
    )
    counts = project.run(name)
    assert (counts.passed, counts.failed) == (0, 1)
    assert "first" in counts.failures[0]


def test_a_run_without_a_test_is_a_failure(project: Project) -> None:
    counts = project.run(project.write("test_demo.py", "x = 1\n"))
    assert (counts.passed, counts.failed, counts.failures) == (0, 1, ("no test was executed",))


def test_a_run_that_skipped_everything_is_a_failure(project: Project) -> None:
    text = "import pytest\n\n@pytest.mark.skip(reason='no')\ndef test_it():\n    pass\n"
    counts = project.run(project.write("test_demo.py", text))
    assert (counts.failed, counts.failures, len(counts.skipped)) == (1, ("no test was executed",), 1)


def test_a_file_that_cannot_be_read_is_a_failure(project: Project) -> None:
    counts = project.run(project.write("test_demo.py", "def test_it(:\n"))
    assert counts.failed
    assert "pytest ended with exit code 2" in counts.failures


def test_the_cases_are_kept_beside_the_log(project: Project) -> None:
    counts = project.run(project.write("test_demo.py", "def test_it():\n    pass\n"))
    assert counts.passed == 1
    kept = project.log.with_suffix(".xml").read_text()
    assert 'name="test_it"' in kept


def test_a_crash_is_a_failure_with_its_exit_code(project: Project) -> None:
    counts = project.run(project.write("test_demo.py", "import os\n\ndef test_it():\n    os._exit(3)\n"))
    assert (counts.passed, counts.failures) == (0, ("pytest ended with exit code 3",))


def test_a_run_that_does_not_end_is_a_failure(tmp_path: Path) -> None:
    project, nap = make_project(tmp_path, timeout=2), make_nap()
    text = f"import subprocess\n\ndef test_it():\n    subprocess.run({nap!r})\n"
    counts = project.run(project.write("test_demo.py", text))
    assert counts.failures == ("the tests did not end within 2 s",)
    assert has_ended(*nap)


def test_a_flood_of_output_is_stopped(project: Project) -> None:
    text = "def test_it():\n    while True:\n        print('x' * 1000)\n"
    counts = project.run(project.write("test_demo.py", text))
    assert counts.failures == ("the tests wrote more than 1 MB to their log",)
    assert project.log.stat().st_size <= 1_000_000


def test_the_limit_counts_only_what_this_run_writes(project: Project) -> None:
    project.log.write_bytes(b"x" * 2_000_000)
    assert project.run(project.write("test_demo.py", "def test_it():\n    pass\n")).passed == 1


def test_containers_of_the_run_are_removed(project: Project) -> None:
    project.run(project.write("test_demo.py", "import os\n\ndef test_it():\n    os._exit(3)\n"))
    listed, removed = project.docker_calls
    assert "label=buildgraph.run=" in listed
    assert removed == "rm --force --volumes c0ffee"


def test_containers_are_removed_when_the_run_is_cancelled(project: Project) -> None:
    cancel = threading.Event()
    text = "import pathlib, time\n\ndef test_it():\n    pathlib.Path('started').touch()\n    time.sleep(60)\n"
    name = project.write("test_demo.py", text)

    def cancel_once_started() -> None:
        deadline = time.monotonic() + 30
        while not (project.root / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        cancel.set()

    watcher = threading.Thread(target=cancel_once_started)
    watcher.start()
    with pytest.raises(Interrupted):
        project.run(name, cancel=cancel)
    watcher.join()
    assert project.docker_calls[-1] == "rm --force --volumes c0ffee"


def test_what_cannot_be_removed_is_named_in_the_log(project: Project) -> None:
    (project.root / "bin" / "docker").write_text("#!/bin/sh\necho 'no engine' >&2\nexit 1\n")
    assert project.run(project.write("test_demo.py", "def test_it():\n    pass\n")).passed == 1
    assert "may be left: docker ended with exit code 1: no engine" in project.log.read_text()


def test_of_inherited_files_only_marked_tests_run(project: Project) -> None:
    own = project.write("test_own.py", "def test_own():\n    pass\n")
    text = (
        "import pytest\n\n@pytest.mark.inherited\ndef test_marked():\n    pass\n\ndef test_other():\n    assert False\n"
    )
    inherited = project.write("test_below.py", text)
    counts = project.run(own, inherited=(inherited,))
    assert (counts.passed, counts.failed) == (2, 0)


def test_a_file_that_is_own_and_inherited_runs_whole(project: Project) -> None:
    own = project.write("test_own.py", "def test_own():\n    pass\n")
    assert project.run(own, inherited=(own,)).passed == 1


def test_the_projects_own_settings_play_no_part(project: Project) -> None:
    (project.root / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    project.write("conftest.py", "raise RuntimeError('read')\n")
    assert project.run(project.write("test_demo.py", "def test_it():\n    pass\n")).passed == 1


def test_tests_get_the_image_the_parameters_and_the_given_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_GIVEN", "1")
    text = """
import os, shutil

def test_it(image, params):
    assert image == "demo:1"
    assert dict(params) == {"version": "1=1", "node": "demo-1"}
    assert "NOT_GIVEN" not in os.environ
    assert shutil.which("docker") == os.environ["HOME"] + "/bin/docker"
"""
    counts = project.run(project.write("test_demo.py", text))
    assert counts.failures == ()
    assert counts.passed == 1


def test_a_test_that_needs_a_gpu_is_skipped_without_one(project: Project) -> None:
    text = """
import pytest

def test_plain():
    pass

@pytest.mark.gpu
def test_marked():
    pass

def test_fixture(gpu):
    pass
"""
    counts = project.run(project.write("test_demo.py", text))
    if has_gpu():
        assert counts.passed == 3
    else:
        assert {skip.reason for skip in counts.skipped} == {"no NVIDIA GPU on this machine"}


def test_services_reach_the_tests_by_name(project: Project) -> None:
    text = """
def test_option(pytestconfig):
    assert pytestconfig.getoption("--service") == ["helper=helper:1"]
"""
    assert project.run(project.write("test_demo.py", text)).passed == 1


def test_a_service_that_the_manifest_does_not_name_is_told_in_a_line(project: Project) -> None:
    text = """
from buildgraph.adapters.fixtures import Serve

def test_it():
    Serve(None, {"helper": "helper:1"})("helpers", env={})
"""
    counts = project.run(project.write("test_demo.py", text))
    assert counts.failures == (
        "test_demo.py::test_it: Failed: helpers is no service of these tests (helper); name it under test_with",
    )


def test_nothing_is_written_beside_the_tests(project: Project) -> None:
    name = project.write("test_demo.py", "def test_it():\n    pass\n")
    project.run(name)
    assert [path.name for path in (project.root / name).parent.iterdir()] == ["test_demo.py"]


@pytest.mark.parametrize("kind", ["real", "fake"])
def test_every_probe_counts_nothing_as_a_failure_and_obeys_a_cancel(kind: str, project: Project) -> None:
    probe: Probe = project.probe if kind == "real" else FakeProbe()
    empty = project.write("test_empty.py", "x = 1\n")
    cancel = threading.Event()

    def run(tests: tuple[str, ...]) -> TestCounts:
        return probe.run(
            "n", reference="r", services={}, tests=tests, inherited=(), params={}, log=project.log, cancel=cancel
        )

    tests = (empty,) if kind == "real" else ()
    assert run(tests).failures == ("no test was executed",)
    cancel.set()
    with pytest.raises(Interrupted):
        run((empty,))
