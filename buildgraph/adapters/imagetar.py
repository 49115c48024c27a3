"""Images as the tar streams that ``docker load`` reads, made while they are sent: no copy on disk, none in memory."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import zstandard

from buildgraph.errors import IntegrityError
from buildgraph.model import MEDIA_MANIFEST, MEDIA_ZSTD
from buildgraph.reference import expand_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from buildgraph.model import Composition, LayerBlob
    from buildgraph.ports import BlobStore

CHUNK = 1 << 20
END = bytes(2 * tarfile.BLOCKSIZE)
OCI_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def stream_oci_archive(
    composition: Composition, references: Sequence[str], blobs: BlobStore, *, held: frozenset[str]
) -> Iterator[bytes]:
    """An OCI archive of the image under each reference, without the layers whose digests are ``held``."""
    yield from _member("oci-layout", len(OCI_LAYOUT), [OCI_LAYOUT])
    index = _dump(_index(composition, references))
    yield from _member("index.json", len(index), [index])
    for digest, data in (
        (composition.digest, composition.manifest),
        (composition.config_digest, composition.config),
    ):
        yield from _member(_blob_name(digest), len(data), [data])
    for layer in _once(composition.layers):
        if layer.digest not in held:
            with blobs.open_blob(layer.digest) as blob:
                yield from _member(_blob_name(layer.digest), layer.size, _read(blob))
    yield END


def stream_docker_archive(composition: Composition, references: Sequence[str], blobs: BlobStore) -> Iterator[bytes]:
    """The older archive that engines with the classic image store read, with uncompressed layers."""
    layers = _once(composition.layers)
    config = f"{_hex(composition.config_digest)}.json"
    manifest = _dump(
        [
            {
                "Config": config,
                "RepoTags": list(references),
                "Layers": [f"{_hex(layer.diff_id)}.tar" for layer in composition.layers],
            }
        ]
    )
    yield from _member(config, len(composition.config), [composition.config])
    for layer in layers:
        with blobs.open_blob(layer.digest) as blob:
            yield from _member(f"{_hex(layer.diff_id)}.tar", layer.unpacked, _unpack(layer, blob))
    yield from _member("manifest.json", len(manifest), [manifest])
    yield END


def _index(composition: Composition, references: Sequence[str]) -> object:
    config = json.loads(composition.config)
    platform = {name: config[name] for name in ("architecture", "os")}
    names = [
        {
            "io.containerd.image.name": expand_name(name),
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
        }
        for name in references
    ]
    manifest = {"mediaType": MEDIA_MANIFEST, "digest": composition.digest, "size": len(composition.manifest)}
    return {
        "schemaVersion": 2,
        "manifests": [{**manifest, "platform": platform, "annotations": name} for name in names],
    }


def _member(name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One file of a tar; ``IntegrityError`` when the content is not as long as was said."""
    header = tarfile.TarInfo(name)
    header.size = size
    yield header.tobuf(tarfile.GNU_FORMAT)
    sent = 0
    for chunk in chunks:
        sent += len(chunk)
        if sent > size:
            break
        yield chunk
    if sent != size:
        raise IntegrityError(f"{name} is not {size} bytes long, as the record says", hint="run: buildgraph verify")
    yield bytes(-size % tarfile.BLOCKSIZE)


def _unpack(layer: LayerBlob, blob: BinaryIO) -> Iterator[bytes]:
    if layer.media_type != MEDIA_ZSTD:
        yield from _read(blob)
        return
    with zstandard.ZstdDecompressor().stream_reader(blob, read_across_frames=True) as reader:
        yield from _read(reader)


def _read(source: BinaryIO | zstandard.ZstdDecompressionReader) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


def _once(layers: Sequence[LayerBlob]) -> tuple[LayerBlob, ...]:
    return tuple({layer.digest: layer for layer in layers}.values())


def _blob_name(digest: str) -> str:
    return f"blobs/sha256/{_hex(digest)}"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _dump(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
