"""The node's own view of files: a mount namespace whose root is the Debian root with a writable layer over it.

All mounts of pods live there and go with the last process; ``/run`` is its own, so that no other containerd or runc of
this machine meets the node's. Its root is shared, which mount propagation into pods needs.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.adapters.cluster import daemons
from buildgraph.adapters.cluster.places import POLICIES, PROGRAMS
from buildgraph.adapters.debianroot import APART, OLD_ROOT
from buildgraph.adapters.dockerd import ROOT_CA
from buildgraph.adapters.toolchain import ca_bundle
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.adapters.cluster.places import Places
    from buildgraph.adapters.cluster.programs import Programs
    from buildgraph.adapters.cluster.record import Process

PATH = f"{PROGRAMS}:{POLICIES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOLDER = "holder"
"""The process that the namespace was made for; the others enter it."""
READY = "run/entered"
ENTER_SECONDS = 60.0
POLL_SECONDS = 0.05
ENTER = f"""\
set -eu
root=$1 upper=$2 work=$3 merged=$4
shift 4
mount -t overlay node -o "lowerdir=$root,upperdir=$upper,workdir=$work" "$merged"
for name in proc sys dev; do mount --rbind "/$name" "$merged/$name"; done
mount -t tmpfs -o mode=0755 tmpfs "$merged/run"
while [ $# -gt 0 ]; do
  mkdir -p "$merged$2"
  mount --bind "$1" "$merged$2"
  shift 2
done
cd "$merged"
pivot_root . {OLD_ROOT}
umount -l /{OLD_ROOT}
mount --make-rshared /
: > /{READY}
exec sleep infinity
"""


def make_folders(places: Places, environ: Mapping[str, str]) -> None:
    """The folders of one start, empty, with what the node needs to know of the machine as it is now."""
    shutil.rmtree(places.run, ignore_errors=True)
    for folder in (places.images, places.logs, places.volumes, places.registries, places.upper / "etc"):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("work", "merged", "kubelet", "log"):
        (places.run / name).mkdir()
    for folder in (places.run / "etcd", places.configuration):
        folder.mkdir(mode=0o700)
    for name in ("hosts", "resolv.conf"):
        shutil.copyfile(f"/etc/{name}", places.upper / "etc" / name)
    bundle = ca_bundle(environ)
    if bundle is not None:
        (places.upper / ROOT_CA).parent.mkdir(parents=True)
        shutil.copyfile(bundle, places.upper / ROOT_CA)


def enter(places: Places, root: Path, programs: Programs) -> Process:
    """Make the namespace; the process that holds it."""
    binds = [word for source, target in places.binds(programs).items() for word in (str(source), target)]
    parts = (root, places.upper, places.run / "work", places.run / "merged")
    argv = [*APART, "sh", "-c", ENTER, "node", *(str(part) for part in parts), *binds]
    log = places.logs / f"{HOLDER}.log"
    log.unlink(missing_ok=True)
    # PATH for the machine's own mount, too.
    holder = daemons.start(argv, log=log, environ={"PATH": PATH}, state=places.state)
    deadline = time.monotonic() + ENTER_SECONDS
    while holder.alive and time.monotonic() < deadline:
        if Path(f"/proc/{holder.pid}/root/{READY}").exists():
            return holder
        time.sleep(POLL_SECONDS)
    raise EnvironmentFault(f"the node's root could not be mounted: {process.last_line(log)}", hint=f"see {log}")


def wrap(holder: Process, argv: Sequence[str]) -> list[str]:
    """The words that run a program in the namespace."""
    return ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--", *argv]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For programs in the namespace: nothing of the caller's."""
    return {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **(extra or {})}
