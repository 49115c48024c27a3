"""Builds ``python`` layers: locked wheels installed at their final paths, compiled by the image's own interpreter."""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from posixpath import relpath
from typing import TYPE_CHECKING, BinaryIO

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, RecordEntry
from installer.scripts import Script
from installer.sources import WheelFile
from installer.utils import SCHEME_NAMES, Scheme, construct_record_file, fix_shebang

from buildgraph.adapters import bytecode, process
from buildgraph.adapters.archive import open_archive, open_layer
from buildgraph.adapters.disk import disk_faults
from buildgraph.adapters.paths import image_path, join, matches_any, member_path
from buildgraph.adapters.tarwriter import CHUNK, LayerWriter, cancelling
from buildgraph.adapters.tree import EXECUTABLE_MODE, FILE_MODE, open_steady, read_tree
from buildgraph.errors import BuildFailure, Interrupted
from buildgraph.model import EntryType, PythonSpec

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from installer.scripts import ScriptSection
    from installer.sources import WheelContentElement

    from buildgraph.adapters.disk import Scratch
    from buildgraph.model import Artifact, Entry, LayerBlob
    from buildgraph.ports import BlobStore, Fetcher, LayerInputs

INSTALLER = {"INSTALLER": b"buildgraph\n"}


class PythonBuilder:
    """A ``ports.LayerBuilder`` for ``Kind.PYTHON``; the interpreter of the layer's parents runs on this machine."""

    def __init__(self, blobs: BlobStore, fetcher: Fetcher, scratch: Scratch) -> None:
        """Keep what all builds use."""
        self._blobs = blobs
        self._fetcher = fetcher
        self._scratch = scratch

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        """Install every locked wheel, compile, pack; ``BuildFailure`` when two wheels disagree about a file."""
        spec = inputs.layer.spec
        assert isinstance(spec, PythonSpec)
        with self._scratch("python") as work:
            tree = work / "tree"
            tree.mkdir()
            self._install(inputs, spec, tree)
            interpreter = self._unpack_interpreter(inputs, spec, work / "interpreter")
            _compile(inputs, interpreter, tree, work)
            return self._pack(inputs, tree)

    def _install(self, inputs: LayerInputs, spec: PythonSpec, tree: Path) -> None:
        destination = TreeDestination(tree, spec)
        artifacts = [artifact for locked in inputs.artifacts.values() for artifact in locked]
        for artifact in sorted(artifacts, key=lambda artifact: artifact.file):
            if inputs.cancel.is_set():
                raise Interrupted("the wheels were not installed")
            _install_wheel(artifact, self._fetcher.path(artifact), destination)

    def _unpack_interpreter(self, inputs: LayerInputs, spec: PythonSpec, root: Path) -> Path:
        """Put what the parents hold below the prefix under ``root``; the interpreter's path there."""
        prefix = image_path(spec.prefix)
        for parent in inputs.parents:
            with open_layer(self._blobs, parent.blob) as members:
                for entry, content in members:
                    if entry.path.startswith(prefix + "/"):
                        _unpack(root, entry, content)
        interpreter = root / prefix / "bin" / f"python{spec.version}"
        if not interpreter.is_file():
            raise BuildFailure(
                f"no parent holds {spec.prefix}/bin/python{spec.version}",
                hint="name the interpreter's layer in `parents`",
            )
        if not interpreter.resolve().is_relative_to(root.resolve()):
            raise BuildFailure(f"{spec.prefix}/bin/python{spec.version} is a symlink that leads elsewhere")
        return interpreter

    def _pack(self, inputs: LayerInputs, tree: Path) -> LayerBlob:
        progress = cancelling(inputs.progress, inputs.cancel)
        compression = inputs.layer.compression
        with LayerWriter(self._blobs, epoch=inputs.epoch, compression=compression, progress=progress) as writer:
            for entry, file in read_tree(tree):
                if entry.type is EntryType.FILE:
                    with open_steady(file) as content:
                        writer.add(entry, content)
                else:
                    writer.add(entry)
            return writer.finish()


@dataclass(frozen=True, slots=True)
class _Installed:
    """Who put a file into the tree, and what it holds."""

    distribution: str
    record: RecordEntry


