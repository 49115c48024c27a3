"""Helm in both major versions; a version that cannot be fetched fails its tests with the reason."""

from __future__ import annotations

import pytest

from tests.charts.rendering import Helm
from tests.helm import RELEASES, ensure_helm


@pytest.fixture(scope="session", params=RELEASES)
def helm(request: pytest.FixtureRequest) -> Helm:
    return Helm(ensure_helm(request.param))
