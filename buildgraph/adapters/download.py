"""One artifact from one place: resumed where that is safe, hashed while written, published only when verified."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from buildgraph.adapters.web import CHUNK, Transient, chunks, content_length, show
from buildgraph.errors import EnvironmentFault, IntegrityError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import requests

    from buildgraph.adapters.web import Stop, Web
    from buildgraph.errors import NetworkFault
    from buildgraph.model import Artifact
    from buildgraph.ports import Cancel

Place: TypeAlias = "str | Path"
"""Where an artifact may be: an ``http(s)`` or ``file`` URL, or a local file that is given away (it is moved)."""
Candidate: TypeAlias = "Place | NetworkFault"
"""A place, or why there is none to be had from a server that was asked for one."""
Report: TypeAlias = "Callable[[int], None]"
"""Called with the bytes of the artifact that are here."""

_PARTIAL = ".part"
_ORIGIN = ".origin"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def obtain(web: Web, place: Place, artifact: Artifact, folder: Path, *, report: Report, stop: Stop) -> None:
    """Put the verified file at ``folder/<file name>``.

    ``IntegrityError`` when these are other bytes (nothing is left of them), ``NetworkFault`` when out of reach (what
    came is kept for the next attempt), ``EnvironmentFault`` when the disk is full.
    """
    with _naming_a_full_disk(folder, artifact):
        if isinstance(place, Path):
            _take_over(place, artifact, folder, cancel=stop)
        elif urlsplit(place).scheme == "file":
            _copy(place, artifact, folder, report=report, cancel=stop)
        else:
            web.retry(lambda: _download(web, place, artifact, folder, report=report, stop=stop), cancel=stop)
    report(artifact.size)


class _Partial:
    """The bytes so far of one artifact, hashed as they come."""

    def __init__(self, folder: Path, artifact: Artifact, origin: str) -> None:
        self._folder = folder
        self._artifact = artifact
        self._path = folder / _PARTIAL
        self._note = folder / _ORIGIN
        self._origin = hashlib.sha256(origin.encode()).hexdigest()  # an address may hold credentials
        self._hash = hashlib.sha256()
        self.size = 0
        self.validator = ""
        self.resumed = False

    def load(self, cancel: Cancel) -> None:
        """Take up what an earlier attempt left, if it came from the same place."""
        origin, _, validator = _read(self._note).partition(" ")
        if origin != self._origin or not self._path.is_file() or self._path.stat().st_size > self._artifact.size:
            self.discard()
            return
        for data in _blocks(self._path, cancel):
            self._hash.update(data)
            self.size += len(data)
        self.validator, self.resumed = validator, self.size > 0

    def restart(self, validator: str) -> None:
        """Forget the bytes; ``validator`` identifies the file that the server is about to send."""
        self.discard()
        self._note.write_text(f"{self._origin} {validator}", encoding="utf-8")
        self._path.touch()
        self._hash, self.size, self.validator, self.resumed = hashlib.sha256(), 0, validator, False

    def extend(self, data: Iterable[bytes], *, report: Report, cancel: Cancel) -> None:
        """Write and hash all of ``data``; more than the artifact's size is an ``IntegrityError``."""
        with self._path.open("ab") as file:
            for block in data:
                if cancel.is_set():
                    raise Interrupted("the download was stopped")
                file.write(block)
                self._hash.update(block)
                self.size += len(block)
                report(self.size)
                if self.size > self._artifact.size:
                    break
            file.flush()
            os.fsync(file.fileno())

    def publish(self, source: str) -> None:
        """Give the file its name, if it is what the lock says; else it is gone."""
        got = self._hash.hexdigest()
        if got == self._artifact.sha256 and self.size == self._artifact.size:
            self._path.replace(self._folder / self._artifact.file)
            self._note.unlink(missing_ok=True)
            _sync(self._folder)
            return
        was_resumed = self.resumed
        self.discard()
        if was_resumed:
            raise Transient(f"{source}: the file has changed since its first part came")
        raise mismatch(self._artifact, source, got=got, size=self.size)

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def digest_file(path: Path, *, cancel: Cancel) -> tuple[str, int]:
    """The sha256 (hex) and the size in bytes."""
    digest, size = hashlib.sha256(), 0
    for data in _blocks(path, cancel):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def mismatch(artifact: Artifact, source: str, *, got: str, size: int) -> IntegrityError:
    """Other bytes than the lock's: what was expected, what came, from where."""
    expected = f"expected {artifact.size} bytes with sha256 {artifact.sha256}"
    return IntegrityError(
        f"{artifact.coordinate}: {source} sent other bytes: {expected}, got {size} bytes with sha256 {got}"
    )


