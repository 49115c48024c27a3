"""Which Docker engine is used, and bringing one up where there is none."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import DockerException, InvalidConfigFile
from docker.utils import parse_host
from filelock import FileLock

from buildgraph.adapters import dockerd, toolchain
from buildgraph.adapters.address import DEFAULT_SOCKET, UNIX, is_own, list_candidates, socket_path
from buildgraph.adapters.settings import PUBLIC
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

PING_SECONDS = 10
UP_HINT = "bring one up with: buildgraph engine up"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAddress:
    """``url`` as in DOCKER_HOST; ``ours`` when ``up`` started the engine behind it."""

    url: str
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """What there is. ``address`` is None while nothing answers; the rest is then empty but for the programs."""

    address: EngineAddress | None
    version: str = ""
    storage: str = ""
    containerd_store: bool = False
    docker: Path | None = None
    buildx: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """True when an engine answers."""
        return self.address is not None


def find_engine(environ: Mapping[str, str], state: Path) -> EngineAddress | None:
    """The first candidate that answers a ping, or None."""
    try:
        return require_engine(environ, state)
    except EnvironmentFault:
        return None


def require_engine(environ: Mapping[str, str], state: Path) -> EngineAddress:
    """The first candidate that answers a ping; ``EnvironmentFault`` that says why each of them does not."""
    reasons = []
    for url in list_candidates(environ, state):
        try:
            ping(url, environ)
        except EnvironmentFault as fault:
            reasons.append(fault.what)
        else:
            return EngineAddress(url=url, ours=is_own(url, state) and dockerd.find_daemon(state) is not None)
    raise EnvironmentFault("; ".join(reasons), hint=UP_HINT)


def ping(url: str, environ: Mapping[str, str]) -> None:
    """Raise ``EnvironmentFault`` unless an engine answers at the address."""
    with closing(connect({**environ, "DOCKER_HOST": url})) as client:
        client.ping()


def connect(environ: Mapping[str, str], *, timeout: int = PING_SECONDS) -> docker.DockerClient:
    """A client of the engine at DOCKER_HOST; ``timeout`` seconds for each answer.

    Raises ``EnvironmentFault`` when none answers.
    """
    url = environ["DOCKER_HOST"]
    _check_address(url)
    try:
        if url.startswith(UNIX):
            with closing(socket.socket(socket.AF_UNIX)) as trial:
                trial.connect(url.removeprefix(UNIX))
        return docker.DockerClient.from_env(environment=dict(environ), timeout=timeout)
    except (InvalidConfigFile, ValueError, TypeError, AttributeError) as error:  # the client takes its shape on trust
        raise EnvironmentFault(
            "the Docker client's configuration cannot be read", hint="see config.json in ~/.docker or DOCKER_CONFIG"
        ) from error
    except (OSError, DockerException) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise EnvironmentFault(
            f"no Docker engine answers at {url} ({reason or type(error).__name__})", hint=UP_HINT
        ) from error


def up(
    state: Path,
    environ: Mapping[str, str],
    *,
    say: Callable[[str], None],
    cancel: Cancel,
    settings: Settings = PUBLIC,
) -> EngineAddress:
    """Make an engine answer: the one that is there, else one of our own below ``state``.

    ``settings``: from where its Debian packages come. Raises ``EnvironmentFault`` when this machine cannot bring one
    up, or it does not come up.
    """
    state.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "lock"):
        found = find_engine(environ, state)
        if found is not None:
            say(f"an engine answers at {found.url}")
            return found
        if environ.get("DOCKER_HOST"):
            raise EnvironmentFault(
                f"nothing answers at DOCKER_HOST={environ['DOCKER_HOST']}",
                hint="start that engine, or unset DOCKER_HOST",
            )
        return _bring_up(state.resolve(), environ, say=say, cancel=cancel, settings=settings)


def down(state: Path, *, say: Callable[[str], None]) -> bool:
    """End the engine that ``up`` started from ``state``; False when there was none. Images stay for the next ``up``."""
    if not state.exists():
        say("no engine was brought up here")
        return False
    with FileLock(state / "lock"):
        unlink_default(socket_path(state), DEFAULT_SOCKET)
        ended = dockerd.stop(state)
    say("the engine is down" if ended else "no engine was brought up here")
    return ended


def read_status(state: Path, environ: Mapping[str, str], *, cancel: Cancel) -> EngineStatus:
    """What answers, what it is, and which programs talk to it."""
    tools = toolchain.find_toolchain(environ, dockerd.root_path(state), cancel=cancel)
    address = find_engine(environ, state)
    if address is None:
        return EngineStatus(address=None, docker=tools.docker, buildx=tools.buildx)
    with closing(connect({**environ, "DOCKER_HOST": address.url})) as client:
        info = client.info()
    return EngineStatus(
        address=address,
        version=str(info["ServerVersion"]),
        storage=str(info["Driver"]),
        containerd_store=has_containerd_store(info),
        docker=tools.docker,
        buildx=tools.buildx,
    )


def make_environment(address: EngineAddress, state: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` for programs that talk to the engine: DOCKER_HOST, and on PATH a docker CLI if there is any."""
    result = {**environ, "DOCKER_HOST": address.url}
    own = dockerd.bin_path(state)
    path = environ.get("PATH", os.defpath)
    if own.is_dir() and shutil.which("docker", path=path) is None:
        result["PATH"] = f"{path}{os.pathsep}{own}"
    return result


def has_containerd_store(info: Mapping[str, Any]) -> bool:
    """True when the engine that gave this ``info`` document keeps images in containerd's store."""
    return ["driver-type", "io.containerd.snapshotter.v1"] in (info.get("DriverStatus") or [])


def link_default(own: Path, default: Path) -> bool:
    """Make ``default`` lead to ``own`` where nothing else is, so that plain ``docker`` finds the engine."""
    if default.is_symlink() and not default.exists():
        default.unlink()  # the trace of an engine that is gone
    if default.exists() or not default.parent.is_dir():
        return False
    default.symlink_to(own)
    return True


def unlink_default(own: Path, default: Path) -> None:
    """Take the link away again if it still leads to ``own``."""
    if default.is_symlink() and default.readlink() == own.resolve():
        default.unlink()


def _bring_up(
    state: Path, environ: Mapping[str, str], *, say: Callable[[str], None], cancel: Cancel, settings: Settings
) -> EngineAddress:
    dockerd.check_machine(environ)
    dockerd.stop(state)  # what a daemon that died has left
    dockerd.make_root(state, say=say, cancel=cancel, settings=settings)
    own = socket_path(state)
    url = f"{UNIX}{own}"
    say(f"starting dockerd; its log is {dockerd.log_path(state)}")
    dockerd.start(state, environ, ping=lambda: ping(url, environ), cancel=cancel)
    say(f"an engine answers at {url}")
    if link_default(own, DEFAULT_SOCKET):
        say(f"{DEFAULT_SOCKET} leads to it")
    return EngineAddress(url=url, ours=True)


def _check_address(url: str) -> None:
    try:
        parse_host(url)
    except (DockerException, ValueError) as error:
        raise EnvironmentFault(
            f"DOCKER_HOST={url} is no address of an engine", hint=f"one is {UNIX}{DEFAULT_SOCKET}, or tcp://host:2376"
        ) from error
