"""Expressions in strings: Jinja2, sandboxed, strict about undefined names, compiled once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Location

MARKS = ("{{", "{%", "{#")


def renderer(params: Mapping[str, str], errors: list[BuildgraphError]) -> Callable[[str, Location], str]:
    """A function that expands the expressions of a string; mistakes go to ``errors`` and give the text unchanged."""

    def render(text: str, location: Location) -> str:
        if not any(mark in text for mark in MARKS):
            return text
        import jinja2  # half of a no-op's time, and many catalogues never need it

        try:
            return _compile(text).render(params)
        except jinja2.UndefinedError as error:
            known = ", ".join(sorted(params))
            errors.append(ManifestError(f"{text!r}: {error.message}", where=str(location), hint=f"known: {known}"))
        except jinja2.TemplateError as error:
            errors.append(ManifestError(f"{text!r}: {error.message}", where=str(location)))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            errors.append(ManifestError(f"{text!r}: {error}", where=str(location)))
        return text

    return render


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)


@cache
def _compile(text: str) -> Template:
    return _environment().from_string(text)
