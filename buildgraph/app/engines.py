"""The engine for this user: which one answers, bringing one up, taking it down."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from buildgraph.adapters import engine
from buildgraph.adapters.address import default_state
from buildgraph.adapters.process import Never
from buildgraph.app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.ports import Cancel


def bring_up(environ: Mapping[str, str], *, say: Callable[[str], None], cancel: Cancel) -> str:
    """Make an engine answer; its address."""
    settings = load_settings(environ).settings
    return engine.up(default_state(), environ, say=say, cancel=cancel, settings=settings).url


def take_down(*, say: Callable[[str], None]) -> None:
    """End the engine that ``bring_up`` started."""
    engine.down(default_state(), say=say)


def describe_engine() -> dict[str, str | bool]:
    """What answers, as a flat document."""
    status = engine.read_status(default_state(), os.environ, cancel=Never())
    return {
        "running": status.running,
        "address": status.address.url if status.address else "",
        "ours": bool(status.address and status.address.ours),
        "version": status.version,
        "storage": status.storage,
        "containerd_store": status.containerd_store,
        "docker": str(status.docker or ""),
        "buildx": shlex.join(status.buildx),
    }


def export_lines() -> tuple[str, ...]:
    """Shell lines that lead ``docker`` to the engine that answers."""
    state = default_state()
    address = engine.require_engine(os.environ, state)
    environ = engine.make_environment(address, state, os.environ)
    return tuple(f"export {name}={shlex.quote(environ[name])}" for name in ("DOCKER_HOST", "PATH"))
