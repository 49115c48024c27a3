"""What the node changes on the machine that it runs on, noted before and put back afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.adapters.cluster import firewall
from buildgraph.adapters.cluster.record import Before
from buildgraph.adapters.cluster.texts import BRIDGE, LOOPBACK_PORTS, NODE_PORTS
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM = Path("/proc/sys")
CGROUPS = Path("/sys/fs/cgroup")
POD_CGROUP = "kubepods"
INTERFACES = Path("/sys/class/net")
ENGINE_BRIDGE = "docker0"
FORWARDING = "net/ipv4/ip_forward"
BRIDGE_FILTER = "net/bridge/bridge-nf-call-iptables"
WANTED = {FORWARDING: "1", BRIDGE_FILTER: "1"}
"""Pods' packets are forwarded, and pass the rules also between two pods of one bridge."""
CHANGED = (
    *WANTED,
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
"""The kernel's settings that the kubelet, kube-proxy, the network plugins or we set."""
FAR = ("198.51.100.1", 9)
"""An address that is nobody's; nothing is sent there."""


def find_free_address() -> str:
    """The machine's address, where all that the node needs for itself is free; else ``EnvironmentFault``."""
    address = find_address()
    check_free(address)
    return address


def find_address() -> str:
    """The machine's address on its way to the world, which pods reach the API by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(FAR)
        except OSError as error:
            raise EnvironmentFault(
                "this machine has no way out, so that it has no address for a node", hint="connect it to a network"
            ) from error
        return str(asked.getsockname()[0])


def check_free(address: str) -> None:
    """Raise ``EnvironmentFault`` where another Kubernetes, or whatever, has what the node needs for itself."""
    wanted = [(address, port, what) for what, port in NODE_PORTS.items()]
    wanted += [("127.0.0.1", port, what) for what, port in LOOPBACK_PORTS.items()]
    for host, port, what in wanted:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError as error:
                raise EnvironmentFault(
                    f"{host}:{port}, for {what} of the node, is in use ({error.strerror})",
                    hint="set KUBECONFIG when another cluster runs here, or end it",
                ) from error
    if (INTERFACES / BRIDGE).exists() or find_pod_processes():
        raise EnvironmentFault(
            "pods of another Kubernetes run on this machine", hint="set KUBECONFIG to use that, or end it"
        )


def take_down_notes(root: Path) -> Before:
    """How the machine is now."""
    return Before(
        settings={name: value for name in CHANGED if (value := _read(SYSTEM / name)) is not None},
        chains={save: tuple(sorted(firewall.find_chains(ask(root, save)))) for save in firewall.SAVES},
        tables=tuple(sorted(firewall.find_tables(ask(root, "nft", "list", "tables")))),
        sets=tuple(sorted(find_sets(root))),
    )


def has_sets(root: Path) -> bool:
    """True where the kernel keeps sets of addresses, which network policies are made of."""
    return _list_sets(root) is not None


def find_sets(root: Path) -> frozenset[str]:
    """The sets of addresses that have names like those of a node; none where the kernel keeps none."""
    return firewall.find_sets(_list_sets(root) or "")


def prepare(root: Path) -> None:
    """Let pods' packets through."""
    for name, value in WANTED.items():
        if (SYSTEM / name).exists():
            (SYSTEM / name).write_text(value, "ascii")
    for argv in firewall.rule_commands():
        ask(root, *argv)


def has_policies(root: Path) -> bool:
    """True when pods' packets pass the rules of network policies."""
    return firewall.POLICY_CHAIN in firewall.find_chains(ask(root, "iptables-save", "-t", "filter"))


def require_root(root: Path) -> None:
    """Raise ``EnvironmentFault`` where the programs are missing that ``put_back`` runs."""
    if not root.exists():
        raise EnvironmentFault(
            "the node's root is gone, and with it the programs that put this machine's network back",
            where=str(root),
            hint="run: buildgraph cluster up, and then down",
        )


def put_back(root: Path, before: Before) -> None:
    """Make the machine as it was; what is so already stays."""
    remove_cgroups()
    if (INTERFACES / BRIDGE).exists():
        ask(root, "ip", "link", "delete", BRIDGE)
    for save, restore in firewall.SAVES.items():
        text = firewall.undo_text(ask(root, save), before.chains.get(save, ()))
        if text:
            ask(root, restore, "--noflush", told=text)
    for name in sorted(find_sets(root) - set(before.sets)):  # no rule names them any more
        ask(root, "ipset", "destroy", name)
    for table in sorted(_find_new_tables(root) - set(before.tables)):
        ask(root, "nft", "delete", "table", *table.split())
    for name, value in settings_to_restore(before.settings, has_engine=(INTERFACES / ENGINE_BRIDGE).exists()).items():
        with suppress(OSError):  # a setting that went with its module
            (SYSTEM / name).write_text(value, "ascii")


def settings_to_restore(before: Mapping[str, str], *, has_engine: bool) -> dict[str, str]:
    """An engine that started meanwhile found forwarding switched on, and would lose it."""
    return {name: value for name, value in before.items() if not (has_engine and name in WANTED)}


def ask(root: Path, *argv: str, told: str = "") -> str:
    """What a program of the Debian root prints, on this machine's network; ``told`` is what it reads."""
    done = subprocess.run(  # noqa: S603 - an argument list, never a shell
        ["chroot", str(root), *argv],  # noqa: S607 - found on PATH as the other programs are
        input=told,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise EnvironmentFault(f"{' '.join(argv)} {process.describe(done.returncode)}: {reason}")
    return done.stdout


def find_pod_processes() -> frozenset[int]:
    """The processes in containers of pods, whoever started them."""
    found: set[int] = set()
    for top in _pod_cgroups():
        for file in top.rglob("cgroup.procs"):
            with suppress(OSError):
                found.update(int(pid) for pid in file.read_text("ascii").split())
    return frozenset(found)


def remove_cgroups() -> None:
    """Remove the groups that pods were in, innermost first."""
    for top in _pod_cgroups():
        for folder, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()


def _list_sets(root: Path) -> str | None:
    try:
        return ask(root, "ipset", "list", "-name")
    except EnvironmentFault:
        return None


def _find_new_tables(root: Path) -> frozenset[str]:
    """kube-proxy's, and those that hold nothing: a program of the node may have been the first to ask for them."""
    there = firewall.find_tables(ask(root, "nft", "list", "tables"))
    empty = {
        f"{firewall.FAMILIES[save]} {table}"
        for save in firewall.SAVES
        for table in firewall.find_empty(ask(root, save))
    }
    return there & (empty | set(firewall.PROXY_TABLES))


def _pod_cgroups() -> list[Path]:
    """With version 1 there is one for each kind of resource, with version 2 one in all."""
    return [path for path in (CGROUPS / POD_CGROUP, *CGROUPS.glob(f"*/{POD_CGROUP}")) if path.is_dir()]


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return None
