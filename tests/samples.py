"""Small values for tests: a catalogue with a layer of each kind, its lock and trees, and manifest documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ErrorGroup, ManifestError
from buildgraph.graph import check_graph, sort_nodes
from buildgraph.key import compute_keys
from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.model import (
    Artifact,
    Catalogue,
    Compression,
    DockerfileSpec,
    Entry,
    EntryType,
    FileAction,
    FileOp,
    FilesSpec,
    Image,
    ImageConfig,
    Kind,
    Layer,
    LayerBlob,
    Location,
    Lock,
    LockEntry,
    NamedLayer,
    Project,
    PythonSpec,
    RootfsSpec,
    Source,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.key import Keys
    from buildgraph.model import FileIndex, Node, Pin, Spec

EPOCH = 1767225600
PLATFORM = "linux/amd64"
NOWHERE = Location(file="manifests/layers/sample.yaml", line=1)
EMPTY_FILES = FilesSpec(operations=())
KINDS: Mapping[type[Spec], Kind] = {
    RootfsSpec: Kind.ROOTFS,
    FilesSpec: Kind.FILES,
    PythonSpec: Kind.PYTHON,
    DockerfileSpec: Kind.DOCKERFILE,
}


def sha256(text: str) -> str:
    """A real hash, without a prefix."""
    return hashlib.sha256(text.encode()).hexdigest()


def make_layer(
    name: str,
    spec: Spec = EMPTY_FILES,
    *,
    parents: tuple[str, ...] = (),
    contexts: tuple[str, ...] = (),
    sources: tuple[Source, ...] = (),
    env: Mapping[str, str] | None = None,
    prepend: Mapping[str, tuple[str, ...]] | None = None,
    test_on: tuple[str, ...] = (),
    location: Location = NOWHERE,
) -> Layer:
    """A layer without variants; its kind is that of ``spec``."""
    return Layer(
        name=name,
        layer=name,
        variant="",
        stage=Stage.INTERMEDIATE,
        kind=KINDS[type(spec)],
        description=f"The layer {name}",
        params={},
        parents=parents,
        contexts=contexts,
        sources=sources,
        spec=spec,
        env=env or {},
        prepend=prepend or {},
        test_on=test_on,
        tests=(f"layers/{name}/test_{name}.py",),
        compression=Compression.ZSTD,
        budget=10**6,
        location=location,
    )


def make_image(
    name: str,
    layers: tuple[str, ...],
    *,
    config: ImageConfig | None = None,
    overrides: Mapping[str, str] | None = None,
    location: Location = NOWHERE,
) -> Image:
    """An image without variants."""
    return Image(
        name=name,
        image=name,
        variant="",
        stage=Stage.FINAL,
        description=f"The image {name}",
        params={},
        layers=layers,
        config=config or ImageConfig(),
        repository=f"sample/{name}",
        tags=("1.0",),
        overrides=overrides or {},
        tests=(f"layers/{name}/test_{name}.py",),
        budget=None,
        location=location,
    )


def make_catalogue(
    nodes: Iterable[Node],
    *,
    aliases: Mapping[str, str] | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    pins: tuple[Pin, ...] = (),
) -> Catalogue:
    """A catalogue of the nodes, in their order."""
    project = Project(name="sample", epoch=EPOCH, platform=PLATFORM, registry="", groups=groups or {})
    return Catalogue(
        project=project,
        nodes={node.name: node for node in nodes},
        aliases=aliases or {},
        groups=project.groups,
        pins=pins,
    )


def make_source(name: str, *request: str, is_set: bool = False) -> Source:
    """A source that asks for one coordinate, or for a set."""
    return Source(name=name, request=request, is_set=is_set, location=NOWHERE)


def make_artifact(coordinate: str, *, file: str = "", size: int = 1000, path: str = "") -> Artifact:
    """An artifact whose sha256 is that of its coordinate."""
    name = file or "".join(char if char.isalnum() or char in "._-" else "-" for char in coordinate)
    return Artifact(coordinate=coordinate, file=name, sha256=sha256(coordinate), size=size, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that keys are made of."""

    catalogue: Catalogue
    lock: Lock
    trees: Mapping[str, Mapping[str, str]]

    def keys(self) -> Keys:
        """The keys of all nodes."""
        order = sort_nodes(self.catalogue, self.catalogue.nodes)
        return compute_keys(self.catalogue, self.lock, self.trees, order)

    def with_nodes(self, *nodes: Node) -> World:
        """The world with the nodes in place of those of their names."""
        changed = {**self.catalogue.nodes, **{node.name: node for node in nodes}}
        return replace(self, catalogue=replace(self.catalogue, nodes=changed))

    def layer(self, name: str) -> Layer:
        """A node that is a layer."""
        node = self.catalogue.nodes[name]
        assert isinstance(node, Layer)
        return node

    def image(self, name: str) -> Image:
        """A node that is an image."""
        node = self.catalogue.nodes[name]
        assert isinstance(node, Image)
        return node


