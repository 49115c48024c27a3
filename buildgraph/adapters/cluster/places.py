"""Where the node's files lie: programs in the user's cache, all else in the state directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platformdirs import user_cache_path, user_data_path

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.adapters.cluster.programs import Programs

NODE = "buildgraph"
"""The node's name in its cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """``cache`` can be given to another machine, ``state`` belongs to this one.

    Of the state, ``images`` and ``logs`` outlive ``down``; the rest is that of one start.
    """

    cache: Path
    state: Path

    @property
    def lock(self) -> Path:
        """Held while the node is brought up, taken down, or given images."""
        return self.state / "lock"

    @property
    def record(self) -> Path:
        """What was started, and what was changed on the machine."""
        return self.state / "node.json"

    @property
    def kubeconfig(self) -> Path:
        """For the cluster's administrator; private."""
        return self.state / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One file for each program, since its last start."""
        return self.state / "logs"

    @property
    def images(self) -> Path:
        """All that containerd keeps."""
        return self.state / "images"

    @property
    def run(self) -> Path:
        """The folders of one start."""
        return self.state / "run"

    @property
    def configuration(self) -> Path:
        """Keys, certificates and settings of the programs; private."""
        return self.run / "kubernetes"

    @property
    def upper(self) -> Path:
        """What differs in the node's root from the Debian root in the cache."""
        return self.run / "upper"

    @property
    def volumes(self) -> Path:
        """One folder for each PersistentVolume."""
        return self.run / "volumes"

    @property
    def registries(self) -> Path:
        """The certs.d of containerd: a folder for each registry with a ``hosts.toml``."""
        return self.run / "registries"

    def binds(self, programs: Programs) -> dict[Path, str]:
        """Folder of this machine → where the node sees it."""
        return {
            programs.kubernetes: PROGRAMS,
            programs.policies.parent: POLICIES,
            self.images: "/var/lib/containerd",
            self.run / "kubelet": "/var/lib/kubelet",
            self.run / "etcd": "/var/lib/etcd",
            self.run / "log": "/var/log",
            self.configuration: CONFIGURATION,
            self.volumes: VOLUMES,
            self.registries: REGISTRIES,
        }


PROGRAMS = "/opt/kubernetes"
POLICIES = "/opt/policies"
CONFIGURATION = "/etc/kubernetes"
VOLUMES = "/srv/volumes"
REGISTRIES = "/etc/containerd/certs.d"


def default_places() -> Places:
    """The user's own cache and data folders."""
    return Places(cache=user_cache_path("buildgraph") / "cluster", state=user_data_path("buildgraph") / "cluster")
