"""Charts → an OCI registry, as Helm would push them, with the same client that pushes images."""

from __future__ import annotations

import io
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from buildgraph.app.charts import charts_folder, package_chart
from buildgraph.app.settings import load_settings
from buildgraph.app.waiting import wait_for
from buildgraph.chart import compose_chart, make_tag
from buildgraph.errors import NetworkFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from buildgraph.app.pushing import Place
    from buildgraph.app.session import Session
    from buildgraph.ports import Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedChart:
    """A chart that the registry has: by digest, and under its version."""

    name: str
    version: str
    reference: str
    digest: str
    tag: str
    sent: int


def push_charts(
    session: Session,
    names: Sequence[str],
    place: Place,
    *,
    is_plain: bool,
    say: Callable[[str], None],
    cancel: Cancel,
) -> Iterator[PushedChart]:
    """Package and push the charts, one after the other; each comes out when the registry has all of it.

    Raises:
        NetworkFault: the network is not to be used, or the registry does not take it.
    """
    from buildgraph.adapters.registry import OciRegistry

    settings = load_settings(session.environ).settings
    if settings.offline:
        raise NetworkFault(f"offline, and charts are to be pushed to {place.host}")
    epoch = session.catalogue.project.epoch
    packages = [package_chart(charts_folder(session), name, epoch=epoch) for name in names]
    blobs = _Held({f"sha256:{package.sha256}": package.data for package in packages})
    registry = OciRegistry(place.host, blobs, settings, is_plain=is_plain)
    for package in packages:
        chart = package.chart
        composition = compose_chart(chart, package.data, epoch=epoch)
        repository = f"{place.prefix}/{chart.name}" if place.prefix else chart.name
        tag = make_tag(chart.version)
        push = partial(registry.push, composition, repository, (tag,), say=say, cancel=cancel)
        sent = wait_for(push, cancel, stopped=f"pushing {chart.name} was stopped; what was sent whole is kept there")
        name = f"{place.host}/{repository}"
        yield PushedChart(
            name=chart.name,
            version=chart.version,
            reference=f"{name}@{composition.digest}",
            digest=composition.digest,
            tag=f"{name}:{tag}",
            sent=sent,
        )


class _Held:
    """Blobs in memory, for a registry to send."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs

    def has_blob(self, digest: str, size: int) -> bool:
        """True for what is held."""
        return len(self._blobs.get(digest, b"")) == size

    def open_blob(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """Read it."""
        return nullcontext(io.BytesIO(self._blobs[digest]))
