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
        ("{{ version.split('.')[:2] | join('.') }}", "4.1"),
        ("{{ version | replace('.', '-') ~ '-' ~ flavour.upper() }}", "4-1-1-GPU"),
        ("{{ {'gpu': 'cuda', 'cpu': 'blas'}[flavour] }}", "cuda"),
        ("{{ 'a' if flavour in ['gpu', 'cpu'] and version is defined else 'b' }}", "a"),
        ("{{ version.split('.') | last | int + 1 }}", "2"),
        ("{{ missing | default('none') }}", "none"),
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
        ("{{ version.nothing }}", "the attribute 'nothing' cannot be read"),
        ("{{ version.lower }}", "the attribute 'lower' cannot be read"),
        ("{{ version['lower'] }}", "has no attribute 'lower'"),
        ("{{ version['lower'] | string }}", "has no attribute 'lower'"),
        ("{{ version", "unexpected end of template"),
        ("{{ version | shout }}", "No filter named 'shout'"),
        ("{% for x in y %}", "Unexpected end of template"),
        ("{% for x in 'ab' %}{{ x }}{% endfor %}", "statements are not allowed; write {{ … if … else … }}"),
        ("{% if flavour == 'gpu' %}a{% endif %}b", "statements are not allowed"),
        ("{% set x = 'a' %}{{ x }}", "statements are not allowed"),
        ("{% macro m() %}a{% endmacro %}", "statements are not allowed"),
        ("{% include 'x' %}", "statements are not allowed"),
        ("{% extends 'x' %}", "statements are not allowed"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ version + 1 }}", "can only concatenate str"),
        ("{{ [1][5] }}", "has no element 5"),
        ("{{ range(1000000) }}", "range cannot be called"),
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
    with pytest.raises(ManifestError, match=r"cannot be (called|read)|has no|undefined|No filter named") as caught:
        render(text)
    assert "\n" not in str(caught.value)


BOMBS = {
    "a product": "{{ 'x' * 10**9 }}",
    "a product of lists": "{{ [1] * 10**9 }}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "a wide format": "{{ '%1000000000d' % 1 }}",
    "a wide format by a method": "{{ '{:>1000000000}'.format(1) }}",
    "a wide format by a filter": "{{ '%1000000000d' | format(1) }}",
    "a wide column": "{{ 'x'.ljust(10000000000) }}",
    "a wide column by a filter": "{{ 'x' | center(10000000000) }}",
    "a long loop": "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "text by the mile": "{{ lipsum(n=100000) }}",
    "replacements of replacements": "{{ 'x' " + "| replace('x', 'xxxxxxxx') " * 25 + "}}",
    "joins of joins": "{{ ['x', 'x'] " + "| join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') | list " * 25 + "}}",
    "parts without end": "{{ " + "flavour ~ " * 5000 + "'' }}",
    "brackets without end": "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
    "lists in lists": "{{ " + "[" * 300 + "]" * 300 + " }}",
    "conditions in conditions": "{{ " + "1 if 1 else (" * 90 + "1" + ")" * 90 + " }}",
    "negations": "{{ " + "not " * 100_000 + "1 }}",
    "a long chain": "{{ 1" + " + 1" * 500 + " }}",
    "a huge number": "{{ " + "9" * 5000 + " }}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_fault_32_what_would_take_memory_or_time_without_end_is_refused(name: str) -> None:
    with pytest.raises(ManifestError) as caught:
        render(BOMBS[name])
    assert len(str(caught.value)) < 500
