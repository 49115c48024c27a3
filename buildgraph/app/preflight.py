"""What a plan needs from outside, checked before anything is started: the network, and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.app.settings import is_offline
from buildgraph.errors import EnvironmentFault, NetworkFault
from buildgraph.model import DockerfileSpec, Layer
from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session

VARIABLE = "BUILDGRAPH_SECRET_"
_LARGEST = 100_000  # a little less than what fits into one variable of a process


def check_needs(session: Session, planned: Planned) -> None:
    """Refuse a plan that cannot be carried out here.

    Raises:
        NetworkFault: offline, with the sources and layers that need the network.
        EnvironmentFault: with the secrets that nobody gave a value.
    """
    if is_offline(session.environ):
        _check_offline(session, planned)
    read_secrets(session, _built(session, planned))


def read_secrets(session: Session, layers: Iterator[Layer] | tuple[Layer, ...]) -> Mapping[str, str]:
    """The values of all secrets that the layers ask for, by name; ``EnvironmentFault`` names those without one."""
    wanted: dict[str, Layer] = {}
    for layer in layers:
        if isinstance(layer.spec, DockerfileSpec):
            for name in layer.spec.secrets:
                wanted.setdefault(name, layer)
    values = {name: _read_secret(session, name) for name in wanted}
    lacking = [name for name, value in values.items() if not value]
    if lacking:
        name = lacking[0]
        raise EnvironmentFault(
            f"no value for {', '.join(f'the secret {name} of {wanted[name].name}' for name in lacking)}",
            where=str(wanted[name].location),
            hint=f"set {variable_of(name)}, or give --secret {name}=FILE",
        )
    return values


def variable_of(secret: str) -> str:
    """The variable of the environment that holds a secret's value."""
    return VARIABLE + secret.upper().replace("-", "_")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for children that are to know no secrets."""
    return {name: value for name, value in environ.items() if not name.startswith(VARIABLE)}


def _read_secret(session: Session, name: str) -> str:
    path = session.secret_files.get(name)
    if path is None:
        return session.environ.get(variable_of(name), "")
    try:
        value = path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise EnvironmentFault(f"the secret {name} cannot be read: {error.strerror}", where=str(path)) from error
    if "\0" in value or len(value) > _LARGEST:
        raise EnvironmentFault(f"the secret {name} holds a zero byte, or more than {_LARGEST} bytes", where=str(path))
    return value


def _built(session: Session, planned: Planned) -> Iterator[Layer]:
    for step in planned.plan.steps:
        node = session.catalogue.nodes[step.node]
        if step.action is Action.BUILD and isinstance(node, Layer):
            yield node


def _check_offline(session: Session, planned: Planned) -> None:
    from buildgraph.adapters.fetch import SourceFetcher

    fetcher = SourceFetcher(session.store.sources, lambda _artifact: ())
    lacking = []
    for step in planned.plan.steps:
        entry = session.lock.find(step.node, step.source) if step.action is Action.FETCH else None
        missing = [artifact for artifact in entry.artifacts if not fetcher.has(artifact)] if entry else []
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            lacking.append(f"{step.node}/{step.source} ({missing[0].coordinate}{more})")
    lacking += [
        f"{layer.name} (its steps use the network)"
        for layer in _built(session, planned)
        if isinstance(layer.spec, DockerfileSpec) and layer.spec.network
    ]
    if lacking:
        what = f"offline, and the store lacks what needs the network: {', '.join(lacking)}"
        raise NetworkFault(what, hint="build it once with the network and --keep-sources, or take a store that has it")
