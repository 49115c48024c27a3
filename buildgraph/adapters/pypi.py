"""The Python package index: which file answers a request, and where it is."""

from __future__ import annotations

import re
import tarfile
import threading
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pypi_simple
import requests
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from buildgraph.adapters.remote import open_remote
from buildgraph.adapters.web import Transient, explain, show
from buildgraph.errors import NetworkFault, NotFound, UsageError
from buildgraph.model import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from email.message import Message

    from pypi_simple import DistributionPackage

    from buildgraph.adapters.download import Candidate
    from buildgraph.adapters.web import Web
    from buildgraph.coordinate import Coordinate
    from buildgraph.ports import Cancel

_PLATFORM = re.compile(r"(?P<arch>x86_64|aarch64)-manylinux_2_(?P<minor>\d+)")
_OLDEST_GLIBC_MINOR = 5
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_LICENCE_LIMIT = 100
_SDIST_MEMBERS = 40
_BROKEN_ARCHIVE = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What wheels must run on: ``python`` (``3.10``) and ``platform`` (``x86_64-manylinux_2_28``)."""

    python: str
    platform: str


class PackageIndex:
    """Package indexes, asked in their order."""

    def __init__(self, web: Web, *, cancel: Cancel, endpoints: Sequence[str] = ()) -> None:
        """Without ``endpoints`` the public index."""
        self._web = web
        self._cancel = cancel
        self._clients = [
            pypi_simple.PyPISimple(endpoint, session=web.session)
            for endpoint in endpoints or (pypi_simple.PYPI_SIMPLE_ENDPOINT,)
        ]
        self._pages: dict[tuple[str, str], tuple[DistributionPackage, ...]] = {}
        self._lock = threading.Lock()

    def resolve(self, coordinate: Coordinate, target: Target) -> Artifact:
        """The sdist, or the best wheel for ``target``; without a form a wheel if there is one."""
        files = self._files(coordinate.name, coordinate.version)
        if coordinate.form == "sdist":
            found = choose_sdist(files)
        else:
            found = choose_wheel(files, target) or (None if coordinate.form else choose_sdist(files))
        if found is None:
            fits = "source distribution" if coordinate.form == "sdist" else f"wheel for Python {target.python}"
            raise NotFound(f"{coordinate}: the index has no {fits} of this version")
        return self._describe(coordinate.name, coordinate.version, found)

    def wheel(self, name: str, version: str, target: Target, *, hashes: frozenset[str]) -> Artifact:
        """The best wheel among those whose sha256 is one of ``hashes``."""
        files = [file for file in self._files(name, version) if file.digests.get("sha256") in hashes]
        found = choose_wheel(files, target)
        if found is None:
            raise NotFound(f"pypi:{name}=={version}: the index has no wheel for {target.platform} among those resolved")
        return self._describe(name, version, found)

    def locate(self, coordinate: Coordinate, artifact: Artifact) -> Iterator[Candidate]:
        """Where the locked file is; an index is asked when those before it did not give the file."""
        for client in self._clients:
            try:
                page = self._page(client, coordinate.name)
            except NetworkFault as fault:
                yield fault
                continue
            yield from (file.url for file in page if file.filename == artifact.file)

    def _files(self, name: str, version: str) -> list[DistributionPackage]:
        """The files of a version in the first index that has the project: no other may slip in a higher version."""
        *others, last = self._clients
        for client in others:
            with suppress(NotFound):
                return [file for file in self._page(client, name) if _is_version(file, version)]
        return [file for file in self._page(last, name) if _is_version(file, version)]

    def _page(self, client: pypi_simple.PyPISimple, name: str) -> tuple[DistributionPackage, ...]:
        key = (client.endpoint, canonicalize_name(name))
        with self._lock:
            known = self._pages.get(key)
        if known is None:
            known = self._web.retry(lambda: self._ask(client, key[1]), cancel=self._cancel)
            with self._lock:
                self._pages[key] = known
        return known

    def _ask(self, client: pypi_simple.PyPISimple, name: str) -> tuple[DistributionPackage, ...]:
        timeout = (self._web.patience.connect, self._web.patience.read)
        try:
            return tuple(client.get_project_page(name, timeout=timeout).packages)
        except pypi_simple.NoSuchProjectError as error:
            raise NotFound(f"pypi:{name}: the index has no such project") from error
        except requests.HTTPError as error:
            raise _index_fault(name, error) from error
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise Transient(f"pypi:{name}: {explain(error)}") from error
        except requests.RequestException as error:
            raise NetworkFault(f"pypi:{name}: {explain(error)}") from error

    def _describe(self, name: str, version: str, file: DistributionPackage) -> Artifact:
        sha256 = file.digests.get("sha256")
        size = file.size if file.size is not None else self._web.size(file.url, cancel=self._cancel)
        if sha256 is None or size is None:
            measured = self._web.measure(file.url, cancel=self._cancel)
            sha256, size = measured.sha256, measured.size
        return Artifact(
            coordinate=f"pypi:{canonicalize_name(name)}=={version}",
            file=file.filename,
            sha256=sha256,
            size=size,
            licence=self._licence(file, size),
        )

    def _licence(self, file: DistributionPackage, size: int) -> str:
        """What the file's metadata says, or nothing: a licence is worth a request, not a failure."""
        try:
            if file.package_type == "sdist":
                return read_licence(self._sdist_metadata(file))
            return read_licence(self._wheel_metadata(file, size))
        except (pypi_simple.DigestMismatchError, requests.RequestException, NetworkFault, *_BROKEN_ARCHIVE):
            return ""

    def _wheel_metadata(self, file: DistributionPackage, size: int) -> str:
        """What the index serves beside the wheel (some do so without saying), else what the wheel holds."""
        try:
            verify, timeout = bool(file.metadata_digests), self._web.patience.read
            return self._clients[0].get_package_metadata(file, verify=verify, timeout=timeout)
        except pypi_simple.NoMetadataError:
            with open_remote(self._web, file.url, size) as remote, zipfile.ZipFile(remote) as archive:
                names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
                return archive.read(names[0]).decode("utf-8", errors="replace") if names else ""

    def _sdist_metadata(self, file: DistributionPackage) -> str:
        """PKG-INFO stands among the first members, so that the first few kilobytes will do."""
        if not file.filename.endswith(".tar.gz"):
            return ""
        with self._web.open(file.url) as response, tarfile.open(fileobj=response.raw, mode="r|gz") as archive:
            for _, member in zip(range(_SDIST_MEMBERS), archive, strict=False):
                if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                    content = archive.extractfile(member)
                    return content.read().decode("utf-8", errors="replace") if content else ""
        return ""


