"""Bit rot: one random bit of one random file of a store is flipped; ``verify`` must find it, no build may be misled."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.app.auditing import audit_store
from buildgraph.app.building import RunOptions, run_plan
from buildgraph.app.planning import plan_targets
from buildgraph.plan import Wishes
from tests.fakes.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.app.session import Session

WISHES = Wishes(test=False, load=False)
_IN_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """``detected``: the flips that ``verify`` found; ``wrong``: those after which a build gave other digests."""

    rounds: int
    detected: int
    wrong: int
    missed: tuple[str, ...] = ()


def flip_random_bit(store: Path, rng: random.Random) -> str:
    """Flip one bit of one file of the store that has content; the file's path in the store."""
    files = sorted(path for path in store.rglob("*") if path.is_file() and path.stat().st_size)
    path = rng.choice(files)
    data = bytearray(path.read_bytes())
    bit = rng.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    return path.relative_to(store).as_posix()


def run(count: int, seed: int) -> Counts:
    """Flip ``count`` bits, each in a fresh copy of one store, then verify, then plan and build."""
    rng = random.Random(seed)
    missed: list[str] = []
    wrong = 0
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder, pytest.MonkeyPatch.context() as monkeypatch:
        sample = make_sample(Path(folder), monkeypatch)
        session = sample.session()
        right = build(session)
        sample.plant_verdicts("all")
        sample.plant_loads("all")
        copy = Path(folder) / "copy"
        for _ in range(count):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(sample.store, copy)
            flipped = flip_random_bit(copy, rng)
            if not audit_store(LayoutStore(copy), progress=lambda _done, _total: None, cancel=Never()).wrong:
                missed.append(flipped)
            wrong += build(replace(session, store=LayoutStore(copy))) != right
    return Counts(rounds=count, detected=count - len(missed), wrong=wrong, missed=tuple(missed))


def build(session: Session) -> Mapping[str, str]:
    """Plan and build everything; the digest of each node."""
    planned = plan_targets(session, ("all",), wishes=WISHES)
    records = planned.records
    if planned.plan.steps:
        result, records = run_plan(session, planned, RunOptions(jobs=1), emit=lambda _event: None, cancel=Never())
        assert not result.failed, result.failed
    return {name: record.digest for name, record in records.items()}
