"""Errors: one line each, exit codes, and several told together."""

from __future__ import annotations

import pytest

from buildgraph import errors
from buildgraph.errors import (
    BuildFailure,
    BuildgraphError,
    Conflict,
    EnvironmentFault,
    ErrorGroup,
    ExitCode,
    IntegrityError,
    Interrupted,
    LockError,
    ManifestError,
    NetworkFault,
    Stale,
    UsageError,
    raise_all,
)


@pytest.mark.parametrize(
    ("where", "hint", "line"),
    [
        ("", "", "it broke"),
        ("a.yaml:3", "", "a.yaml:3: it broke"),
        ("", "mend it", "it broke; mend it"),
        ("a.yaml:3 (key)", "mend it", "a.yaml:3 (key): it broke; mend it"),
    ],
)
def test_an_error_is_one_line_of_its_parts(where: str, hint: str, line: str) -> None:
    assert str(BuildgraphError("it broke", where=where, hint=hint)) == line


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (BuildFailure, ExitCode.FAILED),
        (Conflict, ExitCode.FAILED),
        (IntegrityError, ExitCode.FAILED),
        (UsageError, ExitCode.USAGE),
        (ManifestError, ExitCode.USAGE),
        (LockError, ExitCode.USAGE),
        (EnvironmentFault, ExitCode.ENVIRONMENT),
        (NetworkFault, ExitCode.ENVIRONMENT),
        (Stale, ExitCode.STALE),
        (Interrupted, ExitCode.INTERRUPTED),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[BuildgraphError], code: ExitCode) -> None:
    assert kind("x").exit_code is code


def test_every_exit_code_has_a_meaning_of_its_own() -> None:
    meanings = {code.meaning for code in ExitCode}
    assert len(meanings) == len(ExitCode)
    assert all(meaning and "\n" not in meaning for meaning in meanings)


def test_what_an_error_brings_along_is_kept() -> None:
    assert BuildFailure("x", log="a.log").log == "a.log"
    assert Stale("x", diff="-a\n+b").diff == "-a\n+b"


def test_several_errors_are_told_in_order_and_end_in_the_highest_code() -> None:
    first, second = ManifestError("one", where="a.yaml:1"), EnvironmentFault("two", hint="three")
    with pytest.raises(ErrorGroup) as caught:
        raise_all([first, second])
    assert caught.value.errors == (first, second)
    assert str(caught.value) == "a.yaml:1: one\ntwo; three"
    assert caught.value.what == "2 problems"
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_one_error_is_raised_as_it_is() -> None:
    only = LockError("x")
    with pytest.raises(LockError) as caught:
        raise_all([only])
    assert caught.value is only


def test_no_error_raises_nothing() -> None:
    raise_all([])


def test_every_error_class_is_in_the_one_tree() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(classes) >= 12
    assert all(issubclass(value, BuildgraphError) for value in classes)
