"""What differs between two key documents: names, and no value that a person wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from buildgraph.key import Document, Json

    Compare: TypeAlias = Callable[[str, Json, Json], Iterator["Change"]]
    """Called with the name of a part and its two values when they differ."""
    Place: TypeAlias = tuple[str, str, int]
    """What tells operations apart: action, target path, and a number for those that share them."""

LAYER = "layer"
KEY_SHOWN = 12
"""Of a key, so many characters tell it apart for people."""
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One input that is not what it was.

    ``kind`` says what it is (file, source, argument, …), ``name`` which one, ``text`` all of it in a few words. ``old``
    and ``new`` are filled only where they are no values that a person wrote: coordinates, versions, settings.
    ``moved``: it is a layer whose own key is another one, so the cause lies there.
    """

    kind: str
    name: str = ""
    text: str
    old: str = ""
    new: str = ""
    moved: bool = False

    def __str__(self) -> str:
        """The text."""
        return self.text


def explain_change(old: Document, new: Document) -> tuple[Change, ...]:
    """What differs between two documents without values: one change for each input, none when they are equal.

    A document of other parts than ours (an older format) is compared part by part as well.
    """
    if old.get("kind") != new.get("kind"):
        # Made in another way: what the way consists of has nothing to be compared with.
        old, new = _without_recipe(old), _without_recipe(new)
    return tuple(dict.fromkeys((*_compare(_PARTS, old, new), *_changed_roles(old, new))))


def explain_tests(old: Document, new: Document) -> tuple[Change, ...]:
    """What differs between two documents of test keys (``key.describe_test``) without values."""
    return tuple(_compare(_TEST_PARTS, old, new))


def _without_recipe(document: Document) -> Document:
    return {part: value for part, value in document.items() if part not in {"spec", "tools", "config", "overrides"}}


def _compare(table: Mapping[str, Compare], old: Document, new: Document) -> Iterator[Change]:
    for part in (*table, *sorted((old.keys() | new.keys()) - table.keys())):
        if old.get(part) != new.get(part):
            yield from table.get(part, _changed_part)(part, old.get(part), new.get(part))


def _changed_part(part: str, _old: Json, _new: Json) -> Iterator[Change]:
    yield Change(kind="manifest", name=part, text=f"{part} changed")


def _changed_setting(part: str, old: Json, new: Json) -> Iterator[Change]:
    yield _moved_from(part, "", f"{part}:", str(old), str(new))


