from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from buildgraph.history import RUN_FILE, format_run, parse_run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sample import Sample


def run_files(sample: Sample) -> list[Path]:
    return sorted((sample.store / "runs").glob(f"*/{RUN_FILE}"))


def test_a_run_is_kept_with_its_steps_nodes_and_key_documents(sample: Sample) -> None:
    sample.build("plain")
    (file,) = run_files(sample)
    run = parse_run(file.read_text())
    assert run is not None
    assert run.targets == ("plain",)
    assert [step.id for step in run.steps] == ["build:base", "build:extra", "compose:plain"]
    assert {step.outcome for step in run.steps} == {"done"}
    assert all(node.digest for node in run.nodes)
    assert set(run.documents) == {"base", "extra", "plain"}
    assert parse_run(format_run(run)) == run


def test_values_that_a_person_wrote_are_kept_as_hashes(sample: Sample) -> None:
    sample.edit("manifests/layers/base.yaml", 'env: {BASE: "1"}', 'env: {BASE: "canary-5e1f"}')
    sample.build("plain")
    kept = [path.read_bytes() for path in sample.store.rglob("*.json") if "blobs" not in path.parts]
    assert kept
    assert not [text for text in kept if b"canary-5e1f" in text]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "run": "a"}'])
def test_fault_15_what_is_no_run_of_this_format_is_none(text: str) -> None:
    assert parse_run(text) is None


def test_a_run_of_before_there_were_refusals_refused_nothing(sample: Sample) -> None:
    sample.build("plain")
    body = json.loads(run_files(sample)[0].read_text())
    assert body.pop("refused") == []
    run = parse_run(json.dumps(body))
    assert run is not None
    assert run.refused == ()


def test_a_run_with_a_malformed_step_is_none(sample: Sample) -> None:
    sample.build("plain")
    body = json.loads(run_files(sample)[0].read_text())
    body["steps"][0]["skipped"] = [1]
    assert parse_run(json.dumps(body)) is None
