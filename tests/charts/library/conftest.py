"""Charts with the library inside, as a package has it, rendered by the newest Helm; the gates try the others."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.charts.rendering import Document, Helm, parse
from tests.helm import RELEASES, ensure_helm

if TYPE_CHECKING:
    from collections.abc import Callable

    Render: TypeAlias = Callable[..., tuple[Document, ...]]
    Refuse: TypeAlias = Callable[[str, Document], str]

CHARTS = Path(__file__).parents[3] / "charts"
NEWEST = list(RELEASES)[-1]


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Helm]:
    """Helm, the newest unless told otherwise, with a chart by its name."""
    staged = tmp_path_factory.mktemp("charts")

    @cache
    def find(name: str, helm: str = NEWEST) -> Helm:
        target = staged / name
        if not target.exists():
            shutil.copytree(CHARTS / name, target, ignore=shutil.ignore_patterns("charts"))
            shutil.copytree(CHARTS / "spark-base", target / "charts/spark-base")
        return Helm(ensure_helm(helm), target)

    return find


@pytest.fixture(scope="session")
def render(chart: Callable[..., Helm]) -> Render:
    """The objects of a chart with some values; the same values are rendered once."""

    @cache
    def run(name: str, values: str, *options: str, helm: str) -> str:
        return chart(name, helm).template(json.loads(values), *options)

    def make(name: str, values: Document, *options: str, helm: str = NEWEST) -> tuple[Document, ...]:
        return parse(run(name, json.dumps(values), *options, helm=helm))

    return make


@pytest.fixture(scope="session")
def refuse(chart: Callable[..., Helm]) -> Refuse:
    """What Helm says when it refuses some values of a chart."""

    def ask(name: str, values: Document) -> str:
        return chart(name).refusal(values)

    return ask