def _changed_table(kind: str, *, show: bool = False, of: str = "") -> Compare:
    """Compares two mappings name by name."""

    def compare(_part: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = _table(old), _table(new)
        for name in sorted(before.keys() | after.keys()):
            label = f"{name}{of}"
            if name not in before or name not in after:
                word = "new" if name in after else "gone"
                yield Change(kind=kind, name=label, text=f"{kind} {label} is {word}")
            elif before[name] != after[name] and show:
                yield _moved_from(kind, label, f"{kind} {label}:", str(before[name]), str(after[name]))
            elif before[name] != after[name]:
                yield Change(kind=kind, name=label, text=f"{kind} {label} changed")

    return compare


def _changed_recipe(kind: str) -> Compare:
    """Compares a spec or a config: tables by their entries, operations one by one, other fields by name."""

    def compare(_part: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = _table(old), _table(new)
        for field in sorted(before.keys() | after.keys()):
            inner = _FIELDS.get(field)
            if inner is not None:
                yield from inner(field, before.get(field), after.get(field))
            elif before.get(field) != after.get(field) or (field in before) is not (field in after):
                yield Change(kind=kind, name=field, text=f"{kind} {field} changed")

    return compare


def _changed_operations(_part: str, old: Json, new: Json) -> Iterator[Change]:
    before, after = _by_place(old), _by_place(new)
    gone = {place: operation for place, operation in before.items() if place not in after}
    come = {place: operation for place, operation in after.items() if place not in before}
    for old_place, place in _find_renamed(gone, come):
        del gone[old_place], come[place]
        yield _moved_from("operation", f"{place[0]} -> {place[1]}", f"operation {place[0]}:", old_place[1], place[1])
    for places, word in ((gone, "gone"), (come, "new")):
        yield from (_operation(action, to, f"is {word}") for action, to, _number in places)
    kept = [place for place in after if place in before]
    for place in kept:
        was, now = before[place], after[place]
        fields = sorted(field for field in was.keys() | now.keys() if was.get(field) != now.get(field))
        if fields:
            yield _operation(place[0], place[1], f"changed ({', '.join(fields)})")
    if [place for place in before if place in after] != kept:
        yield Change(kind="operation", text="the order of its operations changed")


def _by_place(value: Json) -> dict[Place, Document]:
    places: dict[Place, Document] = {}
    for item in value if isinstance(value, list) else []:
        operation = _table(item)
        action, to = str(operation.get("action")), str(operation.get("to"))
        number = sum(place[:2] == (action, to) for place in places)
        places[action, to, number] = operation
    return places


def _find_renamed(gone: dict[Place, Document], come: dict[Place, Document]) -> Iterator[tuple[Place, Place]]:
    """Operations that are the same but for their target path."""
    free = dict(come)
    for was, operation in tuple(gone.items()):
        for now, other in free.items():
            if {**operation, "to": None} == {**other, "to": None}:
                del free[now]
                yield was, now
                break


def _operation(action: str, to: str, what: str) -> Change:
    return Change(kind="operation", name=f"{action} -> {to}", text=f"operation {action} -> {to} {what}")


def _changed_sources(_part: str, old: Json, new: Json) -> Iterator[Change]:
    before, after = _table(old), _table(new)
    for name in sorted(before.keys() | after.keys()):
        was, now = (_by_coordinate(table.get(name)) for table in (before, after))
        if before.get(name) != after.get(name):
            yield from _changed_source(name, was, now)


def _changed_source(name: str, was: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> Iterator[Change]:
    gone, come = [item for item in was if item not in now], [item for item in now if item not in was]
    if gone and come:
        yield _moved_from("source", name, f"source {name}:", _brief(gone), _brief(come))
    elif gone or come:
        word, items = ("gone", gone) if gone else ("new", come)
        verb = "is" if len(items) == 1 else "are"
        yield Change(kind="source", name=name, text=f"source {name}: {_brief(items)} {verb} {word}")
    other = [item for item in was if item in now and was[item] != now[item]]
    if other:
        yield Change(kind="source", name=name, text=f"source {name}: {_brief(other)} with another file name or sha256")
    if not (gone or come or other):
        yield Change(kind="source", name=name, text=f"source {name}: other order")


def _by_coordinate(value: Json) -> dict[str, list[str]]:
    """Coordinate → file name and sha256."""
    found: dict[str, list[str]] = {}
    for item in _strings(value):
        coordinate, _, rest = item.partition(" ")
        found.setdefault(coordinate, []).append(rest)
    return found


def _brief(items: list[str]) -> str:
    more = f" and {len(items) - _NAMES_SHOWN} more" if len(items) > _NAMES_SHOWN else ""
    return ", ".join(items[:_NAMES_SHOWN]) + more


def _changed_reads(_part: str, old: Json, new: Json) -> Iterator[Change]:
    before, after = _by_node(old), _by_node(new)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield Change(kind=LAYER, text="the order of its layers changed")
    for name in dict.fromkeys([*after, *before]):
        if name not in before or name not in after:
            word = "new" if name in after else "gone"
            yield Change(kind=LAYER, name=name, text=f"layer {name} is {word}")
        else:
            yield from _changed_read(name, before[name], after[name])


def _changed_read(name: str, before: Document, after: Document) -> Iterator[Change]:
    if before.get("key") != after.get("key"):
        yield Change(kind=LAYER, name=name, text=f"layer {name} changed", moved=True)
    for field, kind in (("env", "variable"), ("prepend", "prepended variable")):
        yield from _changed_table(kind, of=f" of {name}")(field, before.get(field), after.get(field))


def _changed_roles(old: Document, new: Document) -> Iterator[Change]:
    """Layers that are read as before but no longer (or only now) as parents."""
    both = _by_node(old.get("reads")).keys() & _by_node(new.get("reads")).keys()
    before, after = _strings(old.get("parents")), _strings(new.get("parents"))
    for name in sorted(both & set(before) ^ both & set(after)):
        text = f"layer {name} is {'now a parent' if name in after else 'no parent any more'}"
        yield Change(kind=LAYER, name=name, text=text)


def _changed_image(_part: str, old: Json, new: Json) -> Iterator[Change]:
    text = "the image that they run on is another one"
    yield Change(kind="image", text=text, old=str(old), new=str(new))


def _changed_capabilities(_part: str, old: Json, new: Json) -> Iterator[Change]:
    before, after = _strings(old), _strings(new)
    for name in sorted(set(before) ^ set(after)):
        word = "new" if name in after else "gone"
        yield Change(kind="capability", name=name, text=f"capability {name} of this machine is {word}")


def _changed_fixtures(_part: str, _old: Json, _new: Json) -> Iterator[Change]:
    yield Change(kind="fixtures", text="the fixtures of tests changed")


def _changed_tool(part: str, old: Json, new: Json) -> Iterator[Change]:
    yield _moved_from("tool", part, f"tool {part}:", str(old), str(new))


def _moved_from(kind: str, name: str, words: str, old: str, new: str) -> Change:
    return Change(kind=kind, name=name, text=f"{words} {old} -> {new}", old=old, new=new)


def _table(value: Json) -> Document:
    return value if isinstance(value, dict) else {}


def _strings(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _by_node(value: Json) -> dict[str, Document]:
    items = value if isinstance(value, list) else []
    return {str(item["node"]): item for item in items if isinstance(item, dict)}


_FIELDS: Mapping[str, Compare] = {
    "args": _changed_table("argument"),
    "env": _changed_table("variable"),
    "labels": _changed_table("label"),
    "operations": _changed_operations,
}
_PARTS: Mapping[str, Compare] = {
    "format": _changed_setting,
    "kind": _changed_setting,
    "platform": _changed_setting,
    "epoch": _changed_setting,
    "compression": _changed_setting,
    "files": _changed_table("file"),
    "sources": _changed_sources,
    "tools": _changed_table("tool", show=True),
    "config": _changed_recipe("config"),
    "overrides": _changed_table("override"),
    "spec": _changed_recipe("manifest"),
    "reads": _changed_reads,
    "parents": lambda _part, _old, _new: iter(()),  # with what is read as: see _changed_roles
}
_TEST_PARTS: Mapping[str, Compare] = {
    "image": _changed_image,
    "services": _changed_table("service"),
    "tests": _changed_table("test file"),
    "params": _changed_table("parameter"),
    "capabilities": _changed_capabilities,
    "fixtures": _changed_fixtures,
    "pytest": _changed_tool,
    "testinfra": _changed_tool,
}
