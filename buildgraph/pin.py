"""Pins: an image's four scalars in a values file are replaced as one unit, and no other byte changes.

PyYAML says only where a scalar stands; what is written is spliced into the text, so comments, quotes, line ends and
order stay. What cannot be edited without touching something else is refused.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from buildgraph.errors import ManifestError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PIN_KEYS = ("registry", "repository", "tag", "digest")
MAX_BYTES = 1 << 20
IMAGES_ANNOTATION = ("annotations", "artifacthub.io/images")

_STRING = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_PLAIN = re.compile(r"[A-Za-z0-9][\w./@+-]*(?::[\w./@+-]+)*", re.ASCII)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# YAML 1.1 readers in other languages see booleans in these; PyYAML does not.
_BOOLEAN_LETTERS = frozenset("ynYN")


@dataclass(frozen=True, slots=True, kw_only=True)
class PinValues:
    """One image reference, in the four parts that a values file holds. ``digest`` is ``sha256:…`` or empty."""

    registry: str
    repository: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Page:
    """A YAML text with its name; ``offset`` is the number of lines above it when it is a part of ``file``."""

    text: str
    file: str
    offset: int = 0

    def where(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + self.offset + 1}"


def splice(text: str, path: str, values: PinValues, *, file: str) -> str:
    """``text`` with the four scalars of the mapping at dotted ``path`` set to ``values``.

    A step of the path is a key, or the number of a list's entry, counted from 0. Every other byte stays; a text that
    holds the values already is returned as it is. ``text`` must be read without newline translation. Raises
    ``ManifestError`` when the mapping is missing, incomplete, ambiguous, or shared through an anchor, and when a scalar
    is not on one line.
    """
    page = _Page(text, file)
    root = _compose(page)
    trail = _follow(page, root, tuple(path.split(".")))
    scalars = _find_pin(page, trail[-1], path)
    wanted = {key: getattr(values, key) for key in PIN_KEYS}
    return _replace(page, root, trail, [(scalars[key], wanted[key]) for key in PIN_KEYS])


def read_pin(text: str, path: str, *, file: str) -> PinValues:
    """The four scalars at ``path`` as written (a number as its digits, null as the empty string)."""
    page = _Page(text, file)
    trail = _follow(page, _compose(page), tuple(path.split(".")))
    scalars = _find_pin(page, trail[-1], path)
    return PinValues(**{key: _value(node) for key, node in scalars.items()})


def splice_scalar(text: str, path: str, value: str, *, file: str) -> str:
    """``text`` with the one scalar at dotted ``path`` (``appVersion``) set; the promises are those of ``splice``."""
    page = _Page(text, file)
    root = _compose(page)
    trail = _follow(page, root, tuple(path.split(".")))
    return _replace(page, root, trail[:-1], [(_scalar(page, trail[-1], path), value)])


def splice_images(text: str, images: Mapping[str, str], *, file: str) -> str:
    """A Chart.yaml with the references of its ``artifacthub.io/images`` annotation set: name → reference.

    The annotation is a literal block (``|``) that lists every given name; its other entries and keys stay.
    """
    page = _Page(text, file)
    node = _follow(page, _compose(page), IMAGES_ANNOTATION)[-1]
    header, lines, indent = _split_block(page, node)
    blanks = lines.pop() if lines and not lines[-1].strip(" ") else ""  # the file's last line, without an end
    old = "".join(line[indent:] if line.strip() else line.lstrip(" ") for line in lines)
    new = _replace_images(_Page(old, file, node.start_mark.line + 1), images)
    spliced = [
        line if before == after else line[:indent] + after
        for line, before, after in zip(lines, _LINE.findall(old), _LINE.findall(new), strict=True)
    ]
    return text[: node.start_mark.index] + header + "".join(spliced) + blanks + text[node.end_mark.index :]


def diff(old: str, new: str, file: str) -> str:
    """The unified diff of one file; empty when nothing changed."""
    lines = difflib.unified_diff(_LINE.findall(old), _LINE.findall(new), f"a/{file}", f"b/{file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _compose(page: _Page) -> yaml.Node:
    """The node tree: positions and scalars, nothing constructed."""
    if len(page.text) > MAX_BYTES:
        raise ManifestError(f"more than the limit of {MAX_BYTES} bytes", where=page.file, hint="split it")
    try:
        root = yaml.compose(page.text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + page.offset + 1 if mark else 1
        raise ManifestError(f"not YAML: {error.problem}", where=f"{page.file}:{line}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # PyYAML trusts \U and %YAML
        raise ManifestError(f"not YAML: {str(error).splitlines()[0]}", where=page.file) from None
    if root is None:
        raise ManifestError("the file is empty", where=page.file)
    return root


def _follow(page: _Page, root: yaml.Node, keys: Sequence[str]) -> tuple[yaml.Node, ...]:
    """The nodes from below the root to the end of the path; each key must be there exactly once."""
    trail: list[yaml.Node] = []
    node = root
    for depth, key in enumerate(keys):
        path = ".".join(keys[: depth + 1])
        found = _below(node, key)
        if not found:
            raise ManifestError(f"there is no {path}", where=page.where(node), hint=_suggest(root))
        if len(found) > 1:
            lines = ", ".join(str(name.start_mark.line + page.offset + 1) for name, _ in found)
            raise ManifestError(f"{path} is written more than once (lines {lines})", where=page.where(found[1][0]))
        node = found[0][1]
        trail.append(node)
    return tuple(trail)


def _below(node: yaml.Node, key: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """What stands under a mapping's key, or at a place of a list, each with where it is named."""
    if isinstance(node, yaml.SequenceNode):
        return [(entry, entry) for place, entry in enumerate(node.value) if str(place) == key]
    return [*_members(node, key)] if isinstance(node, yaml.MappingNode) else []


