"""Selectors stay as they were released: a cluster refuses an upgrade that changes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.gates.selectors import find_selectors
from tests.golden_files import check_golden

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

SPARK: Document = {
    "eventLog": {"enabled": True},
    "historyServer": {"enabled": True},
    "jupyter": {"enabled": True},
    "hiveMetastore": {"enabled": True, "database": {"host": "db.example", "existingSecret": "metastore"}},
    "standalone": {"enabled": True},
    "connect": {"backendMode": "k8s"},
    "podDisruptionBudget": {"enabled": True},
    "monitoring": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}},
}
EVERYTHING: dict[str, Document] = {"spark-3.5": SPARK, "spark-4.1": SPARK, "spark-infra": {}}


@pytest.mark.parametrize("name", EVERYTHING)
def test_selectors_are_those_of_the_releases_before(render: Render, name: str) -> None:
    found = find_selectors(render(name, EVERYTHING[name]))
    lines = (f"{each.where}: {dict(sorted(each.labels.items()))}" for each in found)
    check_golden(f"selectors/{name}.txt", "".join(f"{line}\n" for line in sorted(lines)))
