"""How runs ended, and how that is kept: a document for each run, for reports and to compare runs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ExitCode
from buildgraph.events import Outcome
from buildgraph.graph import kind_of, references_of
from buildgraph.key import hide_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.key import Document, Keys
    from buildgraph.model import Catalogue, TestCounts
    from buildgraph.plan import Plan, Step
    from buildgraph.record import Record
    from buildgraph.refusal import Refusal

FORMAT = 1
RUN_FILE = "run.json"
"""The document of a run, in the run's folder beside its logs."""
JOURNAL = "events.jsonl"
"""The events of a run as they came, a JSON document on each line; what there is of a run that was killed."""
_UNSAFE = re.compile(r"[^a-z0-9._-]")
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How a step ended. ``note`` is one line; ``details`` more of them (failed tests); ``log`` a path or empty.

    ``started`` is seconds since the run began; ``moved`` the bytes fetched, written or loaded; ``counts`` what its
    tests executed; ``exit_code`` that of the error that ended it.
    """

    step: Step
    outcome: Outcome
    seconds: float = 0.0
    started: float = 0.0
    note: str = ""
    details: tuple[str, ...] = ()
    log: str = ""
    moved: int = 0
    counts: TestCounts | None = None
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run: one result for each step, in plan order; ``refused`` are targets that it could do nothing for."""

    run: str
    steps: tuple[StepResult, ...]
    seconds: float
    refused: tuple[Refusal, ...] = ()

    @property
    def failed(self) -> tuple[StepResult, ...]:
        """The steps that ran and failed."""
        return tuple(result for result in self.steps if result.outcome is Outcome.FAILED)

    @property
    def is_interrupted(self) -> bool:
        """True when the run was asked to stop."""
        return any(result.outcome is Outcome.CANCELLED for result in self.steps)

    @property
    def exit_code(self) -> ExitCode:
        """What the program ends with: that it was interrupted, or the highest code of the failed steps and of refusals.

        Whoever interrupts a run that had a failure wants to hear that it did not get to its end.
        """
        if self.is_interrupted:
            return ExitCode.INTERRUPTED
        codes = [ExitCode.FAILED] if self.refused else []
        return max([*codes, *(result.exit_code for result in self.failed)], default=ExitCode.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNode:
    """A node as a run saw it: its key and, when it was built by then, digest and size in bytes."""

    node: str
    kind: str
    stage: str
    reads: tuple[str, ...]
    key: str
    digest: str = ""
    size: int = 0
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """A ``StepResult`` as it is kept. ``expected`` seconds; ``log`` is a file of the run's folder, or empty.

    ``passed``, ``failed`` and ``skipped`` (test and reason) are of test steps.
    """

    id: str
    action: str
    node: str
    reason: str
    needs: tuple[str, ...]
    expected: float
    outcome: str
    started: float
    seconds: float
    note: str = ""
    details: tuple[str, ...] = ()
    log: str = ""
    moved: int = 0
    passed: int = 0
    failed: int = 0
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRefusal:
    """A ``Refusal`` as it is kept."""

    node: str
    cause: str
    reason: str
    hint: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.node}: {self.reason}; {self.hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that ended. ``began`` is UTC in ISO 8601; ``documents`` are key documents, without values, of what it made.

    ``nodes`` are all that the targets need, parents first; those that no step names were reused. ``refused`` are no
    part of them.
    """

    run: str
    version: str
    began: str
    seconds: float
    exit_code: int
    jobs: int
    targets: tuple[str, ...]
    nodes: tuple[RunNode, ...]
    steps: tuple[RunStep, ...]
    documents: Mapping[str, Document]
    refused: tuple[RunRefusal, ...] = ()

    @property
    def keys(self) -> Mapping[str, str]:
        """Node → key."""
        return {node.node: node.key for node in self.nodes}


def log_name(step_id: str) -> str:
    """The file of a step's log in its run's folder."""
    return f"{_UNSAFE.sub('_', step_id)}.log"


def cases_name(step_id: str) -> str:
    """The file beside it with the cases of the step's tests, as JUnit XML."""
    return f"{_UNSAFE.sub('_', step_id)}.xml"


def make_run(
    result: Result,
    plan: Plan,
    catalogue: Catalogue,
    keys: Keys,
    records: Mapping[str, Record],
    *,
    version: str,
    began: str,
    jobs: int,
) -> Run:
    """What is kept of a run. ``records`` are all that were known at its end."""
    made = dict.fromkeys(step.node for step in plan.steps if step.node in keys.keys)
    return Run(
        run=result.run,
        version=version,
        began=began,
        seconds=round(result.seconds, 3),
        exit_code=int(result.exit_code),
        jobs=jobs,
        targets=(*plan.targets, *(refusal.node for refusal in result.refused)),
        nodes=tuple(_make_node(name, catalogue, keys, records) for name in plan.nodes),
        steps=tuple(_make_step(entry) for entry in result.steps),
        documents=MappingProxyType({name: hide_values(keys.keys[name].document) for name in made}),
        refused=tuple(
            RunRefusal(node=each.node, cause=each.cause.value, reason=each.reason, hint=each.hint)
            for each in result.refused
        ),
    )


def format_run(run: Run) -> str:
    """JSON text, sorted."""
    body = {"format": FORMAT, **{name: getattr(run, name) for name in Run.__slots__ if name not in _NESTED}}
    body["nodes"] = [asdict(node) for node in run.nodes]
    body["steps"] = [asdict(step) for step in run.steps]
    body["documents"] = dict(run.documents)
    body["refused"] = [asdict(refusal) for refusal in run.refused]
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def parse_run(text: str) -> Run | None:
    """The run, or None when the text is no run of this format."""
    try:
        body = json.loads(text)
        if body.pop("format") != FORMAT:
            return None
        return Run(
            **{
                **body,
                "targets": tuple(body["targets"]),
                "nodes": tuple(_parse_node(node) for node in body["nodes"]),
                "steps": tuple(_parse_step(step) for step in body["steps"]),
                "documents": MappingProxyType(dict(body["documents"])),
                "refused": tuple(RunRefusal(**refusal) for refusal in body.get("refused", ())),
            }
        )
    except _MALFORMED:
        return None


_NESTED = frozenset({"nodes", "steps", "documents", "refused"})


def _make_node(name: str, catalogue: Catalogue, keys: Keys, records: Mapping[str, Record]) -> RunNode:
    node, record = catalogue.nodes[name], records.get(name)
    return RunNode(
        node=name,
        kind=kind_of(node),
        stage=node.stage.value,
        reads=node.reads,
        key=keys.keys[name].key if name in keys.keys else "",
        digest=record.digest if record else "",
        size=record.size if record else 0,
        references=references_of(node),
    )


def _make_step(entry: StepResult) -> RunStep:
    step, counts = entry.step, entry.counts
    return RunStep(
        id=step.id,
        action=step.action.value,
        node=step.node,
        reason=step.reason,
        needs=step.needs,
        expected=round(step.seconds, 3),
        outcome=entry.outcome.value,
        started=round(entry.started, 3),
        seconds=round(entry.seconds, 3),
        note=entry.note,
        details=entry.details,
        log=entry.log.rpartition("/")[2],
        moved=entry.moved,
        passed=counts.passed if counts else 0,
        failed=counts.failed if counts else 0,
        skipped=tuple((skip.test, skip.reason) for skip in counts.skipped) if counts else (),
    )


def _parse_node(body: dict[str, object]) -> RunNode:
    return RunNode(**_with_tuples(body, "reads", "references"))  # type: ignore[arg-type]


def _parse_step(body: dict[str, object]) -> RunStep:
    skipped = body["skipped"]
    assert isinstance(skipped, list)
    tests = tuple((str(test), str(reason)) for test, reason in skipped)
    return RunStep(**{**_with_tuples(body, "needs", "details"), "skipped": tests})  # type: ignore[arg-type]


def _with_tuples(body: dict[str, object], *names: str) -> dict[str, object]:
    """JSON has lists where our values have tuples."""
    return {key: tuple(value) if key in names and isinstance(value, list) else value for key, value in body.items()}
