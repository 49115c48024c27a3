"""YAML text → a small tree of values that know their lines. Rejects what people do not mean to write.

PyYAML's own constructors are not used: they turn ``3.10`` into 3.1, keep the last of two equal keys and follow
aliases, all silently. Its C parser gives events with marks; from these the tree is made without recursion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import yaml
from yaml.resolver import Resolver

from buildgraph.errors import ManifestError, quote

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

# What is left of bytes that were no UTF-8: whoever reads a file keeps them as surrogates.
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_RESOLVER = Resolver()


@dataclass(frozen=True, slots=True)
class YamlScalar:
    """A leaf. ``plain`` is true when it was written without quotes."""

    text: str
    plain: bool
    line: int

    @property
    def tag(self) -> str:
        """The YAML 1.1 type that other readers would give it: ``str``, ``int``, ``float``, ``bool``, and so on."""
        if not self.plain:
            return "str"
        return str(_RESOLVER.resolve(yaml.ScalarNode, self.text, (True, False))).rpartition(":")[2]  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class YamlSequence:
    """A list."""

    items: tuple[YamlValue, ...]
    line: int


@dataclass(frozen=True, slots=True)
class YamlMapping:
    """A mapping with its keys in the order written; keys are unique."""

    items: tuple[tuple[YamlScalar, YamlValue], ...]
    line: int


YamlValue: TypeAlias = "YamlScalar | YamlSequence | YamlMapping"


def count_values(root: YamlValue) -> int:
    """The number of scalars and collections in a tree."""
    count = 0
    stack = [root]
    while stack:
        value = stack.pop()
        count += 1
        if isinstance(value, YamlMapping):
            stack.extend(item for _, item in value.items)
        elif isinstance(value, YamlSequence):
            stack.extend(value.items)
    return count


class _Frame:
    """A collection that is still open while events arrive."""

    def __init__(self, *, is_mapping: bool, line: int) -> None:
        self.is_mapping = is_mapping
        self.line = line
        self.values: list[YamlValue] = []


def parse_document(text: str, file: str) -> YamlMapping:
    """The one document of ``text``, which must be a mapping. Bytes that are no UTF-8 stand in it as surrogates.

    Raises:
        ManifestError: for broken YAML, several documents, aliases, tags, duplicate keys, more than 1 MiB or 64 levels.
    """
    if len(text) > MAX_BYTES:
        raise ManifestError(f"more than the limit of {MAX_BYTES} bytes", where=file, hint="split it")
    if broken := _NOT_UTF8.search(text):
        line = text.count("\n", 0, broken.start()) + 1
        raise ManifestError("not UTF-8", where=f"{file}:{line}", hint="save it as UTF-8")
    try:
        root = _build(text, file)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(f"not valid YAML: {error.problem}", where=f"{file}:{line}") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"not valid YAML: {' '.join(str(error).split())}", where=file) from error
    if not isinstance(root, YamlMapping):
        raise ManifestError("the document must be a mapping", where=f"{file}:1")
    return root


def _build(text: str, file: str) -> YamlValue | None:
    stack: list[_Frame] = [_Frame(is_mapping=False, line=1)]
    documents = 0
    for event in yaml.parse(text, Loader=_loader()):
        line = event.start_mark.line + 1 if event.start_mark else 0
        # Most events are scalars: they are asked for first.
        if isinstance(event, yaml.ScalarEvent):
            _check_node(event, file, line)
            stack[-1].values.append(YamlScalar(event.value, event.style in {None, ""}, line))
        elif isinstance(event, yaml.CollectionStartEvent):
            _check_node(event, file, line)
            if len(stack) > MAX_DEPTH:
                raise ManifestError(f"nested deeper than {MAX_DEPTH} levels", where=f"{file}:{line}")
            stack.append(_Frame(is_mapping=isinstance(event, yaml.MappingStartEvent), line=line))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            stack[-1].values.append(_close(closed, file))
        elif isinstance(event, yaml.AliasEvent):
            raise _refuse_anchor(file, line)
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ManifestError("one document a file, please", where=f"{file}:{line}", hint="split it")
    return stack[0].values[0] if stack[0].values else None


def _loader() -> type[yaml.SafeLoader]:
    fast: type[yaml.SafeLoader] | None = getattr(yaml, "CSafeLoader", None)
    return fast or yaml.SafeLoader


def _refuse_anchor(file: str, line: int) -> ManifestError:
    return ManifestError("anchors and aliases are not allowed", where=f"{file}:{line}", hint="write it out")


def _check_node(event: yaml.ScalarEvent | yaml.CollectionStartEvent, file: str, line: int) -> None:
    if event.anchor:
        raise _refuse_anchor(file, line)
    if event.tag:
        raise ManifestError(f"the tag {event.tag!r} is not allowed", where=f"{file}:{line}", hint="remove it")


def _close(frame: _Frame, file: str) -> YamlValue:
    if not frame.is_mapping:
        return YamlSequence(tuple(frame.values), frame.line)
    keys, values = frame.values[0::2], frame.values[1::2]
    seen: dict[str, int] = {}
    items: list[tuple[YamlScalar, YamlValue]] = []
    for key, value in zip(keys, values, strict=True):
        if not isinstance(key, YamlScalar):
            raise ManifestError("a key must be a plain word or a string", where=f"{file}:{key.line}")
        if key.text in seen:
            where = f"{file}:{key.line}"
            raise ManifestError(f"the key {quote(key.text)} stands already in line {seen[key.text]}", where=where)
        seen[key.text] = key.line
        items.append((key, value))
    return YamlMapping(tuple(items), frame.line)
