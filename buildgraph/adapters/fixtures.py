"""A pytest plugin: what the tests of layers and images get to look at an image with.

It is loaded by name (``-p buildgraph.adapters.fixtures``) with plugin autoloading off, as ``docs/layer-tests.md``
shows. Every container carries the label ``buildgraph.run=<id>``, so whoever started the tests can remove what a
killed test left behind.
"""

from __future__ import annotations

import io
import struct
import tarfile
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

import docker
import pytest
import requests
import testinfra  # type: ignore[import-untyped]
from docker.types import DeviceRequest, LogConfig
from testinfra.host import Host  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Unpack

    from docker.models.containers import Container as DockerContainer

__all__ = ["Completed", "Container", "Host", "Run", "Serve", "Start", "has_gpu", "wait_until"]

LABEL = "buildgraph.run"
NO_GPU = "no NVIDIA GPU on this machine"
NOTHING: Mapping[str, str] = MappingProxyType({})
POLL_SECONDS = 0.2
ENGINE_SECONDS = 600
LISTENING = "0A"
FRAME = struct.Struct(">B3xL")
STDOUT, STDERR = 1, 2
LOG_LIMIT = LogConfig(type="json-file", config={"max-size": "16m", "max-file": "1"})
# tini reaps what tests leave running; images without it make do with their sleep.
IDLE = "test -x /usr/bin/tini && exec /usr/bin/tini -- sleep infinity; exec sleep infinity"

T = TypeVar("T")


class Readable(Protocol):
    """Bytes that come bit by bit; a read may give fewer than asked for, and gives none at the end."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes."""
        ...


def has_gpu() -> bool:
    """True when this machine has an NVIDIA GPU with a loaded driver."""
    return Path("/dev/nvidiactl").exists()


def wait_until(predicate: Callable[[], T], deadline: float, what: str = "the condition") -> T:
    """The first true value of ``predicate``, asked again and again; an assertion fails after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while not (value := predicate()):
        if time.monotonic() > end:
            pytest.fail(f"{what} did not come true within {deadline:.0f} s")
        time.sleep(POLL_SECONDS)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program that ended left: its output as text (at most the last 16 MB) and its exit code."""

    stdout: str
    stderr: str
    code: int

    @property
    def output(self) -> str:
        """Standard output without the blanks around it, of a program that succeeded; else the test fails."""
        assert self.code == 0, f"exit code {self.code}: {self.stderr.strip() or self.stdout.strip()}"
        return self.stdout.strip()


class Options(TypedDict, total=False):
    """How a container starts.

    ``user``: ``uid[:gid]``. ``tmpfs``: paths. ``entrypoint``: None is the image's own, empty is none.
    ``network``: ``none`` (by default), ``bridge`` or ``container:<id>``. ``volumes``: volume name → path in the
    container. ``files``: path in the container → content, mode 0644, put there before the start.
    """

    user: str | None
    read_only: bool
    tmpfs: Sequence[str]
    env: Mapping[str, str] | None
    entrypoint: Sequence[str] | None
    network: str
    volumes: Mapping[str, str] | None
    files: Mapping[str, str | bytes] | None
    gpu: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The Docker engine and the image under test."""

    client: docker.DockerClient
    image: str
    run: str

    def create(self, args: Sequence[str], options: Options) -> DockerContainer:
        """A container that is not running yet, with the ``files`` of its options in it."""
        entrypoint, files = options.get("entrypoint"), options.get("files")
        container = self.client.containers.create(
            self.image,
            list(args),
            user=options.get("user"),
            read_only=options.get("read_only", False),
            tmpfs=dict.fromkeys(options.get("tmpfs", ()), ""),
            environment=dict(options.get("env") or {}),
            # Only a list with one empty string resets an image's entrypoint; an empty list leaves it.
            entrypoint=None if entrypoint is None else list(entrypoint) or [""],
            network_mode=options.get("network", "none"),
            volumes=[f"{source}:{target}" for source, target in (options.get("volumes") or {}).items()],
            labels={LABEL: self.run},
            log_config=LOG_LIMIT,
            device_requests=[DeviceRequest(count=-1, capabilities=[["gpu"]])] if options.get("gpu") else None,
        )
        if files:
            container.put_archive("/", pack(files))
        return container


def pack(files: Mapping[str, str | bytes]) -> bytes:
    """A tar of ``files`` (absolute path → content), readable by everyone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path.lstrip("/"))
            # Some programs (nss_wrapper) take a file that was last changed at 0 for one that they have read.
            member.size, member.mode, member.mtime = len(data), 0o644, time.time()
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def output(container: DockerContainer, code: int) -> Completed:
    """What a container has written so far, with the exit code that the caller knows."""
    streams = (container.logs(stdout=True, stderr=False), container.logs(stdout=False, stderr=True))
    stdout, stderr = (stream.decode("utf-8", errors="replace") for stream in streams)
    return Completed(stdout=stdout, stderr=stderr, code=code)


