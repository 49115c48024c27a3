"""Debian packages: from dpkg's database, with the licences that their copyright files name; and from the lock alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packageurl import PackageURL

from buildgraph.bill.spdx import to_spdx

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = re.compile(r"(?P<name>\S+)(?: \((?P<version>[^)]+)\))?")
_LICENCE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
_COMMON = re.compile(r"/usr/share/common-licenses/([A-Z][A-Za-z0-9]*(?:-[0-9.]*[0-9])?)")
_FILE = re.compile(r"_(?P<arch>[a-z0-9]+)\.deb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed package. ``source`` is the source package, ``source_version`` its version where it differs."""

    name: str
    version: str
    arch: str
    source: str = ""
    source_version: str = ""


def parse_status(text: str) -> Iterator[Package]:
    """The installed packages of dpkg's database, in its order."""
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Architecture|Source|Status): *(.*?) *$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed") and {"Package", "Version", "Architecture"} <= fields.keys():
            source = _SOURCE.match(fields.get("Source", ""))
            yield Package(
                name=fields["Package"],
                version=fields["Version"],
                arch=fields["Architecture"],
                source=source["name"] if source else "",
                source_version=(source["version"] or "") if source else "",
            )


def package_of(name: str, version: str, path: str) -> Package:
    """A package that only the lock knows: ``path`` is its place in the archive, below its source package's folder."""
    folder, _, file = path.rpartition("/")
    arch = _FILE.search(file)
    source = folder.rpartition("/")[2]
    return Package(
        name=name, version=version, arch=arch["arch"] if arch else "", source=source if source != name else ""
    )


def make_purl(package: Package, distro: str) -> str:
    """``pkg:deb/debian/…`` as scanners read it; ``distro`` like ``debian-12``, or nothing where it is not known."""
    qualifiers = {"arch": package.arch, "distro": distro}
    if package.source:
        version = f"@{package.source_version}" if package.source_version else ""
        qualifiers["upstream"] = f"{package.source}{version}"
    namespace = distro.partition("-")[0] or "debian"
    given = {key: value for key, value in qualifiers.items() if value}
    return PackageURL("deb", namespace, package.name, package.version, given).to_string()


def find_licences(copyright_text: str) -> tuple[str, ...]:
    """The licences that a copyright file names; where it is free text, those that it refers to."""
    if copyright_text.lstrip().startswith("Format:"):
        names = _LICENCE.findall(copyright_text)
    else:
        names = _COMMON.findall(copyright_text)
    parts = (part for name in names for part in to_spdx(name).split(" AND "))
    return tuple(sorted({part.strip() for part in parts if part.strip()}))


def parse_release(text: str) -> str:
    """``debian-12`` of an os-release, or nothing."""
    fields = dict(re.findall(r'^(ID|VERSION_ID)="?([A-Za-z0-9.]+)"?$', text, re.MULTILINE))
    return f"{fields['ID']}-{fields['VERSION_ID']}" if len(fields) == 2 else ""  # noqa: PLR2004 - the two
