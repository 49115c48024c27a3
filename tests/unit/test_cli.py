from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
import time
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import ExitCode
from buildgraph.key import compute_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.sample import Ended, Sample

PATIENCE = 30.0
HEAVY = {"networkx", "docker", "rich", "requests", "urllib3", "filelock", "uv"}
QUIETLY = ("--no-test", "--no-load", "--progress", "quiet")
WITHOUT_ENGINE = ("--no-test", "--no-load", "--progress", "plain")


def steps(ended: Ended) -> dict[str, str]:
    """Step id → reason or outcome, of a ``--json`` document."""
    document = json.loads(ended.out)
    return {step["id"]: step.get("outcome", step["reason"]) for step in document["steps"] if "id" in step}


def reused(ended: Ended) -> set[str]:
    return {step["node"] for step in json.loads(ended.out)["steps"] if step["action"] == "reuse"}


# What is printed where


def test_list_shows_nodes_by_stage_with_aliases(sample: Sample) -> None:
    done = sample.call("list")
    assert done.code == ExitCode.OK
    blocks = [list(lines) for empty, lines in groupby(done.out.splitlines(), key=lambda line: not line) if not empty]
    assert [(lines[0], [line.split()[0] for line in lines[1:]]) for lines in blocks] == [
        ("base (1)", ["base"]),
        ("intermediate (2)", ["extra", "tool"]),
        ("final (2)", ["app-1", "plain"]),
    ]
    assert "The application  (app)" in done.out
    assert done.out.count("not built") == 5
    assert done.err == ""


def test_list_shows_digests_of_what_is_built(sample: Sample) -> None:
    sample.build("all")
    nodes = json.loads(sample.call("list", "--json").out)["nodes"]
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", node["digest"]) and node["size"] > 0 for node in nodes)
    shown = sample.call("list").out
    assert all(node["digest"][7:19] in shown for node in nodes)
    assert [node["tags"] for node in nodes if node["node"] == "app-1"] == [["sample/app:1"]]


def test_list_takes_patterns(sample: Sample) -> None:
    nodes = json.loads(sample.call("list", "app", "ext*", "--json").out)["nodes"]
    assert [node["node"] for node in nodes] == ["extra", "app-1"]


def test_graph_shows_what_a_target_is_made_of(sample: Sample) -> None:
    assert sample.call("graph", "plain").out.splitlines() == [
        "plain  [image]",
        "  base  [files]",
        "  extra  [files]",
    ]
    document = json.loads(sample.call("graph", "plain", "--json").out)
    assert document["edges"] == [{"from": "base", "to": "plain"}, {"from": "extra", "to": "plain"}]


def test_plan_says_what_and_why_and_changes_nothing(sample: Sample) -> None:
    done = sample.call("plan", "plain")
    assert done.code == ExitCode.OK
    assert "build:base     never built here" in done.out
    assert done.out.endswith("7 steps; 0 of 3 nodes are reused\n")
    document = json.loads(sample.call("plan", "plain", "--json").out)
    assert {step["action"] for step in document["steps"]} == {"build", "compose", "test", "load"}
    assert not sample.store.exists()


def test_data_goes_to_standard_output_and_everything_else_to_standard_error(sample: Sample) -> None:
    done = sample.call("build", "plain", *WITHOUT_ENGINE, "--json")
    assert steps(done) == {"build:base": "done", "build:extra": "done", "compose:plain": "done"}
    assert "start build:base" in done.err
    assert "2 built, 1 composed" in done.err


def test_a_run_is_summed_up_in_one_line(sample: Sample) -> None:
    done = sample.call("build", "plain", *QUIETLY)
    assert re.fullmatch(r"2 built, 1 composed; 0 nodes reused; \d+\.\d s\n", done.out)
    assert done.err == ""


# What is built


def test_a_project_of_local_files_builds_without_an_engine_and_the_second_time_nothing_is_to_do(
    sample: Sample,
) -> None:
    assert sample.call("build", "all", *QUIETLY).code == ExitCode.OK
    again = sample.call("build", "all", *QUIETLY)
    assert (again.code, again.out) == (ExitCode.OK, "nothing to do: 5 nodes are built\n")
    as_json = sample.call("build", "all", *QUIETLY, "--json")
    assert reused(as_json) == {"base", "extra", "tool", "app-1", "plain"}
    assert steps(as_json) == {}


