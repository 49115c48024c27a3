"""A pytest plugin that notes how many tests there are and how many came to their end.

An exit code says neither: a test may end the whole run with 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class Tally:
    """Writes the number of tests to a file, then one dot for each that was run to its end."""

    def __init__(self, file: Path) -> None:
        """``file`` is in a folder that is there."""
        self._file = file

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All tests are known."""
        self._file.write_text(f"{len(session.items)}\n", encoding="utf-8")

    def pytest_runtest_logfinish(self) -> None:
        """One test has ended, its fixtures too."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(".")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption("--tally", help="file that takes the number of tests and of those that ended")


def pytest_configure(config: pytest.Config) -> None:
    """Count, if that is wanted."""
    file = config.getoption("--tally")
    if file:
        config.pluginmanager.register(Tally(Path(file)))


def find_gap(file: Path) -> str:
    """What is missing, in one line; nothing when all tests were run to their end."""
    count, _, dots = file.read_text(encoding="utf-8").partition("\n") if file.exists() else ("", "", "")
    if not count.isdecimal():
        return "pytest did not say which tests there are"
    return f"only {len(dots)} of {count} tests were run to their end" if len(dots) < int(count) else ""
