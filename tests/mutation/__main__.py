"""Takes every guard of the product away, one at a time, and expects the tests to notice: ``make mutants``.

A first run of the suite records which tests execute which line. Each mutant then runs only the tests that execute its
guard (and, where children do that unseen, those of the module's own test file), in a copy of the project.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from coverage import CoverageData

from buildgraph.adapters.strays import end_marked
from tests.mutation.guards import Guard, find_guards, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
PACKAGE = "buildgraph"
SUITE = ("tests/unit", "tests/property", "tests/contract", "tests/faults")
OPTIONS = ("-p", "no:cacheprovider", "-q", "-m", "not engine", "-W", "ignore")
COPIED = (PACKAGE, "tests", "manifests", "layers", "charts", "docs", "README.md", "pyproject.toml")
SECONDS, LONGER = 40, 160  # a busy machine gets a second try before a guard counts as one without which tests hang
MOST_TESTS = 150
MARK = "BUILDGRAPH_MUTANT"
SPEAKING = re.compile(r"fault|refus|reject|wrong|bad|damag|error|mis|not_|no_|never")
"""Names of tests that are likely to notice come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A guard and whether the suite missed it; ``tests`` is how many were run, ``hung`` that they did not end."""

    guard: Guard
    noticed: bool
    tests: int
    hung: bool = False


def main() -> int:
    """Print one line for each guard that nobody missed, then the score; 1 when there is such a guard."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", default=["*"], help="globs over modules, such as buildgraph/lock.py")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    guards = [g for g in find_guards(ROOT, PACKAGE) if any(fnmatch(g.file, glob) for glob in arguments.files)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [copy_project(Path(folder) / str(number)) for number in range(arguments.jobs)]
        tests = find_tests(copies[0], arguments.jobs)
        verdicts = []
        for verdict in try_all(guards, tests, copies):
            report(verdict)
            verdicts.append(verdict)
    noticed, hung = sum(verdict.noticed for verdict in verdicts), sum(verdict.hung for verdict in verdicts)
    print(
        f"{noticed} of {len(guards)} guards are missed by a test when they are gone, {hung} of them by tests that hang"
    )
    return 0 if noticed == len(guards) else 1


def report(verdict: Verdict) -> None:
    """One line when nobody missed the guard or tests hung without it, one dot on standard error otherwise."""
    if verdict.hung:
        print(f"without {verdict.guard} tests do not end", flush=True)
    elif verdict.noticed:
        print(".", end="", file=sys.stderr, flush=True)
    else:
        print(f"nobody missed {verdict.guard} ({verdict.tests} tests ran)", flush=True)


def copy_project(folder: Path) -> Path:
    """A copy that can be spoilt."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    return folder


def find_tests(copy: Path, jobs: int) -> Mapping[str, Mapping[int, Sequence[str]]]:
    """Module → line → the tests that execute it, from one run of the whole suite, which must pass."""
    data = copy / ".coverage"
    argv = [*SUITE, "--numprocesses", str(jobs), f"--cov={PACKAGE}", "--cov-context=test", "--cov-report="]
    done = run_tests(copy, argv, seconds=3600)
    assert done.returncode == 0, done.stdout[-4000:]
    coverage = CoverageData(str(data))
    coverage.read()
    return {
        Path(file).relative_to(copy).as_posix(): {
            line: sorted({context.partition("|")[0] for context in contexts if context})
            for line, contexts in coverage.contexts_by_lineno(file).items()
        }
        for file in coverage.measured_files()
    }


def try_all(
    guards: Sequence[Guard], tests: Mapping[str, Mapping[int, Sequence[str]]], copies: Sequence[Path]
) -> Iterator[Verdict]:
    """One verdict for each guard, in order; as many at once as there are copies."""
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def work(guard: Guard) -> Verdict:
        copy = free.get()
        try:
            return try_one(copy, guard, select(copy, guard, tests.get(guard.file, {})))
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(work, guards)


def select(copy: Path, guard: Guard, lines: Mapping[int, Sequence[str]]) -> list[str]:
    """The tests that execute the guard, those of its module and with speaking names first; else its module's."""
    found = {test for line in range(guard.first, guard.last + 1) for test in lines.get(line, ())}
    own = copy / "tests" / "unit" / f"test_{Path(guard.file).stem}.py"
    ordered = sorted(found, key=lambda test: (own.name not in test, not SPEAKING.search(test), test))
    return ordered[:MOST_TESTS] or ([own.relative_to(copy).as_posix()] if own.exists() else [])


def try_one(copy: Path, guard: Guard, tests: list[str]) -> Verdict:
    """Run the tests without the guard; a test that fails, hangs or cannot be collected has noticed."""
    if not tests:
        return Verdict(guard=guard, noticed=False, tests=0)
    path = copy / guard.file
    source = path.read_text(encoding="utf-8")
    path.write_text(without(source, guard), encoding="utf-8")
    try:
        for seconds in (SECONDS, LONGER):
            with suppress(subprocess.TimeoutExpired):
                code = run_tests(copy, ["-x", *tests], seconds=seconds).returncode
                return Verdict(guard=guard, noticed=code != 0, tests=len(tests))
    finally:
        path.write_text(source, encoding="utf-8")
    return Verdict(guard=guard, noticed=True, tests=len(tests), hung=True)


def run_tests(copy: Path, arguments: Sequence[str], *, seconds: float) -> subprocess.CompletedProcess[str]:
    """pytest in the copy, which comes before the installed package for children, too.

    Without a guard children may outlive their test; none outlives the run, for the next one would find it.
    """
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", MARK: str(copy)}
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS, *arguments],
            cwd=copy,
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    finally:
        end_marked(f"{MARK}={copy}")


if __name__ == "__main__":
    sys.exit(main())
