"""What every BlobStore and Texts must do; runs on the fake and on the real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import IntegrityError, UsageError
from buildgraph.model import Entry, EntryType
from tests.fakes.store import MemoryBlobs, MemoryTexts, digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.ports import BlobStore, Texts

INDEX = (
    Entry("opt", EntryType.DIRECTORY, 0o755),
    Entry("opt/é", EntryType.FILE, 0o644, 185, 0, 3, "", "ab" * 32),
    Entry("opt/link", EntryType.SYMLINK, 0o777, target="é"),
)


@pytest.fixture(params=["memory", "layout"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return MemoryBlobs(tmp_path) if request.param == "memory" else LayoutStore(tmp_path / "store")


@pytest.fixture(params=["memory", "layout"])
def texts(request: pytest.FixtureRequest, tmp_path: Path) -> Texts:
    return MemoryTexts() if request.param == "memory" else LayoutStore(tmp_path / "store")


def test_a_blob_comes_back_under_its_digest(blobs: BlobStore) -> None:
    with blobs.create_blob() as writer:
        assert writer.write(b"hello ") == 6
        writer.write(b"world")
        digest, size = writer.commit()
    assert (digest, size) == (digest_of(b"hello world"), 11)
    with blobs.open_blob(digest) as file:
        assert file.read() == b"hello world"


def test_a_blob_without_commit_is_not_there(blobs: BlobStore) -> None:
    with blobs.create_blob() as writer:
        writer.write(b"lost")
    assert not blobs.has_blob(digest_of(b"lost"), 4)


def test_has_blob_compares_the_size(blobs: BlobStore) -> None:
    digest = blobs.write_blob(b"four")
    assert blobs.has_blob(digest, 4)
    assert not blobs.has_blob(digest, 5)


def test_an_absent_blob_is_an_integrity_error(blobs: BlobStore) -> None:
    with pytest.raises(IntegrityError, match="not in the store"), blobs.open_blob(digest_of(b"absent")):
        pass


def test_the_empty_blob_is_a_blob(blobs: BlobStore) -> None:
    digest = blobs.write_blob(b"")
    with blobs.open_blob(digest) as file:
        assert file.read() == b""


def test_blob_path_is_a_file_with_the_bytes(blobs: BlobStore) -> None:
    digest = blobs.write_blob(b"on disk")
    assert blobs.blob_path(digest).read_bytes() == b"on disk"


def test_a_file_index_comes_back_equal(blobs: BlobStore) -> None:
    digest = blobs.write_blob(b"layer")
    assert blobs.load_files(digest) is None
    blobs.save_files(digest, INDEX)
    assert blobs.load_files(digest) == INDEX


def test_a_text_is_replaced_and_listed(texts: Texts) -> None:
    assert texts.read("records", "a") is None
    assert texts.names("records") == ()
    texts.write("records", "b", "1")
    texts.write("records", "a", "2")
    texts.write("records", "a", "ä")
    assert texts.read("records", "a") == "ä"
    assert texts.names("records") == ("a", "b")
    assert texts.names("verdicts") == ()


def test_a_text_that_is_forgotten_is_not_there_and_may_be_forgotten_again(texts: Texts) -> None:
    texts.forget("records", "a")
    texts.write("records", "a", "1")
    texts.write("records", "b", "2")
    for _ in range(2):
        texts.forget("records", "a")
        assert texts.read("records", "a") is None
        assert texts.names("records") == ("b",)
    texts.write("records", "a", "3")
    assert texts.read("records", "a") == "3"


@pytest.mark.parametrize(
    "name", ["../x", "/abs", "a/b", ".", "..", "a\0b", "a\n", "", "x" * 129, "CON", "\uff41", "-rf", ".hidden"]
)
def test_fault_31_names_that_are_no_names_are_refused(texts: Texts, name: str) -> None:
    with pytest.raises(UsageError):
        texts.write("records", name, "x")
    with pytest.raises(UsageError):
        texts.read("records", name)
    with pytest.raises(UsageError):
        texts.forget("records", name)
