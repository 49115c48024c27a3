"""Images for the scenarios of a run, built before it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.charts.combinations import CHARTS
from tests.charts.gates.images import parse_reference
from tests.cluster.charts import Helm, make_infra, make_release
from tests.cluster.kubectl import Kubectl
from tests.project import LOCK, ROOT, Project, build_images

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.table import Scenario, Table

_PINNED = "pinned"


def supply_images(scenarios: Iterable[Scenario], table: Table, helm: Helm, folder: Path) -> None:
    """Build and test every image that the scenarios name, and that is not.

    Where Debian's packages have moved, the run goes on with those of today: this process has their lock, and
    ``folder`` charts that are pinned to what was built with it.
    """
    project = Project(folder=ROOT, environ=dict(os.environ))
    names = find_names(scenarios, table, helm)
    nodes = project.json("list", "all")["nodes"]
    wanted = tuple(node["node"] for node in nodes if names & set(node["tags"]))
    built = build_images(Project(folder=ROOT, environ=project.environ, images=wanted), folder, "--no-load")
    if LOCK in built.environ:
        os.environ[LOCK] = built.environ[LOCK]
        pinned = built.copy(folder / _PINNED).run("pin")
        assert pinned.returncode == 0, pinned.stderr


def forget_supply(folder: Path) -> None:
    """Charts of an earlier run are none of this one."""
    shutil.rmtree(folder / _PINNED, ignore_errors=True)


def find_charts(folder: Path) -> Path:
    """The charts of the run: those of the project, or those that ``supply_images`` had to pin anew."""
    pinned = folder / _PINNED / CHARTS.name
    return pinned if pinned.exists() else CHARTS


def find_names(scenarios: Iterable[Scenario], table: Table, helm: Helm) -> set[str]:
    """Repository and tag of each image that is named in what the scenarios install."""
    names = set()
    for scenario in scenarios:
        kubectl = Kubectl(program=("false",), kubeconfig=Path("none"), namespace=scenario.namespace)
        releases = [make_release(helm, kubectl, table, row) for row in scenario.releases]
        releases += [make_infra(helm, kubectl, table, scenario.infra)] if scenario.infra else []
        for reference in {text for release in releases for text in release.images()}:
            parsed = parse_reference(reference)
            assert parsed is not None, reference
            names.add(parsed.name)
    return names
