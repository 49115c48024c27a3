"""What a kept run amounts to: counts, sizes, the chain of steps that it waited for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.errors import ExitCode
from buildgraph.events import Outcome
from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.history import Run, RunNode, RunStep

IMAGE = "image"
TARGETS_SHOWN = 4
_AT_ONCE = 0.3  # seconds in which the loop notices an end and starts what is next
_STARTED = frozenset({Outcome.DONE, Outcome.REUSED, Outcome.FAILED})
_WORDS = {ExitCode.OK: "passed", ExitCode.INTERRUPTED: "interrupted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSize:
    """An image's bytes as stored: those of layers that another image of the run has, too, and its own."""

    node: str
    shared: int
    own: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a run; bytes and seconds."""

    steps: int
    done: int
    failed: int
    blocked: int
    reused: int
    passed: int
    failures: int
    skipped: int
    fetched: int
    written: int
    work: float


def describe_outcome(run: Run) -> str:
    """``passed``, ``failed``, ``interrupted``, or ``refused`` when that alone kept it from doing all."""
    if run.refused and run.exit_code == ExitCode.FAILED and not find_failed(run):
        return "refused"
    return _WORDS.get(ExitCode(run.exit_code), "failed") if run.exit_code in set(ExitCode) else "failed"


def name_targets(run: Run) -> str:
    """The targets in a line; of many, the first few and how many more there are."""
    shown = run.targets if len(run.targets) <= TARGETS_SHOWN + 1 else run.targets[:TARGETS_SHOWN]
    more = len(run.targets) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def sum_up(run: Run) -> Totals:
    """The totals of a run."""
    outcomes = [step.outcome for step in run.steps]
    return Totals(
        steps=len(run.steps),
        done=sum(outcome in {Outcome.DONE, Outcome.REUSED} for outcome in outcomes),
        failed=outcomes.count(Outcome.FAILED),
        blocked=outcomes.count(Outcome.BLOCKED),
        reused=len(find_reused(run)),
        passed=sum(step.passed for step in run.steps),
        failures=sum(step.failed for step in run.steps),
        skipped=sum(len(step.skipped) for step in run.steps),
        fetched=sum(step.moved for step in run.steps if step.action == Action.FETCH),
        written=sum(step.moved for step in run.steps if step.action == Action.BUILD),
        work=sum(step.seconds for step in run.steps),
    )


def find_reused(run: Run) -> tuple[str, ...]:
    """The nodes that no step names: nothing had to be done for them."""
    named = {step.node for step in run.steps}
    return tuple(node.node for node in run.nodes if node.node not in named)


def was_started(step: RunStep) -> bool:
    """True for a step that a worker took."""
    return step.outcome in _STARTED or (step.outcome == Outcome.CANCELLED and step.seconds > 0)


def find_failed(run: Run) -> tuple[RunStep, ...]:
    """The steps that ran and failed, in plan order."""
    return tuple(step for step in run.steps if step.outcome == Outcome.FAILED)


def find_critical(run: Run) -> tuple[str, ...]:
    """The steps that the run waited for, first to last: from the one that ended last back to what each waited for.

    A step waited for the need that ended last, or, where it started later than that, for the step that ended just
    before and freed a worker.
    """
    left = [step for step in run.steps if was_started(step)]
    steps = {step.id: step for step in left}
    chain: list[str] = []
    last = max(left, key=_end, default=None)
    while last is not None:
        chain.append(last.id)
        start = last.started
        left = [step for step in left if step.started < start and _end(step) <= start + _AT_ONCE]
        needs = [steps[need] for need in last.needs if need in steps]
        rivals = [step for step in left if (step.action == Action.FETCH) == (last.action == Action.FETCH)]
        need = max(needs, key=_end, default=None)
        last = need if need and start - _end(need) <= _AT_ONCE else max(rivals, key=_end, default=need)
    return tuple(reversed(chain))


def find_bound(run: Run) -> float:
    """Seconds of the longest chain of needs: what the run would take if no step waited for a worker."""
    tails: dict[str, float] = {}
    for step in run.steps:
        before = max((tails.get(need, 0.0) for need in step.needs), default=0.0)
        tails[step.id] = before + step.seconds
    return max(tails.values(), default=0.0)


def find_image_sizes(run: Run) -> tuple[ImageSize, ...]:
    """The images whose layers are all built, the largest first."""
    nodes = {node.node: node for node in run.nodes}
    images = [node for node in run.nodes if node.kind == IMAGE and is_measured(node, nodes)]
    users: dict[str, int] = {}
    for image in images:
        for digest in {nodes[name].digest for name in image.reads}:
            users[digest] = users.get(digest, 0) + 1
    sizes = []
    for image in images:
        layers = [nodes[name] for name in image.reads]
        shared = sum(layer.size for layer in layers if users[layer.digest] > 1)
        sizes.append(ImageSize(node=image.node, shared=shared, own=sum(layer.size for layer in layers) - shared))
    return tuple(sorted(sizes, key=lambda size: (-size.shared - size.own, size.node)))


def is_measured(image: RunNode, nodes: Mapping[str, RunNode]) -> bool:
    """True when the sizes of all its layers are known."""
    return all(name in nodes and nodes[name].digest for name in image.reads)


def count_stored(run: Run, images: Sequence[ImageSize]) -> int:
    """Bytes of the layers of these images, each counted once."""
    nodes = {node.node: node for node in run.nodes}
    return sum({nodes[name].digest: nodes[name].size for size in images for name in nodes[size.node].reads}.values())


def _end(step: RunStep) -> float:
    return step.started + step.seconds