def test_images_are_listed_in_the_index_of_the_store(sample: Sample) -> None:
    sample.build("app")
    nodes = json.loads(sample.call("list", "--json").out)["nodes"]
    assert LayoutStore(sample.store).published() == {
        "app-1": next(node["digest"] for node in nodes if node["node"] == "app-1")
    }


def test_two_stores_hold_the_same_digests(sample: Sample, tmp_path: Path) -> None:
    def build(store: Path) -> dict[str, str]:
        assert sample.call("--store", str(store), "build", "all", *QUIETLY).code == ExitCode.OK
        nodes = json.loads(sample.call("--store", str(store), "list", "--json").out)["nodes"]
        return {node["node"]: node["digest"] for node in nodes}

    old_umask = os.umask(0o077)
    try:
        first = build(tmp_path / "first")
    finally:
        os.umask(old_umask)
    shutil.copytree(sample.folder, tmp_path / "elsewhere")
    assert first == build(tmp_path / "second")


def test_new_times_and_comments_rebuild_nothing(sample: Sample) -> None:
    sample.build("all")
    for file in sample.folder.rglob("*"):
        os.utime(file, (1, 1))
    sample.edit("manifests/layers/extra.yaml", "kind: files\n", "kind: files  # local ones\n")
    sample.edit("manifests/layers/tool.yaml", "description: A program", "description: Another word for it")
    assert sample.call("plan", "all", "--no-test", "--no-load").out == "nothing to do: 5 nodes are built\n"


def test_a_changed_file_rebuilds_its_layer_and_the_image_of_it_and_nothing_else(sample: Sample) -> None:
    sample.build("all")
    sample.plant_loads("all")
    sample.write("layers/extra/files/conf/extra.conf", "size = 2\n")
    planned = sample.call("plan", "all", "--no-test", "--json")
    assert steps(planned) == {
        "build:extra": "file files/conf/extra.conf changed",
        "compose:plain": "layer extra changed",
        "load:plain": "the image is new to the engine",
    }
    done = sample.call("build", "all", *QUIETLY, "--json")
    assert steps(done) == {"build:extra": "done", "compose:plain": "done"}
    assert reused(done) == {"base", "tool", "app-1"}


