"""The store: an OCI image layout with records, verdicts and file indexes beside the blobs."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from buildgraph.adapters import fileindex, layout, usage
from buildgraph.adapters.disk import (
    PendingFile,
    disk_faults,
    make_folder,
    open_verified,
    seal,
    sync_folder,
    unseal,
    write_file,
)
from buildgraph.errors import EnvironmentFault, IntegrityError, Interrupted, UsageError
from buildgraph.model import MEDIA_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.model import Composition, FileIndex
    from buildgraph.ports import Cancel

QUARANTINE = "quarantine"
USAGE_LOCK = "locks/in-use"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_RESERVED = ":@"
_LOCK_POLL_SECONDS = 0.1


def check_name(name: str) -> str:
    """The name itself when it may become a file name of the store, else ``UsageError``."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:140]!r} is not a name", hint="names match [a-z0-9][a-z0-9._-]* and have 128 characters"
        )
    return name


class StoreBlob:
    """A blob being written; see ``ports.BlobWriter``."""

    def __init__(self, root: Path, pending: PendingFile) -> None:
        """Made by ``LayoutStore.create_blob``."""
        self._root = root
        self._pending = pending
        self._hash = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Append and hash; the number of bytes."""
        with disk_faults(self._root, f"write {len(data)} bytes after {self._pending.size}"):
            self._pending.write(data)
        self._hash.update(data)
        return len(data)

    def commit(self) -> tuple[str, int]:
        """Publish under its digest; digest and size in bytes."""
        name = self._hash.hexdigest()
        with disk_faults(self._root, f"publish a blob of {self._pending.size} bytes"):
            self._pending.publish(self._root / "blobs" / "sha256" / name)
        return f"sha256:{name}", self._pending.size


class LayoutStore:
    """``ports.BlobStore`` and ``ports.Texts`` over one directory. Made for free: nothing is read or made before use."""

    def __init__(self, root: Path, *, notice: Callable[[str], None] = lambda _text: None) -> None:
        """``root`` need not exist; it is made, private, by the first write. ``notice`` hears of damaged files."""
        self.root = root
        self._notice = notice
        self._ready = False
        self._writable = False

    @property
    def sources(self) -> Path:
        """Where downloads lie."""
        return self.root / "sources"

    @property
    def runs(self) -> Path:
        """Where the logs of runs lie."""
        return self.root / "runs"

    @contextmanager
    def in_use(self, *, waiting: Callable[[str], None]) -> Iterator[None]:
        """Keep others from cleaning the store while this lasts: for everything that writes to it or relies on it."""
        with suppress(EnvironmentFault):  # whoever writes says so; whoever only reads may go on
            self._prepare()
        with usage.shared(self._usage_path, waiting=waiting):
            yield

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep others from using the store while this lasts; False when somebody uses it now."""
        if not self.root.is_dir():
            yield True
            return
        with usage.alone(self._usage_path) as is_alone:
            yield is_alone

    @contextmanager
    def scratch(self, prefix: str) -> Iterator[Path]:
        """A temporary directory in the store, gone afterwards."""
        self._prepare()
        with disk_faults(self.root, "make a temporary directory"):
            folder = Path(tempfile.mkdtemp(prefix=f"{check_name(prefix)}-", dir=self._tmp))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def has_blob(self, digest: str, size: int) -> bool:
        """True when a regular file of that name and size is there."""
        try:
            with disk_faults(self.root, "look up a blob"):
                status = self.blob_path(digest).lstat()
        except FileNotFoundError:
            return False
        return status.st_size == size and stat.S_ISREG(status.st_mode)

    @contextmanager
    def open_blob(self, digest: str) -> Iterator[BinaryIO]:
        """Read a blob; the read that reaches its end puts a damaged one into ``quarantine`` and raises."""
        path = self.blob_path(digest)
        try:
            with disk_faults(path.parent, f"read {path.name}"):
                reader = open_verified(path, lambda: self.quarantine(path))
        except FileNotFoundError:
            raise IntegrityError("the blob is not in the store", where=str(path), hint="build again") from None
        with reader:
            yield reader

    def blob_path(self, digest: str) -> Path:
        """Where the blob lies, whether it is there or not."""
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise IntegrityError(f"{digest[:80]!r} is not a sha256 digest")
        return self.root / f"blobs/sha256/{found.group(1)}"

    def index_path(self, digest: str) -> Path:
        """Where the file index of a layer's blob lies, whether it is there or not."""
        return self.root / "files" / f"{self.blob_path(digest).name}{fileindex.SUFFIX}"

    @contextmanager
    def create_blob(self) -> Iterator[StoreBlob]:
        """A new blob; nothing stays behind without its ``commit``."""
        self._prepare()
        with disk_faults(self._tmp, "create a file"):
            pending = PendingFile(self._tmp)
        try:
            yield StoreBlob(self.root, pending)
        finally:
            pending.discard()

    def write_blob(self, data: bytes) -> str:
        """Store small content; its digest."""
        with self.create_blob() as blob:
            blob.write(data)
            return blob.commit()[0]

    def save_files(self, digest: str, index: FileIndex) -> None:
        """Keep a layer blob's file index beside it."""
        self._prepare()
        write_file(self.index_path(digest), fileindex.encode(index), aside=self._tmp)

    def load_files(self, digest: str) -> FileIndex | None:
        """The file index; one that is missing or damaged is made anew from the blob. None where there is no layer."""
        path = self.index_path(digest)
        data = self._read(path)
        try:
            return fileindex.decode(data) if data is not None else self._remake_files(digest)
        except ValueError:
            self.quarantine(path)
            return self._remake_files(digest)

    def read(self, folder: str, name: str) -> str | None:
        """The text of a document, or None; a damaged one is put into ``quarantine``."""
        path = self._text_path(folder, name)
        sealed = self._read(path)
        if sealed is None:
            return None
        data = unseal(sealed)
        if data is not None:
            with suppress(UnicodeDecodeError):
                return data.decode()
        self.quarantine(path)
        return None

    def write(self, folder: str, name: str, text: str) -> None:
        """Replace a document durably."""
        path = self._text_path(folder, name)
        self._prepare()
        write_file(path, seal(text.encode()), aside=self._tmp)

    def forget(self, folder: str, name: str) -> None:
        """Take a document away durably; not an error when it is not there."""
        path = self._text_path(folder, name)
        with disk_faults(path.parent, f"remove {path.name}"), suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)

    def names(self, folder: str) -> tuple[str, ...]:
        """The documents of a folder, sorted."""
        path = self.root / check_name(folder)
        with disk_faults(path, "list it"):
            if not path.is_dir():
                return ()
            return tuple(sorted(file.name.removesuffix(".json") for file in path.iterdir() if file.suffix == ".json"))

    def publish(self, name: str, composition: Composition) -> None:
        """Put an image's manifest and config into the store and its name into ``index.json``."""
        config = self.write_blob(composition.config)
        manifest = self.write_blob(composition.manifest)
        assert (config, manifest) == (composition.config_digest, composition.digest)
        entry = _make_entry(check_name(name), manifest, len(composition.manifest))
        self._edit_index(lambda entries: [*layout.without(entries, name), entry])

    def remove(self, name: str) -> None:
        """Take a name out of ``index.json``; not an error when it is not there."""
        self._edit_index(lambda entries: layout.without(entries, check_name(name)))

    def published(self) -> dict[str, str]:
        """Image name → manifest digest, of all that ``publish`` put into ``index.json``."""
        entries = self._index_entries()
        return {layout.name_of(entry): str(entry["digest"]) for entry in entries if layout.name_of(entry)}

    def quarantine(self, path: Path) -> bool:
        """Move a damaged file out of the way, and say so; False where the store cannot be written."""
        name = path.relative_to(self.root).as_posix()
        folder = self.root / QUARANTINE
        try:
            make_folder(folder)
            path.replace(folder / path.name)
        except FileNotFoundError:
            return True  # another process was faster
        except (OSError, EnvironmentFault):
            self._notice(f"{name} is damaged, is not used, and cannot be put aside")
            return False
        self._notice(f"{name} was damaged and put aside; what it held is made again")
        return True

    def was_damaged(self, file: str) -> bool:
        """True when a file of that name was put aside."""
        return (self.root / QUARANTINE / file).exists()

    def restore_layout(self, names: Mapping[str, str]) -> None:
        """Write what makes the directory a store anew, with an index of these images: name → manifest digest."""
        entries = [_make_entry(name, digest, self.blob_path(digest).stat().st_size) for name, digest in names.items()]
        with disk_faults(self.root, "make the store"):
            make_folder(self._tmp)
            with self._index_lock():
                self._make_layout(entries)

    @contextmanager
    def lock(self, name: str, *, cancel: Cancel, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock of that name against other threads and processes.

        A holder that dies lets go of it: the kernel ends its lock. ``waiting`` hears one line when somebody else
        holds it; ``Interrupted`` when cancelled meanwhile.
        """
        from filelock import FileLock, Timeout

        path = self.root / "locks" / f"{check_name(name)}.lock"
        self._prepare()
        with disk_faults(path.parent, f"lock {path.name}"):
            make_folder(path.parent)
            lock = FileLock(path, thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                waiting(f"{name} is locked by another run; waiting for {path}")
                try:
                    lock.acquire(poll_interval=_LOCK_POLL_SECONDS, cancel_check=cancel.is_set)
                except Timeout:
                    raise Interrupted(f"stopped while waiting for the lock of {name}") from None
        try:
            yield
        finally:
            lock.release()

    @property
    def _tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def _usage_path(self) -> Path:
        return self.root / USAGE_LOCK

    def _remake_files(self, digest: str) -> FileIndex | None:
        if not self.blob_path(digest).exists():
            return None
        with self.open_blob(digest) as blob:
            try:
                index = fileindex.make_index(blob)
            except ValueError:
                return None
        with suppress(EnvironmentFault):  # a store that can only be read serves as well, each time again
            self.save_files(digest, index)
        return index

    def _text_path(self, folder: str, name: str) -> Path:
        return self.root / f"{check_name(folder)}/{check_name(name)}.json"

    def _read(self, path: Path) -> bytes | None:
        self._check_format()
        with disk_faults(path.parent, f"read {path.name}"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def _prepare(self) -> None:
        """Make what every store has; once for each object."""
        if self._writable:
            return
        self._check_format()
        check_place(self.root)
        with disk_faults(self.root, "make the store"):
            for folder in (self.root, self.root / "blobs", self._tmp, self.sources):
                make_folder(folder)
            if not self._ready:
                with self._index_lock():
                    self._make_layout(self._index_entries())
        self._writable = True

    def _make_layout(self, entries: list[layout.IndexEntry]) -> None:
        write_file(self.root / layout.LAYOUT_FILE, layout.LAYOUT_TEXT, aside=self._tmp)
        write_file(self.root / layout.INDEX_FILE, layout.index_text(entries), aside=self._tmp)
        write_file(self.root / layout.STORE_FILE, layout.format_text(), aside=self._tmp)

    @contextmanager
    def _index_lock(self) -> Iterator[None]:
        # A no-op takes no lock and need not load the library.
        from filelock import FileLock

        make_folder(self.root / "locks")
        with FileLock(self.root / "locks" / "index.json.lock", thread_local=False):
            yield

    def _check_format(self) -> None:
        if self._ready:
            return
        path = self.root / layout.STORE_FILE
        try:
            with disk_faults(self.root, f"read {path.name}"):
                found = layout.read_format(path.read_bytes())
        except FileNotFoundError:
            return
        if found is None:
            # Whatever it said, documents of another format are misses: each has its own number.
            self.quarantine(path)
            return
        layout.check_format(found, self.root)
        self._ready = True

    def _index_entries(self) -> list[layout.IndexEntry]:
        path = self.root / layout.INDEX_FILE
        try:
            with disk_faults(self.root, f"read {path.name}"):
                data = path.read_bytes()
        except FileNotFoundError:
            return []
        entries = layout.read_index(data)
        if entries is None:
            # Blobs and records are the truth; `verify --repair` takes the names from them.
            self.quarantine(path)
        return entries or []

    def _edit_index(self, edit: Callable[[list[layout.IndexEntry]], list[layout.IndexEntry]]) -> None:
        self._prepare()
        with disk_faults(self.root, "write index.json"), self._index_lock():
            entries = self._index_entries()
            edited = edit(entries)
            if edited != entries:
                write_file(self.root / layout.INDEX_FILE, layout.index_text(edited), aside=self._tmp)


def _make_entry(name: str, digest: str, size: int) -> layout.IndexEntry:
    return {"mediaType": MEDIA_MANIFEST, "digest": digest, "size": size, "annotations": {layout.REF_NAME: name}}


def check_place(root: Path) -> None:
    """BuildKit reads the store by an address in which these characters end the path."""
    found = next((character for character in _RESERVED if character in str(root)), None)
    if found:
        raise UsageError(
            f"a store's path cannot hold {found!r}: BuildKit could not read it",
            where=str(root),
            hint="choose another place with --store or BUILDGRAPH_STORE",
        )
