"""Charts → packages, and dependencies put where Helm looks for them. A package is made of the tree alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters.chartarchive import make_package
from buildgraph.adapters.charts import CHARTS_FOLDER, find_charts, read_chart_file, read_chart_files, sync_files
from buildgraph.adapters.disk import write_file
from buildgraph.adapters.paths import parents
from buildgraph.chart import (
    CHART_FILE,
    IGNORE_FILE,
    LIBRARY,
    LOCK_FILE,
    check_lock,
    format_lock,
    parse_chart,
    parse_rules,
)
from buildgraph.errors import EnvironmentFault, UsageError, quote, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from buildgraph.app.session import Session
    from buildgraph.chart import Chart, Dependency, IgnoreRules


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartTree:
    """A chart as its package holds it: every file by its path, those of the charts beside it below ``charts/``."""

    chart: Chart
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A chart's package, in memory."""

    chart: Chart
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendored:
    """A chart whose dependencies are where Helm looks for them; ``written``: what had to change for that."""

    name: str
    written: tuple[str, ...]


def charts_folder(session: Session) -> Path:
    """Where the project keeps its charts."""
    return session.workspace.root / CHARTS_FOLDER


def pick_charts(session: Session, names: Sequence[str]) -> tuple[str, ...]:
    """The charts of these names, each once; without names all that can be installed.

    Raises:
        UsageError: for a name of no chart, and where there are none at all.
    """
    charts = charts_folder(session)
    known = find_charts(charts)
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"known: {', '.join(known) or 'none'}"
            raise UsageError(f"there is no chart {quote(name)}", where=CHARTS_FOLDER, hint=hint)
    chosen = dict.fromkeys(names or (name for name in known if read_chart(charts, name).type != LIBRARY))
    if not chosen:
        raise UsageError("there is no chart that can be installed", where=CHARTS_FOLDER)
    return tuple(chosen)


def read_chart(charts: Path, name: str) -> Chart:
    """What the chart says of itself."""
    text = read_chart_file(charts / name, CHART_FILE)
    if text is None:
        raise UsageError(f"there is no chart {quote(name)}", where=CHARTS_FOLDER)
    return parse_chart(text, f"{CHARTS_FOLDER}/{name}/{CHART_FILE}", folder=name)


def load_chart(charts: Path, name: str) -> ChartTree:
    """The chart called ``name`` below ``charts`` with all that it needs.

    What an earlier ``vendor`` left inside it does not count: dependencies are taken from where they are written.

    Raises:
        UsageError, ManifestError: for a chart or a dependency that is not sound, by file and line.
    """
    return _load(charts, name, ())


def package_chart(charts: Path, name: str, *, epoch: int) -> Package:
    """The chart's package, when its Chart.lock is right; the same tree gives the same bytes."""
    check_lock(
        read_chart_file(charts / name, LOCK_FILE), read_chart(charts, name), f"{CHARTS_FOLDER}/{name}/{LOCK_FILE}"
    )
    return draft_package(charts, name, epoch=epoch)


def draft_package(charts: Path, name: str, *, epoch: int) -> Package:
    """The same whatever Chart.lock says: to see what a chart that is worked on renders to."""
    tree = load_chart(charts, name)
    return Package(chart=tree.chart, data=make_package(name, tree.files, epoch=epoch))


