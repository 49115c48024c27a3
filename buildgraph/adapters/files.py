"""Builds ``files`` layers: verified sources and local files, streamed into the store in the order written."""

from __future__ import annotations

import gzip
import io
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from posixpath import basename, dirname
from typing import TYPE_CHECKING, BinaryIO, cast

from buildgraph.adapters.archive import DEFAULT_LIMITS, open_archive
from buildgraph.adapters.paths import image_path, join, matches, matches_any, member_path, parents
from buildgraph.adapters.tarwriter import CHUNK, LayerWriter, cancelling
from buildgraph.adapters.tree import DIRECTORY_MODE, FILE_MODE, IGNORED, entry_of, open_steady, plain_mode, read_tree
from buildgraph.errors import BuildFailure
from buildgraph.model import Entry, EntryType, FileAction, FileOp, FilesSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from buildgraph.model import Artifact, LayerBlob
    from buildgraph.ports import BlobStore, Fetcher, LayerInputs

_SPOOL_BYTES = 64 << 20


class FilesBuilder:
    """A ``ports.LayerBuilder`` for ``Kind.FILES``; ``layers_dir`` is the project's ``layers`` folder."""

    def __init__(self, blobs: BlobStore, fetcher: Fetcher, layers_dir: Path) -> None:
        """Keep what all builds use."""
        self._blobs = blobs
        self._fetcher = fetcher
        self._layers_dir = layers_dir

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        """Run the layer's operations in order; ``BuildFailure`` names the manifest line of the one that failed."""
        spec = inputs.layer.spec
        assert isinstance(spec, FilesSpec)
        files = self._layers_dir / inputs.layer.layer / "files"
        progress = cancelling(inputs.progress, inputs.cancel)
        with LayerWriter(
            self._blobs, epoch=inputs.epoch, compression=inputs.layer.compression, progress=progress
        ) as writer:
            tree = _Tree(writer, spec.operations)
            for operation in spec.operations:
                with _located(operation):
                    _ACTIONS[operation.action](_Operation(operation, tree, self._sources(inputs, operation), files))
            return writer.finish()

    def _sources(self, inputs: LayerInputs, operation: FileOp) -> tuple[tuple[Artifact, Path], ...]:
        if operation.action not in {FileAction.UNPACK, FileAction.PLACE}:
            return ()
        artifacts = inputs.artifacts.get(operation.subject, ())
        if not artifacts:
            raise BuildFailure(f"the source {operation.subject} has no locked file")
        return tuple((artifact, self._fetcher.path(artifact)) for artifact in artifacts)


class _Tree:
    """The layer so far. Directories are made when something needs them, as their ``directory`` operation says."""

    def __init__(self, writer: LayerWriter, operations: tuple[FileOp, ...]) -> None:
        self._writer = writer
        self._made: set[str] = set()
        self._declared = {
            image_path(operation.to): operation for operation in operations if operation.action is FileAction.DIRECTORY
        }

    def add(self, entry: Entry, content: BinaryIO | None = None, *, owned_below: str = "") -> None:
        """Append an entry; missing parents at or below ``owned_below`` get its owner, others 0:0."""
        for parent in parents(entry.path):
            owned = owned_below and (parent == owned_below or parent.startswith(owned_below + "/"))
            self.make_directory(parent, *((entry.uid, entry.gid) if owned else (0, 0)))
        if entry.type is EntryType.DIRECTORY:
            self.make_directory(entry.path, entry.uid, entry.gid)
        else:
            self._writer.add(entry, content)

    def make_directory(self, path: str, uid: int = 0, gid: int = 0) -> None:
        """Append a directory unless it is there; its own operation's mode and owner go before ``uid:gid``, 0755."""
        if path in self._made or not path:
            return
        self._made.add(path)
        mode = DIRECTORY_MODE
        declared = self._declared.get(path)
        if declared:
            mode, uid, gid = mode if declared.mode is None else declared.mode, declared.uid, declared.gid
        self._writer.add(Entry(path, EntryType.DIRECTORY, mode, uid, gid))


class _Operation:
    """One operation with all that it may read."""

    def __init__(self, operation: FileOp, tree: _Tree, sources: tuple[tuple[Artifact, Path], ...], files: Path) -> None:
        self.op = operation
        self.tree = tree
        self.sources = sources
        self.files = files
        self.to = image_path(operation.to)

    def owned(self, entry: Entry) -> Entry:
        """The entry with the operation's owner and, for a file, its mode where it has one."""
        mode = entry.mode if self.op.mode is None or entry.type is not EntryType.FILE else self.op.mode
        return replace(entry, mode=mode, uid=self.op.uid, gid=self.op.gid)

    def target(self, name: str) -> str:
        """Where a single file of that name goes: ``to``, or below it when it ends in a slash."""
        return join(self.to, name) if self.op.to.endswith("/") else self.to


@contextmanager
def _located(operation: FileOp) -> Iterator[None]:
    """Failures name the operation's place in the manifest."""
    try:
        yield
    except BuildFailure as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        raise BuildFailure(what, where=str(operation.location), hint=error.hint, log=error.log) from error


def _unpack(operation: _Operation) -> None:
    count = sum(_unpack_one(operation, path) for _, path in operation.sources)
    if not count:
        names = ", ".join(artifact.file for artifact, _ in operation.sources)
        raise BuildFailure(f"nothing in {names} matches", hint="compare strip, include and exclude with what it holds")


def _unpack_one(operation: _Operation, archive: Path) -> int:
    """Append what the operation takes from an archive; the number of members that are no directories."""
    count = 0
    with open_archive(archive) as members:
        for member, content in members:
            entry = _taken(operation.op, member)
            if entry is None:
                continue
            count += entry.type is not EntryType.DIRECTORY
            with _unzipped(entry, content, wanted=_is_zipped(operation.op, member)) as (sized, stream):
                operation.tree.add(_moved(operation, sized), stream, owned_below=operation.to)
    return count


