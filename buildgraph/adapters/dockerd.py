"""The Docker daemon that buildgraph brings up itself: a Debian root, and dockerd in a mount namespace of its own.

The namespace's root mount *is* the Debian root (``pivot_root``). With a plain chroot ``docker exec`` would land in
the machine's own root directory, because runc's ``setns`` goes to the root of the namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters import debianroot, process
from buildgraph.adapters.address import data_path
from buildgraph.adapters.debianroot import APART
from buildgraph.adapters.proctable import list_inhabitants, start_time, with_descendants
from buildgraph.adapters.settings import PUBLIC
from buildgraph.adapters.toolchain import CLI, ca_bundle
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "iptables", "ca-certificates", "procps")
START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
ROOT_CA = "etc/ssl/certs/ca-certificates.crt"
SETTINGS = {"features": {"containerd-snapshotter": True}, "hosts": ["unix:///run/docker.sock"]}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")

# The caller's process group is ended once its command returns: wait until dockerd's shell has left it and, as the last
# holder of the pipe, closes that.
LAUNCH = 'left=$(setsid --fork "$@")'
ENTER = """\
set -eu
root=$1 run=$2 data=$3 pid=$4
echo $$ > "$pid"
exec >&2
mount --bind "$root" "$root"
for name in proc sys dev; do mount --rbind "/$name" "$root/$name"; done
mount --bind "$run" "$root/run"
mount --bind "$data" "$root/var/lib/docker"
cd "$root"
pivot_root . .old
umount -l /.old
exec /usr/sbin/dockerd
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """The dockerd that was started; ``started`` (clock ticks since boot) tells it from a later process of that pid."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """True while exactly this process runs."""
        return start_time(self.pid) == self.started


def log_path(state: Path) -> Path:
    """What the daemon printed since its last start."""
    return state / "dockerd.log"


def root_path(state: Path) -> Path:
    """The Debian root of the daemon, with the docker CLI and buildx."""
    return state / "root"


def bin_path(state: Path) -> Path:
    """A directory with the docker CLI of the root and nothing else, for a PATH."""
    return state / "bin"


def find_daemon(state: Path) -> Daemon | None:
    """The running daemon that ``start`` recorded, or None."""
    try:
        daemon = Daemon(**json.loads((state / "engine.json").read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return daemon if daemon.alive else None


def check_machine(environ: Mapping[str, str]) -> None:
    """Raise ``EnvironmentFault`` when no daemon can be brought up on this machine."""
    debianroot.check_machine(environ, "an engine", instead="install Docker 23 or newer")


def make_root(state: Path, *, say: Callable[[str], None], cancel: Cancel, settings: Settings = PUBLIC) -> None:
    """Make the Debian root, once, from the user's mirrors; a root that is there is complete."""
    debianroot.make_root(
        root_path(state),
        PACKAGES,
        whose="the engine's",
        log=state / "root.log",
        folders=("var/lib/docker", "etc/docker"),
        say=say,
        cancel=cancel,
        settings=settings,
    )


def start(state: Path, environ: Mapping[str, str], *, ping: Callable[[], None], cancel: Cancel) -> Daemon:
    """Start dockerd in a session of its own and wait until ``ping`` raises no ``EnvironmentFault``.

    Raises ``EnvironmentFault`` when it does not come up.
    """
    root, run, data, pid = root_path(state), state / "run", data_path(state), state / "dockerd.pid"
    shutil.rmtree(run, ignore_errors=True)  # a run directory does not outlive its daemon
    for folder in (run, data, bin_path(state)):
        folder.mkdir(exist_ok=True)
    _link_cli(state)
    _configure(root, environ)
    for stale in (pid, log_path(state)):
        stale.unlink(missing_ok=True)
    enter = ["sh", "-c", ENTER, "dockerd", str(root), str(run), str(data), str(pid)]
    try:
        process.check(
            ["sh", "-c", LAUNCH, "launch", *APART, *enter],
            log=log_path(state),
            cancel=cancel,
            env=_daemon_environment(environ),
            cwd=state,
            program="the launcher",
        )
    except BuildFailure as failure:
        raise EnvironmentFault(
            f"dockerd could not be started: {failure.what}", hint=f"see {log_path(state)}"
        ) from failure
    return _wait_until_up(state, pid, ping=ping, cancel=cancel)


def stop(state: Path, *, seconds: float = STOP_SECONDS) -> bool:
    """End the daemon of ``state`` and all that lives in its root; False when there was nothing to end.

    ``seconds``: how long it, and then what is left, may take to end.
    """
    daemon = find_daemon(state)
    if daemon is not None:
        os.kill(daemon.pid, signal.SIGTERM)
        _wait_until_gone(state, seconds)
    left = _find_inhabitants(state)
    # Containers have roots of their own; their shims, which started them, have the daemon's.
    for pid in with_descendants(left):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left and not _wait_until_gone(state, seconds):
        raise EnvironmentFault(f"the engine's processes {sorted(left)} do not end", hint=f"see {log_path(state)}")
    (state / "engine.json").unlink(missing_ok=True)
    return daemon is not None or bool(left)


def _link_cli(state: Path) -> None:
    link = bin_path(state) / "docker"
    link.unlink(missing_ok=True)
    link.symlink_to(root_path(state) / CLI)


def _configure(root: Path, environ: Mapping[str, str]) -> None:
    """What dockerd needs to know of the machine: its name servers, hosts and certificates, as they are now."""
    for name in ("etc/resolv.conf", "etc/hosts"):
        (root / name).unlink(missing_ok=True)
        shutil.copyfile(f"/{name}", root / name)
    bundle = ca_bundle(environ)
    if bundle is not None:
        shutil.copyfile(bundle, root / ROOT_CA)
    (root / "etc/docker/daemon.json").write_text(json.dumps(SETTINGS), "utf-8")


def _daemon_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The machine's proxies, and nothing else of the caller's environment."""
    kept = {name: environ[name] for name in PROXIES if name in environ}
    return kept | {"PATH": PATH}


def _wait_until_up(state: Path, pid: Path, *, ping: Callable[[], None], cancel: Cancel) -> Daemon:
    deadline = time.monotonic() + START_SECONDS
    daemon = _record(state, pid)
    while daemon and daemon.alive and time.monotonic() < deadline and not cancel.is_set():
        if _succeeds(ping):
            return daemon
        time.sleep(POLL_SECONDS)
    stop(state)
    if cancel.is_set():
        raise Interrupted("bringing the engine up was stopped")
    tail = " | ".join(process.tail(log_path(state), 3)) or "it printed nothing"
    raise EnvironmentFault(f"dockerd did not come up: {tail}", hint=f"see {log_path(state)}")


def _succeeds(ping: Callable[[], None]) -> bool:
    try:
        ping()
    except EnvironmentFault:
        return False
    return True


def _record(state: Path, pid: Path) -> Daemon | None:
    """Write down which process the daemon is; None when it did not get as far as saying so."""
    try:
        number = int(pid.read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None
    daemon = Daemon(pid=number, started=start_time(number) or 0)
    new = state / "engine.json.new"
    new.write_text(json.dumps(asdict(daemon)), "utf-8")
    new.replace(state / "engine.json")
    return daemon


def _wait_until_gone(state: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _find_inhabitants(state):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _find_inhabitants(state: Path) -> frozenset[int]:
    """The processes whose root directory is the daemon's root: dockerd, containerd and its shims."""
    return list_inhabitants(root_path(state))
