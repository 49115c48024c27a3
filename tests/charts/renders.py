"""Renders that all gates share: each combination once for each Helm, kept on disk for all workers of a run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from filelock import FileLock

from tests.charts.combinations import CHARTS, Combination, load_chart
from tests.charts.gates.objects import Document, parse
from tests.helm import RELEASES, ensure_helm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OLD_HELM, NEW_HELM = RELEASES
NEWEST_KUBERNETES = "1.37.0"
APIS = ("monitoring.coreos.com/v1", "route.openshift.io/v1", "gateway.networking.k8s.io/v1")
"""Kinds of others that the clusters have; a chart may ask for them."""
SECONDS = 120
_LOCAL = "file://"


class CannotRenderError(Exception):
    """Helm refuses a combination; what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that a render depends on, beside the charts."""

    combination: Combination
    helm: str = NEW_HELM
    kubernetes: str = NEWEST_KUBERNETES
    release: str = "demo"

    @property
    def key(self) -> str:
        """A name for its file."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]


def oldest_kubernetes(chart: str) -> str:
    """The oldest version that a chart takes, by its ``kubeVersion``."""
    return str(load_chart(chart)["kubeVersion"]).removeprefix(">=").strip().removesuffix("-0")


def recipes_of(combination: Combination) -> tuple[Recipe, ...]:
    """The old Helm on the oldest Kubernetes and the new one on the newest; for defaults the two others, too.

    Both pairs must give the same objects, so a difference of either Helm or Kubernetes shows with half the renders.
    """
    oldest = oldest_kubernetes(combination.chart)
    pairs = [(OLD_HELM, oldest), (NEW_HELM, NEWEST_KUBERNETES)]
    if not combination.files:
        pairs += [(OLD_HELM, NEWEST_KUBERNETES), (NEW_HELM, oldest)]
    return tuple(Recipe(combination=combination, helm=helm, kubernetes=version) for helm, version in pairs)


def stage_charts(target: Path, source: Path = CHARTS) -> None:
    """Copy the charts as a package has them: with the charts that they depend on inside."""
    # What was vendored into a chart is as old as it is.
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("presets", "scenarios", "charts"))
    for file in target.glob("*/Chart.yaml"):
        for dependency in yaml.safe_load(file.read_text(encoding="utf-8")).get("dependencies") or ():
            inside = file.parent / "charts" / dependency["name"]
            if str(dependency.get("repository", "")).startswith(_LOCAL):
                shutil.copytree(source / dependency["name"], inside)


class Renders:
    """The rendered text and objects of recipes; made when first asked for, by whichever worker asks first."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in ``folder``, which all workers of the run share."""
        self._folder = folder
        self._objects: dict[Recipe, tuple[Document, ...]] = {}
        self.charts = folder / "charts"
        with FileLock(folder / "charts.lock"):
            if not self.charts.exists():
                stage_charts(folder / "staged")
                (folder / "staged").rename(self.charts)

    def prepare(self, recipes: Iterable[Recipe]) -> None:
        """Render all of them, on every core; what Helm refuses is told when it is asked for."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self._ensure, recipes))

    def text(self, recipe: Recipe) -> str:
        """The rendered text; ``CannotRenderError`` with what Helm says when it refuses."""
        file = self._ensure(recipe)
        if file.suffix == ".error":
            raise CannotRenderError(f"{recipe.combination} with Helm {recipe.helm}: {file.read_text(encoding='utf-8')}")
        return file.read_text(encoding="utf-8")

    def objects(self, recipe: Recipe) -> tuple[Document, ...]:
        """The rendered objects."""
        if recipe not in self._objects:
            self._objects[recipe] = parse(self.text(recipe))
        return self._objects[recipe]

    def render_again(self, recipe: Recipe) -> str:
        """A render that no earlier one answers for."""
        files, cluster = options(recipe)
        done = self._run(recipe, "template", recipe.release, *files, *cluster)
        if done.returncode:
            raise CannotRenderError(done.stderr.strip())
        return done.stdout

    def lint(self, recipe: Recipe) -> str:
        """What ``helm lint --strict`` says, complaints and all."""
        files, _ = options(recipe)
        done = self._run(recipe, "lint", "--strict", *files)
        return done.stdout + done.stderr

    def _run(self, recipe: Recipe, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        chart = str(self.charts / recipe.combination.chart)
        names, flags = (more[:1], more[1:]) if command == "template" else ((), more)
        argv = [str(ensure_helm(recipe.helm)), command, *names, chart, *flags]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SECONDS)

    def _ensure(self, recipe: Recipe) -> Path:
        done, refused = self._folder / f"{recipe.key}.yaml", self._folder / f"{recipe.key}.error"
        with FileLock(self._folder / f"{recipe.key}.lock"):
            if done.exists() or refused.exists():
                return done if done.exists() else refused
            try:
                file, text = done, self.render_again(recipe)
            except CannotRenderError as error:
                file, text = refused, str(error)
            file.with_suffix(".part").write_text(text, encoding="utf-8")
            return file.with_suffix(".part").replace(file)


def options(recipe: Recipe) -> tuple[list[str], list[str]]:
    """The arguments that stand for the recipe's files, and those for its cluster."""
    files = [argument for file in recipe.combination.files for argument in ("--values", str(file))]
    apis = [argument for api in APIS for argument in ("--api-versions", api)]
    return files, [*apis, "--kube-version", recipe.kubernetes]
