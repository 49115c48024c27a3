"""Archives through the builders that read them: bad ones are refused and leave nothing, good ones become layers."""

from __future__ import annotations

import hashlib
import io
import re
import resource
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.files import FilesBuilder
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.adapters.wheels import PythonBuilder
from buildgraph.errors import BuildFailure, IntegrityError
from buildgraph.model import (
    Artifact,
    Compression,
    Entry,
    EntryType,
    FileAction,
    FileOp,
    FilesSpec,
    Kind,
    Location,
    NamedLayer,
    PythonSpec,
)
from tests.fakes.inputs import EPOCH, FolderFetcher, Inputs, ignore_progress, make_layer
from tests.faults import bad_archives, good_archives
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from buildgraph.model import LayerBlob

MEMORY = 600 << 20
"""What one archive may cost, in bytes of address space: the library's own buffers, and never what it unpacks to."""
LONG = "long"
"""How the names of samples begin that take seconds."""
WHEEL = "demo-1.0-py3-none-any.whl"
SPEC = PythonSpec(prefix="/opt/python", version="3.10", platform="any")
INTERPRETER = b"#!/bin/sh\nexit 0\n"
FILES = FilesSpec(
    operations=(
        FileOp(action=FileAction.UNPACK, subject="dist", to="/", location=Location(file="sample.yaml", line=3)),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One archive: what it is called, how it is made, and what must become of it."""

    name: str
    file: str
    make: Callable[[], bytes]
    refusal: str = ""
    tree: good_archives.Tree | None = None


def _list_bad() -> Iterator[Sample]:
    for kind, file, table in (
        ("tar", "sample.tar", bad_archives.TARS),
        ("zip", "sample.zip", bad_archives.ZIPS),
        ("wheel", WHEEL, bad_archives.WHEELS),
        (LONG, "sample.tar", bad_archives.LONG),
    ):
        for name, (make, refusal) in table.items():
            yield Sample(name=f"{kind}_{name}", file=file, make=make, refusal=refusal)


def _list_good() -> Iterator[Sample]:
    for kind, file, table in (
        ("tar", "sample.tar", good_archives.TARS),
        ("zip", "sample.zip", good_archives.ZIPS),
        ("wheel", WHEEL, good_archives.WHEELS),
    ):
        for name, (make, tree) in table.items():
            yield Sample(name=f"{kind}_{name}", file=file, make=make, tree=tree)


BAD, GOOD = tuple(_list_bad()), tuple(_list_good())


@dataclass(frozen=True, slots=True)
class Room:
    """A store, a folder of downloads, and what was there before the archive was read."""

    folder: Path
    store: LayoutStore
    artifact: Artifact
    interpreter: NamedLayer
    before: frozenset[Path]

    def build(self) -> LayerBlob:
        """The layer that the archive becomes, made by the builder of its kind."""
        fetcher = FolderFetcher(self.folder / "downloads")
        is_wheel = self.artifact.file == WHEEL
        inputs = Inputs(
            layer=make_layer(SPEC, Kind.PYTHON) if is_wheel else make_layer(FILES, Kind.FILES),
            log=self.folder / "log",
            artifacts={"dist": (self.artifact,)},
            parents=(self.interpreter,) if is_wheel else (),
        )
        with bounded_memory():
            if is_wheel:
                return PythonBuilder(self.store, fetcher, self.store.scratch)(inputs)
            return FilesBuilder(self.store, fetcher, self.folder / "layers")(inputs)

    def left(self) -> set[str]:
        """Files that were not there before, anywhere below the folder."""
        return {str(path.relative_to(self.folder)) for path in _files(self.folder) - self.before}


def make_room(sample: Sample, folder: Path) -> Room:
    """The sample as a download, an interpreter as a layer."""
    data = sample.make()
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    (downloads / sample.file).write_bytes(data)
    store = LayoutStore(folder / "room" / "store")
    interpreter = NamedLayer(node="python", blob=_make_interpreter(store))
    sha256 = hashlib.sha256(data).hexdigest()
    artifact = Artifact(coordinate="url:sample", file=sample.file, sha256=sha256, size=len(data))
    return Room(folder, store, artifact, interpreter, frozenset(_files(folder)))


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _make_interpreter(store: LayoutStore) -> LayerBlob:
    """A layer whose interpreter compiles nothing."""
    with LayerWriter(store, epoch=EPOCH, compression=Compression.NONE, progress=ignore_progress) as writer:
        entry = Entry("opt/python/bin/python3.10", EntryType.FILE, 0o755, size=len(INTERPRETER))
        writer.add(entry, io.BytesIO(INTERPRETER))
        return writer.finish()


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let this process grow by ``MEMORY`` at most; ``MemoryError`` beyond."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, most))


def read_tree(store: LayoutStore, layer: LayerBlob) -> good_archives.Tree:
    """The layer in the words of ``good_archives``."""
    tree = {}
    with open_layer(store, layer) as members:
        for entry, content in members:
            match entry.type:
                case EntryType.DIRECTORY:
                    tree[entry.path] = good_archives.DIR
                case EntryType.SYMLINK:
                    tree[entry.path] = f"link {entry.target}"
                case EntryType.HARDLINK:
                    tree[entry.path] = f"same {entry.target}"
                case EntryType.FILE:
                    assert content is not None
                    tree[entry.path] = good_archives.file(content.read(), entry.mode)
    return tree


def try_bad(sample: Sample, folder: Path) -> str:
    """What is wrong with how the sample is refused; nothing when all is well."""
    room = make_room(sample, folder)
    try:
        room.build()
    except (BuildFailure, IntegrityError) as error:
        line = str(error)
    else:
        return "taken"
    if "\n" in line or sample.file not in line or not re.search(sample.refusal, line):
        return f"refused with: {line}"
    left = room.left()
    return f"left {sorted(left)}" if left else ""


def try_good(sample: Sample, folder: Path) -> str:
    """What is wrong with the layer that the sample becomes; nothing when all is well."""
    room = make_room(sample, folder)
    try:
        found = read_tree(room.store, room.build())
    except (BuildFailure, IntegrityError) as error:
        return f"refused with: {error}"
    expected = sample.tree or {}
    if sample.file == WHEEL:  # what every wheel brings beside is not what the sample is about
        found = {path: found.get(path, "absent") for path in expected}
    return "" if found == expected else f"another tree: {found}"


def run() -> Figure:
    """Every sample once."""
    problems: dict[str, list[str]] = {"accepts": [], "rejects": []}
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="buildgraph-archives-") as scratch:
        for kind, samples, attempt in (("accepts", BAD, try_bad), ("rejects", GOOD, try_good)):
            for number, sample in enumerate(samples):
                began = time.monotonic()
                problem = attempt(sample, Path(scratch) / kind / str(number))
                slowest = max(slowest, time.monotonic() - began)
                if problem:
                    problems[kind].append(f"{sample.name}: {problem}")
                shutil.rmtree(Path(scratch) / kind)
    wrong = "; ".join(problems["accepts"] + problems["rejects"]).replace("|", "/")[:500]
    return Figure(
        name="archive corpus",
        how=f"{len(BAD)} bad and {len(GOOD)} good archives through the files and python builders",
        target="0 false accepts, 0 false rejects",
        result=f"{len(problems['accepts'])} false accepts, {len(problems['rejects'])} false rejects"
        f"{f' ({wrong})' if wrong else ''}; slowest {slowest:.1f} s, each below {MEMORY >> 20} MiB",
        ok=not wrong,
    )