def supported_tags(target: Target) -> tuple[Tag, ...]:
    """All wheel tags that run on ``target``, best first."""
    match = _PLATFORM.fullmatch(target.platform)
    if match is None:
        raise UsageError(f"{target.platform!r} is no platform like x86_64-manylinux_2_28")
    platforms: list[str] = []
    for minor in range(int(match["minor"]), _OLDEST_GLIBC_MINOR - 1, -1):
        platforms.append(f"manylinux_2_{minor}_{match['arch']}")
        if minor in _LEGACY:
            platforms.append(f"{_LEGACY[minor]}_{match['arch']}")
    python = tuple(int(part) for part in target.python.split("."))[:2]
    interpreter = "cp" + "".join(str(part) for part in python)
    return (
        *cpython_tags(python_version=python, abis=[interpreter], platforms=platforms),
        *compatible_tags(python_version=python, interpreter=interpreter, platforms=platforms),
    )


def choose_wheel(files: Iterable[DistributionPackage], target: Target) -> DistributionPackage | None:
    """The wheel with the best tag, of those the one with the highest build number; None when none runs there."""
    rank = {tag: place for place, tag in enumerate(reversed(supported_tags(target)))}
    best: tuple[tuple[int, tuple[int, str], str], DistributionPackage] | None = None
    for file in files:
        try:
            _, _, build, tags = parse_wheel_filename(file.filename)
        except InvalidWheelFilename:
            continue
        places = [rank[tag] for tag in tags if tag in rank]
        if not places:
            continue
        score = (max(places), build or (0, ""), file.filename)
        if best is None or score > best[0]:
            best = (score, file)
    return best[1] if best else None


def choose_sdist(files: Sequence[DistributionPackage]) -> DistributionPackage | None:
    """The source distribution, as tar.gz where there is a choice."""
    found = [file for file in files if file.package_type == "sdist"]
    return min(found, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def read_licence(metadata: str) -> str:
    """The licence expression, else a short licence field, else the classifiers."""
    headers: Message = HeaderParser().parsestr(metadata)
    for name in ("License-Expression", "License"):
        value = str(headers.get(name, "")).strip()
        if value and "\n" not in value and len(value) <= _LICENCE_LIMIT and value != "UNKNOWN":
            return value
    named = [str(value).split(" :: ") for value in headers.get_all("Classifier", [])]
    return "; ".join(parts[-1] for parts in named if parts[0] == "License" and len(parts) > 1)


def _is_version(file: DistributionPackage, version: str) -> bool:
    try:
        return file.version is not None and Version(file.version) == Version(version)
    except InvalidVersion:
        return file.version == version


def _index_fault(name: str, error: requests.HTTPError) -> NetworkFault:
    status = error.response.status_code
    what = f"pypi:{name}: {show(error.response.url)}: HTTP {status}"
    return Transient(what) if status in (429, 502, 503, 504) else NetworkFault(what)
