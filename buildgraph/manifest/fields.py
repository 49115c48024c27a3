"""Reads one mapping of a manifest field by field, gathering every mistake instead of stopping at the first."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, quote, suggest
from buildgraph.forms import INSIDE, MODE, NAME, OWNER, SIZE
from buildgraph.manifest.document import YamlMapping, YamlScalar, YamlSequence
from buildgraph.manifest.templates import has_expression
from buildgraph.model import EMPTY, Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.forms import Form
    from buildgraph.manifest.document import YamlValue

MAX_INTEGER = 10**12 - 1
_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_INTEGER = re.compile(r"0|[1-9]\d{0,11}", re.ASCII)
_SHOWN_KEY = 60
_LIKENESS = 0.7  # below it, a key of another kind would be taken for a misspelt one


def is_name(text: str) -> bool:
    """True for what may name a node, a source, a group or an alias."""
    return NAME.accepts(text)


def is_inside(path: str) -> bool:
    """True for a relative path that stays below where it starts."""
    return INSIDE.accepts(path)


class Fields:
    """One mapping. Every getter takes a key away; ``finish`` reports the keys that nobody asked for.

    ``render`` expands the expressions of a string (or reports them and gives the text back). Where a getter takes a
    form, a string of another form is reported, and the default (an empty string in lists) stands in for it.
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

    def names(self, form: Form | None = None) -> tuple[str, ...]:
        """The keys as written, without those of another form, which are reported."""
        sound = []
        for key in self._items:
            if form is None or form.accepts(key):
                sound.append(key)
            else:
                self._asked.add(key)
                self.fail(f"{quote(key)} is not {form.what}", key, form.hint)
        return tuple(sound)

    def fail(self, what: str, key: str = "", hint: str = "") -> None:
        """Report a mistake at the key (or at the mapping)."""
        self._wrong.add(key)
        self.fail_at(self.location(key), what, hint)

    def fail_at(self, location: Location, what: str, hint: str = "") -> None:
        """Report a mistake at a location that was kept."""
        self._errors.append(ManifestError(what, where=str(location), hint=hint))

    def refuse(self, key: str, what: str, hint: str) -> None:
        """Report the key when it is written, with the reason why it has no place here."""
        self._asked.add(key)
        if key in self._items:
            self.fail(what, key, hint)

    def skip(self, key: str) -> None:
        """Leave the key to another reader."""
        self._asked.add(key)

    def has(self, key: str) -> bool:
        """True when the key is written."""
        return key in self._items

    def is_sound(self, key: str) -> bool:
        """True unless a mistake in the key was found: then what follows from it is not worth a second line."""
        return key not in self._wrong

    def text(self, key: str, default: str | None = None, *, form: Form | None = None) -> str:
        """A string; required when there is no default. What equals the default may have another form."""
        item = self._take(key, required=default is None)
        if item is None:
            return default or ""
        known = len(self._errors)
        text = self._string(item, key, self._items[key][0].line)
        if form is None or text == default:
            return text
        if len(self._errors) == known and not form.accepts(text):
            self.fail(f"{quote(text)} is not {form.what}", key, form.hint)
        return text if len(self._errors) == known else default or ""

    def name(self, key: str, default: str | None = None) -> str:
        """A string that may name a node."""
        return self.text(key, default, form=NAME)

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of ``choices``; the first stands in for a wrong one, which is reported."""
        text = self.text(key, default)
        if text in choices:
            return text
        if self.is_sound(key):
            self.fail(f"{quote(text)} is none of {', '.join(choices)}", key)
        return choices[0]

    def integer(self, key: str) -> int:
        """A whole number, written without quotes; required."""
        item = self._take(key, required=True)
        if item is None:
            return 0
        if isinstance(item, YamlScalar) and _is_integer(item):
            return int(item.text)
        self.fail("a whole number is wanted here", key)
        return 0

    def flag(self, key: str, *, default: bool = False) -> bool:
        """``true`` or ``false``."""
        item = self._take(key, required=False)
        if item is None:
            return default
        if isinstance(item, YamlScalar) and item.plain and item.text in {"true", "false"}:
            return item.text == "true"
        self.fail("true or false is wanted here", key)
        return default

    def size(self, key: str) -> int | None:
        """A size such as ``60 MB`` in bytes, or None."""
        text = self.text(key, "", form=SIZE)
        number, _, unit = text.partition(" ")
        return int(float(number) * _UNITS[unit]) if text else None

    def mode(self, key: str) -> int | None:
        """Permission bits such as ``"0755"``, or None."""
        text = self.text(key, "", form=MODE)
        return int(text, 8) if text else None

    def owner(self, key: str) -> tuple[int, int]:
        """Numeric ``uid:gid``; 0:0 by default."""
        uid, _, gid = (self.text(key, "", form=OWNER) or "0:0").partition(":")
        return int(uid), int(gid)

    def texts(
        self, key: str, *, form: Form | None = None, least: int = 0, may_be_blank: bool = False
    ) -> tuple[str, ...]:
        """A list of strings of the form (or empty ones) with at least so many entries; empty by default."""
        item = self._take(key, required=least > 0)
        if item is None:
            return ()
        if not isinstance(item, YamlSequence):
            self.fail("a list is wanted here", key)
            return ()
        if len(item.items) < least:
            self.fail("the list is empty", key, "write at least one entry")
        return tuple(
            self._entry(entry, key, index, form, may_be_blank=may_be_blank) for index, entry in enumerate(item.items)
        )

    def integers(self, key: str, least: int, most: int) -> tuple[int, ...]:
        """A list of whole numbers from ``least`` to ``most``; empty by default."""
        item = self._take(key, required=False)
        if item is None:
            return ()
        entries = item.items if isinstance(item, YamlSequence) else (item,)
        numbers = [int(entry.text) for entry in entries if isinstance(entry, YamlScalar) and _is_integer(entry)]
        if not isinstance(item, YamlSequence) or len(numbers) != len(entries):
            self.fail("a list of whole numbers is wanted here", key)
            return ()
        for number in numbers:
            if not least <= number <= most:
                self.fail(f"{number} is not between {least} and {most}", key)
        return tuple(numbers)

    def mapping(self, key: str, *, keys: Form | None = None, form: Form | None = None) -> Mapping[str, str]:
        """A mapping of strings of the form, with keys of theirs; empty by default."""
        inner = self.fields(key)
        if inner is None:
            return EMPTY
        return MappingProxyType({name: inner.text(name, form=form) for name in inner.names(keys)})

    def lists(self, key: str, *, keys: Form | None = None, least: int = 0) -> Mapping[str, tuple[str, ...]]:
        """A mapping of lists of strings; empty by default."""
        inner = self.fields(key)
        if inner is None:
            return MappingProxyType({})
        return MappingProxyType({name: inner.texts(name, least=least) for name in inner.names(keys)})

    def fields(self, key: str) -> Fields | None:
        """A nested mapping, or None when the key is not written."""
        item = self._take(key, required=False)
        if item is None:
            return None
        if isinstance(item, YamlMapping):
            return Fields(item, self._file, self._join(key), self._errors, self._render)
        self.fail("a mapping is wanted here", key)
        return None

    def sequence(self, key: str, *, least: int = 0) -> Iterator[Fields]:
        """The mappings of a list with at least so many entries; empty by default."""
        item = self._take(key, required=least > 0)
        if item is None:
            return
        if not isinstance(item, YamlSequence):
            self.fail("a list is wanted here", key)
            return
        if len(item.items) < least:
            self.fail("the list is empty", key, "write at least one entry")
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
                known = sorted(self._asked)
                hint = suggest(key, known, likeness=_LIKENESS) or f"known here: {', '.join(known)}"
                self.fail(f"unknown key {quote(key)}", key, hint)

    def _join(self, key: str) -> str:
        return ".".join(part for part in (self._path, _show_key(key)) if part)

    def _take(self, key: str, *, required: bool) -> YamlValue | None:
        self._asked.add(key)
        if key in self._items:
            return self._items[key][1]
        if required:
            self._wrong.add(key)
            self.fail(f"the key {key!r} is missing")
        return None

    def _entry(self, entry: YamlValue, key: str, index: int, form: Form | None, *, may_be_blank: bool) -> str:
        known = len(self._errors)
        text = self._string(entry, key, entry.line, f"[{index}]")
        is_fine = form is None or form.accepts(text) or (may_be_blank and not text)
        if form is None or is_fine or len(self._errors) > known:
            return text
        self._wrong.add(key)
        location = Location(file=self._file, line=entry.line, key=f"{self._join(key)}[{index}]")
        self.fail_at(location, f"{quote(text)} is not {form.what}", form.hint)
        return ""

    def _string(self, item: YamlValue, key: str, line: int, index: str = "") -> str:
        if isinstance(item, YamlScalar) and item.tag == "str" and not has_expression(item.text):
            return item.text  # nearly all are plain: a place is worked out only for what may be wrong
        location = Location(file=self._file, line=line, key=f"{self._join(key)}{index}")
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


def _show_key(key: str) -> str:
    """The key as a place is written: short, and on one line."""
    shown = key if key.isprintable() else key.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= _SHOWN_KEY else f"{shown[:_SHOWN_KEY]}…"
