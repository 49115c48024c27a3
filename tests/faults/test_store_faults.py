"""Faults of the store, by their numbers: damage is found, nothing wrong is served, a build completes what was lost."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import traceback
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest

from buildgraph.adapters.disk import seal, unseal
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.app.auditing import audit_store
from buildgraph.app.building import load_images
from buildgraph.app.mending import repair_store
from buildgraph.app.planning import plan_targets
from buildgraph.audit import Kind
from buildgraph.errors import EnvironmentFault, ExitCode, UsageError
from buildgraph.plan import Wishes
from buildgraph.record import LOADED, name_load
from tests.fakes.equipped import FakeEquipment
from tests.fakes.sample import REPOSITORY
from tests.faults import bitrot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fakes.sample import Sample

QUIETLY = ("--no-test", "--no-load", "--progress", "quiet")
EXTRA = "layers/extra/files/conf/extra.conf"
SOURCE = b"a library"
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting, and being somebody else, need root")


@pytest.fixture
def built(sample: Sample) -> Sample:
    sample.build("all")
    sample.plant_verdicts("all")
    sample.plant_loads("all")
    return sample


def wrong(store: Path) -> dict[str, Kind]:
    """What ``verify`` finds but for orphans: path → class."""
    audit = audit_store(LayoutStore(store), progress=lambda _done, _total: None, cancel=Never())
    return {finding.path: finding.kind for finding in audit.wrong}


def repair(store: Path) -> None:
    repaired = repair_store(LayoutStore(store), progress=lambda _done, _total: None, cancel=Never())
    assert repaired.after.wrong == ()
    assert repaired.refused == ()


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(_data: bytes) -> bytes:
    return b""


def flip(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


def record_of(store: Path, node: str) -> Path:
    return store / "records" / f"{(store / 'latest' / f'{node}.json').read_text().split()[0]}.json"


def read_record(path: Path) -> dict[str, str]:
    data = unseal(path.read_bytes())
    assert data is not None
    body = json.loads(data)
    assert isinstance(body, dict)
    return body


def blob_of(store: Path, node: str, field: str = "digest") -> Path:
    return LayoutStore(store).blob_path(read_record(record_of(store, node))[field])


def first(folder: Path) -> Path:
    return min(path for path in folder.rglob("*") if path.is_file())


def plant_source(store: Path) -> Path:
    """A download that waits for the next run."""
    path = store / "sources" / hashlib.sha256(SOURCE).hexdigest() / "lib.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(SOURCE)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "store.json": lambda store: store / "store.json",
    "oci-layout": lambda store: store / "oci-layout",
    "index.json": lambda store: store / "index.json",
    "layer": lambda store: blob_of(store, "tool"),
    "manifest": lambda store: blob_of(store, "app-1"),
    "config": lambda store: blob_of(store, "app-1", "config_digest"),
    "file-index": lambda store: first(store / "files"),
    "layer-record": lambda store: record_of(store, "tool"),
    "image-record": lambda store: record_of(store, "app-1"),
    "verdict": lambda store: first(store / "verdicts"),
    "contents": lambda store: first(store / "contents"),
    "latest": lambda store: store / "latest" / "tool.json",
    "loaded": lambda store: store / "loaded" / f"{name_load('sample/app:1')}.json",
    "durations": lambda store: first(store / "durations"),
    "run": lambda store: next((store / "runs").glob("*/run.json")),
    "journal": lambda store: next((store / "runs").glob("*/events.jsonl")),
    "checksums": lambda store: next((store / "runs").glob("*/sums.json")),
    "source": plant_source,
}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncate, id="fault_05"),
        pytest.param(empty, id="fault_06"),
        pytest.param(flip, id="fault_07"),
    ],
)
@pytest.mark.parametrize("kind", FILES)
def test_fault_05_06_07_damage_to_any_file_is_found_mended_and_misleads_no_build(
    built: Sample, kind: str, damage: Callable[[bytes], bytes]
) -> None:
    session = built.session()
    right = bitrot.build(session)
    path = FILES[kind](built.store)
    path.write_bytes(damage(path.read_bytes()))
    copy = built.store.with_name("copy")
    shutil.copytree(built.store, copy)

    assert path.relative_to(built.store).as_posix() in wrong(built.store)
    repair(built.store)
    for place in (built.store, copy):
        assert bitrot.build(replace(session, store=LayoutStore(place))) == right
    assert wrong(built.store) == {}


def test_fault_07_bits_flipped_at_random_are_all_found() -> None:
    counts = bitrot.run(40, seed=7)
    assert (counts.detected, counts.wrong, counts.missed) == (40, 0, ())


def test_fault_07_a_flip_is_one_bit_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "b").write_bytes(b"")
    assert bitrot.flip_random_bit(tmp_path, random.Random(1)) == "a"
    assert sum(byte.bit_count() for byte in (tmp_path / "a").read_bytes()) == 1


def test_fault_07_a_plan_that_meets_damage_says_so_in_one_line_and_goes_on(built: Sample) -> None:
    path = record_of(built.store, "tool")
    path.write_bytes(flip(path.read_bytes()))
    done = built.call("plan", "all", "--no-test")
    assert done.code == ExitCode.OK
    name = path.relative_to(built.store).as_posix()
    assert done.err == f"note: {name} was damaged and put aside; what it held is made again\n"
    assert "build:tool" in done.out
    assert (built.store / "quarantine" / path.name).is_file()


def test_fault_08_a_record_that_points_to_a_missing_blob_is_a_miss(built: Sample) -> None:
    blobs = sorted((built.store / "blobs" / "sha256").iterdir())
    right = bitrot.build(built.session())
    for blob in blobs:
        blob.unlink()
    assert Kind.MISSING in wrong(built.store).values()
    planned = json.loads(built.call("plan", "all", "--no-test", "--json").out)["steps"]
    assert {step["node"] for step in planned if step["action"] in {"build", "compose"}} == set(right)
    assert bitrot.build(built.session()) == right


def test_fault_09_a_blob_without_a_record_is_not_adopted_but_built_again_and_collected_when_it_is_old(
    built: Sample,
) -> None:
    blob = blob_of(built.store, "extra")
    record_of(built.store, "extra").unlink()
    planned = json.loads(built.call("plan", "extra", "--no-test", "--json").out)["steps"]
    assert [step["reason"] for step in planned if step["action"] == "build"] != []
    shutil.rmtree(built.folder / "layers" / "plain")
    (built.folder / "manifests/images/plain.yaml").unlink()
    shutil.rmtree(built.folder / "layers" / "extra")
    (built.folder / "manifests/layers/extra.yaml").unlink()
    (built.store / "latest" / "plain.json").unlink()
    LayoutStore(built.store).remove("plain")
    assert built.call("gc", "--yes").code == ExitCode.OK
    assert not blob.exists()
    assert wrong(built.store) == {}


def swap_for_symlink(store: Path) -> None:
    path = blob_of(store, "tool")
    path.unlink()
    path.symlink_to("/etc/hostname")


TAMPERED: dict[str, tuple[Callable[[Path], object], Kind]] = {
    "a blob is gone": (lambda store: blob_of(store, "tool").unlink(), Kind.MISSING),
    "a blob is another's": (
        lambda store: blob_of(store, "tool").write_bytes(blob_of(store, "extra").read_bytes()),
        Kind.CORRUPT,
    ),
    "a blob is a symlink": (swap_for_symlink, Kind.CORRUPT),
    "a record is another's": (
        lambda store: record_of(store, "tool").write_bytes(record_of(store, "extra").read_bytes()),
        Kind.CORRUPT,
    ),
    "a pointer leads to another node": (
        lambda store: (store / "latest/tool.json").write_bytes((store / "latest/extra.json").read_bytes()),
        Kind.CORRUPT,
    ),
    "a pointer leads nowhere": (
        lambda store: (store / "latest/tool.json").write_bytes(seal(b"0" * 64 + b"\n")),
        Kind.MISSING,
    ),
    "the index is gone": (lambda store: (store / "index.json").unlink(), Kind.MISSING),
    "a file index is gone": (lambda store: first(store / "files").unlink(), Kind.MISSING),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_fault_10_tampering_is_found_repaired_and_what_was_lost_is_built_again(built: Sample, what: str) -> None:
    right = bitrot.build(built.session())
    tamper, kind = TAMPERED[what]
    tamper(built.store)
    assert kind in wrong(built.store).values()
    found = built.call("verify", "--json")
    assert found.code == ExitCode.FAILED
    assert json.loads(found.out)["clean"] is False
    repaired = built.call("verify", "--repair")
    assert repaired.code == ExitCode.OK, repaired.out
    assert built.call("verify").code == ExitCode.OK
    assert bitrot.build(built.session()) == right
    assert wrong(built.store) == {}


@pytest.fixture
def own_disk(sample: Sample) -> Iterator[Sample]:
    """The sample with its store on a file system of its own."""
    sample.store.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", sample.store], check=False)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield sample
    subprocess.run(["umount", sample.store], check=True)


@needs_root
def test_fault_12_a_store_that_cannot_be_written_is_read_and_says_so_when_it_must_be_written(own_disk: Sample) -> None:
    own_disk.build("all")
    blob_of(own_disk.store, "tool").unlink()
    subprocess.run(["mount", "-o", "remount,ro", own_disk.store], check=True)
    assert own_disk.call("plan", "plain", "--no-test", "--no-load").out == "nothing to do: 3 nodes are built\n"
    assert own_disk.call("build", "plain", *QUIETLY).code == ExitCode.OK
    assert own_disk.call("verify").code == ExitCode.FAILED
    assert own_disk.call("gc", "--dry-run").code == ExitCode.OK
    for words in (("verify", "--repair"), ("gc", "--yes"), ("build", "all", *QUIETLY)):
        done = own_disk.call(*words)
        assert done.code == ExitCode.ENVIRONMENT, words
        assert len(done.err.splitlines()) == 1
        assert str(own_disk.store) in done.err


@needs_root
def test_fault_12_images_are_loaded_from_a_store_that_cannot_be_written(own_disk: Sample) -> None:
    own_disk.build("all")
    own_disk.plant_verdicts("all")
    subprocess.run(["mount", "-o", "remount,ro", own_disk.store], check=True)
    session = own_disk.session()
    planned = plan_targets(session, ["all"], wishes=Wishes(load=False))
    loaded = load_images(session, planned, cancel=Never(), equip=partial(FakeEquipment, results={}))
    assert loaded == ("sample/app:1", "sample/plain:1")
    assert session.store.names(LOADED) == ()


@needs_root
def test_fault_12_a_disk_error_is_one_line_and_for_verify_a_finding(built: Sample) -> None:
    # The first page of a process's memory is not mapped: reading this file gives EIO.
    path = record_of(built.store, "tool")
    if subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/mem", path], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        done = built.call("plan", "all")
        assert wrong(built.store)[path.relative_to(built.store).as_posix()] is Kind.UNREADABLE
    finally:
        subprocess.run(["umount", path], check=True)
    assert done.code == ExitCode.ENVIRONMENT
    assert len(done.err.splitlines()) == 1
    assert "Input/output error" in done.err


def in_child(work: Callable[[], None]) -> str:
    """Do it in a forked process, which may change who it is and what it may; the error that it ended with."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        try:
            work()
        except (EnvironmentFault, UsageError) as error:
            os.write(sink, str(error).encode())
        except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
            os.write(sink, traceback.format_exc().encode())
        os._exit(0)
    os.close(sink)
    with os.fdopen(source) as told:
        text = told.read()
    os.waitpid(child, 0)
    return text


