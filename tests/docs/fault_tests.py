"""Which tests stand for which fault: found in the source of the tests, by their names."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TESTS = Path(__file__).parents[1]
NUMBERS = re.compile(r"test_fault_((?:\d\d_)+)")


@cache
def find_tests() -> Mapping[str, frozenset[str]]:
    """The test functions of each test module; the modules without folder and ending."""
    return {path.stem: frozenset(_functions(path)) for path in sorted(TESTS.rglob("test_*.py"))}


def find_numbered() -> Mapping[int, Mapping[str, tuple[str, ...]]]:
    """Fault number → test module → its tests, in order of their names. A test may stand for several faults."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for module, functions in find_tests().items():
        for function in sorted(functions):
            match = NUMBERS.match(function)
            for number in match.group(1).split("_")[:-1] if match else ():
                found[int(number)][module].append(function)
    return {number: {name: tuple(tests) for name, tests in found[number].items()} for number in sorted(found)}


def format_list() -> str:
    """The list of all tests by number, as docs/faults.md holds it."""
    lines = []
    for number, modules in find_numbered().items():
        lines.append(f"- **{number}**")
        lines += [
            f"  - `{module}`: {', '.join(f'`{test}`' for test in tests)}" for module, tests in sorted(modules.items())
        ]
    return "\n".join(lines) + "\n"


def _functions(path: Path) -> Iterator[str]:
    """Functions at the top of a module or in a class of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name
