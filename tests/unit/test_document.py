"""YAML documents: trees that know their lines, and nothing read otherwise than it was written."""

from __future__ import annotations

import pytest
import yaml

from buildgraph.errors import ManifestError
from buildgraph.manifest.document import (
    MAX_BYTES,
    MAX_DEPTH,
    YamlMapping,
    YamlScalar,
    YamlSequence,
    count_values,
    parse_document,
)


def value_of(text: str) -> YamlScalar:
    """The scalar in ``key: <text>``."""
    ((_, value),) = parse_document(f"key: {text}\n", "f.yaml").items
    assert isinstance(value, YamlScalar)
    return value


def complaint(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_document(text, "f.yaml")
    return str(caught.value)


def nested(depth: int) -> str:
    return f"key: {'[' * (depth - 1)}{']' * (depth - 1)}\n"


def test_a_document_is_a_tree_with_the_lines_of_its_values() -> None:
    assert parse_document("a: 1\n# note\nb:\n  - x\n  - {c: 'y'}\n", "f.yaml") == YamlMapping(
        (
            (YamlScalar("a", plain=True, line=1), YamlScalar("1", plain=True, line=1)),
            (
                YamlScalar("b", plain=True, line=3),
                YamlSequence(
                    (
                        YamlScalar("x", plain=True, line=4),
                        YamlMapping(((YamlScalar("c", plain=True, line=5), YamlScalar("y", plain=False, line=5)),), 5),
                    ),
                    4,
                ),
            ),
        ),
        1,
    )


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("word", "str"),
        ("4.1.1", "str"),
        ("42.7.*", "str"),
        ("maven:g:a:1", "str"),
        ("3.10", "float"),
        ("1e3", "str"),
        (".inf", "float"),
        ("7", "int"),
        ("0755", "int"),
        ("0x1f", "int"),
        ("1_000", "int"),
        ("185:0", "int"),
        ("true", "bool"),
        ("no", "bool"),
        ("off", "bool"),
        ("null", "null"),
        ("~", "null"),
        ("", "null"),
        ("2026-01-01", "timestamp"),
        ("=", "value"),
        ("<<", "merge"),
    ],
)
def test_a_plain_scalar_keeps_its_text_and_knows_what_others_would_read(text: str, tag: str) -> None:
    value = value_of(text)
    assert (value.text, value.tag, value.plain) == (text, tag, True)


@pytest.mark.parametrize("text", ["3.10", "no", "~", "185:0", "2026-01-01", ""])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_scalar_is_a_string(text: str, quote: str) -> None:
    value = value_of(f"{quote}{text}{quote}")
    assert (value.text, value.tag) == (text, "str")


def test_block_scalars_are_strings_with_their_line_ends() -> None:
    assert value_of("|\n  3.10\n  x\n").text == "3.10\nx\n"
    assert value_of("|\n  3.10\n").tag == "str"
    assert value_of(">-\n  a\n  b\n").text == "a b"


def test_line_ends_of_other_systems_are_read() -> None:
    assert parse_document("a: x\r\nb: y\r\n", "f.yaml") == parse_document("a: x\nb: y\n", "f.yaml")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "f.yaml:1: the document must be a mapping"),
        ("# only a note\n", "f.yaml:1: the document must be a mapping"),
        ("- a\n", "f.yaml:1: the document must be a mapping"),
        ("word\n", "f.yaml:1: the document must be a mapping"),
        ("a: x\na: y\n", "f.yaml:2: the key 'a' stands already in line 1"),
        ("a: {b: 1, c: 2,\n b: 3}\n", "f.yaml:2: the key 'b' stands already in line 1"),
        ("a: x\n'a': y\n", "f.yaml:2: the key 'a' stands already in line 1"),
        ("? {a: b}\n: c\n", "f.yaml:1: a key must be a plain word or a string"),
        ("a: x\n---\nb: y\n", "f.yaml:2: one document a file, please; split it"),
        ("a: &x 1\nb: 2\n", "f.yaml:1: anchors and aliases are not allowed; write it out"),
        ("a: &x [1]\n", "f.yaml:1: anchors and aliases are not allowed; write it out"),
        ("a: 1\nb: *a\n", "f.yaml:2: anchors and aliases are not allowed; write it out"),
        ("a: !!str 3.10\n", "f.yaml:1: the tag 'tag:yaml.org,2002:str' is not allowed; remove it"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "f.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("a: !own\n  b: 1\n", "f.yaml:1: the tag '!own' is not allowed; remove it"),
        ("a: [1\nb: 2\n", "f.yaml:2: not valid YAML: "),
        ("a: 'x\n", "f.yaml:2: not valid YAML: "),
        ("a: b: c\n", "f.yaml:1: not valid YAML: mapping values are not allowed in this context"),
        ("a: x\n\tb: y\n", "f.yaml:2: not valid YAML: "),
        ("a: \x07\n", "f.yaml: not valid YAML: "),
        ("%YAML 9.9\n---\na: x\n", "f.yaml:1: not valid YAML: "),
    ],
)
def test_what_people_do_not_mean_to_write_is_refused_with_its_line(text: str, line: str) -> None:
    said = complaint(text)
    assert said.startswith(line)
    assert "\n" not in said


def test_aliases_that_would_grow_without_end_are_refused_at_the_first() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    assert complaint("\n".join(lines)) == "f.yaml:1: anchors and aliases are not allowed; write it out"


def test_depth_has_a_limit_that_ends_before_the_stack_does() -> None:
    assert parse_document(nested(MAX_DEPTH), "f.yaml").items
    assert complaint(nested(MAX_DEPTH + 1)) == f"f.yaml:1: nested deeper than {MAX_DEPTH} levels"
    assert complaint("a: " + "{b: " * 50_000) == f"f.yaml:1: nested deeper than {MAX_DEPTH} levels"


def test_size_has_a_limit() -> None:
    text = "a: x\n"
    full = text + "#" * (MAX_BYTES - len(text))
    assert parse_document(full, "f.yaml") == parse_document(text, "f.yaml")
    assert "more than the limit" in complaint(full + "#")


def test_the_fast_parser_is_the_one_that_runs() -> None:
    assert yaml.__with_libyaml__


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    text = b"a: x\nb: caf\xe9\n".decode("utf-8", "surrogateescape")
    assert complaint(text) == "f.yaml:2: not UTF-8; save it as UTF-8"


@pytest.mark.parametrize("text", ["\ufeffa: x\nb: y\n", "a: x\r\nb: y\r\n", "---\na: x\nb: y\n...\n"])
def test_what_other_systems_write_around_a_document_does_not_matter(text: str) -> None:
    plain = [
        (key.text, value.text) for key, value in parse_document(text, "f.yaml").items if isinstance(value, YamlScalar)
    ]
    assert plain == [("a", "x"), ("b", "y")]


def test_values_are_counted_at_any_depth() -> None:
    assert count_values(parse_document("a: x\nb: [1, {c: y, d: [z]}]\n", "f.yaml")) == 8
