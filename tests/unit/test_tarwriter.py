"""The one tar writer: what it accepts, and that its bytes depend on nothing else."""

from __future__ import annotations

import io
import random
import tarfile

import pytest
import zstandard

from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.process import Never
from buildgraph.adapters.tarwriter import WRITER_FORMAT, LayerWriter, cancelling
from buildgraph.errors import BuildFailure, Interrupted
from buildgraph.model import Compression, Entry, EntryType, LayerBlob
from tests.fakes.inputs import EPOCH, ignore_progress
from tests.fakes.store import MemoryBlobs, digest_of

FILE, DIRECTORY, SYMLINK, HARDLINK = EntryType.FILE, EntryType.DIRECTORY, EntryType.SYMLINK, EntryType.HARDLINK
LONG = "/".join(["directory"] * 30) + "/file"


def writer(blobs: MemoryBlobs, compression: Compression = Compression.NONE) -> LayerWriter:
    return LayerWriter(blobs, epoch=EPOCH, compression=compression, progress=ignore_progress)


def write(blobs: MemoryBlobs, *pairs: tuple[Entry, bytes], compression: Compression = Compression.NONE) -> LayerBlob:
    with writer(blobs, compression) as layer:
        for entry, content in pairs:
            layer.add(entry, io.BytesIO(content) if entry.type is FILE else None)
        return layer.finish()


def file(path: str, content: bytes, mode: int = 0o644) -> tuple[Entry, bytes]:
    return Entry(path, FILE, mode, size=len(content)), content


SAMPLE = (
    (Entry("opt", DIRECTORY, 0o40755), b""),
    file("opt/a", b"hello", 0o100755),
    (Entry("opt/b", HARDLINK, 0, target="opt/a"), b""),
    (Entry("opt/c", SYMLINK, 0, target="/etc/passwd"), b""),
    (Entry("srv/deep/work", DIRECTORY, 0o1777, 185, 0), b""),
    file("srv/é", b""),
    file(LONG, b"x" * 700),
)


def test_a_tar_reader_finds_what_was_written() -> None:
    blobs = MemoryBlobs()
    layer = write(blobs, *SAMPLE)
    with tarfile.open(fileobj=io.BytesIO(blobs.blobs[layer.digest])) as tar:
        members = tar.getmembers()
        assert [m.name for m in members][:7] == ["opt", "opt/a", "opt/b", "opt/c", "srv", "srv/deep", "srv/deep/work"]
        assert {m.mtime for m in members} == {EPOCH}
        assert {(m.uname, m.gname) for m in members} == {("", "")}
        link = tar.getmember("opt/b")
        assert (link.islnk(), link.linkname, link.mode) == (True, "opt/a", 0o755)
        work = tar.getmember("srv/deep/work")
        assert (work.mode, work.uid, work.gid) == (0o1777, 185, 0)
        content = tar.extractfile(LONG)
        assert content is not None
        assert content.read() == b"x" * 700


def test_the_bytes_are_those_of_this_writer_format() -> None:
    assert WRITER_FORMAT == 1
    assert write(MemoryBlobs(), *SAMPLE).digest == (
        "sha256:ed8b61c07ad5dbe317c1c870f315dcd1c209bdcfee856b2d26e8dc549605f562"
    )


def test_an_uncompressed_layer_has_one_hash() -> None:
    blobs = MemoryBlobs()
    layer = write(blobs, *SAMPLE)
    assert layer.digest == layer.diff_id
    assert layer.size == layer.unpacked == len(blobs.blobs[layer.digest])


def test_a_compressed_layer_unfolds_to_the_uncompressed_one() -> None:
    blobs = MemoryBlobs()
    plain, packed = write(blobs, *SAMPLE), write(blobs, *SAMPLE, compression=Compression.ZSTD)
    assert packed.diff_id == plain.digest
    assert packed.size == len(blobs.blobs[packed.digest]) < packed.unpacked == plain.size
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(blobs.blobs[packed.digest])
    assert digest_of(unpacked) == packed.diff_id