def _members(mapping: yaml.MappingNode, key: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    return [(name, value) for name, value in mapping.value if isinstance(name, yaml.ScalarNode) and name.value == key]


def _find_pin(page: _Page, node: yaml.Node, path: str) -> dict[str, yaml.ScalarNode]:
    """The four scalars of the mapping, each written there once."""
    if not isinstance(node, yaml.MappingNode):
        raise ManifestError(f"{path} is not a mapping", where=page.where(node), hint=f"write {', '.join(PIN_KEYS)}")
    missing = [key for key in PIN_KEYS if not _members(node, key)]
    if missing:
        hint = "a pin sets all four keys as one; write each of them here"
        raise ManifestError(f"{path} has no {' and no '.join(missing)}", where=page.where(node), hint=hint)
    return {key: _scalar(page, _follow(page, node, (key,))[0], f"{path}.{key}") for key in PIN_KEYS}


def _scalar(page: _Page, node: yaml.Node, path: str) -> yaml.ScalarNode:
    if not isinstance(node, yaml.ScalarNode):
        raise ManifestError(f"{path} is not a string", where=page.where(node), hint="write one string on one line")
    return node


def _value(node: yaml.ScalarNode) -> str:
    return "" if node.tag == _NULL else str(node.value)


def _suggest(root: yaml.Node) -> str:
    """The places where a pin could go, for whoever mistyped one."""
    paths = sorted(path for path, node in _mappings(root) if all(_members(node, key) for key in PIN_KEYS))
    return f"mappings with {', '.join(PIN_KEYS)}: {', '.join(paths)}" if paths else ""


def _mappings(root: yaml.Node) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Every mapping below the root with its dotted path; one that aliases share comes once."""
    seen: set[int] = set()
    stack = [("", root)]
    while stack:
        path, node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if path and isinstance(node, yaml.MappingNode):
            yield path, node
        stack.extend((f"{path}.{name}".lstrip("."), value) for name, value in _named(node))


def _named(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    """What stands below a node, with the step of a path that leads there."""
    if isinstance(node, yaml.SequenceNode):
        return [(str(place), entry) for place, entry in enumerate(node.value)]
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return [(str(key.value), value) for key, value in pairs if isinstance(key, yaml.ScalarNode)]


def _replace(
    page: _Page, root: yaml.Node, trail: Sequence[yaml.Node], wanted: Sequence[tuple[yaml.ScalarNode, str]]
) -> str:
    """The page's text with each scalar set; proves afterwards that nothing else means something else."""
    shared = _shared(root)
    for node in (*trail, *(scalar for scalar, _ in wanted)):
        if id(node) in shared:
            what = "an anchor makes this stand at several places"
            raise ManifestError(what, where=page.where(node), hint="write it out where the pin goes")
    is_flow = any(isinstance(node, yaml.MappingNode) and node.flow_style for node in (root, *trail))
    text = page.text
    for scalar, value in sorted(wanted, key=lambda pair: pair[0].start_mark.index, reverse=True):
        if (scalar.tag, scalar.value) != (_STRING, value):
            rendered = _render(page, scalar, value, is_flow=is_flow)
            text = text[: scalar.start_mark.index] + rendered + text[scalar.end_mark.index :]
    _prove(_Page(text, page.file, page.offset), root, wanted)
    return text


def _render(page: _Page, scalar: yaml.ScalarNode, value: str, *, is_flow: bool) -> str:
    """The scalar's new source, in the quotes that it has."""
    start, end = scalar.start_mark, scalar.end_mark
    if not value.isprintable():
        raise UsageError(f"{value!r} cannot be written on one line", where=page.where(scalar))
    if scalar.style in ("|", ">") or start.line != end.line:
        raise ManifestError("the value goes over several lines", where=page.where(scalar), hint="write it on one line")
    if page.text[start.index : start.index + 1] in ("&", "!"):
        raise ManifestError("the value has an anchor or a tag", where=page.where(scalar), hint="write a plain string")
    if start.index == end.index and not page.text[: start.index].endswith(":"):
        raise ManifestError("the key has no value", where=page.where(scalar), hint='write "" after it')
    if scalar.style == "'":
        return "'" + value.replace("'", "''") + "'"
    is_plain = scalar.style is None and _is_plain(value) and not (is_flow and ":" in value)
    rendered = value if is_plain else json.dumps(value, ensure_ascii=False)
    return f" {rendered}" if start.index == end.index else rendered


def _is_plain(value: str) -> bool:
    """True when every YAML reader takes the unquoted text as this string: no number, boolean, null or date."""
    if not _PLAIN.fullmatch(value) or value in _BOOLEAN_LETTERS or _is_number(value):
        return False
    return _compose(_Page(value, "a value")).tag == _STRING


def _is_number(value: str) -> bool:
    """YAML 1.2 knows more numbers than PyYAML: 1e3, 0o17."""
    for convert in (float, lambda text: int(text, 0)):
        try:
            convert(value)
        except ValueError:
            continue
        return True
    return False


def _shared(root: yaml.Node) -> frozenset[int]:
    """The nodes that more than one place refers to; an alias is the same node once more."""
    seen: set[int] = set()
    again: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            again.add(id(node))
            continue
        seen.add(id(node))
        stack.extend(_children(node))
    return frozenset(again)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _prove(page: _Page, before: yaml.Node, wanted: Sequence[tuple[yaml.ScalarNode, str]]) -> None:
    """Read the result again: the wanted scalars are the wanted strings, all else is what it was."""
    expected = {id(scalar): value for scalar, value in wanted}
    seen: set[tuple[int, int]] = set()
    stack = [(before, _compose(page))]
    while stack:
        old, new = stack.pop()
        if (id(old), id(new)) in seen:
            continue
        seen.add((id(old), id(new)))
        meant = (_STRING, expected[id(old)]) if id(old) in expected else _meaning(old)
        if _meaning(new) != meant:
            hint = "write the mapping in block style, one key a line"
            raise ManifestError("a pin cannot be written here safely", where=page.where(old), hint=hint)
        stack.extend(zip(_children(old), _children(new), strict=True))


def _meaning(node: yaml.Node) -> tuple[str, str | int]:
    """What must be equal for two nodes to mean the same, their children apart."""
    return node.tag, node.value if isinstance(node, yaml.ScalarNode) else len(node.value)


def _split_block(page: _Page, node: yaml.Node) -> tuple[str, list[str], int]:
    """A literal block's header line, its lines as written, and how deep they are indented."""
    lines = _LINE.findall(page.text[node.start_mark.index : node.end_mark.index])
    if not isinstance(node, yaml.ScalarNode) or node.style != "|" or not re.fullmatch(r"\|[+-]?\s*", lines[0]):
        what = f"{'.'.join(IMAGES_ANNOTATION)} is not a literal block"
        raise ManifestError(what, where=page.where(node), hint="begin it with | alone")
    body = lines[1:]
    indent = next((len(line) - len(line.lstrip(" ")) for line in body if line.strip()), 0)
    return lines[0], body, indent


def _replace_images(page: _Page, images: Mapping[str, str]) -> str:
    root = _compose(page)
    entries = {
        _value(name): entry
        for entry in _children(root)
        if isinstance(entry, yaml.MappingNode)
        for _, name in _members(entry, "name")
        if isinstance(name, yaml.ScalarNode)
    }
    wanted = []
    for name, reference in images.items():
        if name not in entries:
            hint = f"add '- name: {name}' with 'image:' below it"
            raise ManifestError(f"{IMAGES_ANNOTATION[-1]} does not list {name}", where=page.where(root), hint=hint)
        node = _follow(page, entries[name], ("image",))[0]
        wanted.append((_scalar(page, node, f"{name}.image"), reference))
    return _replace(page, root, (), wanted)