def make_world() -> World:
    """Layers of each kind and two images; ``tools`` stands alone."""
    return World(catalogue=_sample_catalogue(), lock=_sample_lock(), trees=_sample_trees())


def _sample_catalogue() -> Catalogue:
    unpack = FileOp(action=FileAction.UNPACK, subject="dist", to="/opt/python", strip="python", location=NOWHERE)
    place = FileOp(action=FileAction.PLACE, subject="driver", to="/opt/tools/", link="driver.jar", location=NOWHERE)
    copy = FileOp(action=FileAction.COPY, subject="run.sh", to="/opt/tools/run.sh", mode=0o755, location=NOWHERE)
    library = PythonSpec(prefix="/opt/python", version="3.10", platform="x86_64-manylinux_2_28")
    config = ImageConfig(user="185:0", entrypoint=("/opt/app/run",), env={"MODE": "web"}, labels={"title": "Shop"})
    return make_catalogue(
        [
            make_layer(
                "os",
                RootfsSpec(suite="bookworm", hooks=("customize.sh",)),
                sources=(make_source("packages", "bash", "tini", is_set=True),),
            ),
            make_layer(
                "jdk",
                DockerfileSpec(args={"MODULES": "java.base"}),
                parents=("os",),
                sources=(make_source("jdk", "deb:openjdk"),),
                env={"JAVA_HOME": "/opt/java"},
                prepend={"PATH": ("/opt/java/bin",)},
            ),
            make_layer(
                "python",
                FilesSpec(operations=(unpack,)),
                sources=(make_source("dist", "url:https://example.org/python.tar.gz"),),
                prepend={"PATH": ("/opt/python/bin",)},
            ),
            make_layer(
                "libraries",
                library,
                parents=("python",),
                sources=(make_source("requirements", "numpy==2.2.6", "pandas==2.3.3", is_set=True),),
            ),
            make_layer(
                "app",
                DockerfileSpec(network="the compiler asks its own mirror"),
                parents=("os", "jdk"),
                contexts=("python",),
                test_on=("os", "jdk"),
            ),
            make_layer(
                "tools",
                FilesSpec(operations=(place, copy)),
                sources=(make_source("driver", "maven:org.example:driver:42.7.*"),),
            ),
            make_image(
                "shop",
                ("os", "jdk", "python", "libraries", "app"),
                config=config,
                overrides={"/etc/motd": "the shop greets for itself"},
            ),
            make_image("small", ("os", "python")),
        ],
        aliases={"shop-latest": "shop"},
        groups={"images": ("shop", "small")},
    )


def _sample_lock() -> Lock:
    def entry(*request: str, artifacts: tuple[Artifact, ...]) -> LockEntry:
        return LockEntry(request=request, artifacts=artifacts)

    bash = make_artifact("deb:bash=5.2.15-2+b7", path="bookworm pool/main/b/bash/bash_5.2.15-2+b7_amd64.deb")
    tini = make_artifact("deb:tini=0.19.0-1", path="bookworm pool/main/t/tini/tini_0.19.0-1_amd64.deb")
    jdk = make_artifact("deb:openjdk=17.0.17+10-1", path="bookworm-security pool/o/openjdk_17.0.17+10-1_amd64.deb")
    dist = make_artifact("url:https://example.org/python.tar.gz", file="python.tar.gz")
    numpy, pandas = make_artifact("pypi:numpy==2.2.6"), make_artifact("pypi:pandas==2.3.3")
    driver = replace(make_artifact("maven:org.example:driver:42.7.8", file="driver-42.7.8.jar"), licence="BSD-2-Clause")
    return Lock(
        entries={
            "os": {"packages": entry("bash", "tini", artifacts=(bash, tini))},
            "jdk": {"jdk": entry("deb:openjdk", artifacts=(jdk,))},
            "python": {"dist": entry("url:https://example.org/python.tar.gz", artifacts=(dist,))},
            "libraries": {"requirements": entry("numpy==2.2.6", "pandas==2.3.3", artifacts=(numpy, pandas))},
            "tools": {"driver": entry("maven:org.example:driver:42.7.*", artifacts=(driver,))},
        }
    )


