"""The Debian root that the node's programs see: Debian's own containerd, runc, etcd and what they call."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from filelock import FileLock

from buildgraph.adapters import debianroot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

PACKAGES = (
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "etcd-server",
    "iproute2",
    "ipset",
    "iptables",
    "nftables",
    "openssl",
    "runc",
)
FOLDERS = ("etc/cni/net.d",)


def root_path(cache: Path, packages: Sequence[str] = PACKAGES) -> Path:
    """Named by what is in it, so that a new list makes a new root."""
    made_of = repr((debianroot.SUITE, tuple(packages), FOLDERS)).encode()
    return cache / f"root-{hashlib.sha256(made_of).hexdigest()[:16]}"


def ensure_root(cache: Path, *, say: Callable[[str], None], cancel: Cancel, settings: Settings) -> Path:
    """The root, made where the cache lacks it. It is only read: what a node writes goes elsewhere."""
    cache.mkdir(parents=True, exist_ok=True)
    root = root_path(cache)
    with FileLock(cache / "root.lock"):
        debianroot.make_root(
            root,
            PACKAGES,
            whose="the node's",
            log=cache / "root.log",
            folders=FOLDERS,
            say=say,
            cancel=cancel,
            settings=settings,
        )
    return root
