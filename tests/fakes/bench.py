"""A whole run over fakes: catalogue, plan, loop and workbench are real, everything outside is in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from buildgraph.adapters.process import Never
from buildgraph.errors import EnvironmentFault
from buildgraph.execute import Ports, Workbench, execute
from buildgraph.graph import find_needs, references_of
from buildgraph.model import Image, Kind
from buildgraph.plan import State, TestFacts, Wishes, compose_test_image, find_services, find_test_key, make_plan
from buildgraph.record import LOADED, RECORDS, VERDICTS, Load, Record, name_load, parse_load, parse_record
from buildgraph.refusal import find_scope
from tests.fakes.builders import FakeBuilder
from tests.fakes.catalogues import make_keys, make_lock
from tests.fakes.clock import TickingClock
from tests.fakes.engine import FakeEngine
from tests.fakes.fetcher import FakeFetcher, make_artifact
from tests.fakes.probe import FakeProbe
from tests.fakes.store import MemoryBlobs, MemoryTexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from buildgraph.events import Event
    from buildgraph.history import Result, StepResult
    from buildgraph.key import Keys
    from buildgraph.model import Artifact, Catalogue, Lock
    from buildgraph.plan import Plan
    from buildgraph.ports import Cancel

RUN = "the-run"
WITHOUT_TESTS = Wishes(test=False, load=False)


class JournalTexts(MemoryTexts):
    """Remembers which folders were written to, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: list[str] = []

    def write(self, folder: str, name: str, text: str) -> None:
        self.journal.append(folder)
        super().write(folder, name, text)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A plan, how it went, and what was told meanwhile."""

    plan: Plan
    result: Result
    events: list[Event]

    def of(self, step: str) -> StepResult:
        """The result of one step."""
        return next(entry for entry in self.result.steps if entry.step.id == step)


@dataclass
class Bench:
    """``run`` plans and carries out as the program does. What is changed on the bench holds for the next run."""

    catalogue: Catalogue
    folder: Path
    contents: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Mapping[str, str]] = field(default_factory=dict)
    tests: dict[str, Mapping[str, str]] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    has_engine: bool = True

    def __post_init__(self) -> None:
        self.blobs = MemoryBlobs()
        self.texts = JournalTexts()
        self.fetcher = FakeFetcher(self.folder / "sources", self.contents)
        self.builder = FakeBuilder(self.blobs)
        self.engine = FakeEngine(self.blobs)
        self.probe = FakeProbe()
        self.guarded: list[str] = []
        self.edited: set[str] = set()

    @cached_property
    def artifacts(self) -> dict[str, Artifact]:
        """The locked artifact of each coordinate in ``contents``."""
        return {name: make_artifact(name, content) for name, content in self.contents.items()}

    @property
    def lock(self) -> Lock:
        return make_lock(self.catalogue, self.artifacts)

    @property
    def keys(self) -> Keys:
        return make_keys(self.catalogue, self.lock, self.trees)

    @property
    def facts(self) -> TestFacts:
        return TestFacts(trees=self.tests, fixtures="f1", capabilities=self.capabilities)

    def records(self) -> dict[str, Record]:
        """The records of the nodes as they are now."""
        texts = {name: self.texts.read(RECORDS, key.key) for name, key in self.keys.keys.items()}
        records = {name: parse_record(text) for name, text in texts.items() if text}
        return {name: record for name, record in records.items() if record}

    def passed(self) -> set[str]:
        """The nodes whose tests have a verdict on what they are now."""
        records, passed = self.records(), set()
        for name in records:
            node = self.catalogue.nodes[name]
            composition = compose_test_image(self.catalogue, node, records)
            services = find_services(node, records)
            if composition is None or services is None:
                continue
            key = find_test_key(self.catalogue, node, composition.digest, self.facts, services=services)
            if self.texts.read(VERDICTS, key):
                passed.add(name)
        return passed

    def loaded(self) -> dict[str, Load]:
        """What the engine was last given, by reference."""
        images = [node for node in self.catalogue.nodes.values() if isinstance(node, Image)]
        references = [reference for image in images for reference in references_of(image)]
        found = {reference: parse_load(self.texts.read(LOADED, name_load(reference))) for reference in references}
        return {reference: load for reference, load in found.items() if load}

    def plan(self, *targets: str, wishes: Wishes | None = None) -> Plan:
        wishes = wishes or Wishes()
        records = {name: record for name, record in self.records().items() if name not in wishes.force}
        needs = find_needs(self.catalogue, targets, with_tests=wishes.test)
        return make_plan(
            self.catalogue,
            self.lock,
            self.keys,
            State(records=records, misses={}, passed=self.passed(), seconds={}, loaded=self.loaded()),
            scope=find_scope(self.catalogue, self.lock, self.keys, targets, needs, with_tests=wishes.test),
            wishes=wishes,
        )

    def run(
        self,
        *targets: str,
        wishes: Wishes | None = None,
        plan: Plan | None = None,
        keep_sources: bool = False,
        cancel: Cancel | None = None,
    ) -> Run:
        plan = plan or self.plan(*targets, wishes=wishes)
        events: list[Event] = []
        ports = self._ports(events, cancel or Never())
        reused = {
            name: record for name, record in self.records().items() if name in plan.reused or _is_kept(plan, name)
        }
        workbench = Workbench(
            self.catalogue,
            self.lock,
            self.keys,
            plan,
            self.facts,
            records=reused,
            ports=ports,
            run=RUN,
            keep_sources=keep_sources,
        )
        try:
            result = execute(
                plan,
                workbench.perform,
                run=RUN,
                jobs=1,
                fail_fast=False,
                emit=events.append,
                cancel=ports.cancel,
                clock=ports.clock,
            )
        finally:
            workbench.close()
        return Run(plan=plan, result=result, events=events)

    @contextmanager
    def guard(self, key: str) -> Iterator[None]:
        """Remember that the key was held."""
        self.guarded.append(key)
        yield

    def need_engine(self) -> FakeEngine:
        if not self.has_engine:
            raise EnvironmentFault("no Docker engine answers")
        return self.engine

    def _ports(self, events: list[Event], cancel: Cancel) -> Ports:
        return Ports(
            blobs=self.blobs,
            texts=self.texts,
            fetcher=self.fetcher,
            builders=dict.fromkeys(Kind, self.builder),
            engine=self.need_engine,
            probe=lambda: self.probe,
            guard=self.guard,
            log=lambda step: self.folder / f"{step.replace(':', '_').replace('/', '_')}.log",
            emit=events.append,
            cancel=cancel,
            clock=TickingClock(),
            same_files=lambda folder: folder not in self.edited,
            same_tests=lambda folder: folder not in self.edited,
        )


def _is_kept(plan: Plan, name: str) -> bool:
    """True for a node that is made already and is only tested or loaded by the plan."""
    return not any(step.node == name and step.action in {"build", "compose"} for step in plan.steps)
