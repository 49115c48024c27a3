"""A file on a server, read here and there without downloading it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from buildgraph.adapters.web import chunks, show
from buildgraph.errors import NetworkFault

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from buildgraph.adapters.web import Web

_BLOCK = 1 << 15


class RemoteFile(io.RawIOBase):
    """Seekable and readable by range requests; ``NetworkFault`` where the server does not take them."""

    def __init__(self, web: Web, url: str, size: int) -> None:
        """``size`` of the file in bytes."""
        super().__init__()
        self._web = web
        self._url = url
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; no request is made."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """One request for as much as ``buffer`` takes."""
        view = memoryview(buffer)
        end = min(self._place + len(view), self._size)
        if self._place >= end:
            return 0
        data = self._read(end)
        view[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _read(self, end: int) -> bytes:
        wanted = {"Range": f"bytes={self._place}-{end - 1}"}
        with self._web.open(self._url, headers=wanted) as response:
            if response.status_code != 206:  # noqa: PLR2004 - partial content
                raise NetworkFault(f"{show(self._url)}: the server sends no parts of files")
            return b"".join(chunks(response, self._url, limit=end - self._place))


def open_remote(web: Web, url: str, size: int) -> io.BufferedReader:
    """A buffered reader: small reads close to each other share a request."""
    return io.BufferedReader(RemoteFile(web, url, size), _BLOCK)
