"""``.helmignore``: which files of a chart's folder are no part of the chart, as Helm decides it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from buildgraph.errors import ManifestError

IGNORE_FILE = ".helmignore"
_ALWAYS = "templates/.?*"
_CLASS = re.compile(r"\[(\^?+)((?:\\.|[^\\\]])+)\]", re.DOTALL)
_RANGE = re.compile(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """A line. ``whole``: it speaks of the path, else of its last part. ``negated``: it ignores what does not match."""

    pattern: re.Pattern[str]
    whole: bool
    negated: bool
    folders_only: bool

    def matches(self, path: str) -> bool:
        """True when the line's pattern fits."""
        return self.pattern.fullmatch(path if self.whole else path.rpartition("/")[2]) is not None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The lines, in order."""

    rules: tuple[Rule, ...]

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """True for a path (relative to the chart) that is left out; what lies in such a folder is, too."""
        for rule in self.rules:
            if rule.negated:
                # Helm's own reading: what a line with ! does not name is ignored.
                if (rule.folders_only and not is_folder) or not rule.matches(path):
                    return True
            elif (is_folder or not rule.folders_only) and rule.matches(path):
                return True
        return False


def parse_rules(text: str, file: str) -> IgnoreRules:
    """The rules in a .helmignore; ``ManifestError`` with the line for what Helm does not take."""
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        rule = line.strip()
        if rule and not rule.startswith("#"):
            rules.append(_parse_rule(rule, f"{file}:{number}"))
    return IgnoreRules((*rules, _parse_rule(_ALWAYS, file)))


def _parse_rule(line: str, where: str) -> Rule:
    if "**" in line:
        raise ManifestError("Helm knows no **", where=where, hint="write one line for each depth")
    negated = line.startswith("!")
    body = line.removeprefix("!")
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    pattern = re.compile(_translate(body.removeprefix("/"), where), re.DOTALL)
    return Rule(pattern, whole="/" in body, negated=negated, folders_only=folders_only)


def _translate(glob: str, where: str) -> str:
    """Go's file name pattern as a regular expression."""
    parts = []
    place = 0
    while place < len(glob):
        char = glob[place]
        step = 1
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[":
            found = _CLASS.match(glob, place)
            if found is None:
                raise ManifestError("a [ has no end", where=where, hint="close it with ], or write \\[")
            parts.append(_translate_class(found[1], found[2], where))
            step = len(found[0])
        elif char == "\\":
            if place + 1 == len(glob):
                raise ManifestError("a \\ has nothing after it", where=where, hint="take it out")
            parts.append(re.escape(glob[place + 1]))
            step = 2
        else:
            parts.append(re.escape(char))
        place += step
    return "".join(parts)


def _translate_class(negation: str, ranges: str, where: str) -> str:
    parts = []
    for first, last in _RANGE.findall(ranges):
        start, end = first[-1:], last[-1:]
        if first == "-" or (end and start > end):
            raise ManifestError("a [ has no range of characters in it", where=where, hint="write it like [a-z]")
        parts.append(re.escape(start) + (f"-{re.escape(end)}" if end else ""))
    return f"[{negation}{''.join(parts)}]"
