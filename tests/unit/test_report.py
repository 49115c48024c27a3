from __future__ import annotations

from dataclasses import replace

from buildgraph.errors import ExitCode
from buildgraph.events import Outcome
from buildgraph.graph import kind_of, references_of
from buildgraph.history import Result, StepResult
from buildgraph.model import Stage
from buildgraph.plan import Action, Plan, Step
from buildgraph.report import (
    describe_nodes,
    describe_plan,
    describe_result,
    format_failures,
    format_graph,
    format_nodes,
    format_plan,
    format_summary,
)
from buildgraph.report.matrix import format_matrix
from tests.fakes.catalogues import (
    make_catalogue,
    make_files_layer,
    make_image,
    make_keys,
    make_lock,
    make_reading_layer,
    make_record,
)

ROOT = replace(make_files_layer("root"), stage=Stage.OS, description="The root")
CHILD = replace(make_reading_layer("child", parents=("root",)), stage=Stage.BASE)
JARS = make_files_layer("jars", sources=("maven:org.example:jar:1",))
APP = make_image("app", ("root", "child", "jars"))
CATALOGUE = replace(make_catalogue(ROOT, CHILD, JARS, APP), aliases={"latest": "app", "newest": "app"})
KEYS = make_keys(CATALOGUE, make_lock(CATALOGUE, {}))
RECORDS = {name: make_record(CATALOGUE.nodes[name], KEYS) for name in ("root", "child")}
NAMES = tuple(CATALOGUE.nodes)


def step(step_id: str, *needs: str) -> Step:
    action, _, node = step_id.partition(":")
    return Step(
        id=step_id, action=Action(action), node=node.partition("/")[0], reason="because", needs=needs, seconds=1.26
    )


def entry(
    step_id: str,
    outcome: Outcome = Outcome.DONE,
    *,
    note: str = "a note",
    details: tuple[str, ...] = (),
    log: str = "",
    code: ExitCode = ExitCode.OK,
) -> StepResult:
    return StepResult(
        step=step(step_id), outcome=outcome, seconds=1.23456, note=note, details=details, log=log, exit_code=code
    )


PLAN = Plan(
    targets=("app",),
    nodes=NAMES,
    steps=(step("fetch:jars/1"), step("build:jars", "fetch:jars/1"), step("compose:app", "build:jars")),
    reused=("root", "child"),
)


def make_result(*entries: StepResult) -> Result:
    return Result(run="the-run", steps=entries, seconds=4.5678)


def test_a_plan_folds_fetches_into_the_layer_that_needs_them() -> None:
    assert format_plan(PLAN).splitlines() == [
        "build:jars   because",
        "compose:app  because",
        "2 steps; 2 of 4 nodes are reused",
    ]


def test_a_plan_as_a_document_has_an_entry_for_every_node_and_step() -> None:
    document = describe_plan(PLAN, KEYS, RECORDS)
    assert document == [
        {
            "node": name,
            "action": "reuse",
            "reason": "its record and its verdict are in the store",
            "key": KEYS.keys[name].key,
            "digest": RECORDS[name].digest,
            "seconds": 0,
        }
        for name in ("root", "child")
    ] + [
        {
            "node": each.node,
            "action": each.action.value,
            "reason": "because",
            "key": None,
            "digest": None,
            "seconds": 1.3,
            "id": each.id,
            "needs": list(each.needs),
        }
        for each in PLAN.steps
    ]


def test_a_result_as_a_document_says_how_every_step_ended() -> None:
    failed = entry("build:child", Outcome.FAILED, details=("test_a: no",), log="/logs/child", note="broken")
    document = describe_result(make_result(failed), PLAN, KEYS, RECORDS)
    assert (document["run"], document["seconds"]) == ("the-run", 4.568)
    steps = document["steps"]
    assert isinstance(steps, list)
    assert steps[-1] == {
        "node": "child",
        "action": "build",
        "reason": "because",
        "key": KEYS.keys["child"].key,
        "digest": RECORDS["child"].digest,
        "seconds": 1.235,
        "id": "build:child",
        "outcome": "failed",
        "note": "broken",
        "details": ["test_a: no"],
        "log": "/logs/child",
    }


def test_nodes_are_listed_by_stage_with_what_is_known_of_them() -> None:
    root = RECORDS["root"].digest[7:19]
    child = RECORDS["child"].digest[7:19]
    assert [line.rstrip() for line in format_nodes(CATALOGUE, NAMES, KEYS, RECORDS, {}).splitlines()] == [
        "os (1)",
        f"  root   files       {root}      0.0 MB  The root",
        "",
        "base (1)",
        f"  child  dockerfile  {child}      0.0 MB",
        "",
        "intermediate (1)",
        "  jars   files       unlocked",
        "",
        "final (1)",
        f"  app    image       {'unlocked':<24}    (latest, newest)",
    ]