@dataclass(slots=True)
class TreeDestination(WheelDestination):
    """Where wheels go: paths below ``spec.prefix`` in a directory that stands for the image's root."""

    tree: Path
    spec: PythonSpec
    distribution: str = ""
    installed: dict[str, _Installed] = field(default_factory=dict)

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Write a file of a wheel; scripts get the image's interpreter."""
        if scheme != "scripts":
            return self._write(scheme, str(path), stream, executable=is_executable)
        with fix_shebang(stream, self._interpreter) as script:
            return self._write(scheme, str(path), script, executable=True)

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        """Write the script of an entry point."""
        file, data = Script(name, module, attr, section).generate(self._interpreter, "posix")
        return self._write(Scheme("scripts"), file, io.BytesIO(data), executable=True)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD, without what is left out."""
        home = "/" + self._folder(scheme)
        prefixes = {place: relpath("/" + self._folder(place), home) + "/" for place in SCHEME_NAMES}
        kept = [(place, record) for place, record in records if not self._is_left_out(place, record.path)]
        with construct_record_file(kept, lambda place: None if prefixes[place] == "./" else prefixes[place]) as stream:
            self._write(scheme, record_file_path, stream, executable=False)

    @property
    def _interpreter(self) -> str:
        return f"{self.spec.prefix}/bin/python{self.spec.version}"

    def _folder(self, scheme: Scheme) -> str:
        """The directory of a scheme, relative to the prefix."""
        library = f"lib/python{self.spec.version}/site-packages"
        headers = f"include/python{self.spec.version}/{self.distribution}"
        return {"purelib": library, "platlib": library, "scripts": "bin", "data": "", "headers": headers}[scheme]

    def _is_left_out(self, scheme: Scheme, path: str) -> bool:
        return matches_any(self.spec.exclude, join(self._folder(scheme), path))

    def _write(self, scheme: Scheme, path: str, stream: BinaryIO, *, executable: bool) -> RecordEntry:
        place = join(self._folder(scheme), member_path(path))
        if self._is_left_out(scheme, path):
            return RecordEntry(path, None, None)
        target = self.tree / image_path(self.spec.prefix) / place
        known = self.installed.get(place)
        if known is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                record = _copy(stream, file, path)
            target.chmod(EXECUTABLE_MODE if executable else FILE_MODE)
            self.installed[place] = _Installed(self.distribution, record)
            return record
        record = _copy(stream, None, path)
        if (record.hash_, record.size) != (known.record.hash_, known.record.size):
            raise BuildFailure(f"{known.distribution} and {self.distribution} hold different files at {place}")
        return record


class _Source(WheelFile):
    """A wheel without the bytecode that somebody else compiled."""

    def get_contents(self) -> Iterator[WheelContentElement]:
        """All members but those of ``__pycache__``."""
        return (element for element in super().get_contents() if "__pycache__" not in element[0][0].split("/"))


def _copy(stream: BinaryIO, file: BinaryIO | None, path: str) -> RecordEntry:
    """Copy (or only read) a stream; its line of RECORD."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if file:
            file.write(chunk)
    return RecordEntry(path, Hash("sha256", urlsafe_b64encode(digest.digest()).decode().rstrip("=")), size)


def _install_wheel(artifact: Artifact, path: Path, destination: TreeDestination) -> None:
    if not artifact.file.endswith(".whl"):
        raise BuildFailure(
            "it is not a wheel", where=artifact.file, hint="lock a version that has one for this platform"
        )
    # A library unpacks it, and takes what it holds on trust.
    with open_archive(path) as members:
        for _ in members:
            pass
    try:
        with disk_faults(destination.tree, "install a wheel"), _Source.open(path) as source:
            destination.distribution = source.distribution
            install(source, destination, dict(INSTALLER))
    except BuildFailure as error:
        error.where = error.where or artifact.file
        raise
    except (InstallerError, zipfile.BadZipFile, AssertionError, KeyError, OSError) as error:
        raise BuildFailure(f"the wheel cannot be installed: {error}", where=artifact.file) from error


def _unpack(root: Path, entry: Entry, content: BinaryIO | None) -> None:
    target = root / entry.path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise BuildFailure(f"/{entry.path} lies behind a symlink of another layer")
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.type is EntryType.DIRECTORY:
        target.mkdir(exist_ok=True)
    elif entry.type is EntryType.SYMLINK:
        target.symlink_to(entry.target)
    elif entry.type is EntryType.HARDLINK:
        target.hardlink_to(root / entry.target)
    elif content:
        with target.open("xb") as file:
            while chunk := content.read(CHUNK):
                file.write(chunk)
        target.chmod(entry.mode & 0o777)


def _compile(inputs: LayerInputs, interpreter: Path, tree: Path, work: Path) -> None:
    """Put a .pyc beside every module of the tree, made for the module's path in the image."""
    assert isinstance(inputs.layer.spec, PythonSpec)
    library = tree / image_path(inputs.layer.spec.prefix) / "lib"
    empty = work / "empty"
    empty.mkdir()
    env = {
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    argv = [
        str(interpreter),
        "-s",
        "-S",
        "-W",
        "ignore",
        bytecode.__file__,
        str(library),
        f"{inputs.layer.spec.prefix}/lib",
    ]
    process.check(argv, log=inputs.log, cancel=inputs.cancel, env=env, cwd=empty)
