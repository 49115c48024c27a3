"""Runs the tests of layers and images: pytest with testinfra in a child process, counted from its JUnit report."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import buildgraph
from buildgraph.adapters import process, strays
from buildgraph.adapters.tally import find_gap
from buildgraph.errors import BuildFailure, BuildgraphError, Interrupted
from buildgraph.model import Skip, TestCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.ports import Cancel

TIMEOUT_SECONDS = 15 * 60
LOG_BYTES = 64 * 1024 * 1024
REPORT_BYTES = 64 * 1024 * 1024
CLEANUP_SECONDS = 60
LINE_LENGTH = 300
# What pytest exits with when it ran to its end: all passed, some failed, none collected.
REPORTED = frozenset({0, 1, 5})
# What tests see of the caller's environment. A verdict is kept, so it must not hang on what its key does not hold; and
# whatever secrets the caller has are none of theirs.
PASSED_ON = frozenset(
    {"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ"}
    | {"USER", "XDG_RUNTIME_DIR", "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT"}
    | {"DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY"}
)
MARK = "BUILDGRAPH_TESTS"
NOTHING_RAN = "no test was executed"


@dataclass(frozen=True, slots=True)
class _Guard:
    """A ``Cancel`` that is set as well once the log has grown past its limit."""

    cancel: Cancel
    log: Path
    limit: int

    def is_set(self) -> bool:
        """Whether to stop, for either reason."""
        return self.cancel.is_set() or self.is_full()

    def is_full(self) -> bool:
        """Whether the log is too large."""
        return self.log.exists() and self.log.stat().st_size > self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestProbe:
    """A ``ports.Probe`` on the Docker engine that ``environ`` leads to.

    ``project``: the directory that test paths are relative to. ``environ``: what the child's environment is taken from,
    with DOCKER_HOST where the engine is not at its usual place, and HOME. ``docker``: path or name of the Docker CLI.
    ``log_bytes`` bounds what one run may write to its log.
    """

    project: Path
    environ: Mapping[str, str]
    docker: str = "docker"
    timeout: float = TIMEOUT_SECONDS
    log_bytes: int = LOG_BYTES

    def run(
        self,
        node: str,
        *,
        reference: str,
        services: Mapping[str, str],
        tests: Sequence[str],
        inherited: Sequence[str],
        params: Mapping[str, str],
        log: Path,
        cancel: Cancel,
    ) -> TestCounts:
        """Run the tests; whatever goes wrong in them is a failure in the counts.

        Raises ``Interrupted`` when cancelled and ``EnvironmentFault`` when a program is missing. No container of the
        run is left behind in any case. The cases are kept beside the log, as JUnit XML.
        """
        run = uuid.uuid4().hex
        with tempfile.TemporaryDirectory(prefix="buildgraph-probe-") as scratch:
            report = Path(scratch) / "report.xml"
            argv = self._command(run, Path(scratch), tests=tests, inherited=inherited)
            argv += ["--image", reference]
            argv += _assignments("service", services) + _assignments("param", {**params, "node": node})
            try:
                problem = self._execute(argv, run, log=log, cancel=cancel)
            finally:
                strays.end_marked(f"{MARK}={run}")
                self._remove_containers(run, log=log)
            if report.exists() and report.stat().st_size <= REPORT_BYTES:
                shutil.copyfile(report, log.with_suffix(".xml"))
            return _count(report, problem, find_gap(Path(scratch) / "tally"))

    def _command(self, run: str, scratch: Path, *, tests: Sequence[str], inherited: Sequence[str]) -> list[str]:
        """Pytest without the project's settings, conftest files and plugins; its output goes straight to the log."""
        settings = scratch / "pytest.ini"
        settings.write_text("[pytest]\njunit_family = xunit1\nfilterwarnings = default\n", encoding="utf-8")
        only = [path for path in inherited if path not in tests]
        return [
            *(sys.executable, "-m", "pytest", "-v", "--capture=no", "--tb=short", "--color=no"),
            *("-p", "buildgraph.adapters.fixtures", "-p", "no:cacheprovider", "--noconftest", "--strict-markers"),
            *("-p", "buildgraph.adapters.tally", f"--tally={scratch / 'tally'}"),
            *("-c", str(settings), "--rootdir", str(self.project), "--import-mode=importlib"),
            *(f"--junitxml={scratch / 'report.xml'}", f"--basetemp={scratch / 'temporary'}", f"--run-id={run}"),
            *(f"--inherited={self.project / path}" for path in only),
            *(str(self.project / path) for path in dict.fromkeys((*tests, *only))),
        ]

    def _execute(self, argv: Sequence[str], run: str, *, log: Path, cancel: Cancel) -> str:
        """Run pytest to its end; one line when it did not get there, else nothing."""
        start = log.stat().st_size if log.exists() else 0
        guard = _Guard(cancel, log, start + self.log_bytes)
        try:
            code = process.run(
                argv, log=log, cancel=guard, env=self._environment(run), cwd=self.project, timeout=self.timeout
            )
        except BuildFailure:
            return f"the tests did not end within {self.timeout:.0f} s"
        except Interrupted:
            if cancel.is_set():
                raise
            code = 0
        if guard.is_full():
            os.truncate(log, guard.limit)
            return f"the tests wrote more than {self.log_bytes // 1_000_000} MB to their log"
        return "" if code in REPORTED else f"pytest {process.describe(code)}"

    def _environment(self, run: str) -> dict[str, str]:
        """What tests may see of the given environment, with what makes the run independent of this place's pytest."""
        folder, name = os.path.split(self.docker)
        assert name == "docker" or not folder, "testinfra calls the CLI by its name"
        path = self.environ.get("PATH", os.defpath)
        return {
            **{name: value for name, value in self.environ.items() if name in PASSED_ON},
            MARK: run,
            "PATH": f"{folder}{os.pathsep}{path}" if folder else path,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            # Tests lie beside what their layer is built from: nothing is written there.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(buildgraph.__file__).parents[1]),
        }

    def _remove_containers(self, run: str, *, log: Path) -> None:
        """Remove what a killed test left; an engine that is gone holds nothing, so failing is only logged."""
        never = process.Never()
        find = [self.docker, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=buildgraph.run={run}"]
        with tempfile.TemporaryDirectory(prefix="buildgraph-probe-") as scratch:
            try:
                found = process.output(
                    find, scratch=Path(scratch), cancel=never, env=self.environ, timeout=CLEANUP_SECONDS
                ).split()
                if found:
                    remove = [self.docker, "rm", "--force", "--volumes", *found]
                    process.check(remove, log=log, cancel=never, env=self.environ, timeout=CLEANUP_SECONDS)
            except BuildgraphError as error:
                with log.open("a", encoding="utf-8") as sink:
                    sink.write(f"containers labelled buildgraph.run={run} may be left: {error}\n")


def _assignments(option: str, values: Mapping[str, str]) -> list[str]:
    return [f"--{option}={name}={value}" for name, value in sorted(values.items())]


def _count(report: Path, problem: str, gap: str) -> TestCounts:
    """The counts of a report; a run that did not get to its end has failed, whatever it reported."""
    counts = _read(report)
    if not problem and counts is None:
        problem = "pytest left no report"
    if not problem and counts and not counts.passed and not counts.failed:
        problem = NOTHING_RAN
    problem = problem or gap
    counts = counts or TestCounts(passed=0, failed=0, skipped=())
    if not problem:
        return counts
    return TestCounts(
        passed=counts.passed,
        failed=counts.failed + 1,
        skipped=counts.skipped,
        failures=(problem, *counts.failures),
        seconds=counts.seconds,
    )


def _read(report: Path) -> TestCounts | None:
    """The counts of a JUnit report, or None where there is none that can be read."""
    if not report.exists() or report.stat().st_size > REPORT_BYTES:
        return None
    try:
        root = ET.parse(report).getroot()  # noqa: S314 - written by the pytest that this process started
    except ET.ParseError:
        return None
    # One test has two cases when it fails and its fixture fails afterwards, too.
    cases: dict[str, str] = {}
    skipped: list[Skip] = []
    for case in root.iter("testcase"):
        name = _name(case)
        failure = next((part for part in case if part.tag in {"failure", "error"}), None)
        skip = case.find("skipped")
        if failure is not None:
            cases[name] = cases.get(name) or f"{name}: {_first_line(failure)}"
        elif skip is not None:
            skipped.append(Skip(test=name, reason=_first_line(skip)))
        else:
            cases.setdefault(name, "")
    failures = tuple(line for line in cases.values() if line)
    seconds = sum(float(suite.get("time", "0")) for suite in root.iter("testsuite"))
    return TestCounts(
        passed=len(cases) - len(failures),
        failed=len(failures),
        skipped=tuple(skipped),
        failures=failures,
        seconds=seconds,
    )


def _name(case: ET.Element) -> str:
    """``test_file.py::test_name[parameter]``."""
    file = case.get("file") or case.get("classname", "").replace(".", "/")
    return f"{Path(file).name}::{case.get('name', '')}"


def _first_line(element: ET.Element) -> str:
    """The message's first line with text, shortened."""
    text = element.get("message") or element.text or "no message"
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:LINE_LENGTH]
