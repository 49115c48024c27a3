"""``doctor``: what a build will need from this machine, each checked within a time limit, each with what to do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.errors import BuildgraphError, Stale, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LIMIT_SECONDS = 2.5


class Status(StrEnum):
    """``fail`` keeps a build from working; ``warn`` may."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the diagnosis; ``hint`` says what to do when it is not ok."""

    name: str
    status: Status
    text: str
    hint: str = ""


def examine(probes: Mapping[str, Callable[[], Check]], *, limit: float = LIMIT_SECONDS) -> tuple[Check, ...]:
    """Run all probes at once; what does not answer within ``limit`` seconds has failed. The order stays."""
    answers: dict[str, Check] = {}
    # Daemons: a probe that hangs must hold up neither the others nor the exit.
    threads = {
        name: threading.Thread(target=_ask, args=(name, probe, answers), daemon=True) for name, probe in probes.items()
    }
    for thread in threads.values():
        thread.start()
    deadline = time.monotonic() + limit
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(answers.get(name) or _no_answer(name, limit) for name in probes)


def judge_version(name: str, text: str, *, floor: Sequence[int], hint: str, below: Status = Status.WARN) -> Check:
    """``ok`` when the first version number in ``text`` is at least ``floor``; one that cannot be read is a warning."""
    found = parse_version(text)
    wanted = ".".join(map(str, floor))
    if found is None:
        return Check(name=name, status=Status.WARN, text="its version is not known", hint=hint)
    shown = ".".join(map(str, found))
    if found < tuple(floor):
        return Check(name=name, status=below, text=f"version {shown}, which is below {wanted}", hint=hint)
    return Check(name=name, status=Status.OK, text=f"version {shown}")


def parse_version(text: str) -> tuple[int, ...] | None:
    """The first dotted number in ``text``."""
    import re

    match = re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else None


def judge_space(name: str, free: int, *, least: int, hint: str) -> Check:
    """``ok`` when at least ``least`` bytes are free."""
    text = f"{free / 1e9:.1f} GB free"
    if free < least:
        return Check(name=name, status=Status.WARN, text=f"{text}, below {least / 1e9:.0f} GB", hint=hint)
    return Check(name=name, status=Status.OK, text=text)


def judge_staleness(name: str, check: Callable[[], object]) -> Check:
    """The outcome of a ``--check``: stale is a warning, anything else that is wrong a failure."""
    try:
        check()
    except Stale as stale:
        return Check(name=name, status=Status.WARN, text=f"{stale.where}: {stale.what}", hint=stale.hint)
    except BuildgraphError as error:
        return fail(name, error)
    return Check(name=name, status=Status.OK, text="up to date")


def fail(name: str, error: BuildgraphError) -> Check:
    """A check that failed with this error."""
    text = f"{error.where}: {error.what}" if error.where else str(error.what)
    return Check(name=name, status=Status.FAIL, text=text, hint=error.hint)


def find_failures(checks: Sequence[Check]) -> Iterator[Check]:
    """The checks that failed."""
    return (check for check in checks if check.status is Status.FAIL)


def _ask(name: str, probe: Callable[[], Check], answers: dict[str, Check]) -> None:
    try:
        answers[name] = probe()
    except BuildgraphError as error:
        answers[name] = fail(name, error)
    except OSError as error:
        answers[name] = fail(name, UsageError(error.strerror or str(error), where=str(error.filename or "")))


def _no_answer(name: str, limit: float) -> Check:
    text = f"no answer within {limit:g} s"
    return Check(name=name, status=Status.FAIL, text=text, hint="something hangs; try what it stands for by hand")
