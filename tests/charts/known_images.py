"""The images that charts may name: those of the catalogue, and those of others that one list has."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import yaml

from tests.charts.combinations import PROJECT
from tests.charts.gates.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHERS = PROJECT / "manifests/third-party-images.yaml"


def known_images() -> Mapping[str, str]:
    """Repository and tag → digest, empty for an image that was not built here."""
    ours = {tag: str(node["digest"] or "") for node in _nodes() for tag in node["tags"]}
    listed = yaml.safe_load(OTHERS.read_text(encoding="utf-8"))["images"] if OTHERS.exists() else ()
    references = [parse_reference(each["reference"]) for each in listed]
    return ours | {reference.name: reference.digest for reference in references if reference}


def unbuildable_images() -> Mapping[str, str]:
    """Images that nobody can build today, with the reason: they have no digest to be pinned to."""
    return {
        tag: f"{', '.join(node['unlocked'])} cannot be had"
        for node in _nodes()
        for tag in node["tags"]
        if node["unlocked"]
    }


@cache
def _nodes() -> list[dict[str, list[str]]]:
    argv = [sys.executable, "-m", "buildgraph", "-C", str(PROJECT), "--offline", "list", "--json"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout
    nodes: list[dict[str, list[str]]] = json.loads(answer)["nodes"]
    return nodes
