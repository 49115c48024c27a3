"""A Debian root directory with some packages, made by mmdebstrap from the user's mirrors."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.adapters.debian import apt_options, mirror_lines
from buildgraph.adapters.settings import PUBLIC
from buildgraph.errors import BuildFailure, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

SUITE = "trixie"  # Debian 12's own Docker is too old: no containerd store, no COPY --link
APART = ("unshare", "--mount", "--propagation", "private")
TOOLS = ("mmdebstrap", "unshare", "setsid", "pivot_root", "mount", "nsenter", "chroot")
DEBIAN = Path("/etc/debian_version")
OLD_ROOT = ".old"
"""Where ``pivot_root`` puts the machine's own root for a moment."""


def check_machine(environ: Mapping[str, str], what: str, *, instead: str, debian: Path = DEBIAN) -> None:
    """Raise ``EnvironmentFault`` when ``what`` (an engine, a node) cannot run in such a root on this machine.

    ``instead``: what the user can do then. ``debian``: the file by which Debian is known.
    """
    if not debian.exists():
        raise EnvironmentFault(f"{what} can be brought up on Debian only", hint=instead)
    if os.geteuid() != 0:
        raise EnvironmentFault(f"bringing {what} up takes root", hint=f"run it as root, or {instead}")
    path = environ.get("PATH", os.defpath)
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        raise EnvironmentFault(
            f"bringing {what} up takes {', '.join(missing)}",
            hint="apt-get install --yes coreutils mmdebstrap mount util-linux",
        )


def make_root(
    root: Path,
    packages: Sequence[str],
    *,
    whose: str,
    log: Path,
    folders: Sequence[str] = (),
    say: Callable[[str], None],
    cancel: Cancel,
    settings: Settings = PUBLIC,
) -> None:
    """Make the root, once; one that is there is complete. ``whose`` ("the engine's") root it is, for messages."""
    if root.exists():
        return
    if settings.offline:
        raise EnvironmentFault(f"offline, and {whose} root is to be made from Debian {SUITE}", where=str(root))
    say(f"making {root} from Debian {SUITE} packages ({', '.join(packages)})")
    root.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root.parent, prefix="new-") as scratch:
        new = Path(scratch, "root")
        # Mounts of its own: what an interrupted mmdebstrap leaves mounted must not be in reach of the clean-up.
        argv = [*APART, "mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"]
        argv += [*apt_options(settings, SUITE, Path(scratch, "auth.conf")), SUITE, str(new)]
        argv += mirror_lines(settings, SUITE)
        try:
            process.check(argv, log=log, cancel=cancel, program="mmdebstrap")
        except BuildFailure as failure:
            raise EnvironmentFault(f"{whose} root could not be made: {failure.what}", hint=f"see {log}") from failure
        for name in (OLD_ROOT, *folders):
            (new / name).mkdir(parents=True, exist_ok=True)
        new.rename(root)