def _sample_trees() -> dict[str, dict[str, str]]:
    return {
        "os": {"customize.sh": f"x:{sha256('customize')}"},
        "jdk": {"Dockerfile": f"-:{sha256('FROM scratch')}", "files/Main.java": f"-:{sha256('class Main')}"},
        "app": {"Dockerfile": f"-:{sha256('FROM parent')}", "files/latest": "link:app-1"},
        "tools": {"files/run.sh": f"x:{sha256('run')}"},
    }


def make_named(
    node: str, env: Mapping[str, str] | None = None, prepend: Mapping[str, tuple[str, ...]] | None = None
) -> NamedLayer:
    """A built layer whose digests are made from its name."""
    blob = LayerBlob(
        digest=f"sha256:{sha256(node)}",
        diff_id=f"sha256:{sha256(node + ' unpacked')}",
        media_type=Compression.ZSTD.media_type,
        size=1000 + len(node),
        unpacked=4096,
    )
    return NamedLayer(node=node, blob=blob, env=env or {}, prepend=prepend or {})


def file_entry(path: str, content: str = "", *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
    """A file of a layer."""
    return Entry(path, EntryType.FILE, mode, uid, gid, size=len(content.encode()), sha256=sha256(content))


def folder_entry(path: str, *, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Entry:
    """A directory of a layer."""
    return Entry(path, EntryType.DIRECTORY, mode, uid, gid)


def link_entry(path: str, target: str) -> Entry:
    """A symlink of a layer."""
    return Entry(path, EntryType.SYMLINK, 0o777, target=target)


def hard_link_entry(path: str, target: str) -> Entry:
    """A hard link to another path of the same layer."""
    return Entry(path, EntryType.HARDLINK, 0o644, target=target)


def make_index(*entries: Entry) -> FileIndex:
    """The file index of a layer."""
    return entries


PROJECT_TEXT = "project: sample\nepoch: 1767225600\nplatform: linux/amd64\n"
LAYER_FILE = "manifests/layers/app.yaml"
IMAGE_FILE = "manifests/images/shop.yaml"
LAYER_TEXT = """\
layer: app
kind: files
stage: intermediate
description: An app
files:
  - {write: /opt/app/RELEASE, text: one}
"""
IMAGE_TEXT = """\
image: shop
stage: final
description: A shop
layers: [app]
repository: sample/shop
tags: ['1.0']
"""


def make_documents(changes: Mapping[str, str | None] | None = None, *, untested: Iterable[str] = ()) -> Documents:
    """A small sound project with its files replaced by ``changes`` (None: taken away).

    Every folder of ``layers/`` that a test may want has tests, except those named ``untested``.
    """
    texts: dict[str, str | None] = {
        "manifests/project.yaml": PROJECT_TEXT,
        LAYER_FILE: LAYER_TEXT,
        IMAGE_FILE: IMAGE_TEXT,
        **(changes or {}),
    }
    tested = {"app", "base", "image", "lib", "shop", "top"} - set(untested)
    return Documents(
        texts=MappingProxyType({file: text for file, text in texts.items() if text is not None}),
        tests={name: (f"layers/{name}/test_{name}.py",) for name in tested},
    )


def find_mistakes(documents: Documents) -> list[str]:
    """One line for each mistake in the documents and, when there is none, in their graph."""
    errors: Iterable[BuildgraphError]
    try:
        errors = check_graph(parse_catalogue(documents))
    except ErrorGroup as group:
        errors = group.errors
    except ManifestError as error:
        errors = (error,)
    return [str(error) for error in errors]
