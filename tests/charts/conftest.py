"""Helm in both major versions; a version that cannot be fetched fails its tests with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import Helm
from tests.charts.renders import Renders, recipes_of
from tests.helm import RELEASES, ensure_helm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session", params=RELEASES)
def helm(request: pytest.FixtureRequest) -> Helm:
    return Helm(ensure_helm(request.param))


@pytest.fixture(scope="session")
def renders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Renders:
    """What all workers render, in one folder of the run; the combinations of the chosen tests first, on every core."""
    base = tmp_path_factory.getbasetemp()
    folder = _folder(base if worker_id == "master" else base.parent)
    made = Renders(folder)
    chosen = {
        callspec.params.get("combination")
        for item in request.session.items
        if (callspec := getattr(item, "callspec", None))
    }
    made.prepare(recipe for combination in sorted(chosen - {None}, key=str) for recipe in recipes_of(combination))
    return made


def _folder(base: Path) -> Path:
    folder = base / "renders"
    folder.mkdir(exist_ok=True)
    return folder
