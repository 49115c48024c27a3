"""Images small enough to make in a test: this machine's shell with its libraries, and layers of a few files."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.compose import compose_image
from buildgraph.model import Compression, Entry, EntryType, ImageConfig, NamedLayer
from tests.fakes.inputs import EPOCH, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Composition
    from buildgraph.ports import BlobStore

PROGRAMS = ("/bin/sh", "/bin/cat", "/bin/sleep", "/bin/ls")
PLATFORM = "linux/amd64"


def write_layer(
    blobs: BlobStore, node: str, files: Mapping[str, bytes], *, compression: Compression = Compression.ZSTD
) -> NamedLayer:
    """A layer of executable files by path (without a leading slash)."""
    with LayerWriter(blobs, epoch=EPOCH, compression=compression, progress=ignore_progress) as writer:
        for path, data in sorted(files.items()):
            writer.add(Entry(path, EntryType.FILE, 0o755, size=len(data)), io.BytesIO(data))
        return NamedLayer(node=node, blob=writer.finish())


def write_shell_layer(blobs: BlobStore) -> NamedLayer:
    """A few programs of this machine with the libraries that they need, each at its own path."""
    listing = subprocess.run(["ldd", *PROGRAMS], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listing, flags=re.MULTILINE)
    return write_layer(blobs, "shell", {path[1:]: Path(path).read_bytes() for path in {*PROGRAMS, *libraries}})


def compose(blobs: BlobStore, *layers: NamedLayer, cmd: tuple[str, ...] = ()) -> Composition:
    """An image of the layers, its manifest and config in the store."""
    config = ImageConfig(cmd=cmd, env={"PATH": "/usr/bin:/bin"})
    composition = compose_image(layers, config, platform=PLATFORM, epoch=EPOCH)
    blobs.write_blob(composition.config)
    blobs.write_blob(composition.manifest)
    return composition
