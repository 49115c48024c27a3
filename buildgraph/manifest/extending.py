"""Images that extend others become whole ones here, so that nothing else knows how they were written."""

from __future__ import annotations

from dataclasses import replace
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, suggest
from buildgraph.model import Image, ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.images import Extension
    from buildgraph.model import Node

MAX_STEPS = 10  # so that all images together are not much more than what is written
_MAX_SUGGESTED = 20


def extend_images(
    nodes: Mapping[str, Node], extensions: Iterable[Extension], errors: list[BuildgraphError]
) -> dict[str, Node]:
    """The nodes in their order, each image with all that it extends; mistakes go to ``errors``."""
    written = {extension.node: extension for extension in extensions}
    mistakes = list(_find_mistakes(nodes, written)) or list(_find_circles(written))
    errors.extend(mistakes)
    whole = dict(nodes)
    steps: dict[str, int] = {}
    for name in () if mistakes else _sort(written):
        base, image = whole[written[name].base], nodes[name]
        assert isinstance(base, Image)
        assert isinstance(image, Image)
        steps[name] = steps.get(base.name, 0) + 1
        if steps[name] <= MAX_STEPS:
            whole[name] = _extend(base, image)
        elif steps[name] == MAX_STEPS + 1:
            what = f"{name} is more than {MAX_STEPS} steps away from an image that extends none"
            errors.append(_error(written[name], what, "extend an earlier one"))
    return whole


def _find_mistakes(nodes: Mapping[str, Node], written: Mapping[str, Extension]) -> Iterator[ManifestError]:
    images = [name for name, node in nodes.items() if isinstance(node, Image)]
    unknown: set[str] = set()
    for extension in written.values():
        base = extension.base
        if base not in nodes:
            unknown.add(base)
            others = [name for name in images if name != extension.node]
            hint = suggest(base, others) if len(unknown) <= _MAX_SUGGESTED else ""
            yield _error(extension, f"{extension.node} extends {base}, which is no node", hint or "name an image")
        elif not isinstance(nodes[base], Image):
            yield _error(extension, f"{extension.node} extends {base}, which is a layer", "name an image")


def _find_circles(written: Mapping[str, Extension]) -> Iterator[ManifestError]:
    seen: set[str] = set()
    for start in written:
        name = start
        way: list[str] = []
        while name in written and name not in seen:
            seen.add(name)
            way.append(name)
            name = written[name].base
        if name in way:
            circle = " -> ".join([*way[way.index(name) :], name])
            yield _error(
                written[name], f"images extend each other in a circle: {circle}", "take one of these steps out"
            )


def _sort(written: Mapping[str, Extension]) -> Iterator[str]:
    """Images that extend others, each after the one that it extends."""
    order = TopologicalSorter({name: [extension.base] for name, extension in written.items()}).static_order()
    return (name for name in order if name in written)


def _extend(base: Image, image: Image) -> Image:
    return replace(
        image,
        layers=(*base.layers, *image.layers),
        config=_extend_config(base.config, image.config),
        test_with=tuple(dict.fromkeys((*base.test_with, *image.test_with))),
        overrides=MappingProxyType({**base.overrides, **image.overrides}),
    )


def _extend_config(base: ImageConfig, config: ImageConfig) -> ImageConfig:
    return ImageConfig(
        user=config.user or base.user,
        workdir=config.workdir or base.workdir,
        entrypoint=config.entrypoint or base.entrypoint,
        cmd=config.cmd or base.cmd,
        env=MappingProxyType({**base.env, **config.env}),
        labels=MappingProxyType({**base.labels, **config.labels}),
        ports=tuple(dict.fromkeys((*base.ports, *config.ports))),
        stop_signal=config.stop_signal or base.stop_signal,
    )


def _error(extension: Extension, what: str, hint: str) -> ManifestError:
    return ManifestError(what, where=str(extension.location), hint=hint)
