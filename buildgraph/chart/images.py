"""The images that rendered objects name: in pods and what makes pods, in texts that Spark makes pods from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import yaml

from buildgraph.errors import BuildFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_TEMPLATE = re.compile(r".*\.(?:ya?ml|json)", re.DOTALL)
_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})
_SPARK = r"spark\.kubernetes\.(?:driver\.|executor\.)?container\.image"
_SETTING = re.compile(rf"""({_SPARK})["']?[ \t]*[=: \t][ \t]*["']?([^\s"',]*)""")
_SPARK_KEY = re.compile(_SPARK)
_COMMENT = re.compile(r"^[ \t]*[#!].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place that names an image: ``text`` is what stands there.

    ``thing``: the object as ``Kind/name``. ``part``: the text inside it, such as ``executor.yaml``, or empty.
    ``container``: the container's name, or the key or setting that holds the image.
    """

    text: str
    thing: str
    part: str = ""
    container: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return " ".join(word for word in (self.thing, self.part, self.container) if word)


def find_uses(rendered: str) -> tuple[Use, ...]:
    """Every place in the objects of a release that names an image, in their order.

    Raises:
        BuildFailure: when the text, or a text in it that speaks of images, is not YAML.
    """
    uses: list[Use] = []
    for document in _parse(rendered, "what Helm renders"):
        uses.extend(_look(document))
    return tuple(uses)


def _parse(text: str, what: str) -> list[Value]:
    try:
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BuildFailure(f"{what} is not YAML: {str(error).splitlines()[0]}") from None


def _look(document: Value) -> Iterator[Use]:
    """The uses of one object, or of each of a list of objects."""
    if not isinstance(document, dict):
        return
    items = document.get("items")
    if str(document.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _look(item)
        return
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    thing = f"{document.get('kind')}/{name}"
    if document.get("kind") not in {"ConfigMap", "Secret"}:
        yield from _walk(document, thing, "", is_text=False)
        return
    for texts in (document.get("data"), document.get("stringData")):
        for part, text in texts.items() if isinstance(texts, dict) else ():
            yield from _look_inside(str(text), thing, str(part))


def _look_inside(text: str, thing: str, part: str) -> Iterator[Use]:
    """The uses in a text of a ConfigMap: pods that it describes, settings of Spark."""
    if _TEMPLATE.fullmatch(part) and "image" in text:
        for document in _parse(text, f"{part} in {thing}"):
            yield from _walk(document, thing, part, is_text=True)
    else:
        yield from _find_settings(text, thing, part)


def _walk(root: Value, thing: str, part: str, *, is_text: bool) -> Iterator[Use]:
    """All uses below a value, in order; what an alias repeats comes once.

    In texts, which may speak of anything, only the images of containers count.
    """
    seen: set[int] = set()
    stack: list[tuple[Value, str]] = [(root, "")]
    while stack:
        value, key = stack.pop()
        if isinstance(value, str):
            yield from _find_settings(value, thing, part)
        if not isinstance(value, (dict, list)) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list):
            stack.extend((item, key) for item in reversed(value))
            continue
        yield from _find_images(value, key, thing, part, is_text=is_text)
        inner = [(item, str(name)) for name, item in value.items() if name != "metadata"]
        stack.extend(reversed(inner))


def _find_images(mapping: Mapping[str, Value], key: str, thing: str, part: str, *, is_text: bool) -> Iterator[Use]:
    image = mapping.get("image")
    if key in _CONTAINERS or (isinstance(image, str) and not is_text):
        name = mapping.get("name") or key or "image"
        yield Use(text="" if image is None else str(image), thing=thing, part=part, container=str(name))
    elif isinstance(image, dict) and isinstance(image.get("reference"), str):  # a volume that is an image
        yield Use(text=str(image["reference"]), thing=thing, part=part, container=str(mapping.get("name") or key))
    for name, value in mapping.items():
        if _SPARK_KEY.fullmatch(str(name)):
            yield Use(text=str(value), thing=thing, part=part, container=str(name))


def _find_settings(text: str, thing: str, part: str) -> Iterator[Use]:
    """Images that a text sets for Spark's pods: in spark-defaults.conf, in arguments, in scripts."""
    for name, image in _SETTING.findall(_COMMENT.sub("", text)):
        yield Use(text=image, thing=thing, part=part, container=name)
