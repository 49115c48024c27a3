"""Packages as Helm sees them, in both of its major versions: the same chart as the tree, and nothing else in it."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import process
from buildgraph.adapters.charts import find_charts
from buildgraph.adapters.helm import render_chart
from buildgraph.app.charts import draft_package, package_chart, read_chart, vendor_chart, write_package
from buildgraph.app.rendering import find_images
from buildgraph.app.session import open_session
from buildgraph.chart import LIBRARY, LOCK_FILE, find_uses, format_lock
from tests.charts.rendering import Helm
from tests.fakes.charts import FOREIGN, OURS, PACKED, write_charts

if TYPE_CHECKING:
    from collections.abc import Sequence

REAL = Path(__file__).parents[2] / "charts"
EPOCH = 1767225600
OUR_IMAGE = f"registry.example/sample/app:1@{OURS}"
THEIR_IMAGE = f"quay.io/tools/kubectl:1.35@{FOREIGN}"
NAMES = [name for name in find_charts(REAL) if read_chart(REAL, name).type != LIBRARY]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder of charts, in which shop is ready for Helm."""
    charts = tmp_path / "charts"
    write_charts(charts)
    vendor_chart(charts, "shop")
    (charts / "shop" / LOCK_FILE).write_text(format_lock(read_chart(charts, "shop"), epoch=EPOCH), encoding="utf-8")
    return charts


def run(helm: Helm, words: Sequence[str], scratch: Path) -> str:
    return process.output([str(helm.program), *words], scratch=scratch, cancel=process.Never())


def test_a_package_renders_as_its_tree_does(helm: Helm, shop: Path, tmp_path: Path) -> None:
    package = write_package(package_chart(shop, "shop", epoch=EPOCH), tmp_path / "out")
    rendered = Helm(helm.program, package).template({})
    assert rendered == Helm(helm.program, shop / "shop").template({})
    assert rendered.count("image: registry.example/sample/app") >= 1


def test_helm_has_nothing_to_say_against_a_package(helm: Helm, shop: Path, tmp_path: Path) -> None:
    package = write_package(package_chart(shop, "shop", epoch=EPOCH), tmp_path / "out")
    assert "0 chart(s) failed" in Helm(helm.program, package).lint({})


def test_helm_takes_the_same_files(helm: Helm, shop: Path, tmp_path: Path) -> None:
    run(helm, ["package", str(shop / "shop"), "--destination", str(tmp_path)], tmp_path)
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as archive:
        assert sorted(archive.getnames()) == sorted(f"shop/{path}" for path in PACKED)


def test_helm_takes_our_lock(helm: Helm, shop: Path, tmp_path: Path) -> None:
    said = run(helm, ["dependency", "list", str(shop / "shop")], tmp_path)
    assert [line.split() for line in said.splitlines()[1:] if line.strip()] == [
        ["basis", "0.2.0", "file://../basis", "unpacked"]
    ]
    before = (shop / "shop" / LOCK_FILE).read_text(encoding="utf-8")
    run(helm, ["dependency", "build", str(shop / "shop")], tmp_path)
    assert (shop / "shop" / LOCK_FILE).read_text(encoding="utf-8") == before


def test_helm_refuses_the_lock_of_other_dependencies(helm: Helm, shop: Path, tmp_path: Path) -> None:
    lock = shop / "shop" / LOCK_FILE
    lock.write_text(lock.read_text(encoding="utf-8").replace("digest: sha256:", "digest: sha256:0"), encoding="utf-8")
    code = process.run(
        [str(helm.program), "dependency", "build", str(shop / "shop")], log=tmp_path / "log", cancel=process.Never()
    )
    assert code != 0
    assert "out of sync" in (tmp_path / "log").read_text(encoding="utf-8")


def test_every_image_of_a_release_is_found(helm: Helm, shop: Path) -> None:
    package = draft_package(shop, "shop", epoch=EPOCH)
    text = render_chart(helm.program, package.data, values=(), settings=(), environ={}, cancel=process.Never())
    found = sorted((str(use), use.text) for use in find_uses(text))
    assert found == sorted(
        [
            ("ConfigMap/spark executor.yaml executor", OUR_IMAGE),
            ("ConfigMap/spark executor.yaml first", THEIR_IMAGE),
            ("ConfigMap/spark spark-defaults.conf spark.kubernetes.container.image", OUR_IMAGE),
            ("ConfigMap/spark spark-defaults.conf spark.kubernetes.driver.container.image", THEIR_IMAGE),
            ("CronJob/nightly report", OUR_IMAGE),
            ("Deployment/release-shop main", OUR_IMAGE),
            ("Deployment/release-shop models", THEIR_IMAGE),
            ("Deployment/release-shop spark.kubernetes.executor.container.image", OUR_IMAGE),
            ("Deployment/release-shop wait", THEIR_IMAGE),
            ("Job/before migrate", OUR_IMAGE),
            ("Pod/probe probe", OUR_IMAGE),
            ("SparkApplication/custom spec", THEIR_IMAGE),
        ]
    )


def test_values_and_settings_reach_the_release(helm: Helm, shop: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("spark: false\nkubectl: a/b:1\n", encoding="utf-8")
    package = draft_package(shop, "shop", epoch=EPOCH)
    settings = ("image.registry=mirror.example/x", "image.digest=")
    text = render_chart(
        helm.program, package.data, values=(values,), settings=settings, environ={}, cancel=process.Never()
    )
    assert {use.text for use in find_uses(text)} == {"mirror.example/x/sample/app:1", "a/b:1"}


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_of_the_project_renders_from_its_package_as_from_its_tree(
    helm: Helm, name: str, tmp_path: Path
) -> None:
    shutil.copytree(REAL, tmp_path / "charts")
    vendor_chart(tmp_path / "charts", name)
    package = write_package(package_chart(REAL, name, epoch=EPOCH), tmp_path)
    tree = Helm(helm.program, tmp_path / "charts" / name)
    assert Helm(helm.program, package).template({}) == tree.template({})
    assert "0 chart(s) failed" in Helm(helm.program, package).lint({})


def test_every_image_of_the_projects_charts_is_known(helm: Helm) -> None:
    session = open_session(REAL, store=None, lock_file=None, environ={"HELM": str(helm.program)})
    pull = find_images(session, NAMES, values=(), settings=(), cancel=process.Never())
    assert pull.errors == ()
    assert {place.chart for one in pull.images for place in one.places} == set(NAMES)
