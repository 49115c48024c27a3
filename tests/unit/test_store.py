"""The store on disk: damage is found, nothing is half published, what the disk refuses is said in one line."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.disk import seal
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import EnvironmentFault, IntegrityError, UsageError
from buildgraph.model import Composition, Entry, EntryType
from tests.fakes.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONTENT = b"0123456789" * 1000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
needs_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


def read_all(store: LayoutStore, digest: str) -> bytes:
    with store.open_blob(digest) as file:
        return file.read()


def compose(config: bytes = b"{}", manifest: bytes = b'{"m": 1}') -> Composition:
    return Composition(
        digest=digest_of(manifest), manifest=manifest, config_digest=digest_of(config), config=config, layers=()
    )


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(_: bytes) -> bytes:
    return b""


def flip(data: bytes) -> bytes:
    return data[:700] + bytes([data[700] ^ 1]) + data[701:]


def grow(data: bytes) -> bytes:
    return data + b"x"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncate, id="fault_05_truncated"),
        pytest.param(empty, id="fault_06_empty"),
        pytest.param(flip, id="fault_07_bit_flip"),
        pytest.param(grow, id="grown"),
    ],
)
def test_fault_05_06_07_a_damaged_blob_is_put_aside_and_can_be_made_again(
    store: LayoutStore, damage: Callable[[bytes], bytes]
) -> None:
    digest = store.write_blob(CONTENT)
    path = store.blob_path(digest)
    path.write_bytes(damage(CONTENT))
    with pytest.raises(IntegrityError) as caught:
        read_all(store, digest)
    assert str(path) in str(caught.value)
    assert digest.removeprefix("sha256:") in str(caught.value)
    assert not path.exists()
    assert (store.root / "quarantine" / path.name).exists()
    assert not store.has_blob(digest, len(CONTENT))
    assert store.write_blob(CONTENT) == digest
    assert read_all(store, digest) == CONTENT


def test_fault_05_a_reader_in_pieces_finds_the_damage_by_the_last_byte(store: LayoutStore) -> None:
    digest = store.write_blob(CONTENT)
    store.blob_path(digest).write_bytes(flip(CONTENT))
    with store.open_blob(digest) as file:
        pieces = [999] * (len(CONTENT) // 999) + [len(CONTENT) % 999]
        with pytest.raises(IntegrityError):
            list(map(file.read, pieces))


def test_fault_07_a_damaged_file_index_is_a_miss(store: LayoutStore) -> None:
    digest = store.write_blob(b"layer")
    store.save_files(digest, (Entry("a", EntryType.FILE, 0o644, sha256="0" * 64),))
    path = next((store.root / "files").iterdir())
    data = path.read_bytes()
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        assert store.load_files(digest) is None
    path.write_bytes(data[:-1])
    assert store.load_files(digest) is None
    assert not path.exists()


def test_fault_07_a_text_that_is_no_text_is_a_miss(store: LayoutStore) -> None:
    for data in (b"\xff\xfe", seal(b"\xff\xfe")):
        store.write("records", "a", "good")
        (store.root / "records" / "a.json").write_bytes(data)
        assert store.read("records", "a") is None
        assert (store.root / "quarantine" / "a.json").read_bytes() == data


def test_fault_08_a_blob_that_is_gone_is_a_miss(store: LayoutStore) -> None:
    digest = store.write_blob(CONTENT)
    store.blob_path(digest).unlink()
    assert not store.has_blob(digest, len(CONTENT))


def test_a_size_that_differs_is_a_miss(store: LayoutStore) -> None:
    digest = store.write_blob(CONTENT)
    store.blob_path(digest).write_bytes(truncate(CONTENT))
    assert not store.has_blob(digest, len(CONTENT))


def test_reading_makes_nothing(store: LayoutStore) -> None:
    assert store.read("records", "a") is None
    assert not store.has_blob(digest_of(b""), 0)
    assert store.names("records") == ()
    assert store.load_files(digest_of(b"")) is None
    assert not store.root.exists()


def test_the_store_is_private_and_its_blobs_are_plain_files(store: LayoutStore) -> None:
    old = os.umask(0o077)
    try:
        digest = store.write_blob(CONTENT)
    finally:
        os.umask(old)
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert store.blob_path(digest).stat().st_mode & 0o777 == 0o644


def test_it_is_an_oci_layout(store: LayoutStore) -> None:
    store.publish("spark-4.1.1", compose())
    assert json.loads((store.root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((store.root / "index.json").read_text())
    assert index["schemaVersion"] == 2
    (entry,) = index["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "spark-4.1.1"}
    assert store.has_blob(entry["digest"], entry["size"])


def test_a_name_in_the_index_moves_to_the_new_image(store: LayoutStore) -> None:
    store.publish("b", compose())
    store.publish("a", compose(manifest=b"{}"))
    store.publish("b", compose(config=b'{"c": 2}', manifest=b'{"m": 2}'))
    assert store.published() == {"a": digest_of(b"{}"), "b": digest_of(b'{"m": 2}')}
    store.remove("b")
    store.remove("never")
    assert store.published() == {"a": digest_of(b"{}")}


def test_fault_07_a_damaged_index_is_put_aside_and_made_anew(store: LayoutStore) -> None:
    store.publish("a", compose())
    (store.root / "index.json").write_bytes(b'{"manifests": [')
    store.publish("b", compose())
    assert store.published() == {"b": compose().digest}
    assert (store.root / "quarantine" / "index.json").exists()


def test_images_published_at_once_are_all_in_the_index(store: LayoutStore) -> None:
    names = [f"image-{number}" for number in range(12)]
    threads = [
        threading.Thread(target=LayoutStore(store.root).publish, args=(name, compose(manifest=name.encode())))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(store.published()) == set(names)


def test_fault_15_a_store_of_a_newer_program_is_refused(store: LayoutStore) -> None:
    store.write("records", "a", "text")
    (store.root / "store.json").write_text('{"store": 2}')
    with pytest.raises(EnvironmentFault, match="format 2"):
        LayoutStore(store.root).read("records", "a")
    with pytest.raises(EnvironmentFault, match="format 2"):
        LayoutStore(store.root).write_blob(b"x")


def test_fault_31_an_image_name_that_is_no_name_is_refused(store: LayoutStore) -> None:
    with pytest.raises(UsageError):
        store.publish("../x", compose())
    with pytest.raises(UsageError), store.lock("../x", cancel=Never(), waiting=print):
        pass
    with pytest.raises(IntegrityError, match="not a sha256 digest"):
        store.blob_path("sha256:../../etc/passwd")


def test_fault_34_nothing_is_written_through_a_symlink(store: LayoutStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    store.write("records", "a", "text")
    (store.root / "verdicts").symlink_to(outside)
    with pytest.raises(EnvironmentFault, match="symlink"):
        store.write("verdicts", "a", "text")
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(EnvironmentFault, match="symlink"):
        LayoutStore(tmp_path / "link").write("records", "a", "text")
    assert not list(outside.iterdir())


def test_fault_34_a_symlink_in_place_of_a_blob_is_no_blob(store: LayoutStore, tmp_path: Path) -> None:
    digest = store.write_blob(CONTENT)
    (tmp_path / "secret").write_bytes(CONTENT)
    store.blob_path(digest).unlink()
    store.blob_path(digest).symlink_to(tmp_path / "secret")
    assert not store.has_blob(digest, len(CONTENT))
    with pytest.raises(EnvironmentFault, match="symlink"):
        read_all(store, digest)


def test_a_blob_that_fails_midway_leaves_nothing(store: LayoutStore) -> None:
    def fail() -> None:
        with store.create_blob() as blob:
            blob.write(CONTENT)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list((store.root / "tmp").iterdir())


def test_scratch_is_gone_afterwards(store: LayoutStore) -> None:
    with store.scratch("rootfs") as folder:
        (folder / "sub").mkdir()
        assert folder.is_relative_to(store.root)
    assert not folder.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield place
    subprocess.run(["mount", "-o", "remount,rw", place], check=True)
    subprocess.run(["umount", place], check=True)


@needs_root
def test_fault_11_a_full_disk_is_said_and_forgotten_once_there_is_space(small_disk: Path) -> None:
    store = LayoutStore(small_disk / "store")
    held = store.write_blob(b"held")
    (small_disk / "filler").write_bytes(bytes(150_000))
    with pytest.raises(EnvironmentFault) as caught:
        store.write_blob(bytes(200_000))
    assert str(store.root) in str(caught.value)
    assert "200000 bytes" in str(caught.value)
    with pytest.raises(EnvironmentFault, match="No space"):
        store.write("records", "big", "x" * 200_000)
    assert not list((store.root / "tmp").iterdir())
    assert store.names("records") == ()
    (small_disk / "filler").unlink()
    store.write_blob(bytes(200_000))
    assert read_all(store, held) == b"held"


@needs_root
def test_fault_12_a_read_only_store_can_be_read_and_says_so_when_written(small_disk: Path) -> None:
    store = LayoutStore(small_disk / "store")
    digest = store.write_blob(CONTENT)
    store.write("records", "a", "text")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    again = LayoutStore(small_disk / "store")
    assert again.read("records", "a") == "text"
    assert read_all(again, digest) == CONTENT
    with pytest.raises(EnvironmentFault, match="Read-only"):
        again.write("records", "a", "other")


@needs_user
def test_fault_12_a_store_without_permission_says_so(store: LayoutStore) -> None:
    store.write("records", "a", "text")
    store.root.chmod(0)
    try:
        with pytest.raises(EnvironmentFault, match="Permission"):
            LayoutStore(store.root).write("records", "a", "other")
    finally:
        store.root.chmod(0o700)


def test_a_store_below_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault):
        LayoutStore(tmp_path / "file" / "store").write("records", "a", "text")


@pytest.mark.parametrize("name", ["a:b", "a@b"])
def test_a_store_whose_address_buildkit_would_misread_is_not_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a store's path cannot hold"):
        LayoutStore(tmp_path / name).write_blob(b"x")
    assert not (tmp_path / name).exists()


def test_a_large_file_index_loads_quickly(store: LayoutStore) -> None:
    index = tuple(
        Entry(f"opt/a/{number // 100}/file-{number}", EntryType.FILE, 0o644, size=number, sha256=f"{number:064x}")
        for number in range(30_000)
    )
    digest = store.write_blob(b"layer")
    store.save_files(digest, index)
    best = min(_seconds_to_load(store, digest, index) for _ in range(3))
    assert best < 0.5


def _seconds_to_load(store: LayoutStore, digest: str, index: tuple[Entry, ...]) -> float:
    started = time.perf_counter()
    loaded = store.load_files(digest)
    seconds = time.perf_counter() - started
    assert loaded == index
    return seconds
