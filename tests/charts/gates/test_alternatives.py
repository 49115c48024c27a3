"""Alternatives are of every form that a schema takes."""

from __future__ import annotations

import jsonschema_rs
import pytest

from tests.charts.gates.alternatives import alternatives

LABELS = {"type": "object", "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(
    ("node", "default"),
    [
        ({"type": "boolean"}, True),
        ({"type": "integer", "minimum": 1, "maximum": 2}, 2),
        ({"type": "number", "maximum": 1}, 0.25),
        ({"type": "string"}, ""),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"type": "string", "pattern": "^[1-9][0-9]*[kmgt]$"}, "1g"),
        ({"type": "string", "pattern": "^([1-9][0-9]*Gi)?$"}, ""),
        ({"type": "string", "pattern": "^(sha256:[a-f0-9]{64})?$"}, ""),
        ({"type": "string", "pattern": "^(https?://[^ ]+)?$"}, ""),
        ({"type": ["string", "number"]}, 1),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "array", "items": {"type": "object"}}, []),
        ({"type": "array"}, []),
        (LABELS, {}),
        ({"type": "object", "propertyNames": {"pattern": "^spark\\."}}, {}),
        ({"type": "string", "pattern": "^(spark://[^ ]+)?$"}, ""),
        ({"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"}, "4.1.1"),
        ({"type": "object"}, {}),
        ({"type": "object", "properties": {"nodeSelector": LABELS}, "additionalProperties": False}, {}),
    ],
)
def test_there_is_one_that_the_schema_takes(node: dict[str, object], default: object) -> None:
    validator = jsonschema_rs.Draft7Validator(node)
    taken = [each for each in alternatives(node, node, default) if validator.is_valid(each)]
    assert taken
    assert default not in taken


def test_the_number_shows() -> None:
    for node in ({"type": "string"}, {"type": "integer"}, {"type": "array"}, {"type": "object"}, LABELS):
        assert "7123" in str(next(alternatives(node, node, None, 7123)))
