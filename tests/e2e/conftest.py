"""The real catalogue, really built: one build for the whole session, in the user's own store and engine."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.e2e.registry import run_registry
from tests.project import ROOT, Project, build_images, find_possible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.registry import Server

# What charts are pinned to.
PINNED = ("spark-4.1-gpu", "spark-4.1")
# Both lines of Spark, plain, for GPUs and with Iceberg: those that Connect's scenarios run on a node are among them.
SOME = (*PINNED, "spark-4.1-iceberg", "spark-3.5", "spark-3.5-iceberg")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--images", choices=("some", "all"), default="some", help="which images are built; default: some")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Project:
    """The project with its images built, tested and loaded; its progress is seen, for it takes minutes."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    project = Project(folder=ROOT, environ=dict(os.environ), images=SOME)
    if pytestconfig.getoption("--images") == "all":
        project = replace(project, images=find_possible(project))
    with capture.global_and_fixture_disabled():
        project = build_images(project, tmp_path_factory.mktemp("lock"))
    # A build with nothing to do asks no engine, so what somebody did to the tags since is put right by this.
    loaded = project.run("load", *PINNED)
    assert loaded.returncode == 0, loaded.stderr
    return project


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty registry for a module's tests."""
    folder = tmp_path_factory.mktemp("registry")
    with run_registry(folder) as running:
        yield running
    shutil.rmtree(folder)