@needs_root
def test_fault_12_a_store_of_somebody_else_is_refused_in_one_line(built: Sample) -> None:
    assert filelock.__version__  # loaded: a forked nobody could not read it any more

    def write_as_nobody() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        LayoutStore(built.store).write("records", "a", "text")

    for folder in (built.store.parent, *built.store.parent.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    text = in_child(write_as_nobody)
    assert "Permission denied" in text
    assert len(text.splitlines()) == 1


def test_fault_12_too_many_open_files_are_said_in_one_line(built: Sample) -> None:
    def write_without_descriptors() -> None:
        store = LayoutStore(built.store)
        assert store.read("durations", "steps") is not None
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
        store.write("records", "a", "text")

    text = in_child(write_without_descriptors)
    assert "Too many open files" in text
    assert "ulimit -n" in text
    assert len(text.splitlines()) == 1


def test_a_store_whose_path_buildkit_could_not_read_is_refused(sample: Sample, tmp_path: Path) -> None:
    for name in ("a:b", "me@host"):
        done = sample.call("--store", str(tmp_path / name), "build", "all", *QUIETLY)
        assert done.code == ExitCode.USAGE
        assert len(done.err.splitlines()) == 1
        assert not (tmp_path / name).exists()


@contextmanager
def held_build(project: Path, store: Path, fifo: Path) -> Iterator[subprocess.Popen[str]]:
    """A build in another process that holds before its first layer; gone afterwards, whatever happened."""
    os.mkfifo(fifo)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.held_build", str(project), str(store), str(fifo)],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


def test_fault_14_what_a_running_build_reads_and_writes_stays(sample: Sample, tmp_path: Path) -> None:
    sample.build("all")
    other = tmp_path / "other"
    shutil.copytree(sample.folder, other)
    (other / "layers/tool/files/tool.sh").write_text("#!/bin/sh\nexec false\n", encoding="utf-8")
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    # The other checkout still needs what is old here: its build reuses it, and stops before it builds its own tool.
    fifo = tmp_path / "fifo"
    with held_build(other, sample.store, fifo) as child:
        before = sorted((sample.store / "blobs" / "sha256").iterdir())
        scratch = sorted((sample.store / "tmp").iterdir())
        done = sample.call("gc", "--yes")
        assert done.code == ExitCode.OK
        assert "in use" in done.out
        assert sorted((sample.store / "blobs" / "sha256").iterdir()) == before
        assert sorted((sample.store / "tmp").iterdir()) == scratch
        fifo.write_text("go on", encoding="utf-8")
        _out, err = child.communicate(timeout=60)
        assert child.returncode == ExitCode.OK, err
    assert wrong(sample.store) == {}
    again = sample.call("-C", str(other), "plan", "all", "--no-test", "--no-load")
    assert again.out == "nothing to do: 5 nodes are built\n"


def test_fault_14_a_killed_build_does_not_hold_the_store(sample: Sample, tmp_path: Path) -> None:
    with held_build(sample.folder, sample.store, tmp_path / "fifo") as child:
        (sample.store / "tmp" / "unfinished").write_bytes(b"half")
        child.kill()
    done = sample.call("gc", "--yes")
    assert "in use" not in done.out
    assert list((sample.store / "tmp").iterdir()) == []


def test_fault_14_two_at_once_do_no_harm(sample: Sample) -> None:
    for size in range(4):
        sample.write(EXTRA, f"size = {size}\n")
        sample.build("all")
    children = [sample.spawn("gc", "--yes", "--keep-runs", "1") for _ in range(2)]
    ended = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [ExitCode.OK] * 2, ended
    assert wrong(sample.store) == {}
    assert sample.call("gc", "--dry-run", "--keep-runs", "1").out.startswith("0 items")
    assert sample.call("plan", "all", "--no-test", "--no-load").out == "nothing to do: 5 nodes are built\n"


@pytest.mark.parametrize("version", [0, 2, 99])
def test_fault_15_a_record_of_another_version_is_a_miss_with_a_reason(built: Sample, version: int) -> None:
    right = bitrot.build(built.session())
    path = record_of(built.store, "tool")
    path.write_bytes(seal(json.dumps({**read_record(path), "record": version}).encode()))
    assert wrong(built.store) == {}
    planned = json.loads(built.call("plan", "all", "--no-test", "--json").out)["steps"]
    reasons = {step["node"]: step["reason"] for step in planned if step["action"] == "build"}
    assert reasons == {"tool": "its record cannot be read by this version"}
    assert bitrot.build(built.session()) == right
