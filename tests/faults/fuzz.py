"""Fuzzing of everything that people and merges write: a value or our own one-line error comes out, nothing else.

``python -m tests.faults.fuzz CASES SEED`` runs in its own process, so that its memory can be measured and limited.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from buildgraph.errors import BuildgraphError, ErrorGroup
from buildgraph.graph import check_graph, find_targets, sort_nodes
from buildgraph.ledger import format_ledger, parse_ledger
from buildgraph.lock import find_extra, find_unlocked, format_lock, parse_lock
from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.model import Layer
from buildgraph.pin import diff, read_pin, splice, splice_images
from tests.faults.memory import peak_megabytes
from tests.faults.mutations import damage_json, damage_text, damage_yaml
from tests.faults.subjects import CHART, LEDGER, LOCK, MANIFESTS, PIN, TESTS, VALUES, WORLD
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
MAX_MEMORY = 1 << 30
MAX_RSS_MB = 100
MAX_SECONDS = 1.0
PATIENCE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One kind of text: a sound one to begin with, what reads it, and how its tree is damaged."""

    text: str
    read: Callable[[str], object]
    damage: Callable[[Random, str], str]


def read_project(file: str, text: str) -> object:
    """All that happens to manifests before a plan."""
    catalogue = parse_catalogue(Documents(texts={**MANIFESTS, file: text}, tests=TESTS))
    if errors := check_graph(catalogue):
        raise ErrorGroup(errors)
    return sort_nodes(catalogue, find_targets(catalogue, ["*"]))


def read_lock(text: str) -> object:
    lock = parse_lock(text, "buildgraph.lock")
    layers = [node for node in WORLD.catalogue.nodes.values() if isinstance(node, Layer)]
    again = parse_lock(format_lock(lock), "buildgraph.lock")
    assert again == lock
    return list(find_unlocked(lock, layers)), list(find_extra(lock, WORLD.catalogue))


def read_ledger(text: str) -> object:
    ledger = parse_ledger(text, "ledger.json")
    assert parse_ledger(format_ledger(ledger), "ledger.json") == ledger
    return ledger


def read_values(text: str) -> object:
    spliced = splice(text, "image", PIN, file="values.yaml")
    assert read_pin(spliced, "image", file="values.yaml") == PIN
    return diff(text, splice(spliced, "gpu.image", PIN, file="values.yaml"), "values.yaml")


def read_chart(text: str) -> object:
    return splice_images(text, {"shop": "registry.example/sample/shop:1.0"}, file="Chart.yaml")


def _manifest_subject(file: str) -> Subject:
    return Subject(text=MANIFESTS[file], read=lambda text: read_project(file, text), damage=damage_yaml)


SUBJECTS: Mapping[str, Subject] = {
    **{file: _manifest_subject(file) for file in MANIFESTS},
    "lock": Subject(text=LOCK, read=read_lock, damage=damage_json),
    "ledger": Subject(text=LEDGER, read=read_ledger, damage=damage_json),
    "values": Subject(text=VALUES, read=read_values, damage=damage_yaml),
    "chart": Subject(text=CHART, read=read_chart, damage=damage_yaml),
}


def make_case(chance: Random, subject: Subject) -> str:
    """A damaged text of the subject."""
    text = subject.text
    kinds = chance.choice([(subject.damage,), (damage_text,), (subject.damage, damage_text)])
    for damage in kinds:
        text = damage(chance, text)
    return text


def try_case(subject: Subject, text: str) -> bool:
    """True when a value came out, false after an error whose lines can be shown; any other exception goes through."""
    try:
        subject.read(text)
    except BuildgraphError as error:
        for one in error.errors if isinstance(error, ErrorGroup) else (error,):
            line = str(one)
            assert one.where, line
            assert "\n" not in line
            line.encode()
        return False
    return True


def run(cases: int = 20_000, seed: int = 0) -> Figure:
    """The figure of so many cases, in a process of its own."""
    argv = [sys.executable, "-m", "tests.faults.fuzz", str(cases), str(seed)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    found = json.loads(done.stdout) if done.returncode == 0 else {"bad": [f"the process ended: {done.stderr[-200:]}"]}
    counts = {"tried": 0, "taken": 0, "megabytes": 0.0, "slowest": 0.0, **found}
    result = (
        f"{counts['tried']} cases, {len(counts['bad'])} tracebacks, {counts['megabytes']:.0f} MB, "
        f"slowest {counts['slowest'] * 1000:.0f} ms"
    )
    is_fine = not counts["bad"] and counts["megabytes"] <= MAX_RSS_MB and counts["slowest"] <= MAX_SECONDS
    return Figure(
        name="Fuzzing of manifests, lock, ledger, values",
        how=f"{cases} damaged texts and trees of {len(SUBJECTS)} files, seed {seed}",
        target=f"0 tracebacks, at most {MAX_RSS_MB} MB and {MAX_SECONDS:.0f} s a case",
        result=result,
        ok=is_fine and counts["tried"] == cases,
    )


def main(cases: int, seed: int) -> None:
    """Try the cases; print what was found as one document."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    names = list(SUBJECTS)
    bad: list[str] = []
    taken, slowest = 0, 0.0
    for number in range(cases):
        name = names[number % len(names)]
        text = make_case(Random(f"{seed}-{number}"), SUBJECTS[name])
        start = time.process_time()
        try:
            taken += try_case(SUBJECTS[name], text)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            bad.append(f"{seed}-{number} {name}: {error!r}")
        slowest = max(slowest, time.process_time() - start)
    document = {"tried": cases, "taken": taken, "bad": bad, "megabytes": peak_megabytes(), "slowest": slowest}
    print(json.dumps(document))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
