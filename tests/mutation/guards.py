"""The guards of the product: every statement that refuses something, found in its source, and the source without it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = re.compile(r"_?(?:check|verify|require|refuse|limit)(?:_\w+)?|raise_all|fail|fail_at")
"""Names of functions that are called only to refuse."""
ERROR = re.compile(r"_error|\w+(?:Error|Fault)")
"""Names of what makes one of our errors."""
PASSED_ON = frozenset({"Interrupted"})
"""Stopping is no guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A statement: its module (relative to the project), its first and last line (1-based), its text's first line."""

    file: str
    first: int
    last: int
    text: str

    def __str__(self) -> str:
        """As compilers name a place."""
        return f"{self.file}:{self.first}: {self.text}"


def find_guards(root: Path, package: str) -> Iterator[Guard]:
    """Every guard below ``root/package``, in order of files and lines."""
    for path in sorted((root / package).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.stmt) and _is_guard(node):
                yield Guard(
                    file=path.relative_to(root).as_posix(),
                    first=node.lineno,
                    last=node.end_lineno or node.lineno,
                    text=lines[node.lineno - 1].strip(),
                )


def without(source: str, guard: Guard) -> str:
    """The module's text with the guard replaced by ``pass``; all other lines keep their numbers."""
    lines = source.splitlines(keepends=True)
    indent = lines[guard.first - 1][: -len(lines[guard.first - 1].lstrip())]
    blank = ["\n"] * (guard.last - guard.first)
    return "".join([*lines[: guard.first - 1], f"{indent}pass\n", *blank, *lines[guard.last :]])


def _is_guard(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return isinstance(node.exc, ast.Call) and _name(node.exc.func) not in PASSED_ON
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Yield):
        return _is_error(node.value.value)
    if isinstance(node.value, ast.Call):
        gathers = _name(node.value.func) == "append" and any(_is_error(argument) for argument in node.value.args)
        return gathers or bool(CHECK.fullmatch(_name(node.value.func)))
    return False


def _is_error(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and bool(ERROR.fullmatch(_name(value.func)))


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
