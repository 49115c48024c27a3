"""One document of ``manifests/images`` → its images and aliases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.manifest.fields import Fields, is_name
from buildgraph.manifest.layers import read_variants
from buildgraph.manifest.templates import renderer
from buildgraph.model import Image, ImageConfig, Location, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlMapping
    from buildgraph.manifest.layers import Variant

_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_USER = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name for a node."""

    name: str
    node: str
    location: Location


def parse_images(
    document: YamlMapping, file: str, tests: Mapping[str, tuple[str, ...]], errors: list[BuildgraphError]
) -> tuple[list[Image], list[Alias]]:
    """The images of one document and their aliases. ``tests`` maps an image's name to its test files."""
    plain = Fields(document, file, "", errors, renderer({}, errors))
    name = plain.name("image")
    images = []
    for variant in read_variants(plain, "image", name):
        fields = Fields(document, file, "", errors, renderer(variant.expressions, errors))
        images.append(_read_image(fields, name, variant, tests.get(name, ())))
    return images, _read_aliases(plain, name)


def _read_image(fields: Fields, name: str, variant: Variant, tests: tuple[str, ...]) -> Image:
    fields.text("image")
    fields.fields("variants")
    fields.fields("aliases")
    if name and not tests:
        fields.fail(f"the image {name} has no tests", "image", f"write layers/{name}/test_*.py")
    image = Image(
        name=variant.node,
        image=name,
        variant=variant.variant,
        stage=Stage(fields.choice("stage", (Stage.FINAL,), Stage.FINAL)),
        description=fields.text("description"),
        params=variant.params,
        layers=_read_layers(fields),
        config=_read_config(fields),
        repository=_read_matching(fields, "repository", _REPOSITORY),
        tags=_read_tags(fields),
        overrides=fields.mapping("overrides"),
        tests=tests,
        budget=fields.size("budget"),
        location=fields.location("image"),
    )
    fields.finish()
    return image


def _read_layers(fields: Fields) -> tuple[str, ...]:
    """The layers in order; an expression may yield nothing, which leaves that layer out of the variant."""
    layers = tuple(layer for layer in fields.texts("layers") if layer)
    if not layers and fields.is_sound("layers"):
        fields.fail("an image needs at least one layer", "layers")
    return layers


def _read_matching(fields: Fields, key: str, pattern: re.Pattern[str]) -> str:
    text = fields.text(key)
    if fields.is_sound(key) and not pattern.fullmatch(text):
        fields.fail(f"{text!r} is not a {key}", key)
    return text


def _read_tags(fields: Fields) -> tuple[str, ...]:
    tags = fields.texts("tags")
    if not fields.is_sound("tags"):
        return tags
    if not tags:
        fields.fail("an image needs at least one tag", "tags")
    for tag in tags:
        if not _TAG.fullmatch(tag):
            fields.fail(f"{tag!r} is not a tag", "tags", "letters, digits, '_', '.' and '-', at most 128")
    return tags


def _read_config(fields: Fields) -> ImageConfig:
    inner = fields.fields("config")
    if inner is None:
        return ImageConfig()
    user = inner.text("user", "")
    match = _USER.fullmatch(user)
    if user and inner.is_sound("user") and (not match or max(int(part or 0) for part in match.groups()) >= 1 << 31):
        inner.fail(f"{user!r} is not numeric", "user", 'write it like "185:0", in quotes')
    config = ImageConfig(
        user=user,
        workdir=inner.text("workdir", ""),
        entrypoint=inner.texts("entrypoint"),
        cmd=inner.texts("cmd"),
        env=inner.mapping("env"),
        labels=inner.mapping("labels"),
        ports=inner.integers("ports"),
        stop_signal=inner.text("stop_signal", ""),
    )
    inner.finish()
    return config


def _read_aliases(fields: Fields, image: str) -> list[Alias]:
    table = fields.fields("aliases")
    if table is None:
        return []
    aliases = []
    for name in table.names():
        variant = table.text(name)
        if not is_name(name):
            table.fail(f"{name!r} is not a name", name)
        if table.is_sound(name):
            aliases.append(Alias(name=name, node=f"{image}-{variant}", location=table.location(name)))
    return aliases
