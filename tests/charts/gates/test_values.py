"""The checks of values and schema see keys that one of them has alone, open objects, and presets that set others."""

from __future__ import annotations

import pytest

from tests.charts.gates.values import (
    find_drift,
    find_idle,
    find_missing_parents,
    find_open,
    find_unknown,
    laid,
    leaves,
    mentioned,
    walk_schema,
    walk_values,
)

TEXT = {"type": "string", "description": "x"}
CLOSED = {"type": "object", "additionalProperties": False}
SCHEMA = {
    **CLOSED,
    "definitions": {"image": {**CLOSED, "properties": {"tag": TEXT, "digest": TEXT}}},
    "properties": {
        "global": {"type": "object", "properties": {"imageRegistry": TEXT}},
        "enabled": {"type": "boolean"},
        "image": {"$ref": "#/definitions/image", "description": "x"},
        "connect": {"allOf": [{**CLOSED, "properties": {"memory": TEXT}}], "description": "x"},
        "sparkConf": {"type": "object", "description": "x"},
    },
}
VALUES = {
    "global": {"imageRegistry": ""},
    "image": {"tag": "1", "digest": ""},
    "connect": {"memory": "1g"},
    "sparkConf": {"spark.x": "y"},
}


def test_values_that_agree_with_their_schema_pass() -> None:
    assert find_drift(VALUES, SCHEMA) == []
    assert find_open(SCHEMA) == []
    assert find_missing_parents(SCHEMA) == []
    assert {path for path, _ in walk_values(VALUES, SCHEMA)} == set(walk_schema(SCHEMA)) - {"enabled"}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({**VALUES, "extra": 1}, "extra is in values, not in the schema"),
        ({**VALUES, "image": {"tag": "1", "digest": "", "name": ""}}, "image.name is in values, not in the schema"),
        ({**VALUES, "connect": {"memroy": "1g"}}, "connect.memroy is in values, not in the schema"),
        ({key: value for key, value in VALUES.items() if key != "image"}, "image is in the schema, not in values"),
    ],
)
def test_a_key_that_one_of_them_has_alone_is_seen(values: dict[str, object], problem: str) -> None:
    assert problem in find_drift(values, SCHEMA)


def test_what_is_empty_or_a_block_may_leave_keys_out() -> None:
    assert find_drift({**VALUES, "connect": {}, "image": {"tag": "1"}}, SCHEMA) == []


def test_a_key_without_a_description_is_seen() -> None:
    schema = {"properties": {"a": {"type": "string"}}}
    assert find_drift({"a": ""}, schema) == ["a is not described"]


def test_what_helm_adds_for_a_dependency_needs_no_default() -> None:
    schema = {"properties": {"library": {"type": "object", "description": "x"}}}
    assert find_drift({}, schema) == ["library is in the schema, not in values"]
    assert find_drift({}, schema, frozenset({"library"})) == []


def test_an_object_that_takes_any_key_is_seen() -> None:
    assert find_open({"properties": {"a": TEXT}}) == ["the root takes keys that it does not name"]
    nested = {**CLOSED, "properties": {"a": {"properties": {"b": TEXT}}}}
    assert find_open(nested) == ["a takes keys that it does not name"]


def test_a_schema_that_forbids_subcharts_is_seen() -> None:
    assert find_missing_parents({"properties": {"global": {}}}) == ["enabled is not taken, as a subchart must"]


@pytest.mark.parametrize(
    ("overlay", "problems"),
    [
        ({"image": {"tag": "2"}, "sparkConf": {"spark.any": 1}, "global": {"any": 1}}, []),
        ({"imag": {}}, ["imag is no key of the chart"]),
        ({"image": {"name": "x"}}, ["image.name is no key of the chart"]),
        ({"connect": {"memroy": "1g"}}, ["connect.memroy is no key of the chart"]),
    ],
)
def test_a_preset_that_sets_an_unknown_key_is_seen(overlay: dict[str, object], problems: list[str]) -> None:
    assert find_unknown(overlay, SCHEMA) == problems


def test_a_preset_that_says_what_holds_anyway_is_seen() -> None:
    assert find_idle({"connect": {"memory": "1g"}}, VALUES) == ["connect.memory is the default"]
    assert find_idle({"connect": {"memory": "2g"}}, VALUES) == []


def test_a_whole_path_in_a_template_is_a_mention() -> None:
    templates = ["{{ .Values.image.tag }} {{ $.Values.connect }}"]
    assert mentioned(["image.tag", "connect", "connect.memory", "image"], templates) == {"image.tag", "connect"}


def test_leaves_are_what_has_nothing_below() -> None:
    assert list(leaves({"a": {"b": 1, "c": {}}, "d": []})) == [("a.b", 1), ("a.c", {}), ("d", [])]


def test_values_are_laid_over_each_other() -> None:
    assert laid([{"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": []}]) == {"a": {"b": 3, "c": 2}, "d": []}
