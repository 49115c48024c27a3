"""The catalogue as a page: every image and layer with what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.graph import kind_of
from buildgraph.model import Image, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.model import Catalogue, Layer, Node
    from buildgraph.record import Record

SHOWN = 19
"""Characters of a digest: the algorithm and twelve digits, as Docker shows them."""


def format_matrix(
    catalogue: Catalogue,
    names: Sequence[str],
    records: Mapping[str, Record],
    refusals: Mapping[str, str],
    *,
    command: str,
) -> str:
    """A Markdown page of the nodes. ``refusals``: why a node cannot be built; ``command``: what writes the page."""
    nodes = [catalogue.nodes[name] for name in names]
    stages = tuple(Stage)
    images = sorted((node for node in nodes if isinstance(node, Image)), key=lambda image: stages.index(image.stage))
    layers = [node for node in nodes if not isinstance(node, Image)]
    aliases: dict[str, list[str]] = {}
    for alias, name in catalogue.aliases.items():
        aliases.setdefault(name, []).append(f"`{alias}`")
    built = [node for node in images if node.name in records]
    blobs = {records[node.name].digest: records[node.name].size for node in layers if node.name in records}
    summed = sum(records[node.name].size for node in built)
    counts = (
        f"{len(built)} of {len(images)} images are built. Pulled one by one they are {_size(summed)}; their layers,"
    )
    written = f"Written by `{command}`; a test keeps it current."
    parts = ["# Images and layers", written, f"{counts} each kept once, are {_size(sum(blobs.values()))}."]
    for family in dict.fromkeys(image.image for image in images):
        rows = [_image_row(image, aliases, records, refusals) for image in images if image.image == family]
        parts += [f"## {family}", _table(("image", "tag", "also", "layers", "size", "digest"), rows)]
    rows = [_layer_row(layer, records, refusals) for layer in layers]
    parts += ["## Layers", _table(("layer", "stage", "kind", "size", "digest", "what it is"), rows)]
    return "\n\n".join(parts) + "\n"


def _image_row(
    image: Image, aliases: Mapping[str, Sequence[str]], records: Mapping[str, Record], refusals: Mapping[str, str]
) -> tuple[str, ...]:
    tag = f"`{image.repository}:{image.tags[0]}`"
    also = ", ".join(aliases.get(image.name, ()))
    return (f"`{image.name}`", tag, also, str(len(image.layers)), *_state(image, records, refusals))


def _layer_row(layer: Layer, records: Mapping[str, Record], refusals: Mapping[str, str]) -> tuple[str, ...]:
    what = layer.description
    return (f"`{layer.name}`", layer.stage.value, kind_of(layer), *_state(layer, records, refusals), what)


def _state(node: Node, records: Mapping[str, Record], refusals: Mapping[str, str]) -> tuple[str, str]:
    """Size and digest, or in their place why there are none."""
    record = records.get(node.name)
    if node.name in refusals:
        return "-", refusals[node.name]
    return (_size(record.size), f"`{record.digest[:SHOWN]}`") if record else ("-", "not built")


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004 - where MB end


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
