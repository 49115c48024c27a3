"""What holds for every set of Python packages, and for all that one image has of them together."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Host, Run

LOCK = Path(__file__).parents[2] / "manifests/buildgraph.lock"
INSTALLED = """
import importlib.metadata, json
print(json.dumps([(each.name, each.version) for each in importlib.metadata.distributions()]))
"""
COMPILED = """
import importlib.util, pathlib, sysconfig
root = pathlib.Path(sysconfig.get_path("purelib"))
wrong, right = [], 0
for code in root.rglob("__pycache__/*.pyc"):
    source = code.parent.parent / (code.name.partition(".")[0] + ".py")
    head = code.read_bytes()[:16]
    magic, flags, stamp = head[:4], int.from_bytes(head[4:8], "little"), head[8:]
    known = importlib.util.source_hash(source.read_bytes())
    sound = (magic, flags, stamp) == (importlib.util.MAGIC_NUMBER, 1, known)
    right += sound
    if not sound:
        wrong.append(str(code))
modules = [pathlib.Path(importlib.util.cache_from_source(path)) for path in root.rglob("*.py")]
print(right, len([code for code in modules if not code.exists()]), *wrong[:5])
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(run: Run) -> list[tuple[str, str]]:
    return [
        (canonical(name), version)
        for name, version in json.loads(run("python3", "-c", INSTALLED, entrypoint=()).output)
    ]


@pytest.mark.inherited
def test_the_packages_agree_with_each_other(host: Host) -> None:
    assert host.check_output("python3 -m pip check") == "No broken requirements found."


@pytest.mark.inherited
def test_no_package_is_there_twice(run: Run) -> None:
    names = [name for name, _ in installed(run)]
    assert len(names) > 20
    assert sorted(names) == sorted(set(names))


def test_versions_are_those_of_the_lock(run: Run, params: Mapping[str, str]) -> None:
    (entry,) = json.loads(LOCK.read_text(encoding="utf-8"))["nodes"][params["node"]].values()
    locked = [artifact["coordinate"].removeprefix("pypi:").split("==") for artifact in entry["artifacts"]]
    assert {(canonical(name), version) for name, version in locked} <= set(installed(run))


def test_all_modules_are_compiled_from_what_is_there(run: Run) -> None:
    compiled, lacking, *wrong = run("python3", "-c", COMPILED).output.split()
    assert wrong == []
    assert int(compiled) > 100 * int(lacking) > 0, "a few hold sets whose order hangs on memory: they are left alone"
