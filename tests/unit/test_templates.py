"""Expressions: expanded strictly, within the sandbox, and never more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ManifestError
from buildgraph.manifest.templates import renderer
from buildgraph.model import Location

if TYPE_CHECKING:
    from buildgraph.errors import BuildgraphError

PARAMS = {"version": "4.1.1", "flavour": "gpu", "empty": "", "odd": "{{ version }}"}
WHERE = Location(file="f.yaml", line=3, key="k")


def render(text: str) -> str:
    """The expanded text; a complaint is raised."""
    errors: list[BuildgraphError] = []
    rendered = renderer(PARAMS, errors)(text, WHERE)
    for error in errors:
        assert rendered == text
        raise error
    return rendered


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("pypi:pyspark=={{ version }}!sdist", "pypi:pyspark==4.1.1!sdist"),
        ("{{ 'cuda' if flavour == 'gpu' }}", "cuda"),
        ("{{ 'cpu' if flavour == 'cpu' }}", ""),
        ("{{ version.split('.')[0] }}", "4"),
        ("{% if flavour == 'gpu' %}a{% endif %}b", "ab"),
        ("a{# note #}b", "ab"),
        ("{{ empty }}", ""),
        ("<{{ '&' }}>", "<&>"),
        ("line {{ version }}\n", "line 4.1.1\n"),
    ],
)
def test_expressions_are_expanded(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize("text", ["$(id)", "`id`", "'; rm -rf /", "%s %d", "{}", "{version}", "}}", "a\nRUN id"])
def test_what_is_no_expression_is_taken_literally(text: str) -> None:
    assert render(text) == text


def test_what_an_expression_gives_is_not_expanded_again() -> None:
    assert render("{{ odd }}") == "{{ version }}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ versoin }}", "'versoin' is undefined"),
        ("{{ version.nothing }}", "'str object' has no attribute 'nothing'"),
        ("{{ version", "unexpected end of template"),
        ("{{ version | shout }}", "No filter named 'shout'"),
        ("{% for x in y %}", "Unexpected end of template"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ version + 1 }}", "can only concatenate str"),
        ("{{ [1][5] }}", "has no element 5"),
        ("{% include 'x' %}", "no loader for this environment"),
        ("{% extends 'x' %}", "no loader for this environment"),
        ("{{ range(1000000) }}", "Range too big"),
    ],
)
def test_a_mistake_gives_the_text_unchanged_and_one_line(text: str, what: str) -> None:
    with pytest.raises(ManifestError) as caught:
        render(text)
    assert str(caught.value).startswith(f"f.yaml:3 (k): {text!r}: ")
    assert what in caught.value.what
    assert "\n" not in str(caught.value)


def test_an_undefined_name_comes_with_those_that_are_known() -> None:
    with pytest.raises(ManifestError) as caught:
        render("{{ versoin }}")
    assert caught.value.hint == "known: empty, flavour, odd, version"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ().__class__.__base__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{a.__class__}'.format_map({'a': ''}) }}",
        "{{ [].append(1) }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ ''.join.__self__ }}",
    ],
)
def test_the_sandbox_has_no_way_out(text: str) -> None:
    with pytest.raises(ManifestError, match=r"unsafe|not safely|has no element|no attribute") as caught:
        render(text)
    assert "\n" not in str(caught.value)
