"""Named templates: each that is defined is reached from an object, and each that is included is defined."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ACTION = re.compile(r"\{\{-?\s*(?:/\*.*?\*/|(.*?))\s*-?\}\}", re.DOTALL)
_OPENS = re.compile(r"(?:if|range|with|block)\b")
_DEFINES = re.compile(r'define\s+"([^"]+)"')
_INCLUDES = re.compile(r'\b(?:include|template)\s+(?:"([^"]+)"|\(\s*printf\s+"([^"]+)")')
_LITERALS = re.compile(r'"([^"\s]+)"')
_VERB = re.compile(r"%[sdv]")


@dataclass(slots=True)
class _Scope:
    """What one definition, or the rest of a file, includes, and what it mentions: patterns of names."""

    name: str
    includes: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)

    def read(self, action: str) -> None:
        """Note the names of an action, with ``*`` where it puts something in."""
        self.includes |= {_VERB.sub("*", name or form) for name, form in _INCLUDES.findall(action)}
        # A name may be handed on as a text, or put together first, and be included later.
        self.mentions |= {_VERB.sub("*", text) for text in _LITERALS.findall(action)}


def find_defined(files: Mapping[str, str]) -> frozenset[str]:
    """Names of all templates that the files define."""
    return frozenset(scope.name for scope in _scopes(files) if scope.name)


def find_dead(roots: Mapping[str, str], partials: Mapping[str, str]) -> list[str]:
    """Templates that no object comes to: ``roots`` are files that render, ``partials`` those that only define."""
    scopes = [*_scopes(roots), *_scopes(partials)]
    defined = {scope.name for scope in scopes if scope.name}
    mentions: dict[str, set[str]] = {}
    for scope in scopes:
        mentions.setdefault(scope.name, set()).update(scope.mentions)
    reached, fresh = set[str](), {""}
    while fresh:
        wanted = {pattern for name in fresh for pattern in mentions.get(name, ())}
        fresh = {name for name in defined - reached if any(fnmatchcase(name, pattern) for pattern in wanted)}
        reached |= fresh
    return [f"{name} is included nowhere" for name in sorted(defined - reached)]


def find_undefined(files: Mapping[str, str]) -> list[str]:
    """Names that are included and defined nowhere; a name that is put together must fit at least one."""
    scopes = list(_scopes(files))
    defined = {scope.name for scope in scopes if scope.name}
    wanted = {pattern for scope in scopes for pattern in scope.includes}
    return [
        f"{pattern} is defined nowhere"
        for pattern in sorted(wanted)
        if not any(fnmatchcase(name, pattern) for name in defined)
    ]


def find_twice(files: Mapping[str, str]) -> list[str]:
    """Names that two definitions have: which of them is used is chance."""
    names = [scope.name for scope in _scopes(files) if scope.name]
    return [f"{name} is defined {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]


def _scopes(files: Mapping[str, str]) -> Iterator[_Scope]:
    for text in files.values():
        yield from _scopes_of(_actions(text))


def _actions(text: str) -> Iterable[str]:
    return (found.group(1) for found in _ACTION.finditer(text) if found.group(1))


def _scopes_of(actions: Iterable[str]) -> Iterator[_Scope]:
    outside, inside, depth = _Scope(""), _Scope(""), 0
    for action in actions:
        if definition := _DEFINES.match(action):
            inside, depth = _Scope(definition.group(1)), 1
            continue
        (inside if depth else outside).read(action)
        if depth:
            depth += 1 if _OPENS.match(action) else -1 if re.match(r"end\b", action) else 0
            if not depth:
                yield inside
    yield outside
