"""Scenarios on a real node: what they share, and what is made of their results."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.budget import Budget
from tests.cluster.charts import Helm, Release, make_infra, make_release
from tests.cluster.node import NoNodeError, find_images, find_node, measure_memory
from tests.cluster.outcome import Status
from tests.cluster.place import Place
from tests.cluster.reporting import NotEnforced, Results, describe_phase, read_result
from tests.cluster.scheduling import ByScenario
from tests.cluster.supply import find_charts, forget_supply, supply_images
from tests.cluster.table import Scenario, Table, is_in, load_table
from tests.helm import RELEASES, ensure_helm

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xdist.remote import Producer  # type: ignore[import-untyped]

    from tests.cluster.node import Images, Node

SCENARIOS = "--cluster-scenarios"
TEST_SECONDS = 1500
WAIT_SECONDS = 3600.0
# The range that OpenShift gives its first projects begins here.
FIRST_UID, UIDS = 1_000_650_000, 10_000


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption(SCENARIOS, choices=("connect", "core", "all"), default="all", help="default: all")
    group.addoption("--cluster-results", default="dist/cluster", help="folder of results, logs and events")
    group.addoption("--cluster-helm", choices=tuple(RELEASES), default=tuple(RELEASES)[-1], help="default: the newest")
    group.addoption("--cluster-build", action="store_true", help="build the images first that the scenarios need")
    group.addoption("--cluster-keep", action="store_true", help="leave namespaces as they are at the end")


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config) and _is_asked_for(config):
        config.pluginmanager.register(Results(_folder(config)))


def pytest_sessionstart(session: pytest.Session) -> None:
    """What workers share is empty at the start; one line says that there is no node, before workers are started."""
    config = session.config
    if _is_worker(config) or not _is_asked_for(config):
        return
    shared = _shared(config)
    for name in ("memory.json", "loaded.json"):
        (shared / name).unlink(missing_ok=True)
    forget_supply(shared)
    if getattr(config.option, "numprocesses", None):
        _require_node(config)
    if config.getoption("--cluster-build") and not config.option.collectonly:
        _supply(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByScenario | None:
    return ByScenario(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module's tests, once for each row of its scenario."""
    if "scenario" in metafunc.fixturenames:
        rows = load_table().named(metafunc.module.SCENARIO)
        params = [pytest.param(row, id=row.id) for row in rows]
        metafunc.parametrize("scenario", params, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only what is chosen; nothing of it when a run of other tests comes by."""
    chosen = str(config.getoption(SCENARIOS)) if _is_asked_for(config) else ""
    left = [item for item in items if (row := _scenario_of(item)) and not (chosen and is_in(row, chosen))]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]
    for item in items:
        if _scenario_of(item):
            # What is shared has deadlines of its own, and waits for memory.
            item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(_scenario_of(item) for item in session.items) and not _is_worker(session.config):
        _require_node(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    scenario = _scenario_of(item)
    if scenario:
        check = item.function.__name__.removeprefix("test_")  # type: ignore[attr-defined]
        is_enforced = not (call.excinfo and isinstance(call.excinfo.value, NotEnforced))
        report.user_properties.append(describe_phase(scenario, check, report, is_enforced=is_enforced))
        place = item.funcargs.get("place")  # type: ignore[attr-defined]
        if report.failed and report.when == "call" and place:
            folder = place.keep(check)
            (folder / "failure.txt").write_text(report.longreprtext, encoding="utf-8")
            report.sections.append(("kept", str(folder)))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    result = read_result(report)
    if result and result.status is Status.NOT_ENFORCED:
        return "not enforced", "n", "NOT ENFORCED"
    return None


@pytest.fixture(scope="session")
def node() -> Node:
    return find_node()


@pytest.fixture(scope="session")
def table() -> Table:
    return load_table()


@pytest.fixture(scope="session")
def images(node: Node, pytestconfig: pytest.Config) -> Images:
    return find_images(node, _shared(pytestconfig))


@pytest.fixture(scope="session")
def budget(node: Node, pytestconfig: pytest.Config) -> Budget:
    return Budget(folder=_shared(pytestconfig), total=measure_memory(node))


@pytest.fixture(scope="session")
def helm(pytestconfig: pytest.Config) -> Iterator[Helm]:
    program = ensure_helm(pytestconfig.getoption("--cluster-helm"))
    with tempfile.TemporaryDirectory(prefix="cluster-charts-") as scratch:
        yield Helm.make(program, Path(scratch), find_charts(_shared(pytestconfig)))


@pytest.fixture(scope="module")
def place(
    scenario: Scenario,
    node: Node,
    helm: Helm,
    table: Table,
    images: Images,
    budget: Budget,
    pytestconfig: pytest.Config,
) -> Iterator[Place]:
    """The scenario's namespace with all of its releases up, and a client for each."""
    uid = FIRST_UID + secrets.randbelow(UIDS) if any(row.has_random_uid for row in scenario.releases) else 0
    place = Place(
        scenario=scenario,
        kubectl=node.kubectl.into(scenario.namespace),
        results=_folder(pytestconfig),
        uid=uid,
    )
    infra = make_infra(helm, place.kubectl, table, scenario.infra, uid) if scenario.infra else None
    releases = [make_release(helm, place.kubectl, table, row, uid) for row in scenario.releases]
    is_built = bool(pytestconfig.getoption("--cluster-build"))
    _bring_images(images, [*([infra] if infra else []), *releases], is_built=is_built)
    with budget.take(scenario.id, scenario.memory, seconds=WAIT_SECONDS):
        try:
            _fill(place, infra, releases)
            yield place
        except BaseException:
            place.keep("installation")
            raise
        finally:
            if not pytestconfig.getoption("--cluster-keep"):
                place.remove()


@pytest.fixture(scope="module")
def spark(place: Place) -> Release:
    """The scenario's one release of Spark."""
    return place.release


def _supply(config: pytest.Config) -> None:
    table, chosen = load_table(), str(config.getoption(SCENARIOS))
    scenarios = [each for each in table.scenarios if is_in(each, chosen)]
    program = ensure_helm(config.getoption("--cluster-helm"))
    capture = config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with tempfile.TemporaryDirectory(prefix="cluster-charts-") as scratch, capture.global_and_fixture_disabled():
        supply_images(scenarios, table, Helm.make(program, Path(scratch)), _shared(config))


def _fill(place: Place, infra: Release | None, releases: list[Release]) -> None:
    place.make()
    if infra:
        place.install(infra)
        place.wait_ready(infra)
    for release in releases:
        place.install(release)
    for release in releases:
        place.wait_ready(release)
        place.start_client(release)


def _bring_images(images: Images, releases: list[Release], *, is_built: bool) -> None:
    """Bring what the releases need into the node; a run that has built it before has no excuse for what is missing."""
    references = sorted({reference for release in releases for reference in release.images()})
    missing = images.find_missing(references)
    if missing:
        (pytest.fail if is_built else pytest.skip)("; ".join(missing))
    images.load(references)


def _scenario_of(item: pytest.Item) -> Scenario | None:
    params = getattr(getattr(item, "callspec", None), "params", {})
    found = params.get("scenario")
    return found if isinstance(found, Scenario) else None


def _is_asked_for(config: pytest.Config) -> bool:
    """False when pytest met this folder on its way through others: then it has not heard of the options here."""
    return config.getoption(SCENARIOS, default=None) is not None


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _require_node(config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    try:
        find_node()
    except NoNodeError as error:
        raise pytest.UsageError(str(error)) from None


def _folder(config: pytest.Config) -> Path:
    return config.rootpath / str(config.getoption("--cluster-results"))


def _shared(config: pytest.Config) -> Path:
    folder = _folder(config) / ".shared"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
