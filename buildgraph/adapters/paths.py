"""Paths inside layers and archives: what is a path, what it becomes, which glob it matches."""

from __future__ import annotations

import re
from functools import lru_cache

from buildgraph.errors import BuildFailure

MAX_PATH = 4096
MAX_COMPONENT = 255
# Control characters, and what bytes that are no UTF-8 decode to.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_GLOB_PARTS = re.compile(r"(\*\*/|/\*\*$|\*\*|\*|\?)")
_GLOB_REGEX = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def check_path(path: str) -> str:
    """The path itself when it is one that a layer may hold: relative, normal, printable; else ``BuildFailure``."""
    components = path.split("/")
    if any(component in {"", ".", ".."} for component in components):
        raise BuildFailure(f"{path!r} is not a relative path without . and ..")
    if _FORBIDDEN.search(path):
        raise BuildFailure(f"{path!r} holds characters that no path of a layer may hold")
    if len(path.encode()) > MAX_PATH or any(len(component.encode()) > MAX_COMPONENT for component in components):
        raise BuildFailure(f"{path[:80]!r}… is too long for a path")
    return path


def member_path(name: str) -> str:
    """An archive's member name as a layer path: a leading ``./`` and a trailing slash go; the root becomes ``""``."""
    if name.startswith("/"):
        raise BuildFailure(f"{name!r} is absolute")
    path = "/".join(component for component in name.split("/") if component not in {"", "."})
    return check_path(path) if path else ""


def image_path(path: str) -> str:
    """An absolute path of the image as a layer path; ``/`` becomes ``""``."""
    if not path.startswith("/"):
        raise BuildFailure(f"{path!r} is not an absolute path")
    return member_path(path.lstrip("/"))


def join(folder: str, name: str) -> str:
    """``folder/name``; either may be empty."""
    return f"{folder}/{name}" if folder and name else folder or name


def parents(path: str) -> tuple[str, ...]:
    """The directories above a path, outermost first."""
    components = path.split("/")[:-1]
    return tuple("/".join(components[: depth + 1]) for depth in range(len(components)))


def matches(glob: str, path: str) -> bool:
    """True when ``path`` matches: ``*`` and ``?`` stay within a component, ``**`` spans them, ``x/**`` is x as well."""
    return _compile(glob).fullmatch(path) is not None


def matches_any(globs: tuple[str, ...], path: str) -> bool:
    """True when one of the globs matches."""
    return any(matches(glob, path) for glob in globs)


@lru_cache(maxsize=1024)
def _compile(glob: str) -> re.Pattern[str]:
    parts = _GLOB_PARTS.split(glob)
    return re.compile("".join(_GLOB_REGEX.get(part, re.escape(part)) for part in parts), re.DOTALL)
