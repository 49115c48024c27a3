"""Packet filter rules: those that pods need, and taking away again what the node's programs have made."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from buildgraph.adapters.cluster.texts import PODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SAVES = {"iptables-save": "iptables-restore", "ip6tables-save": "ip6tables-restore"}
FAMILIES = {"iptables-save": "ip", "ip6tables-save": "ip6"}
COMMENT = "buildgraph-cluster"
CHAIN_PREFIXES = ("KUBE-", "CNI-")
"""Of the kubelet, of the port mapping and of network policies; kube-proxy has tables of its own."""
POLICY_CHAIN = "filter KUBE-NWPLCY-DEFAULT"
"""Made last before the first policies are applied."""
SET_PREFIXES = ("KUBE-", "TMP-")
"""Of network policies: the sets of addresses that their rules name, and those that are being filled."""
PROXY_TABLES = ("ip kube-proxy", "ip6 kube-proxy")
_OURS = ("-m", "comment", "--comment", COMMENT)
_TARGETS = ("-j", "-g")


def rule_commands() -> tuple[tuple[str, ...], ...]:
    """Let pods reach each other where an engine forbids forwarding, and the world under the machine's address."""
    pods = str(PODS)
    return (
        ("iptables", "-I", "FORWARD", "-s", pods, *_OURS, "-j", "ACCEPT"),
        ("iptables", "-I", "FORWARD", "-d", pods, *_OURS, "-j", "ACCEPT"),
        ("iptables", "-t", "nat", "-A", "POSTROUTING", "-s", pods, "!", "-d", pods, *_OURS, "-j", "MASQUERADE"),
    )


def find_chains(saved: str) -> frozenset[str]:
    """``table chain`` of the chains in what ``iptables-save`` printed that have names like those of a node."""
    return frozenset(
        f"{table} {line[1:].split()[0]}"
        for table, line in _lines(saved)
        if line.startswith(":") and line[1:].startswith(CHAIN_PREFIXES)
    )


def undo_text(saved: str, kept: Iterable[str]) -> str:
    """What ``iptables-restore --noflush`` is to read: all of ours goes, but for the chains ``kept``."""
    gone = find_chains(saved) - frozenset(kept)
    commands: dict[str, list[str]] = {}
    for table, line in _lines(saved):
        words = line.split()
        if line.startswith("-A ") and f"{table} {words[1]}" not in gone and _is_ours(table, words, gone):
            commands.setdefault(table, []).append(f"-D {line.removeprefix('-A ')}")
    for command in ("-F", "-X"):  # a chain goes only when no other leads to it
        for name in sorted(gone):
            table, _, chain = name.partition(" ")
            commands.setdefault(table, []).append(f"{command} {chain}")
    return "".join("\n".join((f"*{table}", *lines, "COMMIT", "")) for table, lines in commands.items())


def find_tables(listed: str) -> frozenset[str]:
    """The tables in what ``nft list tables`` printed, as ``ip nat``."""
    return frozenset(line.removeprefix("table ") for line in listed.splitlines())


def find_sets(listed: str) -> frozenset[str]:
    """The sets in what ``ipset list -name`` printed that have names like those of a node."""
    return frozenset(name for name in listed.split() if name.startswith(SET_PREFIXES))


def find_empty(saved: str) -> frozenset[str]:
    """The tables in what ``iptables-save`` printed that let everything through, as if they were not there."""
    names = {line[1:].strip() for line in saved.splitlines() if line.startswith("*")}
    held = {
        table
        for table, line in _lines(saved)
        if line.startswith("-A ") or (line.startswith(":") and line.split()[1] != "ACCEPT")
    }
    return frozenset(names - held)


def _is_ours(table: str, words: Sequence[str], gone: frozenset[str]) -> bool:
    if COMMENT in words:
        return True
    return any(word in _TARGETS and f"{table} {target}" in gone for word, target in pairwise(words))


def _lines(saved: str) -> Iterator[tuple[str, str]]:
    """Each line with the table that it is of."""
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif table:
            yield table, line