def test_nodes_as_documents_say_what_they_lack() -> None:
    documents = {
        str(each["node"]): each
        for each in describe_nodes(CATALOGUE, NAMES, KEYS, RECORDS, {})
        if isinstance(each, dict)
    }
    assert documents["app"] == {
        "node": "app",
        "stage": "final",
        "kind": "image",
        "parents": ["root", "child", "jars"],
        "key": None,
        "digest": None,
        "size": None,
        "tags": ["sample/app:1"],
        "unlocked": ["jars: 1"],
        "unsupported": [],
        "description": "",
    }
    assert documents["root"]["size"] == 10
    assert documents["child"]["parents"] == ["root"]


def test_a_graph_shows_the_needs_of_a_node_where_it_first_appears() -> None:
    assert format_graph(CATALOGUE, NAMES).splitlines() == [
        "app  [image]",
        "  root  [files]",
        "  child  [dockerfile]",
        "    root  [files]",
        "  jars  [files]",
    ]
    grand = make_reading_layer("grand", parents=("child",))
    other = make_image("other", ("child", "grand"))
    catalogue = make_catalogue(ROOT, CHILD, grand, other)
    assert format_graph(catalogue, tuple(catalogue.nodes)).splitlines() == [
        "other  [image]",
        "  child  [dockerfile]",
        "    root  [files]",
        "  grand  [dockerfile]",
        "    child  [dockerfile] (above)",
    ]


def test_failures_come_with_their_details_or_the_end_of_their_log_and_its_path() -> None:
    result = make_result(
        entry("build:root"),
        entry("test:root", Outcome.FAILED, note="1 failed", details=("test_a: no",), log="/logs/test"),
        entry("build:jars", Outcome.FAILED, note="javac failed", log="/logs/jars"),
        entry("compose:app", Outcome.BLOCKED),
    )
    tails = {"test:root": ("not shown",), "build:jars": ("line 1", "line 2")}
    assert format_failures(result, tails).splitlines() == [
        "FAILED test:root: 1 failed",
        "  test_a: no",
        "  log: /logs/test",
        "FAILED build:jars: javac failed",
        "  | line 1",
        "  | line 2",
        "  log: /logs/jars",
        "1 steps were blocked by these",
    ]


def test_a_summary_counts_what_was_done_and_not_what_was_found() -> None:
    result = make_result(
        entry("fetch:jars/1"),
        entry("build:root"),
        entry("build:child", Outcome.REUSED),
        entry("compose:app"),
        entry("test:app", Outcome.FAILED),
        entry("load:app", Outcome.BLOCKED),
    )
    assert format_summary(result, PLAN) == "1 built, 1 composed; 2 nodes reused; 4.6 s"
    assert format_summary(make_result(), PLAN) == "nothing done; 2 nodes reused; 4.6 s"


def test_the_exit_code_is_that_of_the_worst_failure_unless_the_user_interrupted() -> None:
    failed = entry("build:root", Outcome.FAILED, code=ExitCode.FAILED)
    no_engine = entry("test:root", Outcome.FAILED, code=ExitCode.ENVIRONMENT)
    stopped = entry("compose:app", Outcome.CANCELLED)
    assert make_result(entry("build:root")).exit_code is ExitCode.OK
    assert make_result(failed, stopped).exit_code is ExitCode.INTERRUPTED
    assert make_result(no_engine, failed).exit_code is ExitCode.ENVIRONMENT
    assert make_result(entry("build:root"), stopped).exit_code is ExitCode.INTERRUPTED


def test_a_layer_has_a_kind_and_an_image_has_references() -> None:
    assert (kind_of(ROOT), kind_of(APP)) == ("files", "image")
    assert (references_of(ROOT), references_of(APP)) == ((), ("sample/app:1",))


def test_the_matrix_shows_every_node_and_what_is_known_of_it() -> None:
    page = format_matrix(CATALOGUE, NAMES, RECORDS, {"app": "unlocked: jars | jar"}, command="buildgraph matrix")
    lines = page.splitlines()
    root = RECORDS["root"]
    assert f"| `root` | os | files | {root.size / 1e6:.1f} MB | `{root.digest[:19]}` | The root |" in lines
    assert any(line.startswith("| `jars` |") and "| - | not built |" in line for line in lines)
    (app,) = (line for line in lines if line.startswith("| `app` |"))
    assert "`latest`, `newest`" in app
    assert app.endswith("| - | unlocked: jars \\| jar |")


def test_the_matrix_counts_what_is_kept_once() -> None:
    image = make_image("other", ("root", "child"))
    catalogue = make_catalogue(ROOT, CHILD, JARS, APP, image)
    records = {**RECORDS, "other": replace(RECORDS["root"], node="other", size=3_000_000_000)}
    page = format_matrix(catalogue, tuple(catalogue.nodes), records, {}, command="buildgraph matrix")
    kept = sum({record.digest: record.size for record in RECORDS.values()}.values())
    assert "1 of 2 images are built. Pulled one by one they are 3.00 GB" in page
    assert f"kept once, are {kept / 1e6:.1f} MB." in page
