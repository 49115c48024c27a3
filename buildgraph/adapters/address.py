"""Where a Docker engine would answer: asks none, and imports nothing heavy, for a build with nothing to do comes by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SOCKET = Path("/var/run/docker.sock")
UNIX = "unix://"
ID_FILE = "engine-id"  # dockerd's own name, in its data folder


def default_state() -> Path:
    """Where an engine of one's own lives unless the user says otherwise."""
    return user_data_path("buildgraph") / "engine"


def socket_path(state: Path) -> Path:
    """Where the engine below ``state`` listens."""
    return state / "run" / "docker.sock"


def data_path(state: Path) -> Path:
    """What the engine below ``state`` keeps: images and volumes."""
    return state / "data"


def list_candidates(environ: Mapping[str, str], state: Path) -> tuple[str, ...]:
    """The addresses to try, in order. DOCKER_HOST is the only one where it is set: the user has chosen."""
    chosen = environ.get("DOCKER_HOST")
    if chosen:
        return (chosen,)
    return (f"{UNIX}{DEFAULT_SOCKET}", f"{UNIX}{socket_path(state)}")


def is_own(url: str, state: Path) -> bool:
    """True when the address is that of the engine below ``state``; the usual place may be a link to it."""
    return url.startswith(UNIX) and Path(url.removeprefix(UNIX)).resolve() == socket_path(state).resolve()


def foresee_id(environ: Mapping[str, str], state: Path) -> str:
    """The ID of the engine that will be used, when that is the one below ``state``; "" where only asking could tell."""
    for url in list_candidates(environ, state):
        if is_own(url, state):
            return _read_id(state)
        if not url.startswith(UNIX) or Path(url.removeprefix(UNIX)).exists():
            return ""
    return ""


def _read_id(state: Path) -> str:
    try:
        return (data_path(state) / ID_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
