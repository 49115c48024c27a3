"""Small damage to sound documents: to their text, and to the tree behind it. All chance comes from one ``Random``."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Tree: TypeAlias = Any

TOKENS = (
    *(
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "#",
        "|",
        ">-\n",
        "? ",
        "---\n",
        "...\n",
        "\r",
    ),
    *("&a ", "*a", "!!str ", "!<x> ", "<<: ", "%YAML 1.1\n", "%TAG ! x\n", "3.10", "~", "yes", "0755", "1:30", "1e999"),
    *("{{", "}}", "{%", "{{ x }}", "{{ 1/0 }}", "{{ 'x' * 9 }}", "{{ layer ~ name }}", "{{ layer[9] }}", "{# x #}"),
    *("\x00", "\x07", "\x85", "\u2028", "\ufeff", "\udcff", "é", "\U0001f4a5", "\\", '"\\UFFFFFFFF"', '"\\ud800"'),
    *("../", "/etc/passwd", "-rf", "$(id)", "NaN", "Infinity", "-1", "9" * 30, "null", "true", "<<<<<<< ours\n"),
)
ODD: tuple[Tree, ...] = (
    *(
        None,
        True,
        3.1,
        -1,
        0,
        10**20,
        "",
        " ",
        "../x",
        "/abs",
        "a/b",
        "..",
        "-rf",
        "A b",
        "a\nb",
        "\x1b[0m",
        "é",
        "\uff41",
    ),
    *("{{ x }}", "{{ layer }}", "{{ 1 / 0 }}", "{{ layer.split }}", "{% if %}", "{{", "x" * 5000, "\u2028", "3.10"),
    *([], {}, [[[]]], {"a": {"b": []}}, ["x", 1, None], {"": ""}, {"../x": "y"}, [{}], {"kind": "files"}),
)
_MAX_SPAN = 40


def damage_text(chance: Random, text: str) -> str:
    """The text after one to four changes to its characters."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        text = chance.choice(_TEXT_CHANGES)(chance, text)
    return text


def damage_yaml(chance: Random, text: str) -> str:
    """The document after one to three changes to its tree, written in block or flow style."""
    tree = _damage_tree(chance, yaml.safe_load(text))
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, default_flow_style=chance.choice([False, None]))


def damage_json(chance: Random, text: str) -> str:
    """The same for JSON."""
    return json.dumps(_damage_tree(chance, json.loads(text)), indent=chance.choice([None, 1]))


def _cut(chance: Random, text: str) -> str:
    start = chance.randint(0, len(text))
    return text[:start] + text[start + chance.randint(1, _MAX_SPAN) :]


def _insert(chance: Random, text: str) -> str:
    start = chance.randint(0, len(text))
    return text[:start] + chance.choice(TOKENS) + text[start:]


def _repeat(chance: Random, text: str) -> str:
    start = chance.randint(0, len(text))
    span = text[start : start + chance.randint(1, _MAX_SPAN)]
    return text[:start] + span * chance.choice([2, 3, 50]) + text[start:]


def _swap_lines(chance: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return "".join(lines)


def _indent(chance: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place = chance.randrange(len(lines))
    lines[place] = chance.choice([" ", "  ", "- ", "\t"]) + lines[place]
    return "".join(lines)


def _truncate(chance: Random, text: str) -> str:
    return text[: chance.randint(0, len(text))]


_TEXT_CHANGES: tuple[Callable[[Random, str], str], ...] = (
    _cut,
    _insert,
    _insert,
    _repeat,
    _swap_lines,
    _indent,
    _truncate,
)


def _damage_tree(chance: Random, tree: Tree) -> Tree:
    """The tree with one to three of its values replaced, removed, renamed, moved or wrapped."""
    holder: list[Tree] = [tree]
    for _ in range(chance.choice([1, 1, 2])):
        places = list(_places(holder))
        parent, key = chance.choice(places)
        _change_value(chance, parent, key, chance.choice(places))
    return holder[0] if holder else None


def _places(tree: Tree) -> list[tuple[Tree, Any]]:
    """Every (collection, key or index) of a tree."""
    found: list[tuple[Tree, Any]] = []
    stack = [tree]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            found.extend((value, key) for key in value)
            stack.extend(value.values())
        elif isinstance(value, list):
            found.extend((value, index) for index in range(len(value)))
            stack.extend(value)
    return found


def _change_value(chance: Random, parent: Tree, key: Any, other: tuple[Tree, Any]) -> None:
    act = chance.randrange(6)
    if act == 0 and isinstance(parent, dict):
        del parent[key]
    elif act == 1 and isinstance(parent, dict):
        parent[chance.choice([*parent, "x", "", "../x", 3, None])] = parent.pop(key)
    elif act == 2:
        parent[key] = [parent[key]]
    elif act == 3:
        parent[key] = copy.deepcopy(other[0][other[1]])
    else:
        parent[key] = copy.deepcopy(chance.choice(ODD))