def _taken(op: FileOp, member: Entry) -> Entry | None:
    """The member under its path below ``to``, or None when it is stripped, not included or excluded."""
    path = _stripped(op, member.path)
    if not path or (op.include and not matches_any(op.include, path)) or matches_any(op.exclude, path):
        return None
    return replace(member, path=path.removesuffix(".gz") if _is_zipped(op, member) else path)


def _is_zipped(op: FileOp, member: Entry) -> bool:
    return op.gunzip and member.path.endswith(".gz") and member.type in {EntryType.FILE, EntryType.HARDLINK}


def _stripped(op: FileOp, path: str) -> str:
    prefix = op.strip.strip("/")
    if not prefix:
        return path
    return path.removeprefix(prefix + "/") if path.startswith(prefix + "/") else ""


def _moved(operation: _Operation, entry: Entry) -> Entry:
    """The entry at its place in the image, with its mode and owner."""
    target = entry.target
    if entry.type is EntryType.HARDLINK:
        first = _stripped(operation.op, target)
        target = join(operation.to, first.removesuffix(".gz") if operation.op.gunzip else first)
    moved = operation.owned(replace(entry, path=join(operation.to, entry.path), target=target))
    if entry.type is not EntryType.FILE:
        return moved
    modes = [rule.mode for rule in operation.op.modes if matches(rule.glob, entry.path)]
    if modes:
        return replace(moved, mode=modes[-1])
    return moved if operation.op.mode is not None else replace(moved, mode=plain_mode(entry.mode))


@contextmanager
def _unzipped(entry: Entry, content: BinaryIO | None, *, wanted: bool) -> Iterator[tuple[Entry, BinaryIO | None]]:
    """The entry with its decompressed size and content, when that is wanted."""
    if content is None or not wanted:
        yield entry, content
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        try:
            _inflate(
                content, cast("BinaryIO", spool), limit=max(DEFAULT_LIMITS.floor, entry.size * DEFAULT_LIMITS.ratio)
            )
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise BuildFailure(f"{entry.path}.gz is not what gzip wrote: {error}") from error
        size = spool.tell()
        spool.seek(0)
        yield replace(entry, size=size), cast("BinaryIO", spool)


def _inflate(content: BinaryIO, spool: BinaryIO, *, limit: int) -> None:
    with gzip.GzipFile(fileobj=content) as stream:
        while chunk := stream.read(CHUNK):
            spool.write(chunk)
            if spool.tell() > limit:
                raise BuildFailure(f"a .gz member unpacks to more than {limit} bytes")


def _place(operation: _Operation) -> None:
    op = operation.op
    if len(operation.sources) > 1 and (op.link or not op.to.endswith("/")):
        raise BuildFailure(f"{op.subject} is more than one file", hint="end `to` with a slash, and leave `link` out")
    for artifact, path in operation.sources:
        target = operation.target(artifact.file)
        entry = Entry(target, EntryType.FILE, FILE_MODE, size=artifact.size, sha256=artifact.sha256)
        with path.open("rb") as content:
            operation.tree.add(operation.owned(entry), content)
        if op.link:
            link = Entry(join(dirname(target), op.link), EntryType.SYMLINK, 0o777, target=basename(target))
            operation.tree.add(operation.owned(link))


def _copy(operation: _Operation) -> None:
    source = _inside(operation.files, operation.op.subject)
    if source.is_dir() and not source.is_symlink():
        if operation.to:
            root = Entry(operation.to, EntryType.DIRECTORY, DIRECTORY_MODE)
            operation.tree.add(operation.owned(root), owned_below=operation.to)
        for entry, file in read_tree(source, ignored=IGNORED):
            _copy_file(operation, replace(entry, path=join(operation.to, entry.path)), file, owned_below=operation.to)
    else:
        _copy_file(operation, entry_of(operation.target(source.name), source), source)


def _copy_file(operation: _Operation, entry: Entry, file: Path, *, owned_below: str = "") -> None:
    if entry.type is not EntryType.FILE:
        operation.tree.add(operation.owned(entry), owned_below=owned_below)
        return
    with open_steady(file) as content:
        operation.tree.add(operation.owned(entry), content, owned_below=owned_below)


def _inside(folder: Path, subject: str) -> Path:
    """``folder/subject``, walked step by step: no step but the last may be a symlink, and all must exist."""
    place = folder
    for name in member_path(subject).split("/"):
        if place.is_symlink():
            raise BuildFailure(f"{subject} lies behind the symlink {place.name}", hint="name the real place")
        place /= name
    if not place.is_symlink() and not place.exists():
        raise BuildFailure(f"{subject} does not exist below {folder.parent.name}/{folder.name}")
    return place


def _write(operation: _Operation) -> None:
    data = operation.op.text.encode()
    entry = Entry(operation.to, EntryType.FILE, FILE_MODE, size=len(data))
    operation.tree.add(operation.owned(entry), io.BytesIO(data))


def _link(operation: _Operation) -> None:
    link = Entry(operation.to, EntryType.SYMLINK, 0o777, target=operation.op.target)
    operation.tree.add(operation.owned(link))


def _directory(operation: _Operation) -> None:
    operation.tree.add(Entry(operation.to, EntryType.DIRECTORY, DIRECTORY_MODE))


_ACTIONS: dict[FileAction, Callable[[_Operation], None]] = {
    FileAction.UNPACK: _unpack,
    FileAction.PLACE: _place,
    FileAction.COPY: _copy,
    FileAction.WRITE: _write,
    FileAction.LINK: _link,
    FileAction.DIRECTORY: _directory,
}
