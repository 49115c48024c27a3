"""Spark's settings as the rendered files and arguments give them: readable, sorted, plain, and known to someone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, Pod, containers, describe, find_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE = "spark-defaults.conf"
_SEPARATOR = re.compile(r"(?<!\\)(?:\s*[=:]\s*|\s+)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_UNEXPANDED = re.compile(r"\$\{|\$\(|\{\{|\}\}|<no value>|%!|<nil>|map\[")
_VARIABLE = re.compile(r"\$\(([^)]*)\)")
_QUOTES = "\"'`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of a properties file as Java reads it; ``separator`` is what stood between key and value."""

    key: str
    separator: str
    value: str


@dataclass(frozen=True, slots=True)
class Documented:
    """Keys that documentation of Spark and its additions names; ``*`` is a name of the user's, ``**`` several."""

    exact: frozenset[str]
    families: tuple[re.Pattern[str], ...]

    def knows(self, key: str) -> bool:
        """True when the key, or a family that it is of, is documented."""
        return key in self.exact or any(family.fullmatch(key) for family in self.families)


def read_documented(texts: Iterable[str]) -> Documented:
    """The keys of files with one key in a line; ``#`` begins a comment."""
    lines = (line.strip() for text in texts for line in text.splitlines())
    keys = frozenset(line for line in lines if line and not line.startswith("#"))
    families = sorted(key for key in keys if "*" in key)
    patterns = (re.escape(key).replace(r"\*\*", ".+").replace(r"\*", "[^.]+") for key in families)
    return Documented(keys - set(families), tuple(re.compile(pattern) for pattern in patterns))


def parse_properties(text: str) -> tuple[Setting, ...]:
    """A Java properties file: comments, continued lines and escapes as ``java.util.Properties`` reads them."""
    settings = []
    for line in _logical_lines(text):
        found = _SEPARATOR.search(line)
        key, value = (line[: found.start()], line[found.end() :]) if found else (line, "")
        settings.append(
            Setting(key=_unescape(key), separator=found.group() if found else "", value=_unescape(value)),
        )
    return tuple(settings)


def find_texts(objects: Iterable[Document]) -> tuple[tuple[str, str], ...]:
    """Where each ``spark-defaults.conf`` is, and what is in it."""
    return tuple(
        (f"{describe(each)}, {name}", text)
        for each in objects
        if each.get("kind") == "ConfigMap"
        for name, text in (each.get("data") or {}).items()
        if name.endswith(FILE)
    )


def find_mistakes(objects: Sequence[Document], documented: Documented) -> list[str]:
    """Settings that Spark would read otherwise than meant, or not at all."""
    problems = [
        f"{where}: {problem}"
        for where, text in find_texts(objects)
        for problem in (*_in_file(text), *_in_settings(parse_properties(text), documented))
    ]
    for pod in find_pods(objects):
        problems += [f"{pod.where}: {problem}" for problem in _in_arguments(pod, documented)]
    return problems


def _in_file(text: str) -> Iterator[str]:
    settings = parse_properties(text)
    keys = [setting.key for setting in settings]
    if keys != sorted(keys):
        yield "the keys are not sorted"
    yield from (f"{key} is set {count} times" for key, count in Counter(keys).items() if count > 1)
    for setting in settings:
        if setting.separator != "=":
            yield f"{setting.key} is not followed by = alone"


def _in_settings(settings: Iterable[Setting], documented: Documented) -> Iterator[str]:
    for setting in settings:
        key, value = setting.key, setting.value
        if not documented.knows(key):
            yield f"{key} is documented nowhere"
        if not value:
            yield f"{key} has no value"
        elif value[0] in _QUOTES or value[-1] in _QUOTES:
            yield f"{key} has quotes in its value: {value}"
        elif value != value.strip():
            yield f"{key} has blanks around its value"
        if _UNEXPANDED.search(value):
            yield f"{key} is not expanded: {value}"


def _in_arguments(pod: Pod, documented: Documented) -> Iterator[str]:
    for container in containers(pod):
        known = {variable["name"] for variable in container.get("env") or ()}
        arguments = [str(each) for each in (*(container.get("command") or ()), *(container.get("args") or ()))]
        for flag, argument in pairwise(arguments):
            if flag not in {"--conf", "-c"} or "=" not in argument:
                continue
            key, _, value = argument.partition("=")
            if key.startswith("spark."):
                unknown = set(_VARIABLE.findall(value)) - known
                yield from (f"--conf {key} asks for the variable {name}, which is not set" for name in sorted(unknown))
                yield from _in_settings([Setting(key=key, separator="=", value=_VARIABLE.sub("x", value))], documented)


def _logical_lines(text: str) -> Iterator[str]:
    pending = ""
    for raw in text.splitlines():
        line = raw.lstrip(" \t\f")
        if not pending and (not line or line[0] in "#!"):
            continue
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending += line[:-1]
            continue
        yield pending + line
        pending = ""
    if pending:
        yield pending


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: _letter(found.group(1)), text)


def _letter(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) > 1 else _LETTERS.get(escape, escape)
