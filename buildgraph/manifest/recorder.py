"""Fields that hold nothing and note what they are asked for: the readers themselves say what a manifest may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from buildgraph.forms import MODE, OWNER, SIZE
from buildgraph.manifest.document import YamlMapping
from buildgraph.manifest.fields import MAX_INTEGER, Fields
from buildgraph.manifest.templates import MARKS
from buildgraph.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.forms import Form

Schema: TypeAlias = "dict[str, Any]"

# Stands for every key of a mapping whose keys are free; no manifest can hold it.
ANY_KEY = "*"
_EXPRESSION = rf"\{{[{''.join(mark[1] for mark in MARKS)}]"
_NOTHING = YamlMapping((), 0)


class Recorder(Fields):
    """One mapping, as a JSON Schema in the making.

    ``given``: what choices are answered with. ``cases``: keys of which a reader wants one in each entry of a list; it
    is run once for each. A key that was asked for twice is noted once.
    """

    def __init__(self, given: Mapping[str, str], cases: Mapping[str, tuple[str, ...]], case: str = "") -> None:
        """Nothing is asked yet."""
        super().__init__(_NOTHING, "", "", [], lambda text, _location: text)
        self._given = given
        self._cases = cases
        self._case = case
        self._properties: dict[str, Schema] = {}
        self._required: list[str] = []
        self._inner: dict[str, Recorder] = {}
        self._entries: dict[str, list[Recorder]] = {}
        self._keys: Form | None = None

    def schema(self) -> Schema:
        """What was asked for."""
        known = {**self._properties, **{key: inner.schema() for key, inner in self._inner.items()}}
        for key, entries in self._entries.items():
            each = [entry.schema() for entry in entries]
            known[key] = {**known[key], "items": {"oneOf": each} if len(each) > 1 else each[0]}
        rest = known.pop(ANY_KEY, False)
        schema: Schema = {"type": "object", "additionalProperties": rest}
        if known:
            schema["properties"] = known
        if self._required:
            schema["required"] = sorted(self._required)
        if self._keys:
            schema["propertyNames"] = self._keys.schema()
        return schema

    def location(self, key: str = "") -> Location:
        """Nowhere."""
        return Location(file="", key=key)

    def names(self, form: Form | None = None) -> tuple[str, ...]:
        """One key that stands for all."""
        self._keys = form or self._keys
        return (ANY_KEY,)

    def fail_at(self, location: Location, what: str, hint: str = "") -> None:
        """Nothing is read, so nothing is wrong."""

    def skip(self, key: str) -> None:
        """Note a mapping in its place; another reader asks what it holds."""
        self.fields(key)

    def is_sound(self, key: str) -> bool:
        """Whether the reader may go on and ask for what comes after the key."""
        return key != ANY_KEY

    def has(self, key: str) -> bool:
        """True for the case that is being noted."""
        return key == self._case

    def text(self, key: str, default: str | None = None, *, form: Form | None = None) -> str:
        """Note a string."""
        self._note(key, _describe_text(form, may_be_blank=default == ""), required=default is None)
        return default or ""

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Note a string of some."""
        plain: Schema = {"enum": [str(choice) for choice in choices]}
        self._note(key, {"anyOf": [plain, _describe_text(None, only_expressions=True)]}, required=default is None)
        return self._given.get(key, choices[0])

    def integer(self, key: str) -> int:
        """Note a whole number."""
        self._note(key, {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}, required=True)
        return 0

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Note a truth value."""
        self._note(key, {"type": "boolean"})
        return default

    def size(self, key: str) -> int | None:
        """Note a size."""
        self.text(key, "", form=SIZE)
        return None

    def mode(self, key: str) -> int | None:
        """Note permission bits."""
        self.text(key, "", form=MODE)
        return None

    def owner(self, key: str) -> tuple[int, int]:
        """Note an owner."""
        self.text(key, "", form=OWNER)
        return 0, 0

    def texts(
        self, key: str, *, form: Form | None = None, least: int = 0, may_be_blank: bool = False
    ) -> tuple[str, ...]:
        """Note a list of strings."""
        items = _describe_text(form, may_be_blank=may_be_blank)
        self._note(key, _describe_list(items, least), required=least > 0)
        return ()

    def integers(self, key: str, least: int, most: int) -> tuple[int, ...]:
        """Note a list of whole numbers."""
        self._note(key, _describe_list({"type": "integer", "minimum": least, "maximum": most}, 0))
        return ()

    def fields(self, key: str) -> Fields:
        """Note a mapping; what is asked of it is noted there."""
        return self._inner.setdefault(key, Recorder(self._given, self._cases))

    def sequence(self, key: str, *, least: int = 0) -> Iterator[Fields]:
        """Note a list of mappings; one entry for each case."""
        self._note(key, _describe_list({}, least), required=least > 0)
        cases = self._cases.get(key, ("",))
        entries = self._entries.setdefault(key, [Recorder(self._given, self._cases, case) for case in cases])
        yield from entries

    def finish(self) -> None:
        """Whatever was not asked for is not allowed, always."""

    def _note(self, key: str, schema: Schema, *, required: bool = False) -> None:
        known = self._properties.setdefault(key, schema)
        if known.keys() < schema.keys():  # a reader that looks at a key before it reads it knows less of it
            self._properties[key] = schema
        if required and key != ANY_KEY and key not in self._required:
            self._required.append(key)


def _describe_text(form: Form | None, *, may_be_blank: bool = False, only_expressions: bool = False) -> Schema:
    """A string of the form, or with an expression: only what it expands to has the form."""
    if only_expressions:
        return {"type": "string", "pattern": _EXPRESSION}
    if form is None:
        return {"type": "string"}
    return {"type": "string", "pattern": f"^(?:{form.pattern}){'?' if may_be_blank else ''}$|{_EXPRESSION}"}


def _describe_list(items: Schema, least: int) -> Schema:
    schema: Schema = {"type": "array", "items": items}
    if least:
        schema["minItems"] = least
    return schema