class Dribble(io.BytesIO):
    """Gives as little as it likes."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, random.Random(self.tell()).randint(1, 300_000)))


def test_the_bytes_do_not_depend_on_the_size_of_reads() -> None:
    content = random.Random(1).randbytes(6_000_000) + bytes(6_000_000)
    digests = set()
    for stream in (io.BytesIO(content), Dribble(content), io.BytesIO(content)):
        with writer(MemoryBlobs(), Compression.ZSTD) as layer:
            layer.add(Entry("big", FILE, 0o644, size=len(content)), stream)
            digests.add(layer.finish().digest)
    assert len(digests) == 1


def test_the_file_index_holds_every_entry_with_its_sha256() -> None:
    blobs = MemoryBlobs()
    layer = write(blobs, *SAMPLE)
    index = blobs.load_files(layer.digest)
    assert index is not None
    by_path = {entry.path: entry for entry in index}
    assert "sha256:" + by_path["opt/a"].sha256 == digest_of(b"hello")
    assert by_path["opt/c"] == Entry("opt/c", SYMLINK, 0o777, target="/etc/passwd")
    assert by_path["srv"] == Entry("srv", DIRECTORY, 0o755)
    with open_layer(blobs, layer) as members:
        assert [entry.path for entry, _ in members] == [entry.path for entry in index]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry("opt/a", FILE, 0o644), "twice"),
        (Entry("opt", DIRECTORY, 0o755), "twice"),
        (Entry("opt/a/b", FILE, 0o644), "no directory"),
        (Entry("opt/c/b", FILE, 0o644), "no directory"),
        (Entry("opt/.wh.a", FILE, 0o644), "whiteout"),
        (Entry("new", HARDLINK, 0o644, target="opt"), "no earlier file"),
        (Entry("new", HARDLINK, 0o644, target="absent"), "no earlier file"),
        (Entry("new", SYMLINK, 0o777), "nowhere"),
        (Entry("../new", FILE, 0o644), "relative path"),
        (Entry("/new", FILE, 0o644), "relative path"),
        (Entry("a//b", FILE, 0o644), "relative path"),
        (Entry("", FILE, 0o644), "relative path"),
        (Entry("a\0b", FILE, 0o644), "characters"),
        (Entry("a\nb", FILE, 0o644), "characters"),
        (Entry("x" * 300, FILE, 0o644), "too long"),
        (Entry("new", FILE, 0o644, size=5), "announced"),
        (Entry("new", FILE, 0o644, sha256="0" * 64), "changed"),
    ],
)
def test_what_no_layer_may_hold_is_refused(entry: Entry, message: str) -> None:
    blobs = MemoryBlobs()
    with pytest.raises(BuildFailure, match=message):
        write(blobs, *SAMPLE, (entry, b""))
    assert not blobs.blobs


def test_content_that_is_too_long_is_refused() -> None:
    with writer(MemoryBlobs()) as layer, pytest.raises(BuildFailure, match="announced"):
        layer.add(Entry("new", FILE, 0o644, size=2), io.BytesIO(b"abc"))


def test_a_file_of_more_than_8_gib_gets_a_header_that_holds_its_size() -> None:
    with writer(MemoryBlobs()) as layer, pytest.raises(BuildFailure, match="announced"):
        layer.add(Entry("huge", FILE, 0o644, size=9 << 30), io.BytesIO(b"short"))


def test_progress_counts_the_bytes_of_the_tar() -> None:
    seen: list[tuple[int, int | None]] = []
    blobs = MemoryBlobs()
    with LayerWriter(
        blobs, epoch=0, compression=Compression.NONE, progress=lambda done, total: seen.append((done, total))
    ) as layer:
        layer.add(Entry("a", FILE, 0o644, size=3 << 20), io.BytesIO(bytes(3 << 20)))
    assert seen == [(512 + (1 << 20), None), (512 + (2 << 20), None), (512 + (3 << 20), None)]


def test_a_cancelled_run_stops_at_the_next_chunk() -> None:
    class Set(Never):
        def is_set(self) -> bool:
            return True

    report = cancelling(ignore_progress, Set())
    with pytest.raises(Interrupted):
        report(1, None)


@pytest.mark.parametrize("owner", [(-1, 0), (0, -1), (1 << 31, 0), (0, 1 << 63)])
def test_fault_33_an_owner_that_wraps_around_is_refused(owner: tuple[int, int]) -> None:
    with (
        LayerWriter(MemoryBlobs(), epoch=0, compression=Compression.NONE, progress=ignore_progress) as layer,
        pytest.raises(BuildFailure, match=f"/a belongs to {owner[0]}:{owner[1]}"),
    ):
        layer.add(Entry("a", FILE, 0o644, *owner), io.BytesIO(b""))
