"""Reads, of a layer's blob, the few texts that say what is in it: files, members of jars, versions inside binaries."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from buildgraph.adapters.disk import CHUNK
from buildgraph.adapters.fileindex import open_tar
from buildgraph.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_TEXT = 4 << 20
MAX_BINARY = 256 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What is to be read: texts by path, jars by path and size, their members, and patterns by the path of a binary."""

    texts: Callable[[str], bool]
    archives: Callable[[str, int], bool]
    members: re.Pattern[str]
    patterns: Mapping[str, Mapping[str, re.Pattern[bytes]]]

    def covers(self, path: str, size: int) -> bool:
        """True when something of the file is to be read."""
        return self.texts(path) or self.archives(path, size) or bool(self.find_patterns(path))

    def find_patterns(self, path: str) -> Mapping[str, re.Pattern[bytes]]:
        """The patterns for a binary; none for most files."""
        return next((names for form, names in self.patterns.items() if re.fullmatch(form, path)), {})


def read_contents(blob: BinaryIO, interest: Interest) -> dict[str, str]:
    """Path, ``jar!member`` or ``file!pattern`` → text. Reads the blob to its end, so that one that verifies does.

    Members of a text larger than 4 MiB are cut there; a jar that cannot be read has none.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=open_tar(blob), mode="r|", bufsize=CHUNK) as tar:  # type: ignore[call-overload]
            for member in tar:
                if member.isreg() and interest.covers(member.name, member.size):
                    content = tar.extractfile(member)
                    assert content is not None
                    found.update(_read_member(member, content, interest))
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise IntegrityError(f"a layer cannot be read: {error}", hint="run: buildgraph verify --repair") from error
    while blob.read(CHUNK):
        pass
    return found


def _read_member(member: tarfile.TarInfo, content: BinaryIO, interest: Interest) -> Iterator[tuple[str, str]]:
    path = member.name
    if interest.archives(path, member.size):
        yield from ((f"{path}!{name}", text) for name, text in _read_archive(content.read(), interest.members))
    elif interest.texts(path):
        yield path, _decode(content.read(MAX_TEXT))
    else:
        data = content.read(MAX_BINARY)
        for name, pattern in interest.find_patterns(path).items():
            if match := pattern.search(data):
                yield f"{path}!{name}", _decode(match[1])


def _read_archive(data: bytes, wanted: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if wanted.fullmatch(member.filename):
                    with archive.open(member) as content:
                        yield member.filename, _decode(content.read(MAX_TEXT))
    except _BROKEN:
        return  # what it is called and its hash are known all the same


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
