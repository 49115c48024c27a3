"""Layers of kind ``dockerfile``: BuildKit runs the steps, our tar writer writes the layer."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from buildgraph.adapters import bytecode
from buildgraph.adapters.repack import repack_tar
from buildgraph.adapters.tree import DIRECTORY_MODE, IGNORED, open_steady, read_tree
from buildgraph.compose import compose_image
from buildgraph.errors import BuildFailure
from buildgraph.model import EMPTY, DockerfileSpec, EntryType, ImageConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from buildgraph.adapters.buildkit import BuildkitBuilder
    from buildgraph.adapters.store import LayoutStore
    from buildgraph.model import LayerBlob, NamedLayer
    from buildgraph.ports import Fetcher, LayerInputs


class DockerfileBuilder:
    """``ports.LayerBuilder`` for ``layers/<layer>/Dockerfile``."""

    def __init__(
        self,
        store: LayoutStore,
        fetcher: Fetcher,
        buildkit: BuildkitBuilder,
        layers: Path,
        *,
        secrets: Mapping[str, str] = EMPTY,
    ) -> None:
        """``layers`` is the project's folder of that name; ``secrets``: what steps may mount, by name."""
        self._secrets = secrets
        self._store = store
        self._fetcher = fetcher
        self._buildkit = buildkit
        self._layers = layers

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        """Run the Dockerfile's steps, store what its last stage holds."""
        layer = inputs.layer
        assert isinstance(layer.spec, DockerfileSpec)
        folder = self._layers / layer.layer
        dockerfile = folder / "Dockerfile"
        if not dockerfile.is_file():
            raise BuildFailure(f"{layer.name} has no Dockerfile", where=str(dockerfile))
        for place in (dockerfile, folder / "files"):
            if place.is_symlink():  # the layer's key knows where it leads, not what is there
                raise BuildFailure("it is a symlink", where=str(place), hint="put the real one there")
        with self._store.scratch(f"build-{layer.name}") as scratch:
            dest = scratch / "layer.tar"
            self._buildkit.export(
                dockerfile=dockerfile,
                context=_lay_out_context(folder / "files", scratch / "context", epoch=inputs.epoch),
                named=self._contexts(inputs, scratch),
                args={**layer.spec.args, "SOURCE_DATE_EPOCH": str(inputs.epoch)},
                network=bool(layer.spec.network),
                secrets=self._secrets,
                platform=inputs.platform,
                dest=dest,
                log=inputs.log,
                cancel=inputs.cancel,
            )
            return repack_tar(
                dest, self._store, epoch=inputs.epoch, compression=layer.compression, progress=inputs.progress
            )

    def _contexts(self, inputs: LayerInputs, scratch: Path) -> dict[str, str]:
        named = {name: self._layout((layer,), inputs) for name, layer in inputs.contexts.items()}
        named["buildgraph"] = str(_lay_out_programs(scratch / "buildgraph"))
        if inputs.parents:
            named["parent"] = self._layout(inputs.parents, inputs)
        if inputs.artifacts:
            named["sources"] = str(self._lay_out_sources(inputs, scratch / "sources"))
        return named

    def _layout(self, layers: tuple[NamedLayer, ...], inputs: LayerInputs) -> str:
        composition = compose_image(layers, ImageConfig(), platform=inputs.platform, epoch=inputs.epoch)
        self._store.write_blob(composition.config)
        self._store.write_blob(composition.manifest)
        return f"oci-layout://{self._store.root}@{composition.digest}"

    def _lay_out_sources(self, inputs: LayerInputs, folder: Path) -> Path:
        """``<source name>/<file>``; hard links, so that nothing large is copied."""
        for name, artifacts in inputs.artifacts.items():
            (folder / name).mkdir(parents=True)
            for artifact in artifacts:
                os.link(self._fetcher.path(artifact), folder / name / artifact.file)
        return folder


def _lay_out_context(files: Path, context: Path, *, epoch: int) -> Path:
    """A copy of the layer's files with the modes and times that they have on every machine; empty without files."""
    context.mkdir()
    context.chmod(DIRECTORY_MODE)
    for entry, file in read_tree(files, ignored=IGNORED) if files.is_dir() else ():
        target = context / entry.path
        if entry.type is EntryType.SYMLINK:
            target.symlink_to(entry.target)
            continue
        if entry.type is EntryType.DIRECTORY:
            target.mkdir()
        else:
            with open_steady(file) as content, target.open("wb") as copy:
                shutil.copyfileobj(content, copy)
            os.utime(target, (epoch, epoch))
        target.chmod(entry.mode)
    return context


def _lay_out_programs(folder: Path) -> Path:
    """The programs of ours that steps may run; their format numbers are in the layer's key."""
    folder.mkdir()
    shutil.copy(bytecode.__file__, folder)
    return folder
