"""The adapters of a run, each made when a step first asks for it: a no-op pays for none of them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from buildgraph import key
from buildgraph.adapters.address import default_state
from buildgraph.errors import EnvironmentFault, NetworkFault
from buildgraph.events import Notice
from buildgraph.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from buildgraph.adapters.buildkit import BuildkitBuilder
    from buildgraph.adapters.docker import DockerEngine
    from buildgraph.adapters.download import Candidate
    from buildgraph.adapters.engine import EngineAddress
    from buildgraph.adapters.fetch import SourceFetcher
    from buildgraph.adapters.probe import PytestProbe
    from buildgraph.app.session import Session
    from buildgraph.events import Emit
    from buildgraph.model import Artifact, Layer, LayerBlob, Source
    from buildgraph.ports import Cancel, LayerBuilder, LayerInputs, Resolver


def find_version(package: str) -> str:
    """The version of an installed package."""
    from importlib.metadata import version

    return version(package)


class Equipment:
    """Everything that a run may need, on demand. ``close`` releases what was made."""

    def __init__(
        self, session: Session, *, emit: Emit, cancel: Cancel, find_version: Callable[[str], str] = find_version
    ) -> None:
        """Nothing is made yet. ``find_version``: of the packages that layers are made with."""
        self._session = session
        self._emit = emit
        self._cancel = cancel
        self._find_version = find_version

    @cached_property
    def fetcher(self) -> SourceFetcher:
        """Downloads into the store's ``sources``."""
        from buildgraph.adapters.fetch import SourceFetcher
        from buildgraph.adapters.resolve import CoordinateResolver, open_registries
        from buildgraph.app.settings import load_settings

        sources = self._session.store.sources
        settings = load_settings(self._session.environ).settings
        if settings.offline:
            return SourceFetcher(sources, _refuse_to_locate, notice=self._notice)
        registries = open_registries(sources / "scratch", settings, cancel=self._cancel)
        resolver = CoordinateResolver(registries, cancel=self._cancel)
        return SourceFetcher(sources, resolver.locate, web=registries.web, notice=self._notice)

    @cached_property
    def engine(self) -> DockerEngine:
        """The Docker engine that answers."""
        from buildgraph.adapters.docker import DockerEngine

        return DockerEngine(self._session.store, self._engine_environ)

    @cached_property
    def probe(self) -> PytestProbe:
        """Runs layer tests against the engine."""
        from buildgraph.adapters.probe import PytestProbe

        return PytestProbe(project=self._session.workspace.root, environ=self._engine_environ)

    @cached_property
    def builders(self) -> Mapping[Kind, LayerBuilder]:
        """A builder for each kind; the adapters behind it are made by its first layer."""
        check_tools(self._find_version)
        return {
            Kind.ROOTFS: self._build_rootfs,
            Kind.FILES: self._build_files,
            Kind.PYTHON: self._build_python,
            Kind.DOCKERFILE: self._build_dockerfile,
        }

    @contextmanager
    def guard(self, node_key: str) -> Iterator[None]:
        """Hold the lock of a key: two runs on one store build each node once."""
        with self._session.store.lock(node_key, cancel=self._cancel, waiting=self._notice):
            yield

    def close(self) -> None:
        """Close the connection to the engine, if there is one."""
        if "engine" in self.__dict__:
            self.engine.close()

    @property
    def _layers(self) -> Path:
        return self._session.workspace.root / "layers"

    def _notice(self, text: str) -> None:
        self._emit(Notice(text=text))

    def _build_rootfs(self, inputs: LayerInputs) -> LayerBlob:
        from buildgraph.adapters.rootfs import RootfsBuilder

        store = self._session.store
        return RootfsBuilder(store, self.fetcher, self._layers, store.scratch)(inputs)

    def _build_files(self, inputs: LayerInputs) -> LayerBlob:
        from buildgraph.adapters.files import FilesBuilder

        return FilesBuilder(self._session.store, self.fetcher, self._layers)(inputs)

    def _build_python(self, inputs: LayerInputs) -> LayerBlob:
        from buildgraph.adapters.wheels import PythonBuilder

        store = self._session.store
        return PythonBuilder(store, self.fetcher, store.scratch)(inputs)

    def _build_dockerfile(self, inputs: LayerInputs) -> LayerBlob:
        from buildgraph.adapters.dockerfile import DockerfileBuilder
        from buildgraph.app.preflight import read_secrets

        builder = DockerfileBuilder(
            self._session.store,
            self.fetcher,
            self._buildkit,
            self._layers,
            secrets=read_secrets(self._session, (inputs.layer,)),
        )
        return builder(inputs)

    @cached_property
    def _buildkit(self) -> BuildkitBuilder:
        from buildgraph.adapters import dockerd, toolchain
        from buildgraph.adapters.buildkit import BuildkitBuilder
        from buildgraph.app.settings import load_settings

        environ = self._engine_environ
        tools = toolchain.find_toolchain(environ, dockerd.root_path(default_state()), cancel=self._cancel)
        return BuildkitBuilder(
            buildx=toolchain.require_buildx(tools),
            environ=environ,
            ca=load_settings(self._session.environ).settings.ca,
        )

    @cached_property
    def _address(self) -> EngineAddress:
        from buildgraph.adapters import engine

        return engine.require_engine(self._session.environ, default_state())

    @cached_property
    def _engine_environ(self) -> dict[str, str]:
        from buildgraph.adapters import engine
        from buildgraph.app.preflight import without_secrets

        environ = without_secrets(self._session.environ)
        return engine.make_environment(self._address, default_state(), environ)


def check_tools(find_version: Callable[[str], str]) -> None:
    """Refuse to build with tools that are not those in the keys: the bytes would not be what a key stands for."""
    from buildgraph.adapters.tarwriter import WRITER_FORMAT

    assert WRITER_FORMAT == key.WRITER_FORMAT
    for name, wanted in (("zstandard", key.ZSTANDARD), ("installer", key.INSTALLER)):
        found = find_version(name)
        if found != wanted:
            raise EnvironmentFault(
                f"{name} {found} is installed, layers are made with {wanted}", hint="run: make setup"
            )


def _refuse_to_locate(artifact: Artifact) -> tuple[Candidate, ...]:
    raise NetworkFault(f"offline, and the store lacks {artifact.coordinate}")


class OfflineResolver:
    """A ``ports.Resolver`` that refuses, and asks nobody."""

    def resolve(self, layer: Layer, source: Source, *, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        """Always a ``NetworkFault``."""
        del held
        raise NetworkFault(
            f"offline, and {layer.name}/{source.name} ({' '.join(source.request)}) is to be resolved",
            where=str(source.location),
        )


@contextmanager
def make_resolver(session: Session, *, cancel: Cancel) -> Iterator[Resolver]:
    """A resolver whose scratch files are gone afterwards; offline one that refuses."""
    from buildgraph.adapters.resolve import CoordinateResolver, open_registries
    from buildgraph.app.settings import load_settings

    settings = load_settings(session.environ).settings
    if settings.offline:
        yield OfflineResolver()
        return
    store = session.store
    with store.in_use(waiting=lambda _text: None), store.scratch("lock") as scratch:
        yield CoordinateResolver(open_registries(scratch, settings, cancel=cancel), cancel=cancel)
