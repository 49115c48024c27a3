"""File indexes: sealed bytes, and the same index made from the blob."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from buildgraph.adapters import fileindex
from buildgraph.adapters.disk import seal, unseal
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.model import Compression, Entry, EntryType
from tests.fakes.store import MemoryBlobs

if TYPE_CHECKING:
    from buildgraph.model import LayerBlob

CONTENT = b"content" * 1000
ENTRIES = (
    (Entry("opt/" + "long/" * 40 + "é", EntryType.FILE, 0o4755, 185, 0, len(CONTENT)), CONTENT),
    (Entry("opt/empty", EntryType.FILE, 0o640), b""),
    (Entry("opt/tmp", EntryType.DIRECTORY, 0o1777, 5, 6), None),
    (Entry("opt/link", EntryType.SYMLINK, 0o777, target="../" + "x" * 150), None),
    (Entry("opt/hard", EntryType.HARDLINK, 0o640, target="opt/empty"), None),
)


def write(blobs: MemoryBlobs, compression: Compression) -> LayerBlob:
    with LayerWriter(blobs, epoch=1, compression=compression, progress=lambda _done, _total: None) as writer:
        for entry, content in ENTRIES:
            writer.add(entry, None if content is None else io.BytesIO(content))
        return writer.finish()


@pytest.mark.parametrize("compression", list(Compression))
def test_the_index_made_from_a_blob_is_the_one_that_its_writer_kept(compression: Compression) -> None:
    blobs = MemoryBlobs()
    layer = write(blobs, compression)
    assert fileindex.make_index(io.BytesIO(blobs.blobs[layer.digest])) == blobs.files[layer.digest]


@pytest.mark.parametrize("data", [b"", b"no tar", b"\x28\xb5\x2f\xfd and then no frame", bytes(100)])
def test_what_is_no_layer_has_no_index_and_is_read_to_its_end(data: bytes) -> None:
    stream = io.BytesIO(data)
    with pytest.raises(ValueError, match="not a layer"):
        fileindex.make_index(stream)
    assert stream.read() == b""


def test_fault_07_no_bit_of_an_index_flips_unnoticed() -> None:
    data = fileindex.encode((Entry("a", EntryType.FILE, 0o644, sha256="0" * 64),))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r".+"):
            fileindex.decode(bytes(damaged))


def test_an_index_of_another_format_is_refused_though_it_has_the_same_fields() -> None:
    data = unseal(fileindex.encode((Entry("a", EntryType.FILE, 0o644, sha256="0" * 64),)))
    assert data is not None
    document = json.loads(zstandard.ZstdDecompressor().decompress(data)) | {"format": 2}
    with pytest.raises(ValueError, match=r"^file index of format 2$"):
        fileindex.decode(seal(zstandard.ZstdCompressor().compress(json.dumps(document).encode())))


@pytest.mark.parametrize(
    "data",
    [b"", b"not packed", zstandard.ZstdCompressor().compress(b"{}")[:-1]],
    ids=["empty", "plain", "cut"],
)
def test_what_is_sealed_and_not_packed_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        fileindex.decode(seal(data))


def test_a_layer_with_a_device_in_it_has_no_index() -> None:
    blob = io.BytesIO()
    with tarfile.open(fileobj=blob, mode="w") as tar:
        device = tarfile.TarInfo("srv/null")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)
    blob.seek(0)
    with pytest.raises(ValueError, match=r"^/srv/null has type b'3'$"):
        fileindex.make_index(blob)
