"""``why``: each cause in its words, chains from the node to the root, runs compared, and never a value."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.runs import list_runs
from buildgraph.errors import ExitCode
from buildgraph.history import RUN_FILE
from buildgraph.key import compute_keys
from buildgraph.model import TestCounts as Counts
from buildgraph.record import LATEST, RECORDS, VERDICTS, format_record, parse_record
from tests.fakes.equipped import LOCK_FILE, carry_out, deepen, lock_driver
from tests.fakes.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.sample import Ended, Sample

CANARY = "canary-41aa0c"
BASE = "manifests/layers/base.yaml"
TOOL = "layers/tool/files/tool.sh"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with layers of layers, built and tested: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as monkeypatch:
        sample = make_sample(folder, monkeypatch)
        deepen(sample)
        assert carry_out(sample, "all", load=True).exit_code is ExitCode.OK
    return folder


@pytest.fixture
def deep(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    sample = make_sample(tmp_path, monkeypatch)
    for name in ("project", "store"):
        shutil.copytree(built / name, tmp_path / name, dirs_exist_ok=True)
    return sample


def why(sample: Sample, *args: str) -> str:
    ended = sample.call("why", *args)
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    return ended.out


def causes(sample: Sample, *args: str) -> str:
    """What follows the title and its facts."""
    return why(sample, *args).partition("\n\n")[2]


def key_of(sample: Sample, node: str) -> str:
    nodes = json.loads(sample.call("list", node, "--json").out)["nodes"]
    return str(nodes[0]["key"])


def digest_of(sample: Sample, node: str) -> str:
    nodes = json.loads(sample.call("list", node, "--json").out)["nodes"]
    return str(nodes[0]["digest"])


def edit_tool(sample: Sample) -> None:
    sample.edit(TOOL, "exec true", "exec false")


# One cause each, of the node itself. What is edited → what is asked → the answer below the title.
EDITS: dict[str, tuple[tuple[str, str, str], str, str]] = {
    "a file": ((TOOL, "true", "false"), "tool", "tool is built because file files/tool.sh changed\n"),
    "a build argument": (
        ("manifests/layers/runtime.yaml", '"slow"', f'"{CANARY}"'),
        "runtime",
        "runtime is built because argument MODE changed\n",
    ),
    "a new build argument": (
        ("manifests/layers/runtime.yaml", 'MODE: "slow"', f'MODE: "slow", TOKEN: "{CANARY}"'),
        "runtime",
        "runtime is built because argument TOKEN is new\n",
    ),
    "a variable of a layer": (
        (BASE, '{BASE: "1"}', f'{{BASE: "{CANARY}"}}'),
        "plain",
        "plain is composed because variable BASE of base changed\n",
    ),
    "a variable of an image": (
        ("manifests/images/app.yaml", "cmd: [", f"env: {{MODE: {CANARY}}}, cmd: ["),
        "app",
        "app-1 is composed because variable MODE is new\n",
    ),
    "a label": (
        ("manifests/images/deep.yaml", '"blue"', f'"{CANARY}"'),
        "deep",
        "deep is composed because label org.example.team changed\n",
    ),
    "the text of a written file": (
        (BASE, '"one\\n"', f'"{CANARY}"'),
        "base",
        "base is built because operation write -> /etc/base changed (text)\n",
    ),
    "an operation's mode": (
        (BASE, '"0775"', '"0755"'),
        "base",
        "base is built because operation directory -> /opt/app changed (mode)\n",
    ),
    "an operation's place": (
        ("manifests/layers/extra.yaml", "/etc/extra", "/etc/other"),
        "extra",
        "extra is built because operation copy: /etc/extra -> /etc/other\n",
    ),
    "an operation more": (
        (BASE, "env: ", "  - {link: /etc/alias, target: base}\nenv: "),
        "base",
        "base is built because operation link -> /etc/alias is new\n",
    ),
    "a field of the config": (
        ("manifests/images/app.yaml", "[/opt/tool.sh]", "[/opt/tool.sh, again]"),
        "app",
        "app-1 is composed because config cmd changed\n",
    ),
    "a layer more": (
        ("manifests/images/plain.yaml", "[base, extra]", "[base, extra, tool]"),
        "plain",
        "plain is composed because layer tool is new\n",
    ),
    "the order of layers": (
        ("manifests/images/plain.yaml", "[base, extra]", "[extra, base]"),
        "plain",
        "plain is composed because the order of its layers changed\n",
    ),
    "the compression": (
        ("manifests/layers/extra.yaml", "test_on:", "compression: none\ntest_on:"),
        "extra",
        "extra is built because compression: zstd -> none\n",
    ),
    "the epoch, told once": (
        ("manifests/project.yaml", "1767225600", "1767225601"),
        "deep",
        "deep is composed because epoch: 1767225600 -> 1767225601\n",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_the_changed_input_is_named(deep: Sample, name: str) -> None:
    (path, old, new), node, answer = EDITS[name]
    deep.edit(path, old, new)
    assert causes(deep, node) == answer


def test_what_tests_run_with_is_named(deep: Sample) -> None:
    deep.edit("manifests/layers/tool.yaml", "test_on:", "test_with: [plain]\ntest_on:")
    assert causes(deep, "tool") == "tool is tested because service plain is new\n"
    assert carry_out(deep, "tool").exit_code is ExitCode.OK
    deep.edit("layers/extra/files/conf/extra.conf", "1", "2")
    assert causes(deep, "tool") == (
        "tool is tested because an image of its tests is new\n"
        "  plain is composed because layer extra changed\n"
        "    extra is built because file files/conf/extra.conf changed\n"
    )


@pytest.mark.parametrize("name", [name for name, (edit, _, _) in EDITS.items() if CANARY in edit[2]])
def test_fault_36_no_value_of_the_manifests_is_shown_or_kept(deep: Sample, name: str) -> None:
    (path, old, new), node, _ = EDITS[name]
    deep.edit(path, old, new)
    said = [deep.call("why", node, *more) for more in ((), ("--json",))]
    assert carry_out(deep, "all").exit_code is ExitCode.OK
    said += [
        deep.call("why", node, *more) for more in ((), ("--json",), ("--run", "last"), ("--run", "last", "--json"))
    ]
    assert not [ended for ended in said if CANARY in ended.out + ended.err]
    kept = [path for path in deep.store.rglob("*") if path.is_file() and "blobs" not in path.parts]
    assert kept
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]


def test_a_source_is_named_with_its_old_and_new_coordinate(deep: Sample) -> None:
    lock_driver(deep, "42.7.13")
    assert causes(deep, "deep") == (
        "deep is composed because layer runtime changed\n"
        "  runtime is built because source driver:"
        " maven:org.example:driver:42.7.8 -> maven:org.example:driver:42.7.13\n"
    )


def test_the_chain_leads_from_the_node_over_three_levels_to_the_root(deep: Sample) -> None:
    edit_tool(deep)
    assert why(deep, "deep") == (
        "deep is to be composed and tested\n\n"
        "deep is composed because layer runtime changed\n"
        "  runtime is built because layer tool changed\n"
        "    tool is built because file files/tool.sh changed\n"
    )


def test_what_is_made_already_was_made(deep: Sample) -> None:
    edit_tool(deep)
    carry_out(deep, "tool")
    assert causes(deep, "deep").splitlines()[-1] == "    tool was built because file files/tool.sh changed"


def test_each_of_several_roots_is_shown_once_with_its_shortest_chain(deep: Sample) -> None:
    deep.edit("manifests/images/app.yaml", "layers: [base, tool]", "layers: [base, tool, runtime]")
    carry_out(deep, "app", test=False)
    edit_tool(deep)
    deep.edit(BASE, '"one\\n"', '"two\\n"')
    assert causes(deep, "app") == (
        "app-1 is composed because layer base changed\n"
        "  base is built because operation write -> /etc/base changed (text)\n"
        "\n"
        "app-1 is composed because layer tool changed\n"
        "  tool is built because file files/tool.sh changed\n"
    )


def test_a_node_with_a_cause_of_its_own_comes_first(deep: Sample) -> None:
    edit_tool(deep)
    deep.edit("layers/runtime/Dockerfile", "scratch", "parent")
    assert causes(deep, "runtime") == (
        "runtime is built because file Dockerfile changed\n"
        "\n"
        "runtime is built because layer tool changed\n"
        "  tool is built because file files/tool.sh changed\n"
    )


def test_of_many_changes_as_many_as_fit_are_shown_and_json_has_them_all(deep: Sample) -> None:
    for number in range(12):
        deep.write(f"layers/extra/files/conf/{number:02}", "x")
    lines = causes(deep, "extra").splitlines()
    assert lines[0] == "extra is built because file files/conf/00 is new"
    assert lines[-2:] == ["  and file files/conf/07 is new", "  and 4 more (--json names all)"]
    document = json.loads(why(deep, "extra", "--json"))
    assert len(document["causes"][0]["changes"]) == 12


def test_the_json_document_holds_state_steps_and_causes(deep: Sample) -> None:
    lock_driver(deep, "42.7.13")
    assert json.loads(why(deep, "deep", "--json")) == {
        "node": "deep",
        "state": "to do",
        "kind": "image",
        "steps": ["compose", "test", "load"],
        "key": key_of(deep, "deep"),
        "digest": None,
        "causes": [
            {
                "root": "runtime",
                "chain": ["deep", "runtime"],
                "changes": [
                    {
                        "kind": "source",
                        "name": "driver",
                        "text": "source driver: maven:org.example:driver:42.7.8 -> maven:org.example:driver:42.7.13",
                        "old": "maven:org.example:driver:42.7.8",
                        "new": "maven:org.example:driver:42.7.13",
                    }
                ],
            }
        ],
        "earlier_causes": [],
    }


# What the store lacks, and what somebody asked for


def test_what_was_never_built_says_so(sample: Sample) -> None:
    assert why(sample, "plain") == ("plain is to be composed and tested\n\nplain is composed: never built here\n")


def test_force_is_a_cause_and_does_not_spread(deep: Sample) -> None:
    assert (
        why(deep, "tool", "--force", "tool")
        == "tool is to be built and tested\n\ntool is built: asked for by --force\n"
    )
    assert why(deep, "deep", "--force", "tool") == (
        "deep is up to date; what it is made of is not\n\ndeep needs tool\n  tool is built: asked for by --force\n"
    )


def test_fault_09_a_missing_record_says_so(deep: Sample) -> None:
    (deep.store / RECORDS / f"{key_of(deep, 'extra')}.json").unlink()
    assert causes(deep, "extra") == "extra is built: its record is missing\n"


def test_fault_07_a_damaged_record_says_so_also_the_second_time(deep: Sample) -> None:
    file = deep.store / RECORDS / f"{key_of(deep, 'extra')}.json"
    file.write_bytes(file.read_bytes().replace(b"extra", b"extro", 1))
    first, second = deep.call("why", "extra"), deep.call("why", "extra")
    assert first.out == second.out
    assert first.out.endswith("\n\nextra is built: its record was damaged and put aside\n")
    assert (first.err.count("was damaged"), second.err) == (1, "")


def test_fault_15_a_record_of_another_format_says_so(deep: Sample) -> None:
    store, key = deep.session().store, key_of(deep, "extra")
    store.write(RECORDS, key, (store.read(RECORDS, key) or "").replace('"record": 1', '"record": 2'))
    assert causes(deep, "extra") == "extra is built: its record cannot be read by this version\n"


def test_fault_08_a_missing_blob_says_so_and_what_needs_it_says_that(deep: Sample) -> None:
    digest = digest_of(deep, "extra")
    deep.session().store.blob_path(digest).unlink()
    line = f"extra is built: the store has a record but not the blob {digest}\n"
    assert causes(deep, "extra") == line
    assert why(deep, "plain") == f"plain is up to date; what it is made of is not\n\nplain needs extra\n  {line}"


def test_fault_05_a_blob_that_was_put_aside_says_so(deep: Sample) -> None:
    digest = digest_of(deep, "extra")
    store = deep.session().store
    store.quarantine(store.blob_path(digest))
    assert causes(deep, "extra") == f"extra is built: its blob {digest} was damaged and put aside\n"


def test_a_change_of_which_the_record_is_gone_says_that_it_cannot_be_told(deep: Sample) -> None:
    store = deep.session().store
    old = key_of(deep, "tool")
    edit_tool(deep)
    (deep.store / RECORDS / f"{old}.json").unlink()
    assert causes(deep, "deep").splitlines()[-1] == (
        f"    tool is built: what changed in it cannot be told, as the store has no record of its key {old[:12]}"
    )
    assert causes(deep, "tool") == (
        f"tool is built: its inputs changed, and the record of its last build, {old[:12]}, is missing\n"
    )
    assert store.read(LATEST, "tool") == f"{old}\n"


def test_a_record_that_still_holds_values_is_compared_without_them(deep: Sample) -> None:
    session = deep.session()
    key = key_of(deep, "runtime")
    record = parse_record(session.store.read(RECORDS, key) or "")
    assert record is not None
    known = compute_keys(session.catalogue, session.lock, session.trees, ["base", "tool", "runtime"]).keys["runtime"]
    session.store.write(RECORDS, key, format_record(replace(record, document=known.document)))
    deep.edit("layers/runtime/Dockerfile", "scratch", "parent")
    assert causes(deep, "runtime") == "runtime is built because file Dockerfile changed\n"


def test_an_unlocked_source_is_named_with_the_chain_to_it(deep: Sample) -> None:
    deep.write(LOCK_FILE, json.dumps({"lock": 1, "nodes": {}}))
    assert why(deep, "deep") == (
        "deep cannot be built before its sources are locked\n\n"
        "deep cannot be made because layer runtime cannot\n"
        "  runtime cannot be made because the lock does not answer what its source driver asks for"
        " (run: buildgraph lock)\n"
    )


# Tests that have not passed


@pytest.mark.parametrize(
    ("path", "text", "node", "line"),
    [
        (
            "layers/extra/test_extra.py",
            "def test_more():\n    assert True\n",
            "extra",
            "test file layers/extra/test_extra.py changed",
        ),
        (
            "layers/extra/test_more.py",
            "def test_more():\n    assert True\n",
            "extra",
            "test file layers/extra/test_more.py is new",
        ),
        (
            "layers/extra/test_extra.py",
            "def test_more():\n    assert True\n",
            "plain",
            "test file layers/extra/test_extra.py changed",
        ),
    ],
)
def test_a_changed_test_file_is_named(deep: Sample, path: str, text: str, node: str, line: str) -> None:
    deep.write(path, text)
    assert why(deep, node) == f"{node} is to be tested\n\n{node} is tested because {line}\n"


def test_an_image_that_is_another_one_is_a_cause_of_tests(deep: Sample) -> None:
    edit_tool(deep)
    carry_out(deep, "tool", test=False)
    assert causes(deep, "tool") == "tool is tested because the image that they run on is another one\n"


def test_tests_that_run_on_a_layer_that_is_made_first_lead_to_its_cause(deep: Sample) -> None:
    deep.edit(BASE, '"one\\n"', '"two\\n"')
    assert causes(deep, "extra") == (
        "extra is tested because the image that its tests run on is new\n"
        "  base is built because operation write -> /etc/base changed (text)\n"
    )


def test_tests_that_never_passed_say_so(sample: Sample) -> None:
    sample.build("plain")
    assert why(sample, "extra") == (
        "extra is to be tested\n\nextra is tested: no pass is recorded for these tests on this image\n"
    )


def test_a_layer_whose_tests_did_not_pass_is_what_its_image_needs(deep: Sample) -> None:
    edit_tool(deep)
    failed = {"tool": Counts(passed=0, failed=1, skipped=())}
    assert carry_out(deep, "tool", results=failed).exit_code is ExitCode.FAILED
    assert why(deep, "tool").startswith("tool is to be tested\n")


def test_fault_07_a_damaged_verdict_says_so(deep: Sample) -> None:
    document = json.loads(why(deep, "extra", "--json"))
    file = deep.store / VERDICTS / f"{document['test_key']}.json"
    file.write_bytes(file.read_bytes()[:-1])
    assert deep.call("why", "extra").out == (
        "extra is to be tested\n\nextra is tested: its verdict was damaged and put aside\n"
    )


# Nothing to do


def test_what_is_up_to_date_says_on_what_that_rests_and_what_it_was_last_made_for(deep: Sample) -> None:
    edit_tool(deep)
    carry_out(deep, "all", load=True)
    run = list_runs(deep.session().store)[0]
    assert why(deep, "deep") == (
        "deep is up to date\n"
        f"  the store has a record of its key {key_of(deep, 'deep')[:12]}: {digest_of(deep, 'deep')}, 0.0 MB\n"
        "  its tests have passed on this image: 2 passed\n"
        "  it is the image that an engine was last given\n"
        "\n"
        f"deep was last made by the run {run.name}, {run.began:%Y-%m-%d %H:%M} UTC:\n"
        "\n"
        "deep was composed because layer runtime changed\n"
        "  runtime was built because layer tool changed\n"
        "    tool was built because file files/tool.sh changed\n"
    )


def test_what_is_only_to_be_loaded_says_why_and_on_what_the_rest_rests(deep: Sample) -> None:
    given = digest_of(deep, "app")
    edit_tool(deep)
    carry_out(deep, "all")
    run = list_runs(deep.session().store)[0]
    assert why(deep, "app") == (
        "app-1 is to be loaded\n"
        f"  the store has a record of its key {key_of(deep, 'app')[:12]}: {digest_of(deep, 'app')}, 0.0 MB\n"
        "  its tests have passed on this image: 3 passed\n"
        "\n"
        f"app-1 is loaded: an engine was last given another digest as sample/app:1, {given}\n"
        "\n"
        f"app-1 was last made by the run {run.name}, {run.began:%Y-%m-%d %H:%M} UTC:\n"
        "\n"
        "app-1 was composed because layer tool changed\n"
        "  tool was built because file files/tool.sh changed\n"
    )
    document = json.loads(why(deep, "app", "--json"))
    assert (document["state"], document["steps"]) == ("to do", ["load"])
    (cause,) = document["causes"]
    assert (cause["root"], [change["kind"] for change in cause["changes"]]) == ("app-1", ["load"])


def test_a_layer_is_never_to_be_loaded(deep: Sample) -> None:
    document = json.loads(why(deep, "tool", "--json"))
    assert (document["state"], document["steps"]) == ("up to date", [])
    assert "engine" not in why(deep, "tool")


def test_a_first_build_says_that_it_was_the_first(deep: Sample) -> None:
    assert why(deep, "deep").splitlines()[-1] == "deep was composed: never built here"


def test_without_a_run_that_made_it_this_is_said(deep: Sample) -> None:
    for run in list_runs(deep.session().store):
        (run.folder / RUN_FILE).unlink()
    assert why(deep, "deep").endswith("\n\nno run that made it is kept\n")


# Between two runs


@pytest.fixture
def three(deep: Sample) -> tuple[Sample, list[str]]:
    """Three runs, oldest first: the first build, another tool, another driver."""
    edit_tool(deep)
    carry_out(deep, "all")
    lock_driver(deep, "42.7.13")
    carry_out(deep, "deep")
    return deep, [run.name for run in reversed(list_runs(deep.session().store))]


def test_a_run_is_compared_with_the_one_before_it(three: tuple[Sample, list[str]]) -> None:
    deep, names = three
    answer = why(deep, "deep", "--run", names[1])
    title, first, second = answer.splitlines()[:3]
    assert title == "deep changed between these runs:"
    line = r"  {}  20\d\d-\d\d-\d\d \d\d:\d\d UTC  key [0-9a-f]{{12}}  compose done, test {}"
    assert re.fullmatch(line.format(names[0], "done"), first)
    assert re.fullmatch(line.format(names[1], "reused"), second)
    assert answer.partition("\n\n")[2] == (
        "deep changed because layer runtime changed\n"
        "  runtime changed because layer tool changed\n"
        "    tool changed because file files/tool.sh changed\n"
    )


def test_two_runs_are_compared_over_what_lies_between(three: tuple[Sample, list[str]]) -> None:
    deep, names = three
    assert causes(deep, "deep", "--run", names[0], "--run", "last") == (
        "deep changed because layer runtime changed\n"
        "  runtime changed because source driver:"
        " maven:org.example:driver:42.7.8 -> maven:org.example:driver:42.7.13\n"
        "\n"
        "deep changed because layer runtime changed\n"
        "  runtime changed because layer tool changed\n"
        "    tool changed because file files/tool.sh changed\n"
    )


def test_the_last_run_is_the_last_that_knew_the_node(three: tuple[Sample, list[str]]) -> None:
    deep, names = three
    document = json.loads(why(deep, "extra", "--run", "last", "--json"))
    assert [run["run"] for run in document["runs"]] == names[:2]
    assert document["state"] == "same"
    assert document["runs"][1]["steps"] == []


def test_a_run_that_made_the_same_again_says_why(deep: Sample) -> None:
    carry_out(deep, "tool", force=("tool",))
    answer = why(deep, "tool", "--run", "last")
    assert answer.startswith("tool has the same inputs in these runs:\n")
    assert answer.endswith("\n\ntool was built again: asked for by --force\n")


def test_the_first_run_that_knew_a_node_has_nothing_before_it(deep: Sample) -> None:
    lines = why(deep, "deep", "--run", "last").splitlines()
    assert lines[0] == "no run before this one knew deep:"
    assert len(lines) == 2


def test_a_run_without_a_key_for_the_node_says_that_it_was_not_locked(deep: Sample) -> None:
    carry_out(deep, "runtime", force=("runtime",))
    kept = list_runs(deep.session().store)[0]
    name, file = kept.name, kept.folder / RUN_FILE
    body = json.loads(file.read_text())
    body["nodes"] = [{**node, "key": ""} if node["node"] == "runtime" else node for node in body["nodes"]]
    file.write_text(json.dumps(body))  # as earlier versions kept it
    assert causes(deep, "runtime", "--run", "last") == (
        f"runtime changed because not all of its sources were locked in the run {name}\n"
    )


def test_a_node_that_is_gone_from_the_catalogue_can_still_be_asked_about(three: tuple[Sample, list[str]]) -> None:
    deep, _ = three
    (deep.folder / "manifests/images/deep.yaml").unlink()
    assert causes(deep, "deep", "--run", "last").startswith("deep changed because layer runtime changed\n")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("all",), "error: 'all' is 7 nodes; name one of them, such as app-1\n"),
        (("depe",), "error: no target is called 'depe'; did you mean deep?\n"),
        (("deep", "--run", "2019"), "error: no run '2019' is kept; see: buildgraph logs\n"),
        (("deep", "--run", "last", "--force", "deep"), "Error: --force asks about the next run and --run about"),
        (("deep", "--run", "a", "--run", "b", "--run", "c"), "Error: --run can be given once or twice."),
    ],
)
def test_fault_30_a_wrong_question_is_refused_in_one_line(deep: Sample, args: tuple[str, ...], error: str) -> None:
    ended = deep.call("why", *args)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert error in ended.err


def refuse(sample: Sample, *args: str) -> str:
    ended: Ended = sample.call("why", *args)
    assert ended.code == ExitCode.USAGE
    return ended.err


def test_runs_that_cannot_answer_are_refused(three: tuple[Sample, list[str]]) -> None:
    deep, names = three
    assert f"error: extra was not part of the run {names[2]}; the newest that was: {names[1]}" in refuse(
        deep, "extra", "--run", names[2]
    )
    assert f"begins the ids of 3 runs: {names[2]}" in refuse(deep, "deep", "--run", "20")
    folder: Path = deep.store / "runs" / names[2]
    (folder / RUN_FILE).unlink()
    assert f"error: the run {names[2]} did not come to its end" in refuse(deep, "deep", "--run", names[2])


def test_a_node_that_no_kept_run_knew_has_no_last_run(sample: Sample) -> None:
    ended = refuse(sample, "plain", "--run", "last")
    assert ended == "error: no run that is kept knew plain; see: buildgraph logs\n"


def test_asking_writes_nothing(deep: Sample) -> None:
    edit_tool(deep)
    before = sorted(deep.store.rglob("*"))
    for args in ((), ("--json",), ("--run", "last")):
        why(deep, "deep", *args)
    assert sorted(deep.store.rglob("*")) == before


def test_fault_07_documents_of_runs_that_cannot_be_read_do_not_count(deep: Sample) -> None:
    damages: tuple[Callable[[str], str], ...] = (lambda _: "", lambda text: text[:-40], lambda _: '{"format": 1}')
    for damage in damages:
        (run,) = list_runs(deep.session().store)
        file = run.folder / RUN_FILE
        text = file.read_text()
        file.write_text(damage(text))
        assert why(deep, "deep").endswith("no run that made it is kept\n")
        file.write_text(text)