def test_a_changed_test_runs_again_and_rebuilds_nothing(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    sample.plant_loads("all")
    assert sample.call("plan", "all").out == "nothing to do: 5 nodes are built and tested\n"
    sample.write("layers/extra/test_extra.py", "def test_more():\n    assert True\n")
    planned = sample.call("plan", "all", "--json")
    assert steps(planned) == {
        "test:extra": "no pass is recorded for these tests on this image",
        "test:plain": "no pass is recorded for these tests on this image",
        "load:plain": "its tests run now",
    }


def test_what_was_built_without_a_load_is_loaded_by_the_next_build(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    assert steps(sample.call("plan", "all", "--json")) == {
        "load:app-1": "no load of sample/app:1 is recorded",
        "load:plain": "no load of sample/plain:1 is recorded",
    }
    assert sample.call("plan", "all").out.endswith("2 steps; 3 of 5 nodes are reused\n")
    assert sample.call("plan", "all", "--no-load").out == "nothing to do: 5 nodes are built and tested\n"
    done = sample.call("build", "plain", "--progress", "quiet")
    assert done.code == ExitCode.ENVIRONMENT
    assert "FAILED load:plain: no Docker engine answers" in done.err
    assert steps(sample.call("plan", "plain", "--json")) == {"load:plain": "no load of sample/plain:1 is recorded"}


def test_layers_and_other_targets_than_images_are_never_to_be_loaded(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    done = sample.call("build", "base", "extra", "--progress", "quiet")
    assert (done.code, done.out) == (ExitCode.OK, "nothing to do: 2 nodes are built and tested\n")


def test_a_layer_can_be_made_again_on_request(sample: Sample) -> None:
    sample.build("all")
    done = sample.call("build", "plain", *QUIETLY, "--force", "extra", "--json")
    assert steps(done)["build:extra"] == "done"
    assert sample.call("build", "plain", *QUIETLY, "--force", "nothing").code == ExitCode.USAGE


def test_a_failed_layer_blocks_its_image_only_and_is_shown_last(sample: Sample) -> None:
    sample.edit("manifests/layers/extra.yaml", "copy: conf", "copy: nowhere")
    done = sample.call("build", "all", *WITHOUT_ENGINE, "--json")
    assert done.code == ExitCode.FAILED
    assert steps(done)["build:extra"] == "failed"
    assert steps(done)["compose:plain"] == "blocked"
    assert steps(done)["compose:app-1"] == "done"
    last = done.err[done.err.index("FAILED build:extra") :].splitlines()
    assert "manifests/layers/extra.yaml:6" in last[0]
    assert last[-1] == "1 steps were blocked by these"


# How it ends


def test_a_conflict_is_a_failed_node_and_names_path_layers_and_image(sample: Sample) -> None:
    sample.write("layers/extra/files/conf/base", "two\n")
    sample.edit("manifests/layers/extra.yaml", "to: /etc/extra", "to: /etc")
    done = sample.call("build", "all", *QUIETLY)
    assert done.code == ExitCode.FAILED
    assert "plain: /etc/base: extra has other content than that of base" in done.err
    assert "1 composed" in done.out


@pytest.mark.parametrize(
    ("path", "old", "new", "where"),
    [
        ("manifests/layers/tool.yaml", "kind: files", "kinds: files", "manifests/layers/tool.yaml:"),
        ("manifests/images/app.yaml", "[base, tool]", "[base, tol]", "manifests/images/app.yaml:1"),
        ("manifests/project.yaml", "project: sample", "project: [", "manifests/project.yaml:"),
        ("manifests/layers/base.yaml", "layer: base", "layer: ../base", "manifests/layers/base.yaml:1"),
    ],
)
def test_a_mistake_in_a_manifest_is_a_usage_error_with_its_place(
    sample: Sample, path: str, old: str, new: str, where: str
) -> None:
    sample.edit(path, old, new)
    done = sample.call("list")
    assert done.code == ExitCode.USAGE
    assert f"error: {where}" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_all_mistakes_are_told_at_once(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "stage: intermediate", "stage: middle")
    sample.edit("manifests/layers/extra.yaml", "stage: intermediate", "stage: centre")
    done = sample.call("list")
    assert done.code == ExitCode.USAGE
    assert [line.split(":")[1].strip() for line in done.err.splitlines() if line.startswith("error: ")] == [
        "manifests/layers/extra.yaml",
        "manifests/layers/tool.yaml",
    ]


def test_an_unknown_target_comes_with_a_suggestion(sample: Sample) -> None:
    done = sample.call("build", "plan")
    assert done.code == ExitCode.USAGE
    assert done.err == "error: no target is called 'plan'; did you mean plain?\n"


@pytest.mark.parametrize("args", [["build"], ["build", "all", "--quick"], ["build", "all", "--jobs", "0"], ["bild"]])
def test_a_wrong_command_line_is_a_usage_error(sample: Sample, args: list[str]) -> None:
    assert sample.call(*args).code == ExitCode.USAGE


def test_a_folder_without_a_project_is_a_usage_error(sample: Sample, tmp_path: Path) -> None:
    done = sample.call("-C", str(tmp_path), "list")
    assert done.code == ExitCode.USAGE
    assert "no manifests/project.yaml here or above" in done.err


def test_without_an_engine_the_layers_are_built_and_the_tests_say_what_to_do(sample: Sample) -> None:
    done = sample.call("build", "plain", "--progress", "quiet")
    assert done.code == ExitCode.ENVIRONMENT
    assert "FAILED test:base: no Docker engine answers at unix:///nowhere/docker.sock" in done.err
    assert "buildgraph engine up" in done.err
    assert "2 built" in done.out
    assert {"base", "extra"} <= reused(sample.call("plan", "plain", "--no-test", "--json"))


def test_images_are_not_loaded_without_an_engine(sample: Sample) -> None:
    sample.build("plain")
    sample.plant_verdicts("plain")
    done = sample.call("load", "plain")
    assert done.code == ExitCode.ENVIRONMENT
    assert "no Docker engine answers" in done.err


def test_what_is_not_tested_is_not_loaded(sample: Sample) -> None:
    sample.build("plain")
    sample.plant_verdicts("plain", without="extra")
    done = sample.call("load", "plain")
    assert done.code == ExitCode.FAILED
    assert done.err == "error: not built and tested: extra; run: buildgraph build plain\n"


def test_the_status_of_no_engine_is_an_environment_fault(sample: Sample) -> None:
    done = sample.call("engine", "status", "--json")
    assert done.code == ExitCode.ENVIRONMENT
    assert json.loads(done.out)["running"] is False


def test_a_store_that_cannot_be_written_is_an_environment_fault(sample: Sample) -> None:
    sample.store.mkdir()
    (sample.store / "runs").write_text("in the way")
    done = sample.call("build", "plain", *QUIETLY)
    assert done.code == ExitCode.ENVIRONMENT
    assert done.err.startswith(f"error: {sample.store}/runs")
    assert done.err.count("\n") == 1


def test_a_new_store_is_private(sample: Sample) -> None:
    sample.build("plain")
    assert sample.store.stat().st_mode & 0o077 == 0


def test_a_stale_lock_is_told_with_a_line_for_each_source(sample: Sample) -> None:
    sample.edit("manifests/layers/extra.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
    done = sample.call("lock", "--check")
    assert (done.code, done.out) == (ExitCode.STALE, "- extra/jar is not in the lock\n")
    assert done.err == "error: manifests/buildgraph.lock: out of date; run: buildgraph lock\n"
    as_json = sample.call("lock", "--check", "--json")
    assert as_json.code == ExitCode.STALE
    assert json.loads(as_json.out) == {"up_to_date": False, "diff": "- extra/jar is not in the lock"}


def test_a_lock_that_serves_the_manifests_is_up_to_date(sample: Sample) -> None:
    assert sample.call("lock", "--check").out == "manifests/buildgraph.lock is up to date\n"
    assert json.loads(sample.call("lock", "--check", "--json").out) == {"up_to_date": True, "diff": ""}


def test_another_lock_may_lie_outside_the_project(sample: Sample, tmp_path: Path) -> None:
    lock = tmp_path / "other.lock"
    lock.write_text('{"lock": 1, "nodes": {"gone": {"jar": {"request": ["maven:a:b:1"], "artifacts": []}}}}')
    done = sample.call("--lock", str(lock), "lock", "--check")
    assert done.code == ExitCode.USAGE
    assert f"error: {lock} (gone.jar): artifacts is a list of at least one" in done.err


def test_an_unlocked_layer_is_refused_with_the_command_that_helps(sample: Sample) -> None:
    sample.edit("manifests/layers/extra.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
    done = sample.call("build", "all", *QUIETLY)
    assert done.code == ExitCode.FAILED
    assert done.err.splitlines() == [
        "unlocked: 2",
        "  extra: source jar is not locked (maven:org.example:jar:1); run: buildgraph lock --update extra",
        "  plain: source jar of extra is not locked (maven:org.example:jar:1); run: buildgraph lock --update extra",
    ]
    assert re.fullmatch(r"2 built, 1 composed; 0 nodes reused; 2 unlocked; \d+\.\d s\n", done.out)


def test_pin_refuses_what_is_not_tested_and_names_it(sample: Sample) -> None:
    sample.build("app")
    sample.plant_verdicts("app", without="tool")
    done = sample.call("pin")
    assert done.code == ExitCode.FAILED
    assert done.err == "error: nothing is pinned: tool is not tested; run: buildgraph build --target app-1\n"
    assert not (sample.folder / "manifests/ledger.json").exists()


def test_pins_are_written_once_and_checked_by_key(sample: Sample) -> None:
    stale = sample.call("pin", "--check")
    assert stale.code == ExitCode.STALE
    assert stale.out == "- app-1: pinned with another key than its manifests now give\n"
    sample.build("app")
    sample.plant_verdicts("app")

    shown = sample.call("pin", "--dry-run")
    assert "+++ b/charts/app/values.yaml" in shown.out
    assert not (sample.folder / "manifests/ledger.json").exists()
    assert json.loads(sample.call("pin", "--json").out) == {
        "changed": ["charts/app/values.yaml", "manifests/ledger.json"]
    }
    assert sample.call("pin").out == "charts and ledger are up to date\n"
    assert sample.call("pin", "--check").code == ExitCode.OK
    assert json.loads(sample.call("pin", "--check", "--json").out) == {"up_to_date": True, "diff": ""}

    sample.edit("charts/app/values.yaml", 'tag: "1"', 'tag: "2"')
    moved = sample.call("pin", "--check", "--json")
    assert moved.code == ExitCode.STALE
    assert '-  tag: "2"' in json.loads(moved.out)["diff"]


# What a run that has nothing to do costs


@pytest.mark.parametrize(
    "args", [["build", "all", "--no-test", "--no-load"], ["build", "all"], ["test", "all"], ["plan", "all"]]
)
def test_a_run_that_has_nothing_to_do_asks_no_daemon_starts_no_process_and_loads_no_large_library(
    sample: Sample, tmp_path: Path, args: list[str]
) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    sample.plant_loads("all")
    (tmp_path / "empty").mkdir()
    env = {"PATH": str(tmp_path / "empty"), "HOME": os.environ["HOME"], "DOCKER_HOST": os.environ["DOCKER_HOST"]}
    with sample.spawn(*args, module="tests.fakes.audited", env=env) as child:
        out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out[:14]) == (ExitCode.OK, "nothing to do:"), err
    report = json.loads(err.splitlines()[-1])
    assert report["calls"] == []
    loaded = {name.partition(".")[0] for name in report["modules"]}
    assert sorted(loaded & HEAVY) == []


def test_the_audit_sees_calls_when_there_are_some(sample: Sample) -> None:
    with sample.spawn("engine", "status", module="tests.fakes.audited") as child:
        _, err = child.communicate(timeout=PATIENCE)
    report = json.loads(err.splitlines()[-1])
    assert "socket.connect" in report["calls"]
    assert "docker" in report["modules"]


# Stopping


def wait_for_line(child_lines: Iterator[str], word: str) -> list[str]:
    seen = []
    for line in child_lines:
        seen.append(line)
        if word in line:
            return seen
    raise AssertionError("".join(seen))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_fault_03_a_run_that_is_interrupted_stops_within_5_s_and_keeps_what_is_finished(
    sample: Sample, number: signal.Signals
) -> None:
    session = sample.session()
    key = compute_keys(session.catalogue, session.lock, session.trees, ["extra"]).keys["extra"].key
    with (
        LayoutStore(sample.store).lock(key, cancel=Never(), waiting=lambda _: None),
        sample.spawn("build", "all", "--jobs", "1", *WITHOUT_ENGINE) as child,
    ):
        watchdog = threading.Timer(PATIENCE, child.kill)
        watchdog.start()
        try:
            assert child.stderr is not None
            wait_for_line(child.stderr, "is locked by another run")
            began = time.monotonic()
            child.send_signal(number)
            out, err = child.communicate()
        finally:
            watchdog.cancel()
    assert child.returncode == ExitCode.INTERRUPTED
    assert time.monotonic() - began < 5
    assert f"stopping ({number.name})" in err
    assert "interrupted; what was finished is kept" in err
    assert "Traceback" not in err

    finished = reused(sample.call("plan", "all", "--no-test", "--json"))
    assert "base" in finished
    assert out.startswith(f"{len(finished & {'base', 'tool', 'extra'})} built")
    again = sample.call("build", "all", *QUIETLY, "--json")
    assert again.code == ExitCode.OK
    assert "build:base" not in steps(again)


def test_fault_03_the_second_signal_ends_the_program_at_once(sample: Sample) -> None:
    session = sample.session()
    key = compute_keys(session.catalogue, session.lock, session.trees, ["base"]).keys["base"].key
    store = LayoutStore(sample.store)
    with (
        store.lock(key, cancel=Never(), waiting=lambda _: None),
        sample.spawn("build", "all", *WITHOUT_ENGINE) as child,
    ):
        assert child.stderr is not None
        wait_for_line(child.stderr, "is locked by another run")
        child.send_signal(signal.SIGINT)
        wait_for_line(child.stderr, "stopping (SIGINT)")
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)
    assert child.returncode == ExitCode.INTERRUPTED


def test_a_reader_that_goes_away_gets_no_traceback(sample: Sample) -> None:
    with sample.spawn("list", "--json") as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()
