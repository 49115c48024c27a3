"""Expressions in strings: Jinja2, sandboxed, bounded, strict about undefined names, compiled once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Location

MARKS = ("{{", "{%", "{#")
_SHOWN = 30


def has_expression(text: str) -> bool:
    """True when there is something to expand."""
    return "{" in text and any(mark in text for mark in MARKS)


def renderer(params: Mapping[str, str], errors: list[BuildgraphError]) -> Callable[[str, Location], str]:
    """A function that expands the expressions of a string; mistakes go to ``errors`` and give the text unchanged."""

    def render(text: str, location: Location) -> str:
        if not has_expression(text):
            return text
        import jinja2  # half of a no-op's time, and many catalogues never need it

        try:
            return _compile(text).render(params)
        except jinja2.UndefinedError as error:
            known = ", ".join(sorted(params)[:_SHOWN])
            errors.append(ManifestError(f"{quote(text)}: {error.message}", where=str(location), hint=f"known: {known}"))
        except jinja2.TemplateError as error:
            errors.append(ManifestError(f"{quote(text)}: {error.message}", where=str(location)))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            errors.append(ManifestError(f"{quote(text)}: {error}", where=str(location)))
        return text

    return render


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from buildgraph.manifest.expressions import make_environment

    return make_environment()


@cache
def _compile(text: str) -> Template:
    from buildgraph.manifest.expressions import parse_expression

    environment = _environment()
    return environment.from_string(parse_expression(environment, text))
