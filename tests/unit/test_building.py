"""``build`` starts nothing that cannot end; ``load``: images go to the engine, and the store remembers it."""

from __future__ import annotations

import threading
from functools import cached_property, partial
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.process import Never
from buildgraph.app.building import load_images
from buildgraph.app.planning import plan_targets
from buildgraph.errors import EnvironmentFault, ExitCode, Interrupted
from buildgraph.plan import Wishes
from buildgraph.record import LOADED, name_load
from tests.fakes.engine import BreakingEngine
from tests.fakes.equipped import FakeEquipment
from tests.fakes.sample import TEST

if TYPE_CHECKING:
    from buildgraph.ports import Cancel
    from tests.fakes.sample import Sample

PLAIN = name_load("sample/plain:1")
NETWORKED = """\
layer: made
kind: dockerfile
stage: intermediate
description: Made by steps
test_on: [base]
network: it fetches what go.sum pins
"""
OTHER = f"sha256:{'e' * 64}"


class BreakingEquipment(FakeEquipment):
    """Its engine breaks off every load."""

    @cached_property
    def engine(self) -> BreakingEngine:  # type: ignore[override]
        return BreakingEngine(self._session.store)


@pytest.fixture
def built(sample: Sample) -> Sample:
    sample.build("all")
    sample.plant_verdicts("all")
    return sample


def load(
    sample: Sample, *targets: str, equipment: type[FakeEquipment] = FakeEquipment, cancel: Cancel | None = None
) -> tuple[str, ...]:
    session = sample.session()
    planned = plan_targets(session, targets, wishes=Wishes(load=False))
    assert planned.plan.steps == ()
    return load_images(session, planned, cancel=cancel or Never(), equip=partial(equipment, results={}))


def remembered(sample: Sample) -> dict[str, str]:
    store = sample.session().store
    return {name: store.read(LOADED, name) or "" for name in store.names(LOADED)}


def to_do(sample: Sample, *targets: str) -> list[str]:
    return [step.id for step in plan_targets(sample.session(), targets, wishes=Wishes()).plan.steps]


def digest_of(sample: Sample, node: str) -> str:
    return plan_targets(sample.session(), [node], wishes=Wishes()).records[node].digest


def test_offline_a_layer_whose_steps_use_the_network_is_refused_before_anything_starts(sample: Sample) -> None:
    sample.write("manifests/layers/made.yaml", NETWORKED)
    sample.write("layers/made/Dockerfile", "FROM scratch\n")
    sample.write("layers/made/test_made.py", TEST)
    ended = sample.call("--offline", "build", "base", "made", "--no-test", "--no-load", "--progress", "quiet")
    assert ended.code == ExitCode.ENVIRONMENT
    assert "made (its steps use the network)" in ended.err
    assert not (sample.store / "runs").exists()


def test_a_build_after_a_load_has_nothing_to_do(built: Sample) -> None:
    assert to_do(built, "all") == ["load:app-1", "load:plain"]
    assert load(built, "plain", "base") == ("sample/plain:1",)
    assert remembered(built) == {PLAIN: digest_of(built, "plain") + " engine-1\n"}
    assert to_do(built, "all") == ["load:app-1"]
    assert load(built, "all") == ("sample/app:1", "sample/plain:1")
    assert to_do(built, "all") == []


def test_a_load_that_was_stopped_or_broke_is_forgotten_whatever_was_loaded_before(built: Sample) -> None:
    load(built, "plain")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        load(built, "plain", cancel=stop)
    assert to_do(built, "plain") == ["load:plain"]
    built.session().store.write(LOADED, PLAIN, OTHER)
    with pytest.raises(EnvironmentFault):
        load(built, "plain", equipment=BreakingEquipment)
    assert remembered(built) == {}
    assert to_do(built, "plain") == ["load:plain"]


def test_images_that_were_loaded_before_one_broke_stay_loaded(built: Sample) -> None:
    load(built, "plain")
    with pytest.raises(EnvironmentFault):
        load(built, "app", "plain", equipment=BreakingEquipment)
    assert list(remembered(built)) == [PLAIN]


def test_another_state_is_loaded_over_an_earlier_one(built: Sample) -> None:
    built.session().store.write(LOADED, PLAIN, OTHER + "\n")
    load(built, "plain")
    assert remembered(built) == {PLAIN: digest_of(built, "plain") + " engine-1\n"}
