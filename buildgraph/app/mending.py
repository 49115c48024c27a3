"""``verify --repair``: what is damaged is put aside, what leads nowhere removed, what can be made anew is made."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults
from buildgraph.adapters.inventory import Opener, open_plain, remove
from buildgraph.adapters.sums import write_sums
from buildgraph.app.auditing import Audit, Known, audit_files
from buildgraph.audit import Finding, Remedy
from buildgraph.errors import BuildgraphError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.adapters.store import LayoutStore
    from buildgraph.ports import Cancel, Progress

ROUNDS = 5
"""A blob that goes takes its record with it, that its pointers: each round follows one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """``done`` and ``refused`` are findings of all rounds; ``after`` is what is found when nothing more can be done."""

    done: tuple[Finding, ...]
    refused: tuple[tuple[Finding, str], ...]
    after: Audit


def repair_store(store: LayoutStore, *, progress: Progress, cancel: Cancel, opener: Opener = open_plain) -> Repair:
    """Mend what can be mended; the next build makes what was lost. Needs the store for itself.

    Raises:
        EnvironmentFault: when somebody uses the store now, or it cannot be written.
    """
    if store.root.is_dir() and not os.access(store.root, os.W_OK):
        raise EnvironmentFault("the store cannot be written, so nothing is repaired", where=str(store.root))
    with _alone(store):
        known: Known = {}
        done: list[Finding] = []
        refused: dict[Finding, str] = {}
        for _ in range(ROUNDS):
            audit = audit_files(store, known, leftovers=True, progress=progress, cancel=cancel, opener=opener)
            todo = [finding for finding in audit.findings if finding.remedy in _ACTIONS and finding not in refused]
            if not todo:
                break
            for finding in todo:
                reason = _mend(store, finding, audit)
                if reason:
                    refused[finding] = reason
                else:
                    done.append(finding)
    return Repair(done=tuple(done), refused=tuple(refused.items()), after=audit)


@contextmanager
def _alone(store: LayoutStore) -> Iterator[None]:
    with store.alone() as is_alone:
        if not is_alone:
            raise EnvironmentFault("the store is in use", where=str(store.root), hint="wait for the run to end")
        yield


def _mend(store: LayoutStore, finding: Finding, audit: Audit) -> str:
    """Why the finding could not be mended, or nothing."""
    try:
        with disk_faults(store.root, f"repair {finding.path}"):
            return _ACTIONS[finding.remedy](store, finding, audit)
    except BuildgraphError as error:
        return str(error)


def _put_aside(store: LayoutStore, finding: Finding, _audit: Audit) -> str:
    return "" if store.quarantine(store.root / finding.path) else "it cannot be moved"


def _remove(store: LayoutStore, finding: Finding, _audit: Audit) -> str:
    remove(store.root, finding.path)
    return ""


def _remake_index(store: LayoutStore, finding: Finding, _audit: Audit) -> str:
    name = finding.path.rpartition("/")[2].partition(".")[0]
    # Loading makes one that is missing or damaged.
    return "" if store.load_files(f"sha256:{name}") is not None else "its blob is no layer"


def _restore_layout(store: LayoutStore, _finding: Finding, audit: Audit) -> str:
    store.restore_layout(audit.names)
    return ""


def _seal_run(store: LayoutStore, finding: Finding, _audit: Audit) -> str:
    path = store.root / finding.path
    if path.exists() and not store.quarantine(path):
        return "it cannot be moved"
    write_sums(path.parent)
    return ""


_ACTIONS: Mapping[Remedy, Callable[[LayoutStore, Finding, Audit], str]] = {
    Remedy.QUARANTINE: _put_aside,
    Remedy.REMOVE: _remove,
    Remedy.INDEX: _remake_index,
    Remedy.LAYOUT: _restore_layout,
    Remedy.RUN: _seal_run,
}
