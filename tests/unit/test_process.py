from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from buildgraph.adapters import process
from buildgraph.adapters.process import Never
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted

PATIENCE = 10.0
# A child with a grandchild: both write their ids, then wait for ever. The grandchild ignores what can be ignored.
FAMILY = """\
import os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = "grandchild"
else:
    name = "child"
with open(os.path.join(sys.argv[1], name + ".new"), "w") as file:
    file.write(str(os.getpid()))
os.rename(file.name, os.path.join(sys.argv[1], name))
print(name, flush=True)
time.sleep(600)
"""
ORPHAN = """\
import os, sys, time
if os.fork() == 0:
    with open(os.path.join(sys.argv[1], "grandchild.new"), "w") as file:
        file.write(str(os.getpid()))
    os.rename(file.name, os.path.join(sys.argv[1], "grandchild"))
    time.sleep(600)
while not os.path.exists(os.path.join(sys.argv[1], "grandchild")):
    time.sleep(0.01)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "step.log"


class WhenReady:
    """A ``Cancel`` that is set once the files are there."""

    def __init__(self, *files: Path) -> None:
        self.files = files

    def is_set(self) -> bool:
        return all(file.exists() for file in self.files)


def python(code: str, *args: str) -> list[str]:
    return [sys.executable, "-c", code, *args]


def is_alive(pid: int) -> bool:
    """True for a process that is there and is not merely waiting to be reaped by its parent."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} is still alive"
        time.sleep(0.01)


def test_output_and_errors_are_appended_to_the_log(log: Path) -> None:
    log.write_text("before\n")
    code = process.run(python("import sys; print('out'); print('err', file=sys.stderr)"), log=log, cancel=Never())
    assert code == 0
    assert sorted(log.read_text().splitlines()) == ["before", "err", "out"]


def test_nothing_can_be_read_from_standard_input(log: Path) -> None:
    assert process.run(python("import sys; sys.exit(len(sys.stdin.read()))"), log=log, cancel=Never()) == 0


def test_arguments_are_passed_as_they_are(tmp_path: Path) -> None:
    words = ["$(id)", "`id`", "a b", "'; rm -rf /", "*", ""]
    code = "import sys; print('\\n'.join(sys.argv[1:]))"
    shown = process.output(python(code, *words), scratch=tmp_path, cancel=Never())
    assert shown == "\n".join(words) + "\n"


def test_environment_and_folder_are_those_given(tmp_path: Path) -> None:
    code = "import os; print(os.environ['ONLY'], os.getcwd(), 'HOME' in os.environ)"
    folder = tmp_path / "inner"
    folder.mkdir()
    shown = process.output(python(code), scratch=tmp_path, cancel=Never(), env={"ONLY": "this"}, cwd=folder)
    assert shown == f"this {folder} False\n"


def test_only_standard_output_is_given_back(tmp_path: Path) -> None:
    code = "import sys; print('data'); print('noise', file=sys.stderr)"
    assert process.output(python(code), scratch=tmp_path, cancel=Never()) == "data\n"


def test_a_failure_names_the_program_its_code_and_its_last_words(log: Path) -> None:
    code = "import sys; print('first'); print('what was wrong'); print(); sys.exit(3)"
    with pytest.raises(BuildFailure) as caught:
        process.check(python(code), log=log, cancel=Never())
    assert str(caught.value) == f"{Path(sys.executable).name} ended with exit code 3: what was wrong"
    assert caught.value.log == str(log)


def test_a_failure_without_a_word_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildFailure, match="ended with exit code 1: no output"):
        process.output(["false"], scratch=tmp_path, cancel=Never())


def test_fault_02_a_program_that_a_signal_ended_is_described(log: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert process.run(python(code), log=log, cancel=Never()) == -9
    with pytest.raises(BuildFailure, match=r"died \(signal 9\)"):
        process.check(python(code), log=log, cancel=Never())


def test_a_missing_program_is_a_fault_of_the_machine(log: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no-such-program: no such program; install it, or put it on PATH"):
        process.run(["no-such-program"], log=log, cancel=Never())


def test_fault_03_a_cancelled_program_is_gone_with_all_that_it_started(log: Path, tmp_path: Path) -> None:
    files = tmp_path / "child", tmp_path / "grandchild"
    began = time.monotonic()
    with pytest.raises(Interrupted, match="was stopped"):
        process.run(python(FAMILY, str(tmp_path)), log=log, cancel=WhenReady(*files), timeout=PATIENCE)
    assert time.monotonic() - began < PATIENCE
    for file in files:
        wait_for_end(int(file.read_text()))


def test_fault_40_a_program_that_does_not_end_in_time_is_gone_with_all_that_it_started(
    log: Path, tmp_path: Path
) -> None:
    with pytest.raises(BuildFailure, match="did not end within 2 s") as caught:
        process.run(python(FAMILY, str(tmp_path)), log=log, cancel=Never(), timeout=2.0)
    assert caught.value.log == str(log)
    for name in ("child", "grandchild"):
        wait_for_end(int((tmp_path / name).read_text()))


def test_fault_40_what_a_program_leaves_running_behind_it_is_ended(log: Path, tmp_path: Path) -> None:
    assert process.run(python(ORPHAN, str(tmp_path)), log=log, cancel=Never()) == 0
    wait_for_end(int((tmp_path / "grandchild").read_text()))


def test_a_program_that_ends_is_not_waited_for_longer(log: Path) -> None:
    began = time.monotonic()
    assert process.run(["true"], log=log, cancel=Never(), timeout=PATIENCE) == 0
    assert time.monotonic() - began < PATIENCE / 2


def test_programs_run_in_groups_of_their_own(tmp_path: Path) -> None:
    shown = process.output(python("import os; print(os.getpgrp() == os.getpid())"), scratch=tmp_path, cancel=Never())
    assert shown == "True\n"
    assert os.getpgrp() != 0


def test_a_run_that_is_cancelled_from_another_thread_stops(log: Path) -> None:
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Interrupted):
        process.run(["sleep", "600"], log=log, cancel=cancel)


def test_the_tail_of_a_log_is_its_last_lines_with_text(log: Path) -> None:
    log.write_bytes(b"one\n\n  two \n\xff three\n\n")
    assert process.tail(log, 2) == ("  two", "\ufffd three")
    assert process.last_line(log) == "\ufffd three"
    assert process.tail(log.with_name("missing"), 2) == ()
    assert process.last_line(log.with_name("missing")) == "no output"


def test_the_tail_of_a_huge_log_reads_only_its_end(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(1 << 33)
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe end\n")
    assert process.last_line(log) == "the end"
