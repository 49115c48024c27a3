"""Jars: who made them, from Maven's own notes in them, else from manifest and file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packageurl import PackageURL

from buildgraph.bill.groups import find_known_group
from buildgraph.bill.spdx import recognise, to_spdx
from buildgraph.bill.values import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCALA_NAME = re.compile(r"(?P<name>.+?(?:-[0-9.]+)?_2\.1[23](?:\.[0-9]+)?)-(?P<version>[0-9].*)")
_TWICE = re.compile(r"-[0-9.]+(?=_2\.1[23](?:\.[0-9]+)?$)")  # what is built for one Scala release names it twice
_NAME = re.compile(r"(?P<name>.+?)-(?P<version>[0-9][A-Za-z0-9.+_]*(?:[-.][A-Za-z0-9.+_]+)*)")
_POM = re.compile(r"META-INF/maven/(?P<group>[^/]+)/(?P<artifact>[^/]+)/pom\.properties")
_LICENCE_FILE = re.compile(r"(?:META-INF/)?licen[cs]e(?:\.txt|\.md)?", re.IGNORECASE)
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
_POM_LICENCES = re.compile(r"<licenses>(.*?)</licenses>", re.DOTALL)
_POM_NAME = re.compile(r"<name>\s*([^<]+?)\s*</name>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """What Maven calls an artifact; ``group`` may be unknown."""

    group: str
    artifact: str
    version: str

    def purl(self, classifier: str = "") -> str:
        """``pkg:maven/…``; without a group it is no Maven coordinate, and only a name."""
        if not self.group:
            return PackageURL("generic", None, self.artifact, self.version).to_string()
        qualifiers = {"classifier": classifier} if classifier else None
        return PackageURL("maven", self.group, self.artifact, self.version, qualifiers).to_string()


def describe_jar(path: str, members: Mapping[str, str]) -> Component:
    """The component that a jar is; ``members`` are the texts in it. Others that were packed into it are its parts."""
    stem = path.rpartition("/")[2].removesuffix(".jar")
    own, packed = _split_poms(stem, _read_poms(members))
    found, classifier = own or _guess(stem, members), ""
    if own and stem.startswith(f"{own.artifact}-{own.version}-"):
        classifier = stem.removeprefix(f"{own.artifact}-{own.version}-")
    return Component(
        name=found.artifact,
        version=found.version,
        group=found.group,
        purl=found.purl(classifier),
        licences=(licence,) if (licence := find_licence(found, members)) else (),
        text=find_text(path, members),
        path=f"/{path}",
        parts=tuple(
            Component(name=part.artifact, version=part.version, group=part.group, purl=part.purl()) for part in packed
        ),
    )


def find_parts(artifact: str, members: Mapping[str, str]) -> tuple[Component, ...]:
    """What else was packed into the jar of an artifact that is known."""
    packed = [found for found in _read_poms(members) if found.artifact != artifact]
    return tuple(Component(name=one.artifact, version=one.version, group=one.group, purl=one.purl()) for one in packed)


def find_text(path: str, members: Mapping[str, str]) -> str:
    """Where in the image the licence of a jar can be read."""
    inside = next((name for name in sorted(members) if _LICENCE_FILE.fullmatch(name)), "")
    return f"/{path}!{inside}" if inside else ""


def find_licence(found: Coordinates, members: Mapping[str, str]) -> str:
    """What the jar's own POM says, else its manifest, else the text of its licence."""
    pom = members.get(f"META-INF/maven/{found.group}/{found.artifact}/pom.xml", "")
    said = _POM_LICENCES.search(pom)
    names = _POM_NAME.findall(said[1]) if said else []
    if names:
        # Maven: a user may choose one of several.
        return " OR ".join(sorted({to_spdx(name) for name in names}))
    text = next((text for name, text in sorted(members.items()) if _LICENCE_FILE.fullmatch(name)), "")
    return recognise(text) or recognise_address(_manifest(members).get("Bundle-License", ""))


def recognise_address(text: str) -> str:
    """The licence behind the addresses that OSGi manifests give."""
    lower = text.lower()
    known = (
        ("apache.org/licenses/license-2.0", "Apache-2.0"),
        ("opensource.org/licenses/mit", "MIT"),
        ("epl-2.0", "EPL-2.0"),
        ("edl-v10", "BSD-3-Clause"),
        ("bsd-3-clause", "BSD-3-Clause"),
    )
    return next((name for part, name in known if part in lower), to_spdx(text) if "/" not in text else "")


def _read_poms(members: Mapping[str, str]) -> list[Coordinates]:
    poms = []
    for name, text in sorted(members.items()):
        place = _POM.fullmatch(name)
        if place is None:
            continue
        fields = dict(re.findall(r"^(groupId|artifactId|version)=(\S+)\s*$", text, re.MULTILINE))
        if fields.get("version") and "$" not in fields["version"]:
            poms.append(
                Coordinates(
                    group=fields.get("groupId") or str(place["group"]),
                    artifact=fields.get("artifactId") or str(place["artifact"]),
                    version=fields["version"],
                )
            )
    return poms


def _split_poms(stem: str, poms: list[Coordinates]) -> tuple[Coordinates | None, list[Coordinates]]:
    """The one that the file is named for, and the others."""
    own = next((pom for pom in poms if f"{stem}-".startswith(f"{pom.artifact}-{pom.version}-")), None)
    return own, [pom for pom in poms if pom != own]


def _guess(stem: str, members: Mapping[str, str]) -> Coordinates:
    named = _SCALA_NAME.fullmatch(stem) or _NAME.fullmatch(stem)
    artifact, version = (_TWICE.sub("", named["name"]), named["version"]) if named else (stem, "")
    manifest = _manifest(members)
    return Coordinates(
        group=_find_group(artifact, manifest),
        artifact=artifact,
        version=version or manifest.get("Implementation-Version", "") or manifest.get("Bundle-Version", ""),
    )


def _find_group(artifact: str, manifest: Mapping[str, str]) -> str:
    """The group that a manifest gives away: the vendor's id, or the start of the bundle's name; else the known one."""
    vendor = manifest.get("Implementation-Vendor-Id", "")
    if _GROUP.fullmatch(vendor):
        return vendor
    bundle = manifest.get("Bundle-SymbolicName", "").partition(";")[0].strip()
    plain = re.sub(r"_[0-9.]+$", "", artifact)
    for name in (artifact, plain):
        if bundle.endswith(f".{name}") and _GROUP.fullmatch(bundle.removesuffix(f".{name}")):
            return bundle.removesuffix(f".{name}")
    return find_known_group(artifact)


def _manifest(members: Mapping[str, str]) -> dict[str, str]:
    text = members.get("META-INF/MANIFEST.MF", "").replace("\r\n", "\n").replace("\n ", "")
    return dict(re.findall(r"^([A-Za-z-]+): *(\S.*?) *$", text, re.MULTILINE))
