"""Runs the tests of a node with pytest and testinfra, as a child process that can be ended, and counts them."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import docker
from docker.errors import DockerException, NotFound

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted
from buildgraph.model import Skip, TestCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel

TIMEOUT_SECONDS = 900.0
LOG_LIMIT = 64 << 20
LABEL = "buildgraph.run"
NO_TEST = "no test was executed"
PYTEST_OPTIONS = (
    "-p",
    "no:cacheprovider",
    "-p",
    "buildgraph.adapters.fixtures",
    "--noconftest",
    "--import-mode=importlib",
    "--strict-markers",
    "-ra",
    "--tb=short",
    "--no-header",
)


class PytestProbe:
    """``ports.Probe``. Tests see the engine of ``environ``; the project's own pytest settings do not reach them."""

    def __init__(
        self,
        root: Path,
        *,
        environ: Mapping[str, str],
        run: str,
        timeout: float = TIMEOUT_SECONDS,
        log_limit: int = LOG_LIMIT,
    ) -> None:
        """``root`` is the project; ``timeout`` (seconds) and ``log_limit`` (bytes) bound the tests of one node."""
        self._root = root
        self._environ = {**environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._run = run
        self._timeout = timeout
        self._log_limit = log_limit

    def run(
        self,
        node: str,
        *,
        reference: str,
        tests: Sequence[str],
        inherited: Sequence[str],
        params: Mapping[str, str],
        log: Path,
        cancel: Cancel,
    ) -> TestCounts:
        """Run the tests; a run that times out, floods its log or executes nothing counts as failed."""
        label = f"{self._run}-{node}"
        results, settings = log.with_suffix(".xml"), log.with_suffix(".ini")
        settings.write_text("[pytest]\nxfail_strict = true\n", encoding="utf-8")
        argv = [sys.executable, "-m", "pytest", "-c", str(settings), "--rootdir", str(self._root), *PYTEST_OPTIONS]
        argv += ["--junitxml", str(results), "--image", reference, "--run-id", label]
        for name, value in sorted(params.items()):
            argv += ["--param", f"{name}={value}"]
        for file in inherited:
            argv += ["--inherited", str(self._root / file)]
        argv += [str(self._root / file) for file in dict.fromkeys((*tests, *inherited))]
        watch = _Watch(cancel, log, self._log_limit)
        try:
            code = process.run(argv, log=log, cancel=watch, env=self._environ, cwd=log.parent, timeout=self._timeout)
        except Interrupted:
            if cancel.is_set():
                raise
            return _failed(f"printed more than {self._log_limit >> 20} MiB")
        except BuildFailure as error:
            return _failed(error.what)
        finally:
            self._remove_containers(label)
        return read_results(results, code)

    def _remove_containers(self, label: str) -> None:
        """Containers and networks of a test that was ended, or that left them."""
        chosen: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={label}"}
        try:
            with closing(docker.DockerClient.from_env(environment=dict(self._environ))) as client:
                for container in client.containers.list(all=True, filters=chosen, ignore_removed=True):
                    try:
                        container.remove(force=True, v=True)
                    except NotFound:
                        continue  # it removed itself meanwhile
                for network in client.networks.list(filters=chosen):
                    network.remove()
        except DockerException as error:
            raise EnvironmentFault(
                f"the engine is gone, containers labelled {LABEL}={label} may be left: {error}",
                hint="run: buildgraph engine up",
            ) from error


class _Watch:
    """A ``Cancel`` that is also set when the log grows beyond its limit."""

    def __init__(self, cancel: Cancel, log: Path, limit: int) -> None:
        self._cancel = cancel
        self._log = log
        self._limit = limit

    def is_set(self) -> bool:
        return self._cancel.is_set() or (self._log.exists() and self._log.stat().st_size > self._limit)


def read_results(path: Path, code: int) -> TestCounts:
    """Counts from a JUnit file; ``code`` is pytest's exit code, which speaks where the file cannot."""
    try:
        root = ET.parse(path).getroot()  # noqa: S314 - written by our own pytest
    except (OSError, ET.ParseError):
        return _failed(f"pytest {process.describe(code)} without results" if code else NO_TEST)
    cases = list(root.iter("testcase"))
    failures = tuple(line for case in cases if (line := _failure_of(case)))
    skips = tuple(skip for case in cases if (skip := _skip_of(case)))
    passed = sum(not _failure_of(case) and _skip_of(case) is None for case in cases)
    if not passed and not failures:
        failures = (NO_TEST if not skips else f"{NO_TEST}: all {len(skips)} are skipped",)
    elif code and not failures:
        failures = (f"pytest {process.describe(code)}",)
    seconds = sum(float(case.get("time", "0")) for case in cases)
    return TestCounts(passed=passed, failed=len(failures), skipped=skips, failures=failures, seconds=seconds)


def _failed(line: str) -> TestCounts:
    return TestCounts(passed=0, failed=1, skipped=(), failures=(line,))


def _failure_of(case: ET.Element) -> str:
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            message = (found.get("message") or found.text or "").strip().splitlines() or [kind]
            return f"{_name_of(case)}: {message[0]}"
    return ""


def _skip_of(case: ET.Element) -> Skip | None:
    found = case.find("skipped")
    return None if found is None else Skip(test=_name_of(case), reason=found.get("message") or "no reason given")


def _name_of(case: ET.Element) -> str:
    module = (case.get("classname") or "").rpartition(".")[2]
    return f"{module}::{case.get('name')}" if module else str(case.get("name"))
