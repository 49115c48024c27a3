"""A probe that answers with counts agreed beforehand, and remembers what it was asked to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.errors import Interrupted
from buildgraph.model import TestCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCall:
    """One run that was asked for."""

    node: str
    reference: str
    services: Mapping[str, str]
    tests: tuple[str, ...]
    inherited: tuple[str, ...]
    params: Mapping[str, str]


@dataclass
class FakeProbe:
    """A ``Probe``. ``results`` maps a node to its counts; the others pass one test for each file."""

    results: dict[str, TestCounts] = field(default_factory=dict)
    calls: list[ProbeCall] = field(default_factory=list)

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
        if cancel.is_set():
            raise Interrupted("the tests were stopped")
        call = ProbeCall(
            node=node,
            reference=reference,
            services=dict(services),
            tests=tuple(tests),
            inherited=tuple(inherited),
            params=dict(params),
        )
        self.calls.append(call)
        counts = self.results.get(node)
        if counts is None and not tests and not inherited:
            counts = TestCounts(passed=0, failed=1, skipped=(), failures=("no test was executed",))
        counts = counts or TestCounts(passed=len(tests) + len(inherited), failed=0, skipped=())
        with log.open("a", encoding="utf-8") as sink:
            sink.write(f"{node}: {counts.passed} passed, {counts.failed} failed\n")
        return counts
