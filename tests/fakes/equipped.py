"""A sample project with layers of layers, built without an engine: what needs Docker or another machine is a fake."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, partial
from typing import TYPE_CHECKING

from buildgraph.adapters.process import Never
from buildgraph.app.building import RunOptions, run_plan
from buildgraph.app.equipment import Equipment
from buildgraph.app.planning import plan_targets
from buildgraph.model import Kind
from buildgraph.plan import Wishes
from tests.fakes.builders import FakeBuilder
from tests.fakes.engine import FakeEngine
from tests.fakes.fetcher import FakeFetcher
from tests.fakes.probe import FakeProbe
from tests.fakes.sample import TEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.app.session import Session
    from buildgraph.history import Result
    from buildgraph.model import TestCounts
    from buildgraph.ports import LayerBuilder
    from tests.fakes.sample import Sample

DRIVER = "maven:org.example:driver:42.7"
LOCK_FILE = "manifests/buildgraph.lock"

# ``deep`` is made of ``runtime`` alone, which is built from ``tool`` and a driver.
DEEP = {
    "manifests/layers/runtime.yaml": """\
layer: runtime
kind: dockerfile
stage: intermediate
description: A program and its driver
parents: [tool]
sources: {driver: "maven:org.example:driver:42.7.*"}
args: {MODE: "slow"}
""",
    "manifests/images/deep.yaml": """\
image: deep
description: The program with its driver
layers: [runtime]
config: {labels: {org.example.team: "blue"}}
repository: sample/deep
tags: ["1"]
""",
    "layers/runtime/Dockerfile": "FROM scratch\n",
    "layers/runtime/test_runtime.py": TEST,
    "layers/deep/test_deep.py": TEST,
}


class FakeEquipment(Equipment):
    """The program's equipment with a fake engine, fake tests, a fake BuildKit and a world of two drivers."""

    def __init__(self, session: Session, *, results: Mapping[str, TestCounts], **ports: object) -> None:
        super().__init__(session, **ports)  # type: ignore[arg-type]
        self._results = results

    @cached_property
    def fetcher(self) -> FakeFetcher:  # type: ignore[override]
        contents = {name: name.encode() for name in (f"{DRIVER}.8", f"{DRIVER}.13")}
        return FakeFetcher(self._session.store.sources, contents)

    @cached_property
    def engine(self) -> FakeEngine:  # type: ignore[override]
        return FakeEngine(self._session.store)

    @cached_property
    def probe(self) -> FakeProbe:  # type: ignore[override]
        return FakeProbe(results=dict(self._results))

    @cached_property
    def builders(self) -> Mapping[Kind, LayerBuilder]:
        return {**super().builders, Kind.DOCKERFILE: FakeBuilder(self._session.store)}

    def close(self) -> None:
        """Nothing is open."""


def deepen(sample: Sample) -> None:
    """Add ``runtime`` and ``deep``, with the driver 42.7.8 locked."""
    for path, text in DEEP.items():
        sample.write(path, text)
    lock_driver(sample, "42.7.8")


def lock_driver(sample: Sample, version: str) -> None:
    """Write a lock with this version of the driver."""
    coordinate = f"maven:org.example:driver:{version}"
    artifact = {
        "coordinate": coordinate,
        "file": f"driver-{version}.jar",
        "sha256": hashlib.sha256(coordinate.encode()).hexdigest(),
        "size": len(coordinate),
    }
    driver = {"request": ["maven:org.example:driver:42.7.*"], "artifacts": [artifact]}
    sample.write(LOCK_FILE, json.dumps({"lock": 1, "nodes": {"runtime": {"driver": driver}}}))


def carry_out(
    sample: Sample,
    *targets: str,
    force: tuple[str, ...] = (),
    test: bool = True,
    load: bool = False,
    results: Mapping[str, TestCounts] | None = None,
) -> Result:
    """What ``buildgraph build`` does. ``results``: how the tests of nodes end; the others pass."""
    session = sample.session()
    planned = plan_targets(session, targets, wishes=Wishes(test=test, load=load), force=force)
    equip = partial(FakeEquipment, results=results or {})
    result, _records = run_plan(
        session, planned, RunOptions(jobs=1), emit=lambda _event: None, cancel=Never(), equip=equip
    )
    return result
