"""A bill as a CycloneDX document: the same bytes for the same bill, without a clock or a random number."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING

from cyclonedx.model import HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as CdxComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL

from buildgraph.bill.values import Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cyclonedx.model.license import License

    from buildgraph.bill.values import Bill, Component
    from buildgraph.model import NamedLayer

_NAMESPACE = uuid.UUID("6f0a2f64-7f1c-5c5e-9a53-2f0f3c9c8b1d")
_TYPES = {
    Sort.LIBRARY: ComponentType.LIBRARY,
    Sort.APPLICATION: ComponentType.APPLICATION,
    Sort.SYSTEM: ComponentType.OPERATING_SYSTEM,
}
_OWN = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
_EXCEPTION = re.compile(r"[A-Za-z0-9.-]+-exception(?:-[0-9.]+)?")
_OPERATOR = re.compile(r"\s+(?:AND|OR)\s+")


def format_cyclonedx(bill: Bill, *, version: str) -> str:
    """JSON of CycloneDX 1.6, sorted. ``version`` is the program's own; the serial number is made from the digest."""
    root = _make_root(bill)
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, bill.digest), metadata=BomMetaData(component=root))
    bom.metadata.tools.components.add(
        CdxComponent(type=ComponentType.APPLICATION, name="buildgraph", version=version, bom_ref="buildgraph")
    )
    layers = []
    for layer, components in bill.layers:
        refs: set[str] = set()
        made = [_make_component(one, layer, _take(f"{layer.node}/{one.purl}", refs)) for one in components]
        # A layer alone is the root itself.
        top = root if not bill.repository else _make_layer(layer)
        layers.append(top)
        bom.components.update(made if top is root else [top, *made])
        bom.register_dependency(top, made)
        for one in made:
            bom.register_dependency(one)
    if bill.repository:
        bom.register_dependency(root, layers)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    # What the library takes from the clock: a bill is as old as the layers that it is of.
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _make_root(bill: Bill) -> CdxComponent:
    if not bill.repository:
        ((layer, _),) = bill.layers
        return _make_layer(layer, description=bill.description)
    _, _, name = bill.repository.rpartition("/")
    place = "/".join(part for part in (bill.registry, bill.repository) if part)
    qualifiers = {"repository_url": place, **({"tag": bill.tags[0]} if bill.tags else {})}
    return CdxComponent(
        type=ComponentType.CONTAINER,
        bom_ref=bill.node,
        name=bill.repository,
        version=bill.digest,
        description=bill.description,
        purl=PackageURL("oci", None, name, bill.digest, qualifiers),
        hashes=[_sha256(bill.digest.removeprefix("sha256:"))],
        licenses=_make_licences((bill.licence,) if bill.licence else (), ""),
        properties=[Property(name="buildgraph:tag", value=tag) for tag in bill.tags],
    )


def _make_layer(layer: NamedLayer, *, description: str = "") -> CdxComponent:
    return CdxComponent(
        type=ComponentType.FILE,
        bom_ref=layer.node,
        name=layer.node,
        version=layer.blob.digest,
        description=description or None,
        hashes=[_sha256(layer.blob.digest.removeprefix("sha256:"))],
        properties=[
            Property(name="buildgraph:diff-id", value=layer.blob.diff_id),
            Property(name="buildgraph:media-type", value=layer.blob.media_type),
            Property(name="buildgraph:size", value=str(layer.blob.size)),
        ],
    )


def _make_component(component: Component, layer: NamedLayer, ref: str) -> CdxComponent:
    places = [Occurrence(location=component.path)] if component.path else []
    return CdxComponent(
        type=_TYPES[component.sort],
        bom_ref=ref,
        name=component.name,
        version=component.version or None,
        group=component.group or None,
        purl=PackageURL.from_string(component.purl) if component.sort is not Sort.SYSTEM else None,
        cpe=component.cpe or None,
        hashes=[_sha256(component.sha256)] if component.sha256 else [],
        licenses=_make_licences(component.licences, component.terms),
        evidence=ComponentEvidence(occurrences=places) if places else None,
        properties=[Property(name=f"buildgraph:{name}", value=value) for name, value in _properties(component, layer)],
        components=_make_parts(component, layer, ref),
    )


def _make_parts(component: Component, layer: NamedLayer, ref: str) -> list[CdxComponent]:
    refs: set[str] = set()
    return [_make_component(part, layer, _take(f"{ref}/{part.purl}", refs)) for part in component.parts]


def _properties(component: Component, layer: NamedLayer) -> Iterator[tuple[str, str]]:
    yield "layer", layer.node
    if component.coordinate:
        yield "source", component.coordinate
    if component.size:
        yield "size", str(component.size)
    if component.text:
        yield "licence-text", component.text
    if not component.redistributable:
        yield "redistributable", "false"


def _make_licences(names: Iterable[str], terms: str) -> list[License]:
    """One expression, or any number of identifiers and names: CycloneDX does not take both."""
    given = list(names)
    if len(given) == 1 and _is_expression(given[0]):
        return [LicenseExpression(given[0])]
    return [
        DisjunctiveLicense(id=name)
        if is_supported_id(name)
        else DisjunctiveLicense(name=name, url=XsUri(terms) if terms.startswith("https:") else None)
        for name in given
    ]


def is_spdx(text: str) -> bool:
    """True for a licence, or an expression of several, in SPDX's words."""
    return all(map(_is_term, _OPERATOR.split(text)))


def _is_expression(text: str) -> bool:
    return " " in text and is_spdx(text)


def _is_term(word: str) -> bool:
    licence, _, exception = word.strip("()").partition(" WITH ")
    known = is_supported_id(licence) or bool(_OWN.fullmatch(licence))
    return known and (not exception or bool(_EXCEPTION.fullmatch(exception)))


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _take(ref: str, taken: set[str]) -> str:
    """A reference that none of the others has: the same package may stand at several places."""
    count = 1
    unique = ref
    while unique in taken:
        count += 1
        unique = f"{ref}#{count}"
    taken.add(unique)
    return unique
