"""Mistakes are made wherever a schema could let one through."""

from __future__ import annotations

import pytest

from tests.charts.gates.mistakes import (
    NO_CHOICE,
    NO_MATCH,
    find_unrefused,
    make_mismatches,
    make_typos,
    make_wrong_choices,
    make_wrong_types,
    nest,
)

CLOSED = {"type": "object", "additionalProperties": False}
SCHEMA = {
    **CLOSED,
    "definitions": {"memory": {"type": "string", "pattern": "^[0-9]+g$"}},
    "properties": {
        "mode": {"type": "string", "enum": ["a", "b"]},
        "connect": {
            **CLOSED,
            "properties": {
                "memory": {"$ref": "#/definitions/memory"},
                "replicas": {"type": "integer"},
                "names": {"type": "array"},
                "both": {"type": ["string", "number"]},
            },
        },
        "free": {"type": "object"},
    },
}


def test_mistakes_are_made_everywhere() -> None:
    assert make_typos(SCHEMA) == {"tpyo": True, "connect.tpyo": True}
    assert make_wrong_choices(SCHEMA) == {"mode": NO_CHOICE}
    assert make_mismatches(SCHEMA) == {"connect.memory": NO_MATCH}
    assert make_wrong_types(SCHEMA) == {
        "mode": ["wrong"],
        "connect.memory": ["wrong"],
        "connect.replicas": "wrong",
        "connect.names": "wrong",
        "connect.both": ["wrong"],
        "free": "wrong",
    }


def test_paths_become_values() -> None:
    assert nest({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}


OLD = """
- (root): Additional property tpyo is not allowed
- connect: Additional property tpyo is not allowed
- mode: mode must be one of the following: "a", "b"
"""
NEW = """
- at '': additional properties 'tpyo' not allowed
- at '/connect': validation failed
  - at '/connect': additional properties 'tpyo' not allowed
- at '/mode': value must be one of 'a', 'b'
"""


@pytest.mark.parametrize("output", [OLD, NEW], ids=["3", "4"])
def test_both_helms_are_understood(output: str) -> None:
    paths = ["tpyo", "connect.tpyo", "mode"]
    assert find_unrefused(paths, output) == []
    assert find_unrefused([*paths, "connect.memory", "free.tpyo"], output) == [
        "connect.memory is taken",
        "free.tpyo is taken",
    ]
