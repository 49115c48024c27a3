"""Parts of expressions that are refused, each by itself."""

from __future__ import annotations

import pytest
from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError

from buildgraph.manifest.expressions import MAX_DEPTH, make_environment, parse_expression


@pytest.mark.parametrize("text", ["{{ a.split(*b) }}", "{{ a.split(**b) }}"])
def test_arguments_are_written_out(text: str) -> None:
    with pytest.raises(SecurityError, match="arguments are written out"):
        parse_expression(make_environment(), text)


def test_fault_32_what_the_parser_itself_cannot_hold_is_too_deep() -> None:
    with pytest.raises(TemplateSyntaxError, match="nested deeper"):
        parse_expression(make_environment(), "{{ " + "(" * 5000 + "a" + ")" * 5000 + " }}")


def test_fault_32_parts_that_lie_deeper_than_the_limit_are_refused() -> None:
    environment = make_environment()
    deepest = "{{ " + "not " * (MAX_DEPTH - 2) + "a }}"  # below the template and its output
    assert parse_expression(environment, deepest).body
    with pytest.raises(TemplateSyntaxError, match="nested deeper than 30 levels"):
        parse_expression(environment, deepest.replace("{{", "{{ not"))
