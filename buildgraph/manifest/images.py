"""One document of ``manifests/images`` → its images, what they extend, and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.forms import ABSOLUTE, LABEL, NAME, NODE, REASON, REPOSITORY, SIGNAL, TAG, USER, VARIABLE
from buildgraph.manifest.layers import is_too_large, opener, read_variants
from buildgraph.model import Image, ImageConfig, Location, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlMapping
    from buildgraph.manifest.fields import Fields
    from buildgraph.manifest.layers import Opener, Variant

_MAX_PORT = 65535
_IMAGE_STAGES = (Stage.FINAL, Stage.SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name for a node."""

    name: str
    node: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An image (``node``) that starts as another one (``base``) and says only what it adds."""

    node: str
    base: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one document describes; images that extend others hold only what they say themselves."""

    images: tuple[Image, ...] = ()
    extensions: tuple[Extension, ...] = ()
    aliases: tuple[Alias, ...] = ()


def parse_images(
    document: YamlMapping, file: str, tests: Mapping[str, tuple[str, ...]], errors: list[BuildgraphError]
) -> Family:
    """The images of one document and their aliases. ``tests`` maps an image's name to its test files."""
    reopen = opener(document, file, errors)
    return Family() if is_too_large(document, reopen({})) else read_images(reopen, tests)


def read_images(reopen: Opener, tests: Mapping[str, tuple[str, ...]]) -> Family:
    """One image for each variant of the document that ``reopen`` opens, and their aliases."""
    plain = reopen({})
    name = plain.name("image")
    images, extensions = [], []
    for variant in list(read_variants(plain, "image", name)):
        fields = reopen(variant.expressions)
        base = fields.text("extends", "", form=NODE)
        if base:
            extensions.append(Extension(node=variant.node, base=base, location=fields.location("extends")))
        images.append(_read_image(fields, name, variant, tests.get(name, ())))
    return Family(images=tuple(images), extensions=tuple(extensions), aliases=_read_aliases(plain, name))


def _read_image(fields: Fields, name: str, variant: Variant, tests: tuple[str, ...]) -> Image:
    fields.text("image")
    fields.skip("variants")
    fields.skip("aliases")
    if name and not tests:
        fields.fail(f"the image {name} has no tests", "image", f"write layers/{name}/test_*.py")
    image = Image(
        name=variant.node,
        image=name,
        variant=variant.variant,
        stage=Stage(fields.choice("stage", _IMAGE_STAGES, Stage.FINAL)),
        description=fields.text("description"),
        params=variant.params,
        layers=_read_layers(fields),
        config=_read_config(fields),
        repository=fields.text("repository", form=REPOSITORY),
        tags=fields.texts("tags", form=TAG, least=1),
        overrides=fields.mapping("overrides", keys=ABSOLUTE, form=REASON),
        tests=tests,
        test_with=fields.texts("test_with", form=NODE),
        budget=fields.size("budget"),
        location=fields.location("image"),
    )
    fields.finish()
    return image


def _read_layers(fields: Fields) -> tuple[str, ...]:
    """The layers in order; an expression may yield nothing, which leaves that layer out of the variant."""
    written = fields.texts("layers", form=NODE, least=1, may_be_blank=True)
    layers = tuple(layer for layer in written if layer)
    if written and not layers and fields.is_sound("layers"):
        fields.fail("an image needs at least one layer", "layers")
    return layers


def _read_config(fields: Fields) -> ImageConfig:
    inner = fields.fields("config")
    if inner is None:
        return ImageConfig()
    config = ImageConfig(
        user=inner.text("user", "", form=USER),
        workdir=inner.text("workdir", "", form=ABSOLUTE),
        entrypoint=inner.texts("entrypoint"),
        cmd=inner.texts("cmd"),
        env=inner.mapping("env", keys=VARIABLE),
        labels=inner.mapping("labels", keys=LABEL),
        ports=inner.integers("ports", 1, _MAX_PORT),
        stop_signal=inner.text("stop_signal", "", form=SIGNAL),
    )
    inner.finish()
    return config


def _read_aliases(fields: Fields, image: str) -> tuple[Alias, ...]:
    table = fields.fields("aliases")
    if table is None:
        return ()
    aliases = []
    for name in table.names(NAME):
        variant = table.text(name, form=NAME)
        if table.is_sound(name):
            aliases.append(Alias(name=name, node=f"{image}-{variant}", location=table.location(name)))
    return tuple(aliases)