def write_package(package: Package, folder: Path) -> Path:
    """Write the package into the folder, which is made when it is missing; its path."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("something other than a folder is there", where=str(folder), hint="name another --output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot make the folder: {error.strerror}", where=str(folder)) from error
    target = folder / package.chart.file
    if target.is_symlink() or target.is_dir():
        raise UsageError("something other than a file is there", where=str(target), hint="move it away")
    write_file(target, package.data, aside=folder)
    return target


def vendor_chart(charts: Path, name: str) -> tuple[str, ...]:
    """Put the charts that this one needs from beside it into its ``charts/``; the names of those that changed.

    For Helm, which looks nowhere else. Files that are not theirs go from there.
    """
    tree = load_chart(charts, name)
    changed = []
    for dependency in tree.chart.dependencies:
        if dependency.beside:
            start = f"{CHARTS_FOLDER}/{dependency.name}/"
            files = {path.removeprefix(start): data for path, data in tree.files.items() if path.startswith(start)}
            if sync_files(charts / name / CHARTS_FOLDER / dependency.name, files, aside=charts):
                changed.append(dependency.name)
    return tuple(dict.fromkeys(changed))


def vendor_charts(session: Session, names: Sequence[str]) -> Iterator[Vendored]:
    """The same for charts of the project, and their Chart.lock made right where it is not."""
    charts = charts_folder(session)
    for name in names:
        written = [f"{CHARTS_FOLDER}/{name}/{CHARTS_FOLDER}/{one}" for one in vendor_chart(charts, name)]
        chart = read_chart(charts, name)
        file = f"{CHARTS_FOLDER}/{name}/{LOCK_FILE}"
        try:
            check_lock(read_chart_file(charts / name, LOCK_FILE), chart, file)
        except UsageError:
            session.workspace.write_text(file, format_lock(chart, epoch=session.catalogue.project.epoch))
            written.append(file)
        yield Vendored(name=name, written=tuple(written))


def _load(charts: Path, name: str, above: tuple[str, ...]) -> ChartTree:
    if name in above:
        circle = " -> ".join((*above, name))
        raise UsageError(f"charts need each other in a circle: {circle}", where=f"{CHARTS_FOLDER}/{name}/{CHART_FILE}")
    chart = read_chart(charts, name)
    place = f"{CHARTS_FOLDER}/{name}"
    rules = parse_rules(read_chart_file(charts / name, IGNORE_FILE) or "", f"{place}/{IGNORE_FILE}")
    beside = {f"{CHARTS_FOLDER}/{one.name}" for one in chart.dependencies if one.beside}

    def ignores(path: str, is_folder: bool) -> bool:
        return path in beside or rules.ignores(path, is_folder=is_folder)

    files = read_chart_files(charts / name, ignores)
    if CHART_FILE not in files:
        raise UsageError(f"it leaves out {CHART_FILE}", where=f"{place}/{IGNORE_FILE}")
    _check_inside(chart, files, place)
    for dependency in chart.dependencies:
        if dependency.beside:
            inner = _load(charts, dependency.beside, (*above, name))
            _check_version(dependency, inner.chart)
            start = f"{CHARTS_FOLDER}/{dependency.name}"
            inside = {f"{start}/{path}": data for path, data in inner.files.items()}
            # Helm asks the rules of the chart above for what lies inside it, too.
            files |= {path: data for path, data in inside.items() if not _is_left_out(rules, path)}
    return ChartTree(chart=chart, files=files)


def _is_left_out(rules: IgnoreRules, path: str) -> bool:
    folders = parents(path)
    return rules.ignores(path, is_folder=False) or any(rules.ignores(one, is_folder=True) for one in folders)


def _check_inside(chart: Chart, files: Mapping[str, bytes], place: str) -> None:
    """Helm takes whatever lies in ``charts/`` for a dependency: so that must be what Chart.yaml says."""
    declared = {one.name: one for one in chart.dependencies if not one.beside}
    start = f"{CHARTS_FOLDER}/"
    found = {path.removeprefix(start).partition("/")[0] for path in files if path.startswith(start)}
    for name in sorted(found - declared.keys()):
        hint = f"remove it, or write it into {CHART_FILE}"
        raise UsageError(
            f"{CHART_FILE} knows of no dependency there", where=f"{place}/{CHARTS_FOLDER}/{name}", hint=hint
        )
    for name, dependency in declared.items():
        data = files.get(f"{start}{name}/{CHART_FILE}")
        if data is None:
            hint = f"put the chart into {CHARTS_FOLDER}/{name}, or write its repository"
            raise UsageError(f"there is no chart {name} inside this one", where=str(dependency.location), hint=hint)
        file = f"{place}/{CHARTS_FOLDER}/{name}/{CHART_FILE}"
        _check_version(dependency, parse_chart(data.decode("utf-8", "surrogateescape"), file, folder=name))


def _check_version(dependency: Dependency, found: Chart) -> None:
    if dependency.version != found.version:
        what = f"{dependency.name} {dependency.version} is wanted, and {found.version} is there"
        raise UsageError(what, where=str(dependency.location), hint=f"write version: {found.version}")