def split_streams(answer: Readable) -> tuple[bytes, bytes]:
    """Stdout and stderr of a program, from the engine's frames: number of the stream, three zeros, length, bytes.

    Raises ``EOFError`` for an answer that ends within a frame.
    """
    said = {STDOUT: bytearray(), STDERR: bytearray()}
    while head := _read(answer, FRAME.size):
        stream, length = FRAME.unpack(head)
        said[stream] += _read(answer, length)
    return bytes(said[STDOUT]), bytes(said[STDERR])


def _read(answer: Readable, length: int) -> bytes:
    """Exactly that many bytes, or none at the end."""
    parts = bytearray()
    while len(parts) < length and (part := answer.read(length - len(parts))):
        parts += part
    if parts and len(parts) < length:
        raise EOFError(f"the engine's answer ends after {len(parts)} of {length} bytes")
    return bytes(parts)


@dataclass(frozen=True, slots=True)
class Run:
    """Runs a program in a fresh container of the image, and removes the container."""

    engine: Engine

    def __call__(self, *args: str, timeout: float = 300, **options: Unpack[Options]) -> Completed:
        """Like ``docker run --rm``: wait at most ``timeout`` seconds for the end of ``args``."""
        container = self.engine.create(args, options)
        try:
            container.start()
            code = container.wait(timeout=timeout)["StatusCode"]
            return output(container, code)
        except (requests.ReadTimeout, requests.ConnectionError) as error:
            said = output(container, -1)
            pytest.fail(f"{' '.join(args)} did not end within {timeout:.0f} s ({error}): {said.stderr[-2000:]}")
        finally:
            container.remove(force=True, v=True)