def _download(web: Web, url: str, artifact: Artifact, folder: Path, *, report: Report, stop: Stop) -> None:
    partial = _Partial(folder, artifact, url)
    partial.load(stop)
    report(partial.size)
    if partial.size < artifact.size or not artifact.size:
        response = web.open(url, headers=_range(partial))
        with stop.watching(response):
            if not _continues(response, partial, artifact):
                _check_announced(response, url, artifact, partial)
                partial.restart(_validator(response))
            partial.extend(chunks(response, url), report=report, cancel=stop)
        if partial.size < artifact.size:
            raise Transient(f"{show(url)}: the body ended after {partial.size} of {artifact.size} bytes")
    partial.publish(show(url))


def _range(partial: _Partial) -> dict[str, str]:
    if not partial.size:
        return {}
    asked = {"Range": f"bytes={partial.size}-"}
    return {**asked, "If-Range": partial.validator} if partial.validator else asked


def _continues(response: requests.Response, partial: _Partial, artifact: Artifact) -> bool:
    """True when the body is the rest of what we have; the server decides (If-Range), we check the numbers."""
    wanted = f"bytes {partial.size}-{artifact.size - 1}/{artifact.size}"
    return partial.size > 0 and response.status_code == 206 and response.headers.get("Content-Range") == wanted  # noqa: PLR2004 - partial content


def _check_announced(response: requests.Response, url: str, artifact: Artifact, partial: _Partial) -> None:
    """Refuse, before a byte is read, a body that cannot be the artifact."""
    if response.status_code == 206:  # noqa: PLR2004 - partial content, but not the part that was asked for
        partial.discard()
        raise Transient(f"{show(url)}: the server sent another part than was asked for")
    length = content_length(response)
    if length is None or length == artifact.size:
        return
    partial.discard()
    page = "an HTML page of " if "html" in response.headers.get("Content-Type", "") else ""
    raise IntegrityError(
        f"{artifact.coordinate}: {show(url)} sent {page}{length} bytes where {artifact.size} bytes "
        f"with sha256 {artifact.sha256} are expected"
    )


def _validator(response: requests.Response) -> str:
    """What If-Range may be asked with: a strong ETag, else the date, else nothing."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _copy(url: str, artifact: Artifact, folder: Path, *, report: Report, cancel: Cancel) -> None:
    path = Path(unquote(urlsplit(url).path))
    partial = _Partial(folder, artifact, url)
    partial.restart("")
    partial.extend(_blocks(path, cancel), report=report, cancel=cancel)
    partial.publish(str(path))


def _take_over(path: Path, artifact: Artifact, folder: Path, *, cancel: Cancel) -> None:
    got, size = digest_file(path, cancel=cancel)
    if got != artifact.sha256 or size != artifact.size:
        path.unlink()
        raise mismatch(artifact, path.name, got=got, size=size)
    shutil.move(path, folder / _PARTIAL)
    (folder / _PARTIAL).replace(folder / artifact.file)
    _sync(folder)


def _blocks(path: Path, cancel: Cancel) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            if cancel.is_set():
                raise Interrupted("the download was stopped")
            yield data


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _sync(folder: Path) -> None:
    """Make the rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _naming_a_full_disk(folder: Path, artifact: Artifact) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise EnvironmentFault(
            f"no space left in {folder.parent}: {artifact.file} needs {artifact.size} bytes", hint="free some space"
        ) from error
