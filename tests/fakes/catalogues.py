"""Small catalogues as values: what the manifests of a little project would have said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from buildgraph.key import compute_content_key, compute_keys
from buildgraph.model import (
    Catalogue,
    DockerfileSpec,
    FileAction,
    FileOp,
    FilesSpec,
    Image,
    ImageConfig,
    Kind,
    LayerBlob,
    Location,
    Lock,
    LockEntry,
    Project,
    Source,
    Stage,
)
from buildgraph.record import Record
from tests.fakes.inputs import EPOCH, make_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.key import Keys
    from buildgraph.model import Artifact, Layer, Node

PLATFORM = "linux/amd64"


def make_files_layer(
    name: str,
    *,
    text: str = "",
    sources: tuple[str, ...] = (),
    test_on: tuple[str, ...] = (),
    budget: int | None = None,
) -> Layer:
    """A layer that reads no other; ``sources`` are coordinates, each also the source's name after its last colon."""
    operation = FileOp(action=FileAction.WRITE, to=f"/{name}", text=text, location=_locate(name))
    return replace(
        make_layer(FilesSpec(operations=(operation,)), Kind.FILES, name=name),
        sources=_make_sources(name, sources),
        test_on=test_on,
        tests=(f"layers/{name}/test_{name}.py",),
        budget=budget,
        location=_locate(name),
    )


def make_reading_layer(
    name: str, *, parents: tuple[str, ...], contexts: tuple[str, ...] = (), sources: tuple[str, ...] = ()
) -> Layer:
    """A layer that is built from others; its tests run on its parents."""
    return replace(
        make_layer(DockerfileSpec(), Kind.DOCKERFILE, name=name),
        parents=parents,
        contexts=contexts,
        sources=_make_sources(name, sources),
        test_on=parents,
        tests=(f"layers/{name}/test_{name}.py",),
        location=_locate(name),
    )


def make_image(
    name: str, layers: tuple[str, ...], *, overrides: Mapping[str, str] | None = None, budget: int | None = None
) -> Image:
    """An image with one tag, ``sample/<name>:1``."""
    return Image(
        name=name,
        image=name,
        variant="",
        stage=Stage.FINAL,
        description="",
        params={},
        layers=layers,
        config=ImageConfig(cmd=("/bin/true",)),
        repository=f"sample/{name}",
        tags=("1",),
        overrides=overrides or {},
        tests=(f"layers/{name}/test_{name}.py",),
        budget=budget,
        location=Location(file=f"manifests/images/{name}.yaml", line=1),
    )


def make_catalogue(*nodes: Node) -> Catalogue:
    """A catalogue of the nodes alone."""
    project = Project(name="sample", epoch=EPOCH, platform=PLATFORM, registry="registry.example", groups={})
    return Catalogue(project=project, nodes={node.name: node for node in nodes}, aliases={}, groups={}, pins=())


def make_lock(catalogue: Catalogue, artifacts: Mapping[str, Artifact]) -> Lock:
    """Locks every source whose coordinate is in ``artifacts``."""
    entries: dict[str, dict[str, LockEntry]] = {}
    for node in catalogue.nodes.values():
        for source in () if isinstance(node, Image) else node.sources:
            found = artifacts.get(source.request[0])
            if found is not None:
                entry = LockEntry(request=source.request, artifacts=(found,))
                entries.setdefault(node.name, {})[source.name] = entry
    return Lock(entries=entries)


def make_keys(catalogue: Catalogue, lock: Lock, trees: Mapping[str, Mapping[str, str]] | None = None) -> Keys:
    """The keys of all nodes, which stand in the catalogue parents first."""
    return compute_keys(catalogue, lock, trees or {}, catalogue.nodes)


def make_record(node: Node, keys: Keys, *, digest: str = "") -> Record:
    """A record as a run would have left it; the digest follows from the key unless said."""
    node_key = keys.keys[node.name]
    digest = digest or f"sha256:{node_key.key}"
    if isinstance(node, Image):
        layer = None
    else:
        layer = LayerBlob(digest=digest, diff_id=digest, media_type=node.compression.media_type, size=10, unpacked=20)
    return Record(
        node=node.name,
        key=node_key.key,
        content_key=compute_content_key(node_key.document, dict.fromkeys(node.reads, digest)),
        digest=digest,
        size=10,
        seconds=2.0,
        layer=layer,
        config_digest="" if layer else digest,
        document=node_key.document,
    )


def _make_sources(layer: str, coordinates: tuple[str, ...]) -> tuple[Source, ...]:
    return tuple(
        Source(name=coordinate.rpartition(":")[2], request=(coordinate,), location=_locate(layer))
        for coordinate in coordinates
    )


def _locate(layer: str) -> Location:
    return Location(file=f"manifests/layers/{layer}.yaml", line=1)