@dataclass(frozen=True, slots=True)
class Container:
    """A running container; it is removed when its test (or its module's or session's fixture) ends."""

    inner: DockerContainer

    @property
    def id(self) -> str:
        """The engine's id of the container."""
        assert self.inner.id is not None
        return self.inner.id

    @property
    def address(self) -> str:
        """The address on the bridge network; needs ``network="bridge"``."""
        self.inner.reload()
        networks = self.inner.attrs["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    @property
    def host(self) -> Host:
        """A testinfra host on this container."""
        return testinfra.get_host(f"docker://{self.id}")

    def is_running(self) -> bool:
        """Whether the main process still runs."""
        self.inner.reload()
        return self.inner.status == "running"

    def logs(self) -> str:
        """Everything written so far, both streams."""
        return self.inner.logs().decode("utf-8", errors="replace")

    def exec(self, *args: str, user: str = "", env: Mapping[str, str] | None = None) -> Completed:
        """Run a program in the container and wait for its end."""
        assert self.inner.client is not None
        api = self.inner.client.api
        made = api.exec_create(self.id, list(args), user=user, environment=dict(env or {}))["Id"]
        # The library would ask for a raw connection and then lose what came together with the head of the answer.
        url = f"{api.base_url}/v{api.api_version}/exec/{made}/start"
        with api.post(url, json={"Detach": False, "Tty": False}, stream=True, timeout=(ENGINE_SECONDS, None)) as answer:
            answer.raise_for_status()
            stdout, stderr = (said.decode("utf-8", errors="replace") for said in split_streams(answer.raw))
        code = api.exec_inspect(made)["ExitCode"]
        return Completed(stdout=stdout, stderr=stderr, code=-1 if code is None else code)

    def listens(self, port: int) -> bool:
        """Whether something in the container listens on a TCP port (any address)."""
        table = self.exec("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
        rows = (line.split() for line in table.splitlines() if ":" in line)
        return any(row[1].endswith(f":{port:04X}") and row[3] == LISTENING for row in rows if len(row) > 3)  # noqa: PLR2004 - a kernel table

    def wait_for(self, *, port: int | None = None, log: str | None = None, timeout: float = 60) -> None:
        """Wait for a listening port and for a text in the logs; fails at once when the container ends first."""

        def is_ready() -> bool:
            if not self.is_running():
                pytest.fail(f"the container ended while it was waited for: {self.logs()[-4000:]}")
            return (port is None or self.listens(port)) and (log is None or log in self.logs())

        wanted = " and ".join(text for text in (port and f"port {port}", log and f"{log!r} in the log") if text)
        try:
            wait_until(is_ready, timeout, wanted)
        except pytest.fail.Exception as error:
            pytest.fail(f"{error}; its log ends: {self.logs()[-4000:]}")

    def stop(self, timeout: int = 10) -> int:
        """Ask the main process to end, kill it after ``timeout`` seconds; its exit code."""
        self.inner.stop(timeout=timeout)
        return self.inner.wait(timeout=ENGINE_SECONDS)["StatusCode"]


class Start:
    """Starts detached containers of the image; ``remove`` ends all of them."""

    def __init__(self, engine: Engine) -> None:
        """Nothing runs yet."""
        self.engine = engine
        self.started: list[DockerContainer] = []

    def __call__(self, *args: str, **options: Unpack[Options]) -> Container:
        """Like ``docker run --detach``."""
        container = self.engine.create(args, options)
        self.started.append(container)
        container.start()
        return Container(container)

    def remove(self) -> None:
        """End and remove every container, newest first."""
        while self.started:
            self.started.pop().remove(force=True, v=True)


class Serve:
    """Starts detached containers of the images that the manifest names under ``test_with``; ``remove`` ends them."""

    def __init__(self, engine: Engine, references: Mapping[str, str]) -> None:
        """``references``: the images in the engine, by node."""
        self.engine = engine
        self.references = references
        self.starts: list[Start] = []

    def __call__(self, node: str, *args: str, **options: Unpack[Options]) -> Container:
        """Like ``docker run --detach`` with the image of a node."""
        reference = self.references.get(node)
        if reference is None:
            known = ", ".join(self.references) or "none"
            pytest.fail(f"{node} is no service of these tests ({known}); name it under test_with", pytrace=False)
        self.starts.append(Start(replace(self.engine, image=reference)))
        return self.starts[-1](*args, **options)

    def remove(self) -> None:
        """End and remove every container, newest first."""
        while self.starts:
            self.starts.pop().remove()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that say what is tested."""
    group = parser.getgroup("buildgraph")
    group.addoption("--image", help="reference of the image under test")
    group.addoption("--param", action="append", default=[], help="name=value of the node's variant; repeatable")
    group.addoption("--service", action="append", default=[], help="node=reference of an image to start; repeatable")
    group.addoption("--run-id", default="manual", help="value of the label on every container")
    group.addoption("--inherited", action="append", default=[], help="file of which only inherited tests run")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers that layer tests use."""
    config.addinivalue_line("markers", "inherited: images run this test of their layers, too")
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU; skipped, and reported so, where there is none")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of inherited files keep the tests that are marked so."""
    inherited = {Path(name).resolve() for name in config.getoption("--inherited")}
    dropped = [item for item in items if item.path in inherited and not item.get_closest_marker("inherited")]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs hardware that is not here."""
    if item.get_closest_marker("gpu") and not has_gpu():
        pytest.skip(NO_GPU)


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> str:
    """Reference of the image under test."""
    reference = pytestconfig.getoption("--image")
    assert reference, "say which image to test: --image REFERENCE"
    return str(reference)


@pytest.fixture(scope="session")
def params(pytestconfig: pytest.Config) -> Mapping[str, str]:
    """The node's variant parameters, its name under ``node``."""
    return _read_pairs(pytestconfig, "--param")


@pytest.fixture(scope="session")
def engine(image: str, pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The Docker engine that holds the image."""
    client = docker.from_env(timeout=ENGINE_SECONDS)
    yield Engine(client=client, image=image, run=pytestconfig.getoption("--run-id"))
    client.close()


@pytest.fixture(scope="session")
def run(engine: Engine) -> Run:
    """``run(*args, …)``: a program in a fresh container."""
    return Run(engine)


@pytest.fixture(scope="session")
def session_container(engine: Engine) -> Iterator[Start]:
    """Like ``container``, for session or module fixtures that share a costly container."""
    start = Start(engine)
    yield start
    start.remove()


@pytest.fixture
def container(engine: Engine) -> Iterator[Start]:
    """``container(*args, …)``: a detached container, removed after the test."""
    start = Start(engine)
    yield start
    start.remove()


@pytest.fixture(scope="session")
def session_service(engine: Engine, pytestconfig: pytest.Config) -> Iterator[Serve]:
    """Like ``service``, for session or module fixtures that share a costly container."""
    serve = Serve(engine, _read_pairs(pytestconfig, "--service"))
    yield serve
    serve.remove()


@pytest.fixture
def service(engine: Engine, pytestconfig: pytest.Config) -> Iterator[Serve]:
    """``service(node, *args, …)``: a detached container of another image, removed after the test."""
    serve = Serve(engine, _read_pairs(pytestconfig, "--service"))
    yield serve
    serve.remove()


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    """The name of a new volume. Ask for it before the containers that use it: what is asked for first goes last."""
    name = f"buildgraph-test-{uuid.uuid4().hex}"
    engine.client.volumes.create(name)
    yield name
    engine.client.volumes.get(name).remove()


@pytest.fixture(scope="session")
def host(session_container: Start) -> Host:
    """A testinfra host on an idle container of the image, without network."""
    return session_container("-c", IDLE, entrypoint=("/bin/sh",)).host


@pytest.fixture
def gpu() -> None:
    """Skip the test where there is no GPU; the same as ``@pytest.mark.gpu``."""
    if not has_gpu():
        pytest.skip(NO_GPU)


def _read_pairs(config: pytest.Config, option: str) -> Mapping[str, str]:
    """What a repeatable option says, as name → value."""
    return MappingProxyType(dict(pair.split("=", 1) for pair in config.getoption(option)))
