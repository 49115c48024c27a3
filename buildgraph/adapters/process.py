"""Child processes: argument lists only, each in a group of its own, ended as a group when the run is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from buildgraph.ports import Cancel

POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0
_groups: set[int] = set()


class Never:
    """A ``Cancel`` that is never set."""

    def is_set(self) -> bool:
        """Never."""
        return False


def run(
    argv: Sequence[str],
    *,
    log: Path,
    cancel: Cancel,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> int:
    """Run ``argv`` with its output appended to ``log``; the exit code (negative: the signal that ended it).

    Raises ``Interrupted`` when cancelled, ``BuildFailure`` after ``timeout`` seconds, ``EnvironmentFault`` when
    the program is missing. In each case the whole process group is gone when this returns.
    """
    with _open_log(log) as sink:
        return _wait(argv, sink, sink, cancel=cancel, env=env, cwd=cwd, timeout=timeout, log=str(log))


def check(
    argv: Sequence[str],
    *,
    log: Path,
    cancel: Cancel,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    program: str = "",
) -> None:
    """Like ``run``; any exit code but 0 is a ``BuildFailure`` that names the program and its last line of output.

    ``program``: its name, where ``argv`` begins with what starts it.
    """
    code = run(argv, log=log, cancel=cancel, env=env, cwd=cwd, timeout=timeout)
    if code:
        program = program or os.path.basename(argv[0])  # noqa: PTH119 - argv[0] is a name
        raise BuildFailure(f"{program} {describe(code)}: {last_line(log)}", log=str(log))


def output(
    argv: Sequence[str],
    *,
    scratch: Path,
    cancel: Cancel,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> str:
    """The standard output of ``argv`` as text; errors as in ``check``. ``scratch`` is a writable directory."""
    out, err = scratch / "stdout", scratch / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        code = _wait(argv, stdout, stderr, cancel=cancel, env=env, cwd=cwd, timeout=timeout, log="")
    if code:
        raise BuildFailure(f"{os.path.basename(argv[0])} {describe(code)}: {last_line(err)}")  # noqa: PTH119 - argv[0] is a name
    return out.read_text(encoding="utf-8", errors="replace")


def kill_all() -> None:
    """KILL to the groups of all children: for an exit that waits for nobody, in a signal handler, too."""
    for group in tuple(_groups):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def describe(code: int) -> str:
    """An exit code in words."""
    return f"ended with exit code {code}" if code > 0 else f"died (signal {-code})"


def last_line(log: Path) -> str:
    """The last line with text in it, or a note that there was none."""
    lines = tail(log, 20)
    return lines[-1] if lines else "no output"


def tail(log: Path, count: int) -> tuple[str, ...]:
    """The last ``count`` lines with text in them; reads at most 64 KiB."""
    if not log.exists():
        return ()
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 65536))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return tuple(lines[-count:])


def _open_log(log: Path) -> IO[bytes]:
    with disk_faults(log.parent, f"write {log.name}"):
        return log.open("ab")


def _wait(
    argv: Sequence[str],
    stdout: IO[bytes],
    stderr: IO[bytes],
    *,
    cancel: Cancel,
    env: Mapping[str, str] | None,
    cwd: Path | None,
    timeout: float | None,
    log: str,
) -> int:
    try:
        child = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
            list(argv), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env, cwd=cwd, start_new_session=True
        )
    except FileNotFoundError as error:
        raise EnvironmentFault(f"{argv[0]}: no such program", hint="install it, or put it on PATH") from error
    _groups.add(child.pid)
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            try:
                return child.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if cancel.is_set():
                    raise Interrupted(f"{argv[0]} was stopped") from None
                if deadline is not None and time.monotonic() > deadline:
                    raise BuildFailure(f"{argv[0]} did not end within {timeout:.0f} s", log=log) from None
    finally:
        _end_group(child)
        _groups.discard(child.pid)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """TERM, then KILL, to whatever is left of the child's group; a group that is gone is what we want."""
    for number, grace in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            continue
    if child.returncode is None:
        child.wait()
