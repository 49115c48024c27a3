"""Sources → exact artifacts, and where each is: one client for each ecosystem behind one door."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from buildgraph.adapters.debian import DebianArchive
from buildgraph.adapters.gomod import GoModules
from buildgraph.adapters.maven import MavenRepositories
from buildgraph.adapters.pypi import PackageIndex, Target
from buildgraph.adapters.requirements import RequirementSets
from buildgraph.adapters.web import Web
from buildgraph.coordinate import Coordinate, Ecosystem, parse_coordinate
from buildgraph.errors import BuildgraphError, LockError, ManifestError, NetworkFault
from buildgraph.model import Artifact, PythonSpec, RootfsSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from buildgraph.adapters.download import Candidate
    from buildgraph.adapters.settings import Settings
    from buildgraph.adapters.web import Measured, Patience
    from buildgraph.model import Layer, Source
    from buildgraph.ports import Cancel

DEFAULT_SUITE = "bookworm"
DEFAULT_TARGET = Target(python="3.10", platform="x86_64-manylinux_2_28")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """The clients, each of which knows its servers and the user's settings for them.

    ``rewrite``: where to look for what has an address, best first.
    """

    web: Web
    index: PackageIndex
    requirements: RequirementSets
    maven: MavenRepositories
    debian: DebianArchive
    go: GoModules
    rewrite: Callable[[str], tuple[str, ...]]


def open_registries(
    scratch: Path, settings: Settings, *, cancel: Cancel, patience: Patience | None = None
) -> Registries:
    """Clients with the user's settings; short-lived files go below ``scratch``. Asks no server yet."""
    web = Web(patience, settings=settings)
    index = PackageIndex(web, cancel=cancel, endpoints=settings.index)
    return Registries(
        web=web,
        index=index,
        requirements=RequirementSets(index, scratch=scratch, cancel=cancel, settings=settings),
        maven=MavenRepositories(web, cancel=cancel, repositories=settings.maven),
        debian=DebianArchive(scratch, cancel=cancel, settings=settings),
        go=GoModules(scratch, cancel=cancel, settings=settings),
        rewrite=settings.rewrite,
    )


class CoordinateResolver:
    """The ``Resolver`` port, and ``locate`` for the fetcher."""

    def __init__(
        self,
        registries: Registries,
        *,
        cancel: Cancel,
        default_suite: str = DEFAULT_SUITE,
        default_target: Target = DEFAULT_TARGET,
    ) -> None:
        """The defaults serve layers whose own kind does not say for what system their sources are."""
        self._registries = registries
        self._cancel = cancel
        self._default_suite = default_suite
        self._default_target = default_target

    def resolve(self, layer: Layer, source: Source, *, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        """Exact artifacts, sorted by coordinate; every failure names the place of the source in the manifests."""
        try:
            return self._resolve_set(layer, source, held) if source.is_set else (self._resolve_one(layer, source),)
        except BuildgraphError as error:
            error.where = error.where or str(source.location)
            raise

    def locate(self, artifact: Artifact) -> Iterable[Candidate]:
        """Where a locked artifact may be, best first: URLs, or a file that may be moved away."""
        coordinate = _parse(artifact.coordinate, LockError)
        registries = self._registries
        match coordinate.ecosystem:
            case Ecosystem.PYPI:
                return registries.index.locate(coordinate, artifact)
            case Ecosystem.MAVEN:
                return registries.maven.locate(coordinate)
            case Ecosystem.DEB:
                return registries.debian.locate(artifact)
            case Ecosystem.GO:
                return registries.go.locate(coordinate)
            case Ecosystem.URL:
                return registries.rewrite(coordinate.name)

    def _resolve_set(self, layer: Layer, source: Source, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        match layer.spec:
            case RootfsSpec(suite=suite):
                names = [str(_parse(f"deb:{name}", ManifestError)).removeprefix("deb:") for name in source.request]
                return self._registries.debian.resolve_set(names, suite)
            case PythonSpec():
                return self._registries.requirements.resolve(source.request, self._target(layer), held=held)
        raise ManifestError(f"a {layer.kind} layer takes no set of packages")

    def _resolve_one(self, layer: Layer, source: Source) -> Artifact:
        (request,) = source.request  # only a set asks for more: a manifest cannot say anything else
        coordinate = _parse(request, ManifestError)
        registries = self._registries
        match coordinate.ecosystem:
            case Ecosystem.PYPI:
                return registries.index.resolve(coordinate, self._target(layer))
            case Ecosystem.MAVEN:
                return registries.maven.resolve(coordinate)
            case Ecosystem.DEB:
                return registries.debian.resolve(coordinate, self._suite(layer))
            case Ecosystem.GO:
                return registries.go.resolve(coordinate)
            case Ecosystem.URL:
                return self._measure(coordinate)

    def _measure(self, coordinate: Coordinate) -> Artifact:
        measured = self._measure_first(self._registries.rewrite(coordinate.name))
        name = unquote(urlsplit(coordinate.name).path).rpartition("/")[2]
        return Artifact(coordinate=str(coordinate), file=name, sha256=measured.sha256, size=measured.size)

    def _measure_first(self, places: Sequence[str]) -> Measured:
        """Of the first place that gives the file."""
        *others, last = places
        for place in others:
            with suppress(NetworkFault):
                return self._registries.web.measure(place, cancel=self._cancel)
        return self._registries.web.measure(last, cancel=self._cancel)

    def _suite(self, layer: Layer) -> str:
        return layer.spec.suite if isinstance(layer.spec, RootfsSpec) else self._default_suite

    def _target(self, layer: Layer) -> Target:
        spec = layer.spec
        return (
            Target(python=spec.version, platform=spec.platform)
            if isinstance(spec, PythonSpec)
            else self._default_target
        )


def _parse(text: str, error: type[ManifestError | LockError]) -> Coordinate:
    try:
        return parse_coordinate(text)
    except ValueError as reason:
        raise error(str(reason)) from reason
