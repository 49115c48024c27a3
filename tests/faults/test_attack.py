"""Fault 40: tests that attack what runs them. The probe is the real one; no engine is needed.

What the attacks do to containers and images is in ``tests/e2e/test_attacks.py``.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.strays import end_marked
from tests.fakes.probing import has_ended, make_nap, make_project
from tests.faults.interrupts import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.probing import Project

DAEMON = """
import os, subprocess, sys, time

def test_it():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", {nap!r})
        os._exit(0)
"""

DETACHED = """
import os

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", {nap!r})
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def make_mark() -> str:
    """One that no other test gives to a process, whatever runs beside this one."""
    return secrets.token_hex(8)


def test_a_process_has_ended_when_no_other_has_just_its_words() -> None:
    nap = make_nap()
    with subprocess.Popen(nap) as child:
        try:
            # Popen returns as soon as the program is found; its words are there a moment later.
            wait_until(lambda: not has_ended(*nap, seconds=0))
            assert has_ended(nap[0], nap[1][:-1], seconds=0)
            assert has_ended(nap[0], seconds=0)
        finally:
            child.kill()
    assert has_ended(*nap)


def test_fault_40_a_test_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    project, nap = make_project(tmp_path, timeout=2), make_nap()
    text = f"import subprocess\n\ndef test_it():\n    subprocess.run({nap!r})\n"
    assert project.run(project.write("test_demo.py", text)).failures == ("the tests did not end within 2 s",)
    assert has_ended(*nap)


def test_fault_40_a_test_that_cannot_be_asked_to_end_is_killed(tmp_path: Path) -> None:
    project = make_project(tmp_path, timeout=1)
    text = "import signal, time\n\ndef test_it():\n    signal.signal(15, signal.SIG_IGN)\n    time.sleep(99)\n"
    assert project.run(project.write("test_demo.py", text)).failures == ("the tests did not end within 1 s",)


def test_fault_40_a_daemon_that_a_test_leaves_is_ended(project: Project) -> None:
    nap = make_nap()
    assert project.run(project.write("test_demo.py", DAEMON.format(nap=nap))).passed == 1
    assert has_ended(*nap)


def test_fault_40_a_flood_of_output_is_stopped_and_the_log_is_cut(project: Project) -> None:
    text = "import os\n\ndef test_it():\n    while True:\n        os.write(1, b'x' * 1_000_000)\n"
    counts = project.run(project.write("test_demo.py", text))
    assert counts.failures == ("the tests wrote more than 1 MB to their log",)
    assert project.log.stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("", "no test was executed"),
        ("import pytest\npytest.skip('no', allow_module_level=True)\n", "no test was executed"),
        ("import pytest\n@pytest.mark.skip\ndef test_it(): pass\n", "no test was executed"),
        ("import pytest\n@pytest.mark.xfail(run=False)\ndef test_it(): pass\n", "no test was executed"),
        ("import os\ndef test_it(): os._exit(0)\n", "pytest left no report"),
        ("import os\nos._exit(0)\n", "pytest left no report"),
        ("import os\ndef test_it(): os.kill(os.getpid(), 9)\n", "pytest died (signal 9)"),
        ("raise SystemExit(0)\n", "pytest ended with exit code 3"),
        ("def test_it(:\n", "pytest ended with exit code 2"),
    ],
)
def test_fault_40_a_run_that_ends_well_without_a_test_is_a_failure(project: Project, text: str, failure: str) -> None:
    counts = project.run(project.write("test_demo.py", text))
    assert counts.passed == 0
    assert failure in counts.failures


@pytest.mark.parametrize("place", ["first", "last"])
def test_fault_40_a_run_that_a_test_ends_early_is_a_failure(project: Project, place: str) -> None:
    tests = {"first": "def test_first(): pass\n", "last": "def test_last(): pass\n"}
    tests[place] = f"import pytest\ndef test_{place}(): pytest.exit('enough', returncode=0)\n"
    counts = project.run(project.write("test_demo.py", tests["first"] + tests["last"]))
    done = 0 if place == "first" else 1
    assert counts.failures == (f"only {done} of 2 tests were run to their end",)


def test_fault_40_a_report_that_the_tests_wrote_is_replaced_by_the_real_one(project: Project) -> None:
    text = """
import pathlib, sys

def test_it():
    report = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--junitxml="))
    pathlib.Path(report).write_text("<testsuites><testsuite><testcase name='forged'/></testsuite></testsuites>")
    assert False, "this is what happened"
"""
    counts = project.run(project.write("test_demo.py", text))
    assert (counts.passed, counts.failed) == (0, 1)
    assert "this is what happened" in counts.failures[0]


@pytest.mark.parametrize("report", ["", "<a", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "\0" * 1000])
def test_fault_40_a_report_that_is_none_is_no_pass(project: Project, report: str) -> None:
    text = f"""
import os, pathlib, sys

def test_it():
    report = next(word.split("=", 1)[1] for word in sys.argv if word.startswith("--junitxml="))
    pathlib.Path(report).write_text({report!r})
    os._exit(0)
"""
    counts = project.run(project.write("test_demo.py", text))
    assert counts.passed == 0
    assert counts.failed


def test_fault_40_the_secrets_of_the_caller_are_not_those_of_the_tests(tmp_path: Path) -> None:
    secrets = {
        "GITHUB_TOKEN": "t0ken",
        "DB_PASSWORD": "pa55",
        "BUILDGRAPH_SECRET_PIP": "5ecret",
        "PIP_INDEX_URL": "u:p@h",
    }
    project = make_project(tmp_path, environ=secrets)
    text = """
import os

def test_it():
    print(dict(os.environ))
    assert not {"GITHUB_TOKEN", "DB_PASSWORD", "BUILDGRAPH_SECRET_PIP", "PIP_INDEX_URL"} & set(os.environ)
    assert os.environ["DOCKER_HOST"] == "unix:///nowhere"
"""
    assert project.run(project.write("test_demo.py", text)).failures == ()
    assert not any(secret in project.log.read_text() for secret in secrets.values())


def test_fault_40_containers_are_removed_whatever_the_tests_did(project: Project) -> None:
    daemon = DAEMON.format(nap=make_nap())
    project.run(project.write("test_demo.py", daemon + "    os.kill(os.getpid(), 9)\n"))
    assert project.docker_calls[-1] == "rm --force --volumes c0ffee"


def test_only_marked_processes_are_ended() -> None:
    plain, mark = {"PATH": os.environ["PATH"]}, make_mark()
    with ExitStack() as stack:
        started = []
        for variables in ({}, {"DEMO": mark}):
            child = stack.enter_context(
                subprocess.Popen(make_nap(), env={**plain, **variables}, start_new_session=True)
            )
            stack.callback(child.kill)  # before the wait for it: a test that fails must not wait for its end
            started.append(child)
        other, marked = started
        assert end_marked(f"DEMO={mark}7") == 0
        assert end_marked(f"DEMO={mark}") == 1
        assert marked.wait(10) == -9
        assert other.poll() is None


def test_daemons_that_are_just_starting_are_ended_too(tmp_path: Path) -> None:
    """For a moment a process shows no environment, and for another it is in no list that was made before it."""
    script = tmp_path / "detached.py"
    nap = make_nap()
    script.write_text(DETACHED.format(nap=nap))
    for _ in range(20):
        mark = make_mark()
        environ = {"PATH": os.environ["PATH"], "DEMO": mark}
        subprocess.run([sys.executable, "-S", str(script)], env=environ, check=True)
        end_marked(f"DEMO={mark}")
        assert has_ended(*nap)
