"""A Kubernetes cluster for this user: the one that KUBECONFIG names, or a node of one's own; images for it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.cluster import api, images, node
from buildgraph.adapters.cluster.api import Api, Node
from buildgraph.adapters.cluster.places import default_places
from buildgraph.adapters.cluster.programs import ensure_programs, find_kubectl
from buildgraph.app.settings import load_settings
from buildgraph.errors import BuildFailure, EnvironmentFault, UsageError
from buildgraph.graph import references_of
from buildgraph.model import Image
from buildgraph.plan import Wishes, compose_test_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from buildgraph.adapters.cluster.places import Places
    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.ports import Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An image that the node has: as charts name it, and the bytes that were sent for it."""

    node: str
    reference: str
    sent: int


def bring_up(environ: Mapping[str, str], *, mirror: str = "", say: Callable[[str], None], cancel: Cancel) -> None:
    """Make a cluster answer: the one of KUBECONFIG, else a node of one's own."""
    places = default_places()
    settings = load_settings(environ).settings
    chosen = find_chosen(environ, places)
    if not chosen:
        node.up(places, environ, mirror=mirror, say=say, cancel=cancel, settings=settings)
        return
    if mirror:
        raise UsageError(f"KUBECONFIG is {chosen}: where that cluster pulls from is its own matter")
    kubectl = _find_kubectl(environ, places)
    if kubectl is None:
        kubectl = ensure_programs(places.cache, environ, say=say, cancel=cancel, settings=settings).kubectl
    if not Api(kubectl=kubectl, kubeconfig=chosen, environ=environ).answers(cancel=cancel):
        raise EnvironmentFault(
            f"nothing answers at KUBECONFIG={chosen}", hint="start that cluster, or unset KUBECONFIG"
        )
    say(f"KUBECONFIG is set: using the cluster of {chosen}")


def take_down(*, say: Callable[[str], None]) -> None:
    """End the node that ``bring_up`` started."""
    node.down(default_places(), say=say)


def describe_cluster(environ: Mapping[str, str], *, cancel: Cancel) -> dict[str, object]:
    """What answers, as a document."""
    places = default_places()
    chosen = find_chosen(environ, places)
    record = None if chosen else node.find_running(places)
    kubectl = Path(record.programs) / "kubectl" if record else _find_kubectl(environ, places)
    kubeconfig = str(places.kubeconfig) if record else chosen
    shown = Node()
    if kubectl is not None and kubeconfig:
        found = Api(kubectl=kubectl, kubeconfig=kubeconfig, environ=environ)
        if found.answers(cancel=cancel):
            shown = api.read_node(found.read("nodes", cancel=cancel))
    return {
        "running": bool(shown.name),
        "ours": record is not None,
        "kubeconfig": kubeconfig,
        "kubectl": str(kubectl or ""),
        "node": {"name": shown.name, "version": shown.version, "ready": shown.ready},
    }


def export_lines(environ: Mapping[str, str], *, cancel: Cancel) -> tuple[str, ...]:
    """Shell lines that lead ``kubectl`` and ``helm`` to the cluster that answers."""
    document = describe_cluster(environ, cancel=cancel)
    if not document["running"]:
        raise EnvironmentFault("no cluster answers", hint=node.UP_HINT)
    lines = {"KUBECONFIG": str(document["kubeconfig"])}
    if api.find_kubectl(environ) is None:
        path = environ.get("PATH", os.defpath)
        lines["PATH"] = f"{path}{os.pathsep}{Path(str(document['kubectl'])).parent}"
    return tuple(f"export {name}={shlex.quote(value)}" for name, value in lines.items())


def find_chosen(environ: Mapping[str, str], places: Places) -> str:
    """What KUBECONFIG says; nothing where that is the file of our own node."""
    chosen = environ.get("KUBECONFIG", "")
    return "" if chosen == str(places.kubeconfig) else chosen


def plan_load(session: Session, targets: Sequence[str]) -> Planned:
    """The plan of images that can be given to the node; a plan of nothing to do.

    Raises ``UsageError`` where KUBECONFIG names another cluster, ``EnvironmentFault`` where no node runs, and
    ``BuildFailure`` where something is not built or not tested.
    """
    from buildgraph.app.planning import plan_targets

    places = default_places()
    if chosen := find_chosen(session.environ, places):
        raise UsageError(
            f"KUBECONFIG is {chosen}: images go there by a registry that it pulls from",
            hint=f"buildgraph push {' '.join(targets)} --registry HOST",
        )
    if node.find_running(places) is None:
        raise EnvironmentFault("no node runs here", hint=node.UP_HINT)
    planned = plan_targets(session, targets, wishes=Wishes(load=False))
    if planned.plan.steps:
        lacking = ", ".join(dict.fromkeys(step.node for step in planned.plan.steps))
        raise BuildFailure(f"not built and tested: {lacking}", hint=f"run: buildgraph build {' '.join(targets)}")
    return planned


def load_images(session: Session, planned: Planned, *, cancel: Cancel) -> Iterator[Loaded]:
    """Give the images of a plan to the node, one after the other; each comes out when it is there."""
    with node.hold(default_places()) as holder:
        for name in planned.plan.targets:
            image = session.catalogue.nodes[name]
            if isinstance(image, Image):
                composition = compose_test_image(session.catalogue, image, planned.records)
                assert composition is not None
                references = references_of(image)
                sent = images.load(holder, composition, references, session.store, cancel=cancel)
                known, _ = images.list_names(references[0], composition.digest)
                yield Loaded(node=name, reference=f"{known}@{composition.digest}", sent=sent)


def _find_kubectl(environ: Mapping[str, str], places: Places) -> Path | None:
    return api.find_kubectl(environ) or find_kubectl(places.cache)
