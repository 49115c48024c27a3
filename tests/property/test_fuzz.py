"""Damaged texts of every kind that people write: a value or our own error comes out, and schemas refuse no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildgraph.app.schemas import make_schemas
from tests.faults.fuzz import SUBJECTS, make_case, run, try_case

if TYPE_CHECKING:
    from random import Random

VALIDATORS = {name: jsonschema_rs.validator_for(schema) for name, schema in make_schemas().items()}
QUICK = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def schema_of(subject: str) -> str:
    """The kind of file that a subject of the fuzzing is."""
    folder, _, file = subject.removeprefix("manifests/").rpartition("/")
    return folder.removesuffix("s") or file.partition(".")[0]


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_sound_text_is_taken(name: str) -> None:
    assert try_case(SUBJECTS[name], SUBJECTS[name].text)


@pytest.mark.parametrize("name", SUBJECTS)
@given(chance=st.randoms(use_true_random=False))
@QUICK
def test_fault_32_a_damaged_text_gives_a_value_or_our_own_error(name: str, chance: Random) -> None:
    text = make_case(chance, SUBJECTS[name])
    taken = try_case(SUBJECTS[name], text)
    if taken and schema_of(name) in VALIDATORS:
        document = json.loads(text) if text.lstrip().startswith("{\n") else yaml.safe_load(text)
        assert list(VALIDATORS[schema_of(name)].iter_errors(document)) == []


def test_fault_32_many_cases_stay_within_memory_and_time() -> None:
    figure = run(cases=1500, seed=7)
    assert figure.ok, figure.result
    assert figure.result.startswith("1500 cases, 0 tracebacks, ")
