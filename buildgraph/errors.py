"""The error tree: what went wrong, where, what to do, and the exit code it ends in.

Only ``cli`` turns an error into an exit. A bug is an ``assert``, never one of these.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLACE = re.compile(r"(?P<file>[^: ]*)(?::(?P<line>\d+))?")
_SHOWN = 80


class ExitCode(IntEnum):
    """Every way the program ends; the table in the README is generated from these."""

    OK = 0
    FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    STALE = 4
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One line for the table of exit codes."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "everything asked for is done",
    ExitCode.FAILED: "a node failed to build or to pass its tests, or was refused; the others are kept",
    ExitCode.USAGE: "a manifest, the lock or the command line is wrong",
    ExitCode.ENVIRONMENT: "something outside is missing: an engine, a program, disk space, a registry",
    ExitCode.STALE: "--check found a file that is out of date",
    ExitCode.INTERRUPTED: "interrupted; finished nodes are kept",
}


class BuildgraphError(Exception):
    """One problem: ``what`` happened, ``where`` (``file:line`` or a path), ``hint`` what to do."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        """Keep the three parts; ``str()`` joins them into one line."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """``where: what; hint`` with the empty parts left out."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


class UsageError(BuildgraphError):
    """What the user wrote is wrong: a manifest, the lock, a target, an option."""

    exit_code = ExitCode.USAGE


class ManifestError(UsageError):
    """One mistake in a manifest, at ``file:line`` and a key path."""


class LockError(UsageError):
    """The lock is missing, malformed, or does not hold what the manifests ask for."""


class EnvironmentFault(BuildgraphError):
    """Something this machine lacks or refuses: a program, an engine, a registry, space."""

    exit_code = ExitCode.ENVIRONMENT


class NetworkFault(EnvironmentFault):
    """A server did not give what was asked for, after the retries that make sense."""


class NotFound(NetworkFault):
    """The servers are there, and none of them has it."""


class IntegrityError(BuildgraphError):
    """Bytes are not what the lock or the store says they are."""


class BuildFailure(BuildgraphError):
    """A step ran and failed; ``log`` is the path of its log, if it has one."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", log: str = "") -> None:
        """Like the base, with the path of the step's log."""
        super().__init__(what, where=where, hint=hint)
        self.log = log


class Conflict(BuildFailure):
    """Two layers of one image disagree about a path or a variable."""


class Stale(BuildgraphError):
    """A ``--check`` found a difference; ``diff`` shows it."""

    exit_code = ExitCode.STALE

    def __init__(self, what: str, *, where: str = "", hint: str = "", diff: str = "") -> None:
        """Like the base, with the unified diff that would be applied."""
        super().__init__(what, where=where, hint=hint)
        self.diff = diff


class Interrupted(BuildgraphError):
    """The user, or a signal, asked to stop."""

    exit_code = ExitCode.INTERRUPTED


class ErrorGroup(BuildgraphError):
    """Several problems of one phase, reported together."""

    def __init__(self, errors: Sequence[BuildgraphError]) -> None:
        """``errors`` in the order in which a reader meets them; never empty."""
        assert errors
        super().__init__(f"{len(errors)} problem{'s' if len(errors) > 1 else ''}")
        self.errors = tuple(errors)
        self.exit_code = max(error.exit_code for error in errors)

    def __str__(self) -> str:
        """One line for each problem."""
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: Sequence[BuildgraphError]) -> None:
    """Raise the one error, a group of several, or nothing."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ErrorGroup(errors)


def sort_errors(errors: Iterable[BuildgraphError]) -> list[BuildgraphError]:
    """In the order of files and lines, each line of text once."""
    return sorted({str(error): error for error in errors}.values(), key=_place)


def quote(text: str) -> str:
    """What somebody wrote, as a message shows it: in quotes, on one line, never long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text)} characters)"


def suggest(word: str, names: Iterable[str], *, likeness: float = 0.5) -> str:
    """``did you mean …?`` with the closest names, or nothing. ``likeness`` is between 0 and 1."""
    from difflib import get_close_matches  # only for mistakes

    close = get_close_matches(word, list(names), n=3, cutoff=likeness) if len(word) <= _SHOWN else []
    return f"did you mean {' or '.join(close)}?" if close else ""


def _place(error: BuildgraphError) -> tuple[str, int]:
    match = _PLACE.match(error.where)
    assert match
    return match["file"], int(match["line"] or 0)
