"""Fields: each getter takes what it understands, reports what it does not, and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.forms import REASON, TAG, VARIABLE
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.fields import Fields, is_inside, is_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Location


class Reading:
    """The fields of a text, with what they complain about; strings come out in capitals."""

    def __init__(self, text: str) -> None:
        self.errors: list[BuildgraphError] = []
        self.fields = Fields(parse_document(text, "f.yaml"), "f.yaml", "", self.errors, self.render)

    @property
    def complaints(self) -> list[str]:
        return [str(error) for error in self.errors]

    @staticmethod
    def render(text: str, location: Location) -> str:
        assert location.file == "f.yaml"
        return text.upper() if text.startswith("{{") else text


GETTERS: dict[str, Callable[[Fields], object]] = {
    "text": lambda fields: fields.text("k"),
    "name": lambda fields: fields.name("k"),
    "choice": lambda fields: fields.choice("k", ("a", "b")),
    "integer": lambda fields: fields.integer("k"),
    "flag": lambda fields: fields.flag("k"),
    "size": lambda fields: fields.size("k"),
    "mode": lambda fields: fields.mode("k"),
    "owner": lambda fields: fields.owner("k"),
    "texts": lambda fields: fields.texts("k"),
    "integers": lambda fields: fields.integers("k", 1, 65535),
    "mapping": lambda fields: fields.mapping("k"),
    "lists": lambda fields: fields.lists("k"),
    "tags": lambda fields: fields.texts("k", form=TAG, least=1),
    "variables": lambda fields: fields.mapping("k", keys=VARIABLE),
    "reasons": lambda fields: fields.mapping("k", form=REASON),
}


@pytest.mark.parametrize(
    ("getter", "text", "value"),
    [
        ("text", "word", "word"),
        ("text", "'3.10'", "3.10"),
        ("text", "''", ""),
        ("text", "'{{up}}'", "{{UP}}"),
        ("name", "spark-4.1", "spark-4.1"),
        ("choice", "b", "b"),
        ("integer", "0", 0),
        ("integer", "1767225600", 1767225600),
        ("flag", "true", True),
        ("flag", "false", False),
        ("size", "60 MB", 60_000_000),
        ("size", "1.5 GB", 1_500_000_000),
        ("size", "2 kB", 2000),
        ("mode", "'0755'", 0o755),
        ("mode", "'01777'", 0o1777),
        ("owner", "'185:0'", (185, 0)),
        ("texts", "[a, 'b']", ("a", "b")),
        ("texts", "[]", ()),
        ("integers", "[80, 443]", (80, 443)),
        ("mapping", "{a: x, b: 'y'}", {"a": "x", "b": "y"}),
        ("mapping", "{}", {}),
        ("lists", "{PATH: [/a, /b]}", {"PATH": ("/a", "/b")}),
    ],
)
def test_what_is_well_written_is_taken_without_complaint(getter: str, text: str, value: object) -> None:
    reading = Reading(f"k: {text}")
    assert GETTERS[getter](reading.fields) == value
    reading.fields.finish()
    assert reading.complaints == []


@pytest.mark.parametrize(
    ("getter", "text", "line"),
    [
        ("text", "3.10", 'f.yaml:1 (k): 3.10 is not a string to YAML; quote it: "3.10"'),
        ("text", "", 'f.yaml:1 (k): an empty value is not a string to YAML; quote it: ""'),
        ("text", "[a]", "f.yaml:1 (k): a string is wanted here"),
        ("name", "Up", "f.yaml:1 (k): 'Up' is not a name; use lower-case letters, digits, '-' and '.', at most 100"),
        (
            "name",
            "a..b",
            "f.yaml:1 (k): 'a..b' is not a name; use lower-case letters, digits, '-' and '.', at most 100",
        ),
        ("name", "''", "f.yaml:1 (k): '' is not a name; use lower-case letters, digits, '-' and '.', at most 100"),
        ("choice", "c", "f.yaml:1 (k): 'c' is none of a, b"),
        ("choice", "3", 'f.yaml:1 (k): 3 is not a string to YAML; quote it: "3"'),
        ("integer", "'7'", "f.yaml:1 (k): a whole number is wanted here"),
        ("integer", "-7", "f.yaml:1 (k): a whole number is wanted here"),
        ("integer", "007", "f.yaml:1 (k): a whole number is wanted here"),
        ("integer", "1e3", "f.yaml:1 (k): a whole number is wanted here"),
        ("integer", "9999999999999", "f.yaml:1 (k): a whole number is wanted here"),
        ("flag", "yes", "f.yaml:1 (k): true or false is wanted here"),
        ("flag", "'true'", "f.yaml:1 (k): true or false is wanted here"),
        ("size", "60MB", "f.yaml:1 (k): '60MB' is not a size; write it like 60 MB"),
        ("size", "60 MiB", "f.yaml:1 (k): '60 MiB' is not a size; write it like 60 MB"),
        ("size", "-1 MB", "f.yaml:1 (k): '-1 MB' is not a size; write it like 60 MB"),
        ("size", "60", 'f.yaml:1 (k): 60 is not a string to YAML; quote it: "60"'),
        ("mode", "0755", 'f.yaml:1 (k): 0755 is not a string to YAML; quote it: "0755"'),
        ("mode", "'755'", "f.yaml:1 (k): '755' is not a file mode; write it like \"0755\", in quotes"),
        ("mode", "'0789'", "f.yaml:1 (k): '0789' is not a file mode; write it like \"0755\", in quotes"),
        ("mode", "u+x", "f.yaml:1 (k): 'u+x' is not a file mode; write it like \"0755\", in quotes"),
        ("owner", "root", "f.yaml:1 (k): 'root' is not a numeric owner; write it like \"185:0\", in quotes"),
        ("owner", "'185'", "f.yaml:1 (k): '185' is not a numeric owner; write it like \"185:0\", in quotes"),
        ("texts", "a", "f.yaml:1 (k): a list is wanted here"),
        ("texts", "[a, 1]", 'f.yaml:1 (k[1]): 1 is not a string to YAML; quote it: "1"'),
        ("texts", "[[a]]", "f.yaml:1 (k[0]): a string is wanted here"),
        ("integers", "80", "f.yaml:1 (k): a list of whole numbers is wanted here"),
        ("integers", "['80']", "f.yaml:1 (k): a list of whole numbers is wanted here"),
        ("integers", "[80, {}]", "f.yaml:1 (k): a list of whole numbers is wanted here"),
        ("mapping", "[a]", "f.yaml:1 (k): a mapping is wanted here"),
        ("mapping", "{a: 1}", 'f.yaml:1 (k.a): 1 is not a string to YAML; quote it: "1"'),
        ("mapping", "{a: {b: c}}", "f.yaml:1 (k.a): a string is wanted here"),
        ("lists", "{PATH: /a}", "f.yaml:1 (k.PATH): a list is wanted here"),
        ("integers", "[80, 0]", "f.yaml:1 (k): 0 is not between 1 and 65535"),
        ("integers", "[65536]", "f.yaml:1 (k): 65536 is not between 1 and 65535"),
        ("size", "9999999999 GB", "f.yaml:1 (k): '9999999999 GB' is not a size; write it like 60 MB"),
        ("size", "６０ MB", "f.yaml:1 (k): '６０ MB' is not a size; write it like 60 MB"),  # noqa: RUF001
        ("owner", "'１:0'", "f.yaml:1 (k): '１:0' is not a numeric owner; write it like \"185:0\", in quotes"),  # noqa: RUF001
        ("tags", "[a, 'b c']", "f.yaml:1 (k[1]): 'b c' is not a tag; letters, digits, '_', '.' and '-', at most 128"),
        ("tags", "['']", "f.yaml:1 (k[0]): '' is not a tag; letters, digits, '_', '.' and '-', at most 128"),
        ("tags", "[]", "f.yaml:1 (k): the list is empty; write at least one entry"),
        (
            "variables",
            "{A-B: x}",
            "f.yaml:1 (k.A-B): 'A-B' is not the name of a variable; use letters, digits and '_', and no digit first",
        ),
        ("reasons", "{A: ' '}", "f.yaml:1 (k.A): ' ' is not a reason; say why"),
    ],
)
def test_what_is_not_is_answered_with_one_line(getter: str, text: str, line: str) -> None:
    reading = Reading(f"k: {text}")
    GETTERS[getter](reading.fields)
    reading.fields.finish()
    assert reading.complaints == [line]


def test_the_closest_key_is_named() -> None:
    reading = Reading("descripton: x\nkind: y\n")
    reading.fields.text("description", "")
    reading.fields.text("kind")
    reading.fields.finish()
    assert reading.complaints == ["f.yaml:1 (descripton): unknown key 'descripton'; did you mean description?"]


def test_a_place_and_what_was_written_stay_short_and_on_one_line() -> None:
    reading = Reading(f'"a\\nb": x\n{"k" * 200}: x\nk: {"V" * 200}\n')
    reading.fields.name("k")
    reading.fields.finish()
    assert reading.complaints == [
        (
            f"f.yaml:3 (k): {'V' * 80!r}… (200 characters) is not a name; use lower-case letters, digits, '-' and '.', "
            "at most 100"
        ),
        "f.yaml:1 (a\\nb): unknown key 'a\\nb'; known here: k",
        f"f.yaml:2 ({'k' * 60}…): unknown key {'k' * 80!r}… (200 characters); known here: k",
    ]


def test_a_key_that_has_no_place_here_is_refused_with_the_reason() -> None:
    reading = Reading("a: x\n")
    reading.fields.refuse("a", "no a here", "write b")
    reading.fields.refuse("c", "no c here", "write d")
    reading.fields.finish()
    assert reading.complaints == ["f.yaml:1 (a): no a here; write b"]


@pytest.mark.parametrize("getter", ["text", "name", "choice", "integer", "tags"])
def test_what_is_required_and_missing_is_told_once(getter: str) -> None:
    reading = Reading("other: x")
    GETTERS[getter](reading.fields)
    assert reading.complaints == ["f.yaml:1: the key 'k' is missing"]


@pytest.mark.parametrize(
    ("getter", "value"),
    [
        ("flag", False),
        ("size", None),
        ("mode", None),
        ("owner", (0, 0)),
        ("texts", ()),
        ("integers", ()),
        ("mapping", {}),
        ("lists", {}),
    ],
)
def test_what_may_be_missing_has_a_default(getter: str, value: object) -> None:
    reading = Reading("other: x")
    assert GETTERS[getter](reading.fields) == value
    assert reading.complaints == []


def test_defaults_that_are_given_are_taken() -> None:
    fields = Reading("other: x").fields
    assert fields.text("k", "d") == "d"
    assert fields.name("k", "") == ""
    assert fields.choice("k", ("a", "b"), "b") == "b"


def test_keys_that_nobody_asked_for_are_reported_with_those_that_are_known() -> None:
    reading = Reading("a: x\nc: y\nd: z\n")
    reading.fields.text("a")
    reading.fields.text("b", "")
    reading.fields.finish()
    assert reading.complaints == [
        "f.yaml:2 (c): unknown key 'c'; known here: a, b",
        "f.yaml:3 (d): unknown key 'd'; known here: a, b",
    ]


def test_nested_fields_know_their_path_and_line() -> None:
    reading = Reading("a:\n  b:\n    - c: x\n    - d\n    - c: 1\n")
    inner = reading.fields.fields("a")
    assert inner is not None
    entries = list(inner.sequence("b"))
    assert [str(entry.location("c")) for entry in entries] == ["f.yaml:3 (a.b[0].c)", "f.yaml:5 (a.b[2].c)"]
    assert [entry.text("c") for entry in entries] == ["x", ""]
    assert reading.complaints == [
        "f.yaml:4 (a.b[1]): a mapping is wanted here",
        'f.yaml:5 (a.b[2].c): 1 is not a string to YAML; quote it: "1"',
    ]


def test_a_sequence_or_a_mapping_that_is_none_is_reported() -> None:
    reading = Reading("a: x\nb: y\n")
    assert list(reading.fields.sequence("a")) == []
    assert reading.fields.fields("b") is None
    assert list(reading.fields.sequence("c")) == []
    assert reading.complaints == ["f.yaml:1 (a): a list is wanted here", "f.yaml:2 (b): a mapping is wanted here"]


def test_a_key_is_sound_until_a_mistake_in_it_is_found() -> None:
    fields = Reading("a: 1\nb: x\n").fields
    assert fields.is_sound("a")
    fields.text("a")
    fields.text("b")
    assert not fields.is_sound("a")
    assert fields.is_sound("b")
    assert fields.is_sound("c")


@pytest.mark.parametrize("text", ["a", "0", "spark-core-4.1.1", "python-3.10", "a.b", "x" * 100])
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", "A", "-a", ".a", "a..b", "..", "a/b", "a b", "a_b", "ü", "a\n", "$(id)", "x" * 101]
)
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize("path", ["a", "a/b.sh", ".hidden", "a/", "..a"])
def test_paths_that_stay_inside(path: str) -> None:
    assert is_inside(path)


@pytest.mark.parametrize("path", ["", "/", "/a", "..", "../a", "a/../b", "a/..", "./a", "a//b", "."])
def test_paths_that_do_not(path: str) -> None:
    assert not is_inside(path)
