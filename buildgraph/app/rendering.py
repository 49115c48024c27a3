"""Charts → the images that a release of them pulls, each with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters.charts import CHARTS_FOLDER
from buildgraph.adapters.helm import render_chart, require_helm
from buildgraph.app.charts import charts_folder, draft_package
from buildgraph.app.pinning import read_ledger
from buildgraph.chart import find_origin, find_uses
from buildgraph.errors import BuildFailure, BuildgraphError, UsageError
from buildgraph.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from buildgraph.app.session import Session
    from buildgraph.chart import Origin, Use
    from buildgraph.ports import Cancel
    from buildgraph.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A use of an image in a chart's objects."""

    chart: str
    use: Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """An image that a release pulls; ``origin`` is None where we know of none."""

    reference: Reference
    origin: Origin | None
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """All images of some releases, by reference, and what is wrong with them."""

    images: tuple[Pulled, ...]
    errors: tuple[BuildgraphError, ...]


def find_images(
    session: Session, names: Sequence[str], *, values: Sequence[Path], settings: Sequence[str], cancel: Cancel
) -> Pull:
    """The images of a release of each chart with these values.

    Raises:
        EnvironmentFault: there is no Helm. BuildFailure: Helm refuses the chart or the values.
    """
    helm = require_helm(session.environ)
    for file in values:
        if not file.is_file():
            raise UsageError("there is no such file", where=str(file), hint="name a values file")
    places: list[Place] = []
    for name in names:
        package = draft_package(charts_folder(session), name, epoch=session.catalogue.project.epoch)
        try:
            text = render_chart(
                helm, package.data, values=values, settings=settings, environ=session.environ, cancel=cancel
            )
            places.extend(Place(chart=name, use=use) for use in find_uses(text))
        except BuildFailure as failure:
            raise BuildFailure(failure.what, where=f"{CHARTS_FOLDER}/{name}") from failure
    return _judge(session, places)


def describe_images(pull: Pull) -> list[dict[str, object]]:
    """The images as a document."""
    return [
        {
            "reference": str(one.reference),
            "registry": one.reference.registry,
            "repository": one.reference.repository,
            "tag": one.reference.tag,
            "digest": one.reference.digest,
            "image": one.origin.image if one.origin else "",
            "third_party": one.origin.foreign if one.origin else "",
            "where": [
                {
                    "chart": place.chart,
                    "object": place.use.thing,
                    "part": place.use.part,
                    "container": place.use.container,
                }
                for place in one.places
            ],
        }
        for one in pull.images
    ]


def format_images(pull: Pull) -> str:
    """The images for people: each with its origin, and below it the places that name it."""
    lines = []
    for one in pull.images:
        origin = one.origin
        known = (origin.image or f"{origin.foreign} (third party)") if origin else "unknown"
        lines.append(f"{one.reference}  {known}")
        lines.extend(f"  {place.chart}: {place.use}" for place in one.places)
    return "\n".join(lines)


def _judge(session: Session, places: Sequence[Place]) -> Pull:
    """The places by what they name; a place that names nothing, and an image that nobody knows, is an error."""
    found: dict[Reference, list[Place]] = {}
    errors: list[BuildgraphError] = []
    for place in places:
        try:
            found.setdefault(parse_reference(place.use.text), []).append(place)
        except UsageError as error:
            errors.append(UsageError(error.what, where=f"{place.chart}: {place.use}", hint=error.hint))
    images = []
    ledger = read_ledger(session)
    for reference in sorted(found, key=str):
        try:
            origin = find_origin(reference, session.catalogue, ledger)
        except UsageError as error:
            origin = None
            first = found[reference][0]
            errors.append(UsageError(error.what, where=f"{first.chart}: {first.use}", hint=error.hint))
        images.append(Pulled(reference=reference, origin=origin, places=tuple(found[reference])))
    return Pull(images=tuple(images), errors=tuple(errors))
