"""Images that have passed their tests → a registry. What may not be passed on freely waits until it is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from buildgraph.app.planning import plan_targets
from buildgraph.app.settings import load_settings
from buildgraph.app.waiting import wait_for
from buildgraph.errors import BuildFailure, NetworkFault, UsageError, quote, raise_all
from buildgraph.forms import REGISTRY
from buildgraph.graph import find_closure
from buildgraph.licences import find_rule
from buildgraph.model import Image, Layer, Stage
from buildgraph.plan import Wishes, compose_test_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Artifact
    from buildgraph.ports import Cancel, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A registry's host, and what stands before the repositories of this project there."""

    host: str
    prefix: str = ""

    def repository(self, image: Image) -> str:
        """The image's repository there."""
        return f"{self.prefix}/{image.repository}" if self.prefix else image.repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """An image that the registry has: its reference by digest, its tags there, the bytes that were sent for it."""

    node: str
    reference: str
    tags: tuple[str, ...]
    sent: int


def parse_place(text: str) -> Place:
    """``HOST[:PORT][/PREFIX]``."""
    if not REGISTRY.accepts(text):
        raise UsageError(f"{quote(text)} is not {REGISTRY.what}", hint=REGISTRY.hint)
    host, _, prefix = text.partition("/")
    return Place(host=host, prefix=prefix)


def plan_push(session: Session, targets: Sequence[str], *, accept: bool) -> Planned:
    """The plan of images that may be pushed; a plan of nothing to do.

    Raises:
        UsageError: there is no image among the targets. BuildFailure: something is not built or not tested, or may not
        be passed on; then one for each component.
    """
    planned = plan_targets(session, targets, wishes=Wishes(load=False))
    images = _find_images(session, planned)
    if not images and not planned.plan.refused:
        raise UsageError("there is no image among the targets", hint="layers are pushed with the images that hold them")
    if planned.plan.steps:
        lacking = ", ".join(dict.fromkeys(step.node for step in planned.plan.steps))
        raise BuildFailure(f"not built and tested: {lacking}", hint=f"run: buildgraph build {' '.join(targets)}")
    if not accept:
        raise_all(list(_find_refusals(session, images)))
    return planned


def push_images(
    session: Session,
    planned: Planned,
    place: Place,
    registry: Registry,
    *,
    say: Callable[[str], None],
    cancel: Cancel,
) -> Iterator[Pushed]:
    """Push the images of a plan, one after the other; each comes out when the registry has all of it."""
    for image in _find_images(session, planned):
        composition = compose_test_image(session.catalogue, image, planned.records)
        assert composition is not None
        repository = place.repository(image)
        push = partial(registry.push, composition, repository, image.tags, say=say, cancel=cancel)
        sent = wait_for(push, cancel, stopped=f"pushing {image.name} was stopped; what was sent whole is kept there")
        name = f"{place.host}/{repository}"
        yield Pushed(
            node=image.name,
            reference=f"{name}@{composition.digest}",
            tags=tuple(f"{name}:{tag}" for tag in image.tags),
            sent=sent,
        )


def open_registry(session: Session, place: Place, *, is_plain: bool) -> Registry:
    """The registry, with the user's settings and credentials for it."""
    from buildgraph.adapters.registry import OciRegistry

    settings = load_settings(session.environ).settings
    if settings.offline:
        raise NetworkFault(f"offline, and images are to be pushed to {place.host}")
    return OciRegistry(place.host, session.store, settings, is_plain=is_plain)


def _find_images(session: Session, planned: Planned) -> tuple[Image, ...]:
    nodes = (session.catalogue.nodes[name] for name in planned.plan.targets)
    return tuple(node for node in nodes if isinstance(node, Image))


def _find_refusals(session: Session, images: Sequence[Image]) -> Iterator[BuildgraphError]:
    """One for each component that some image holds and that may be passed on only under terms."""
    holders: dict[str, tuple[Artifact, list[str]]] = {}
    for image in images:
        for artifact in _find_restricted(session, image):
            holders.setdefault(artifact.coordinate, (artifact, []))[1].append(image.name)
    for coordinate, (artifact, names) in holders.items():
        rule = find_rule(session.catalogue.licences, coordinate)
        why = f": {rule.reason}" if rule else ""
        terms = rule.terms if rule and rule.terms else artifact.licence
        yield BuildFailure(
            f"{coordinate} may be passed on only under its terms{why}",
            where=", ".join(names),
            hint=f"read {terms}, then push with --accept-licence",
        )


def _find_restricted(session: Session, image: Image) -> Iterator[Artifact]:
    """Of the image's layers, and of helpers that they are made with."""
    for name in find_closure(session.catalogue, (image.name,), with_tests=False):
        node = session.catalogue.nodes[name]
        if isinstance(node, Layer) and (name in image.layers or node.stage is Stage.HELPER):
            for entry in session.lock.entries.get(name, {}).values():
                yield from (artifact for artifact in entry.artifacts if not artifact.redistributable)
