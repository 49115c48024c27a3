"""YAML over generated documents: the tree says what was written, and any text gives a tree or one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buildgraph.errors import BuildgraphError
from buildgraph.manifest import parse_catalogue
from buildgraph.manifest.document import YamlScalar, YamlSequence, parse_document
from tests.samples import IMAGE_FILE, IMAGE_TEXT, LAYER_FILE, LAYER_TEXT, make_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeVar

    from buildgraph.manifest.document import YamlValue

    T = TypeVar("T")
    Value: TypeAlias = "str | list[Value] | dict[str, Value]"

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=10)
WORDS = PRINTABLE | st.sampled_from(
    ["3.10", "yes", "~", "null", "185:0", "2026-01-01", "0755", "- a", "a: b", "#", "*a"]
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(WORDS, VALUES, max_size=4)
FRAGMENTS = st.sampled_from(
    [
        *("a", "b", ":", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "? ", "|", ">"),
        *("&x ", "*x", "!!str ", "---\n", "...\n", "%", "\t", "<<: ", "3.10", "~", "\x00", "\u2028", "\ufeff", "é"),
    ]
)
NOISE = st.sampled_from(["{{", "{{ x }}", "{% if %}", "{{ 1/0 }}", "env: [", "kind: 3\n"])
TEXTS = st.lists(FRAGMENTS, max_size=20).map("".join) | st.text(max_size=30)


def plain(value: YamlValue) -> Value:
    """The tree without its lines."""
    if isinstance(value, YamlScalar):
        return value.text
    if isinstance(value, YamlSequence):
        return [plain(item) for item in value.items]
    return {key.text: plain(item) for key, item in value.items}


def scalars(value: YamlValue) -> list[YamlScalar]:
    if isinstance(value, YamlScalar):
        return [value]
    if isinstance(value, YamlSequence):
        return [scalar for item in value.items for scalar in scalars(item)]
    return [scalar for key, item in value.items for scalar in (key, *scalars(item))]


def attempt(parse: Callable[[], T]) -> tuple[T | None, str]:
    """What comes out, or our own complaint; any other error is a failure of the test."""
    try:
        return parse(), ""
    except BuildgraphError as error:
        return None, str(error)


@settings(max_examples=60)
@given(MAPPINGS, st.sampled_from([None, False, True]))
def test_what_was_written_is_what_the_tree_says(mapping: dict[str, Value], flow: bool | None) -> None:
    text = yaml.safe_dump(mapping, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    tree = parse_document(text, "f.yaml")
    assert plain(tree) == mapping
    assert all(scalar.tag == "str" for scalar in scalars(tree))
    assert all(1 <= scalar.line <= text.count("\n") for scalar in scalars(tree))


@settings(max_examples=300)
@given(TEXTS)
@example("a: \x85b")
def test_any_text_is_a_tree_or_one_line_with_its_place(text: str) -> None:
    tree, complaint = attempt(lambda: parse_document(text, "f.yaml"))
    assert (tree is None) is bool(complaint)
    assert complaint == "" or (complaint.startswith("f.yaml") and "\n" not in complaint)


@settings(max_examples=200)
@given(st.sampled_from([(LAYER_FILE, LAYER_TEXT), (IMAGE_FILE, IMAGE_TEXT)]), st.data())
def test_a_manifest_with_anything_written_into_it_is_a_catalogue_or_lines_with_places(
    manifest: tuple[str, str], data: st.DataObject
) -> None:
    file, text = manifest
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    noise = data.draw(TEXTS | WORDS | NOISE)
    catalogue, complaint = attempt(lambda: parse_catalogue(make_documents({file: text[:start] + noise + text[end:]})))
    assert (catalogue is None) is bool(complaint)
    assert all(line.startswith("manifests/") for line in complaint.split("\n") if complaint)
