"""The store: an OCI image layout with records, verdicts and file indexes beside the blobs."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from buildgraph.adapters import fileindex
from buildgraph.adapters.disk import PendingFile, disk_faults, make_folder, open_verified, seal, unseal, write_file
from buildgraph.errors import EnvironmentFault, IntegrityError, Interrupted, UsageError
from buildgraph.model import MEDIA_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from buildgraph.model import Composition, FileIndex
    from buildgraph.ports import Cancel

STORE_FORMAT = 1
REF_NAME = "org.opencontainers.image.ref.name"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LAYOUT = {"imageLayoutVersion": "1.0.0"}
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

    def __init__(self, root: Path) -> None:
        """``root`` need not exist; it is made, private, by the first write."""
        self.root = root
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
                reader = open_verified(path, lambda: self._quarantine(path))
        except FileNotFoundError:
            raise IntegrityError("the blob is not in the store", where=str(path), hint="build again") from None
        with reader:
            yield reader

    def blob_path(self, digest: str) -> Path:
        """Where the blob lies, whether it is there or not."""
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise IntegrityError(f"{digest[:80]!r} is not a sha256 digest")
        return self.root / "blobs" / "sha256" / found.group(1)

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
        write_file(self._index_path(digest), fileindex.encode(index), aside=self._tmp)

    def load_files(self, digest: str) -> FileIndex | None:
        """The file index, or None when there is none; a damaged one is put into ``quarantine``."""
        path = self._index_path(digest)
        data = self._read(path)
        if data is None:
            return None
        try:
            return fileindex.decode(data)
        except ValueError:
            self._quarantine(path)
            return None

    def read(self, folder: str, name: str) -> str | None:
        """The text of a document, or None; a damaged one is put into ``quarantine``."""
        path = self._text_path(folder, name)
        sealed = self._read(path)
        if sealed is None:
            return None
        data = unseal(sealed)
        if data is None:
            self._quarantine(path)
            return None
        return data.decode()

    def write(self, folder: str, name: str, text: str) -> None:
        """Replace a document durably."""
        path = self._text_path(folder, name)
        self._prepare()
        write_file(path, seal(text.encode()), aside=self._tmp)

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
        descriptor = {
            "mediaType": MEDIA_MANIFEST,
            "digest": manifest,
            "size": len(composition.manifest),
            "annotations": {REF_NAME: check_name(name)},
        }
        self._edit_index(lambda entries: [*_without(entries, name), descriptor])

    def remove(self, name: str) -> None:
        """Take a name out of ``index.json``; not an error when it is not there."""
        self._edit_index(lambda entries: _without(entries, check_name(name)))

    def published(self) -> dict[str, str]:
        """Image name → manifest digest, of all that ``publish`` put into ``index.json``."""
        entries = self._index_entries()
        return {str(_name_of(entry)): str(entry["digest"]) for entry in entries if _name_of(entry)}

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

    def _index_path(self, digest: str) -> Path:
        return self.root / "files" / f"{self.blob_path(digest).name}.json.zst"

    def _text_path(self, folder: str, name: str) -> Path:
        return self.root / check_name(folder) / f"{check_name(name)}.json"

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
        with disk_faults(self.root, "make the store"):
            make_folder(self.root)
            make_folder(self._tmp)
            if not self._ready:
                with self._index_lock():
                    self._make_layout()
        self._writable = True

    def _make_layout(self) -> None:
        write_file(self.root / "oci-layout", json.dumps(_LAYOUT).encode(), aside=self._tmp)
        if not (self.root / "index.json").exists():
            write_file(self.root / "index.json", _index_text([]), aside=self._tmp)
        write_file(self.root / "store.json", json.dumps({"store": STORE_FORMAT}).encode(), aside=self._tmp)

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
        path = self.root / "store.json"
        try:
            with disk_faults(self.root, "read store.json"):
                found = _format_of(path.read_bytes())
        except FileNotFoundError:
            return
        if found != STORE_FORMAT:
            raise EnvironmentFault(
                f"the store has format {found}, this program reads {STORE_FORMAT}",
                where=str(self.root),
                hint="use the program that made it, or another store",
            )
        self._ready = True

    def _quarantine(self, path: Path) -> None:
        """Move a damaged file out of the way; where the store cannot be written, not serving it must do."""
        folder = self.root / "quarantine"
        with suppress(OSError):
            make_folder(folder)
            path.replace(folder / path.name)

    def _index_entries(self) -> list[dict[str, object]]:
        data = self._read(self.root / "index.json")
        try:
            return list(json.loads(data)["manifests"]) if data else []
        except (ValueError, KeyError, TypeError):
            # Blobs and records are the truth; the names in the index come back with the next publish.
            self._quarantine(self.root / "index.json")
            return []

    def _edit_index(self, edit: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
        self._prepare()
        with disk_faults(self.root, "write index.json"), self._index_lock():
            entries = self._index_entries()
            edited = edit(entries)
            if edited != entries:
                write_file(self.root / "index.json", _index_text(edited), aside=self._tmp)


def _format_of(text: bytes) -> object:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document.get("store") if isinstance(document, dict) else None


def _index_text(entries: list[dict[str, object]]) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": sorted(entries, key=lambda entry: (_name_of(entry), str(entry.get("digest")))),
    }
    return json.dumps(document, indent=1).encode()


def _name_of(entry: dict[str, object]) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(REF_NAME, "")) if isinstance(annotations, dict) else ""


def _without(entries: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    return [entry for entry in entries if _name_of(entry) != name]
