"""Reads one mapping of a manifest field by field, gathering every mistake instead of stopping at the first."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError
from buildgraph.manifest.document import YamlMapping, YamlScalar, YamlSequence
from buildgraph.model import EMPTY, Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlValue

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) (kB|MB|GB)")
_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_MODE = re.compile(r"0[0-7]{3,4}")
_INTEGER = re.compile(r"0|[1-9]\d{0,11}", re.ASCII)
_OWNER = re.compile(r"(\d{1,9}):(\d{1,9})")


def is_name(text: str) -> bool:
    """True for what may name a node, a source, a group or an alias."""
    return bool(NAME.fullmatch(text)) and ".." not in text


def is_inside(path: str) -> bool:
    """True for a relative path that stays below where it starts."""
    return not path.startswith("/") and not {"", ".", ".."} & set(path.removesuffix("/").split("/"))


class Fields:
    """One mapping. Every getter takes a key away; ``finish`` reports the keys that nobody asked for.

    ``render`` expands the expressions of a string (or reports them and gives the text back).
    """

    def __init__(
        self,
        value: YamlMapping,
        file: str,
        path: str,
        errors: list[BuildgraphError],
        render: Callable[[str, Location], str],
    ) -> None:
        """Nothing is read yet."""
        self._items = {key.text: (key, item) for key, item in value.items}
        self._asked: set[str] = set()
        self._wrong: set[str] = set()
        self._file = file
        self._path = path
        self._errors = errors
        self._render = render
        self.line = value.line

    def location(self, key: str = "") -> Location:
        """Where the mapping, or one of its keys, stands."""
        line = self._items[key][0].line if key in self._items else self.line
        return Location(file=self._file, line=line, key=self._join(key))

    def names(self) -> tuple[str, ...]:
        """All keys, as written."""
        return tuple(self._items)

    def fail(self, what: str, key: str = "", hint: str = "") -> None:
        """Report a mistake at the key (or at the mapping)."""
        self._wrong.add(key)
        self.fail_at(self.location(key), what, hint)

    def fail_at(self, location: Location, what: str, hint: str = "") -> None:
        """Report a mistake at a location that was kept."""
        self._errors.append(ManifestError(what, where=str(location), hint=hint))

    def has(self, key: str) -> bool:
        """True when the key is written."""
        return key in self._items

    def is_sound(self, key: str) -> bool:
        """True unless a mistake in the key was found: then what follows from it is not worth a second line."""
        return key not in self._wrong

    def text(self, key: str, default: str | None = None) -> str:
        """A string; required when there is no default."""
        item = self._take(key, required=default is None)
        if item is None:
            return default or ""
        return self._string(item, key, self._join(key), self._items[key][0].line)

    def name(self, key: str, default: str | None = None) -> str:
        """A string that may name a node."""
        text = self.text(key, default)
        is_open = not text and default is not None
        if not is_open and self.is_sound(key) and not is_name(text):
            self.fail(f"{text!r} is not a name", key, "use lower-case letters, digits, '-' and '.'")
            return ""
        return text

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of ``choices``; the first stands in for a wrong one, which is reported."""
        text = self.text(key, default)
        if text in choices:
            return text
        if self.is_sound(key):
            self.fail(f"{text!r} is none of {', '.join(choices)}", key)
        return choices[0]

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number, written without quotes."""
        item = self._take(key, required=default is None)
        if item is None:
            return default or 0
        if isinstance(item, YamlScalar) and _is_integer(item):
            return int(item.text)
        self.fail("a whole number is wanted here", key)
        return 0

    def flag(self, key: str) -> bool:
        """``true`` or ``false``; false by default."""
        item = self._take(key, required=False)
        if item is None:
            return False
        if isinstance(item, YamlScalar) and item.plain and item.text in {"true", "false"}:
            return item.text == "true"
        self.fail("true or false is wanted here", key)
        return False

    def size(self, key: str) -> int | None:
        """A size such as ``60 MB`` in bytes, or None."""
        text = self.text(key, "")
        match = _SIZE.fullmatch(text)
        if match:
            return int(float(match[1]) * _UNITS[match[2]])
        if self.has(key) and self.is_sound(key):
            self.fail(f"{text!r} is not a size", key, "write it like 60 MB")
        return None

    def mode(self, key: str) -> int | None:
        """Permission bits such as ``"0755"``, or None."""
        text = self.text(key, "")
        if _MODE.fullmatch(text):
            return int(text, 8)
        if self.has(key) and self.is_sound(key):
            self.fail(f"{text!r} is not a file mode", key, 'write it like "0755", in quotes')
        return None

    def owner(self, key: str) -> tuple[int, int]:
        """Numeric ``uid:gid``; 0:0 by default."""
        text = self.text(key, "0:0")
        match = _OWNER.fullmatch(text)
        if match:
            return int(match[1]), int(match[2])
        if self.is_sound(key):
            self.fail(f"{text!r} is not a numeric owner", key, 'write it like "185:0", in quotes')
        return 0, 0

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty by default."""
        item = self._take(key, required=False)
        if item is None:
            return ()
        if not isinstance(item, YamlSequence):
            self.fail("a list is wanted here", key)
            return ()
        return tuple(
            self._string(entry, key, f"{self._join(key)}[{index}]", entry.line)
            for index, entry in enumerate(item.items)
        )

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty by default."""
        item = self._take(key, required=False)
        if item is None:
            return ()
        entries = item.items if isinstance(item, YamlSequence) else (item,)
        numbers = [entry.text for entry in entries if isinstance(entry, YamlScalar) and _is_integer(entry)]
        if not isinstance(item, YamlSequence) or len(numbers) != len(entries):
            self.fail("a list of whole numbers is wanted here", key)
            return ()
        return tuple(int(number) for number in numbers)

    def mapping(self, key: str) -> Mapping[str, str]:
        """A mapping of strings; empty by default."""
        inner = self.fields(key)
        if inner is None:
            return EMPTY
        return MappingProxyType({name: inner.text(name) for name in inner.names()})

    def lists(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """A mapping of lists of strings; empty by default."""
        inner = self.fields(key)
        if inner is None:
            return MappingProxyType({})
        return MappingProxyType({name: inner.texts(name) for name in inner.names()})

    def fields(self, key: str) -> Fields | None:
        """A nested mapping, or None when the key is not written."""
        item = self._take(key, required=False)
        if item is None:
            return None
        if isinstance(item, YamlMapping):
            return Fields(item, self._file, self._join(key), self._errors, self._render)
        self.fail("a mapping is wanted here", key)
        return None

    def sequence(self, key: str) -> Iterator[Fields]:
        """The mappings of a list; empty by default."""
        item = self._take(key, required=False)
        if item is None:
            return
        if not isinstance(item, YamlSequence):
            self.fail("a list is wanted here", key)
            return
        for index, entry in enumerate(item.items):
            path = f"{self._join(key)}[{index}]"
            if isinstance(entry, YamlMapping):
                yield Fields(entry, self._file, path, self._errors, self._render)
            else:
                self._wrong.add(key)
                self.fail_at(Location(file=self._file, line=entry.line, key=path), "a mapping is wanted here")

    def finish(self) -> None:
        """Report every key that was not asked for."""
        for key in self._items:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.fail(f"unknown key {key!r}", key, f"known here: {known}")

    def _join(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)

    def _take(self, key: str, *, required: bool) -> YamlValue | None:
        self._asked.add(key)
        if key in self._items:
            return self._items[key][1]
        if required:
            self._wrong.add(key)
            self.fail(f"the key {key!r} is missing")
        return None

    def _string(self, item: YamlValue, key: str, path: str, line: int) -> str:
        location = Location(file=self._file, line=line, key=path)
        known = len(self._errors)
        text = ""
        if not isinstance(item, YamlScalar):
            self.fail_at(location, "a string is wanted here")
        elif item.tag != "str":
            self.fail_at(location, f"{item.text or 'an empty value'} is not a string to YAML", _quote_hint(item.text))
        else:
            text = self._render(item.text, location)
        if len(self._errors) > known:
            self._wrong.add(key)
        return text


def _is_integer(item: YamlScalar) -> bool:
    return item.plain and _INTEGER.fullmatch(item.text) is not None


def _quote_hint(text: str) -> str:
    return f'quote it: "{text}"'
