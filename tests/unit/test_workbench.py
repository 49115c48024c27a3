from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import BuildFailure, ExitCode
from buildgraph.events import Outcome, StepProgress
from buildgraph.execute.loading import load_image
from buildgraph.graph import references_of
from buildgraph.key import hash_document
from buildgraph.model import Skip
from buildgraph.model import TestCounts as Counts
from buildgraph.plan import Wishes, compose_test_image
from buildgraph.record import CONTENTS, LATEST, LOADED, RECORDS, VERDICTS, Load, name_load
from tests.fakes.bench import RUN, WITHOUT_TESTS, Bench
from tests.fakes.catalogues import make_catalogue, make_files_layer, make_image, make_reading_layer
from tests.fakes.engine import BreakingEngine, FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from buildgraph.model import Composition
    from buildgraph.ports import Cancel

JAR = "maven:org.example:jar:1"
SHARED = "maven:org.example:shared:2"

ROOT = make_files_layer("root")
CHILD = make_reading_layer("child", parents=("root",))
JARS = make_files_layer("jars", sources=(JAR, SHARED), test_on=("root",))
MORE = make_files_layer("more", sources=(SHARED,), test_on=("root",))
APP = make_image("app", ("root", "child", "jars"))
PLAIN = make_image("plain", ("root", "more"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    catalogue = make_catalogue(ROOT, CHILD, JARS, MORE, APP, PLAIN)
    return Bench(catalogue, tmp_path, contents={JAR: b"jar" * 50, SHARED: b"shared" * 50})


@dataclass
class Stopping(FakeEngine):
    """The user interrupts the run when the tests have passed and the image is about to get its name."""

    cancel: threading.Event = field(kw_only=True)

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        if not references[0].startswith("buildgraph-test/"):
            self.cancel.set()
        super().load(composition, references, cancel=cancel)


class HeldBench(Bench):
    """Another run makes a node while this one waits for its key."""

    other: Bench
    meanwhile = ""

    @contextmanager
    def guard(self, key: str) -> Iterator[None]:
        if self.meanwhile and key == self.keys.keys[self.meanwhile].key:
            node, self.meanwhile = self.meanwhile, ""
            self.other.run(node, wishes=WITHOUT_TESTS)
        with super().guard(key):
            yield


def test_a_run_builds_composes_tests_and_loads_and_the_next_has_nothing_to_do(bench: Bench) -> None:
    run = bench.run("app")
    assert {entry.outcome for entry in run.result.steps} == {Outcome.DONE}, run.result.failed
    assert sorted(bench.builder.built) == ["child", "jars", "root"]
    assert sorted(call.node for call in bench.probe.calls) == ["app", "child", "jars", "root"]
    assert bench.engine.images == {"sample/app:1": bench.records()["app"].digest}
    assert bench.plan("app").steps == ()


def test_what_the_engine_was_given_is_remembered_when_it_has_it(bench: Bench) -> None:
    bench.run("app", wishes=Wishes(load=False))
    assert (bench.loaded(), bench.engine.images) == ({}, {})
    run = bench.run("app")
    assert [entry.step.id for entry in run.result.steps] == ["load:app"]
    assert run.of("load:app").note == "sample/app:1"
    digest = bench.records()["app"].digest
    assert bench.engine.images == {"sample/app:1": digest}
    assert bench.loaded() == {"sample/app:1": Load(digest, bench.engine.id)}
    assert bench.texts.folders[LOADED] == {name_load("sample/app:1"): f"{digest} {bench.engine.id}\n"}
    assert bench.plan("app").steps == ()


def test_images_that_share_a_reference_are_not_loaded_at_once(bench: Bench) -> None:
    bench.run("app", wishes=Wishes(load=False))
    composition = compose_test_image(bench.catalogue, APP, bench.records())
    assert composition is not None
    held: list[set[str]] = []
    for image in (replace(APP, tags=("1", "latest")), replace(PLAIN, repository=APP.repository, tags=("2", "latest"))):
        bench.guarded.clear()
        load_image(image, composition, bench.engine, texts=bench.texts, guard=bench.guard, cancel=threading.Event())
        # In one order always, or two runs could wait for each other.
        assert bench.guarded == [hash_document({"load": name}) for name in sorted(references_of(image))]
        held.append(set(bench.guarded))
    assert len(held[0] & held[1]) == 1


def test_images_that_tests_run_on_and_with_are_not_remembered(bench: Bench) -> None:
    bench.run("jars", "root")
    assert bench.loaded() == {}


def test_a_run_that_stops_between_the_tests_and_the_load_leaves_the_load_to_the_next(bench: Bench) -> None:
    cancel = threading.Event()
    bench.engine = Stopping(bench.blobs, cancel=cancel)
    stopped = bench.run("app", cancel=cancel)
    assert stopped.of("test:app").outcome is Outcome.DONE
    assert stopped.result.exit_code is ExitCode.INTERRUPTED
    assert bench.loaded() == {}
    assert [step.id for step in bench.plan("app").steps] == ["load:app"]
    bench.run("app")
    assert bench.engine.images == {"sample/app:1": bench.records()["app"].digest}
    assert bench.plan("app").steps == ()


def test_a_load_that_fails_is_tried_again_also_of_an_image_that_the_engine_had(bench: Bench) -> None:
    bench.run("app")
    bench.has_engine = False
    wishes = replace(WITHOUT_TESTS, load=True, force=frozenset({"app"}))
    assert bench.run("app", wishes=wishes).of("load:app").outcome is Outcome.FAILED
    assert bench.loaded(), "the engine was not even asked"
    bench.has_engine, bench.engine = True, BreakingEngine(bench.blobs)
    assert bench.run("app", wishes=wishes).of("load:app").note == "the engine stopped answering"
    assert bench.loaded() == {}, "nobody knows what the engine has now"
    assert [step.id for step in bench.plan("app").steps] == ["load:app"]


def test_an_earlier_state_that_comes_back_is_loaded_again(bench: Bench) -> None:
    bench.run("plain")
    old, first = dict(bench.trees), bench.engine.images["sample/plain:1"]
    bench.trees["more"] = {"files/config": "-:2"}
    bench.builder.contents["more"] = {"opt/more": b"other"}
    bench.run("plain")
    second = bench.engine.images["sample/plain:1"]
    assert second != first
    bench.trees = old
    run = bench.run("plain")
    assert {entry.step.id: entry.step.reason for entry in run.result.steps} == {
        "load:plain": f"an engine was last given another digest as sample/plain:1, {second}"
    }
    assert bench.engine.images["sample/plain:1"] == first
    assert bench.plan("plain").steps == ()


def test_two_loads_of_an_image_do_not_meet(bench: Bench) -> None:
    bench.run("app", wishes=Wishes(load=False))
    del bench.guarded[:]
    bench.run("app")
    bench.run("app", wishes=replace(WITHOUT_TESTS, load=True, force=frozenset({"app"})))
    first, _, second = bench.guarded
    assert first == second, "whatever the digest is that is loaded"
    assert first not in {key.key for key in bench.keys.keys.values()}


def test_a_build_gets_what_its_manifest_declares_and_nothing_else(bench: Bench) -> None:
    bench.run("app", wishes=WITHOUT_TESTS)
    inputs = {each.layer.name: each for each in bench.builder.asked}
    assert [parent.node for parent in inputs["child"].parents] == ["root"]
    assert inputs["child"].parents[0].blob.digest == bench.records()["root"].digest
    assert set(inputs["jars"].artifacts) == {"1", "2"}
    assert inputs["jars"].parents == ()
    assert inputs["root"].artifacts == {}


def test_only_what_is_missing_is_fetched(bench: Bench, tmp_path: Path) -> None:
    here = tmp_path / "sources" / bench.artifacts[JAR].sha256
    here.mkdir(parents=True)
    (here / bench.artifacts[JAR].file).write_bytes(bench.contents[JAR])

    run = bench.run("jars", wishes=WITHOUT_TESTS)
    assert bench.fetcher.fetched == [SHARED]
    assert run.of("fetch:jars/1").outcome is Outcome.REUSED
    assert run.of("fetch:jars/2").outcome is Outcome.DONE


def test_a_failed_download_fails_its_step_and_blocks_the_layer(bench: Bench) -> None:
    assert bench.artifacts
    del bench.contents[JAR]
    run = bench.run("app", wishes=WITHOUT_TESTS)
    assert run.of("fetch:jars/1").outcome is Outcome.FAILED
    assert run.of("build:jars").outcome is Outcome.BLOCKED
    assert run.of("build:child").outcome is Outcome.DONE
    assert run.result.exit_code is ExitCode.ENVIRONMENT


def test_a_record_is_written_after_everything_that_it_names(bench: Bench) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    assert bench.texts.journal == [CONTENTS, RECORDS, LATEST]


def test_a_failed_build_leaves_no_record(bench: Bench) -> None:
    bench.builder.errors["root"] = BuildFailure("the hook failed", log="/logs/root")
    run = bench.run("app", wishes=WITHOUT_TESTS)
    assert run.of("build:root").note == "the hook failed"
    assert run.of("build:root").log == "/logs/root"
    assert run.of("build:child").outcome is Outcome.BLOCKED
    assert set(bench.records()) == {"jars"}


def test_a_rebuilt_parent_with_the_same_content_lets_its_children_be_recorded_anew_without_a_build(
    bench: Bench,
) -> None:
    bench.run("app")
    old = bench.records()
    bench.trees["root"] = {"files/comment": "-:1"}

    run = bench.run("app")
    assert sorted(bench.builder.built) == ["child", "jars", "root", "root"], "the child is not built again"
    assert run.of("build:child").outcome is Outcome.REUSED
    new = bench.records()
    assert new["child"].key != old["child"].key
    assert new["child"].digest == old["child"].digest
    assert new["app"].digest == old["app"].digest


@pytest.mark.parametrize("text", ["", "A" * 64, "../x", "ab" * 32])
def test_fault_07_a_note_of_known_content_that_leads_nowhere_lets_the_layer_be_built(bench: Bench, text: str) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    content_key = bench.records()["root"].content_key
    bench.texts.folders[RECORDS].clear()
    bench.texts.write(CONTENTS, content_key, text)
    bench.run("root", wishes=WITHOUT_TESTS)
    assert bench.builder.built == ["root", "root"]


def test_tests_that_passed_on_the_same_image_are_not_run_again_after_a_rebuild(bench: Bench) -> None:
    bench.run("app")
    bench.trees["root"] = {"files/comment": "-:1"}
    calls = len(bench.probe.calls)
    run = bench.run("app")
    assert run.of("test:app").outcome is Outcome.REUSED
    assert run.of("test:app").note == "passed before on the same image"
    assert len(bench.probe.calls) == calls


def test_a_rebuilt_parent_with_other_content_builds_its_children(bench: Bench) -> None:
    bench.run("app", wishes=WITHOUT_TESTS)
    bench.trees["root"] = {"files/config": "-:2"}
    bench.builder.contents["root"] = {"opt/root": b"other"}
    bench.run("app", wishes=WITHOUT_TESTS)
    assert bench.builder.built[3:] == ["root", "child"]


def test_a_forced_layer_is_built_although_the_store_knows_its_content(bench: Bench) -> None:
    bench.run("app", wishes=WITHOUT_TESTS)
    run = bench.run("app", wishes=replace(WITHOUT_TESTS, force=frozenset({"root"})))
    assert bench.builder.built[-1] == "root"
    assert run.of("build:root").outcome is Outcome.DONE


def test_a_record_that_another_run_made_meanwhile_is_used(tmp_path: Path) -> None:
    catalogue = make_catalogue(ROOT)
    bench, other = HeldBench(catalogue, tmp_path), Bench(catalogue, tmp_path)
    other.blobs, other.texts, other.builder.blobs = bench.blobs, bench.texts, bench.blobs
    bench.other, bench.meanwhile = other, "root"

    run = bench.run("root", wishes=WITHOUT_TESTS)
    assert other.builder.built == ["root"]
    assert bench.builder.built == []
    assert run.of("build:root").outcome is Outcome.REUSED


def test_a_key_is_held_while_its_layer_is_built(bench: Bench) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    assert bench.guarded == [bench.keys.keys["root"].key]


def test_a_record_whose_blob_is_gone_does_not_count(bench: Bench) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    del bench.blobs.blobs[bench.records()["root"].digest]
    bench.run(plan=bench.plan("root", wishes=replace(WITHOUT_TESTS, force=frozenset({"root"}))))
    assert bench.builder.built == ["root", "root"]


@pytest.mark.parametrize("name", ["root", "app"])
def test_a_node_over_its_budget_fails_and_says_by_how_much(tmp_path: Path, name: str) -> None:
    nodes = [make_files_layer("root", budget=10 if name == "root" else None)]
    catalogue = make_catalogue(*nodes, make_image("app", ("root",), budget=10 if name == "app" else None))
    bench = Bench(catalogue, tmp_path)
    run = bench.run("app", wishes=WITHOUT_TESTS)
    (failed,) = run.result.failed
    assert failed.step.node == name
    assert f"{name} is 0.0 MB, its budget is 0.0 MB; make it smaller, or raise the budget" in failed.note
    assert name not in bench.records()


def test_a_conflict_names_path_layers_and_image_and_leaves_the_other_image_alone(bench: Bench) -> None:
    bench.builder.contents["root"] = {"etc/motd": b"one"}
    bench.builder.contents["jars"] = {"etc/motd": b"two"}
    run = bench.run("app", "plain", wishes=WITHOUT_TESTS)
    assert run.of("compose:app").outcome is Outcome.FAILED
    assert "manifests/images/app.yaml:1: app: /etc/motd: jars has other content than that of root" in (
        run.of("compose:app").note
    )
    assert "overrides" in run.of("compose:app").note
    assert run.of("compose:plain").outcome is Outcome.DONE
    assert "app" not in bench.records()


def test_many_conflicts_are_counted_and_the_first_shown(bench: Bench) -> None:
    bench.builder.contents["root"] = {f"etc/{number}": b"one" for number in range(30)}
    bench.builder.contents["jars"] = {f"etc/{number}": b"two" for number in range(30)}
    note = bench.run("app", wishes=WITHOUT_TESTS).of("compose:app").note
    assert note.count("has other content") == 20
    assert "and 10 more" in note


def test_a_declared_override_is_no_conflict(tmp_path: Path) -> None:
    image = make_image("app", ("root", "more"), overrides={"/etc/motd": "the upper one is ours"})
    bench = Bench(make_catalogue(ROOT, make_files_layer("more"), image), tmp_path)
    bench.builder.contents = {"root": {"etc/motd": b"one"}, "more": {"etc/motd": b"two"}}
    assert bench.run("app", wishes=WITHOUT_TESTS).of("compose:app").outcome is Outcome.DONE


def test_a_layer_without_its_file_index_cannot_be_composed_and_the_hint_helps(bench: Bench) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    bench.blobs.files.clear()
    run = bench.run("plain", wishes=WITHOUT_TESTS)
    assert "the file index of root is missing; run: buildgraph build --force root" in run.of("compose:plain").note
    again = bench.run("plain", wishes=replace(WITHOUT_TESTS, force=frozenset({"root"})))
    assert again.of("compose:plain").outcome is Outcome.DONE


def test_tests_run_on_the_composition_that_the_manifest_names(bench: Bench) -> None:
    bench.run("jars")
    call = next(call for call in bench.probe.calls if call.node == "jars")
    assert call.reference == f"buildgraph-test/jars:{RUN}"
    assert call.tests == ("layers/jars/test_jars.py",)
    assert call.params == {"node": "jars"}
    held = {layer for layers in bench.engine.layers.values() for layer in layers}
    assert {bench.records()["root"].digest, bench.records()["jars"].digest} <= held


class TestServices:
    """``jobs`` is tested with the image ``database``."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        jobs = replace(make_files_layer("jobs", test_on=("root",)), test_with=("database",))
        engine = make_files_layer("engine", test_on=("root",))
        return Bench(make_catalogue(ROOT, jobs, engine, make_image("database", ("root", "engine"))), tmp_path)

    def test_they_are_made_and_tested_first_and_given_by_name(self, bench: Bench) -> None:
        run = bench.run("jobs")
        assert {entry.outcome for entry in run.result.steps} == {Outcome.DONE}
        calls = {call.node: call for call in bench.probe.calls}
        assert list(calls)[-2:] == ["database", "jobs"]
        assert calls["jobs"].services == {"database": f"buildgraph-test/database:{RUN}"}
        assert calls["database"].services == calls["root"].services == {}
        assert bench.records()["database"].digest in bench.engine.layers

    def test_their_names_are_taken_away_with_the_others(self, bench: Bench) -> None:
        bench.run("jobs")
        assert bench.engine.images == {}

    def test_the_next_run_has_nothing_to_do(self, bench: Bench) -> None:
        bench.run("jobs")
        assert bench.plan("jobs").steps == ()

    def test_one_that_fails_its_own_tests_is_started_by_nobody(self, bench: Bench) -> None:
        bench.probe.results["engine"] = Counts(passed=0, failed=1, skipped=(), failures=("test_a: no",))
        run = bench.run("jobs")
        assert run.of("test:jobs").outcome is Outcome.BLOCKED
        assert "jobs" not in bench.passed()

    def test_another_content_of_one_makes_the_tests_run_again(self, bench: Bench) -> None:
        bench.run("jobs")
        bench.builder.contents["engine"] = {"etc/engine": b"new"}
        bench.trees["engine"] = {"files/engine": "-:new"}
        run = bench.run("jobs")
        assert run.of("test:jobs").outcome is Outcome.DONE
        assert "build:jobs" not in [entry.step.id for entry in run.result.steps]


def test_an_image_runs_its_own_tests_and_those_that_its_layers_hand_on(bench: Bench) -> None:
    bench.run("plain")
    call = next(call for call in bench.probe.calls if call.node == "plain")
    assert call.tests == ("layers/plain/test_plain.py",)
    assert call.inherited == ("layers/root/test_root.py", "layers/more/test_more.py")


def test_a_pass_is_stored_with_its_counts_and_skips(bench: Bench) -> None:
    skip = Skip(test="test_gpu", reason="no GPU here")
    bench.probe.results["root"] = Counts(passed=3, failed=0, skipped=(skip,), seconds=1.5)
    run = bench.run("root")
    assert run.of("test:root").note == "3 passed, 1 skipped; skipped test_gpu: no GPU here"
    assert bench.passed() == {"root"}


def test_a_failed_test_stores_no_verdict_and_names_each_failure(bench: Bench) -> None:
    bench.probe.results["root"] = Counts(passed=1, failed=2, skipped=(), failures=("test_a: no", "test_b: no"))
    run = bench.run("plain")
    failed = run.of("test:root")
    assert failed.outcome is Outcome.FAILED
    assert failed.details == ("test_a: no", "test_b: no")
    assert failed.log.endswith("test_root.log")
    assert run.of("compose:plain").outcome is Outcome.BLOCKED
    assert run.of("test:more").outcome is Outcome.DONE
    assert bench.passed() == {"more"}
    assert len(bench.texts.names(VERDICTS)) == 1


@pytest.mark.parametrize("skipped", [(), (Skip(test="test_gpu", reason="no GPU here"),)])
def test_fault_40_a_run_that_executed_no_test_is_a_failure(bench: Bench, skipped: tuple[Skip, ...]) -> None:
    bench.probe.results["root"] = Counts(passed=0, failed=0, skipped=skipped)
    run = bench.run("root")
    assert run.of("test:root").outcome is Outcome.FAILED
    assert run.of("test:root").details == ("no test was executed",)
    assert bench.texts.names(VERDICTS) == ()


def test_a_new_run_of_the_tests_can_be_asked_for(bench: Bench) -> None:
    bench.run("root")
    run = bench.run("root", wishes=Wishes(retest=True))
    assert run.of("test:root").outcome is Outcome.DONE
    assert len(bench.probe.calls) == 2


def test_a_pass_elsewhere_does_not_count_in_a_place_that_can_do_more(bench: Bench) -> None:
    bench.run("root")
    bench.capabilities = ("gpu",)
    assert [step.id for step in bench.plan("root").steps] == ["test:root"]


def test_changed_tests_run_again_and_nothing_is_built(bench: Bench) -> None:
    bench.run("plain")
    bench.tests["more"] = {"test_more.py": "-:new"}
    assert [step.id for step in bench.plan("plain", wishes=Wishes(load=False)).steps] == ["test:more", "test:plain"]


def test_sources_are_dropped_after_their_last_reader(bench: Bench) -> None:
    bench.run("jars", "more", wishes=WITHOUT_TESTS)
    assert bench.fetcher.dropped == [JAR, SHARED]
    assert not any(bench.fetcher.has(artifact) for artifact in bench.artifacts.values())


def test_sources_of_a_failed_layer_stay_for_the_next_run(bench: Bench) -> None:
    bench.builder.errors["jars"] = BuildFailure("broken")
    bench.run("jars", "more", wishes=WITHOUT_TESTS)
    assert bench.fetcher.dropped == []
    bench.builder.errors.clear()
    fetched = len(bench.fetcher.fetched)
    bench.run("jars", "more", wishes=WITHOUT_TESTS)
    assert len(bench.fetcher.fetched) == fetched, "nothing is fetched again"
    assert sorted(bench.fetcher.dropped) == [JAR, SHARED]


def test_sources_stay_when_that_is_asked_for(bench: Bench) -> None:
    bench.run("jars", wishes=WITHOUT_TESTS, keep_sources=True)
    assert bench.fetcher.dropped == []


def test_references_made_for_tests_are_gone_at_the_end_of_the_run(bench: Bench) -> None:
    bench.probe.results["root"] = Counts(passed=0, failed=1, skipped=(), failures=("test_a: no",))
    bench.run("plain")
    assert not [reference for reference in bench.engine.images if reference.startswith("buildgraph-test/")]


def test_a_machine_without_an_engine_builds_and_reports_the_tests_as_failed(bench: Bench) -> None:
    bench.has_engine = False
    run = bench.run("plain")
    assert run.of("build:root").outcome is Outcome.DONE
    assert run.of("test:root").note == "no Docker engine answers"
    assert run.of("compose:plain").outcome is Outcome.BLOCKED
    assert run.result.exit_code is ExitCode.ENVIRONMENT


def test_an_unlocked_layer_is_refused_with_the_command_that_helps_and_its_sibling_is_built(bench: Bench) -> None:
    del bench.artifacts[JAR]
    run = bench.run("jars", "more", wishes=WITHOUT_TESTS)
    (refusal,) = run.result.refused
    assert str(refusal).startswith("jars: source 1 is not locked (")
    assert str(refusal).endswith("; run: buildgraph lock --update jars")
    assert {entry.step.id: entry.outcome for entry in run.result.steps if entry.step.action == "build"} == {
        "build:more": Outcome.DONE
    }
    assert run.result.exit_code is ExitCode.FAILED


def test_a_cancelled_run_keeps_what_is_finished(bench: Bench) -> None:
    cancel = threading.Event()
    bench.run("root", wishes=WITHOUT_TESTS)
    cancel.set()
    run = bench.run("plain", wishes=WITHOUT_TESTS, cancel=cancel)
    assert run.result.exit_code is ExitCode.INTERRUPTED
    assert set(bench.records()) == {"root"}


def test_progress_is_told_under_the_id_of_its_step(bench: Bench) -> None:
    run = bench.run("jars", wishes=WITHOUT_TESTS)
    told = {event.step for event in run.events if isinstance(event, StepProgress)}
    assert told == {"fetch:jars/1", "fetch:jars/2"}


def test_fault_10_a_note_of_known_content_that_leads_to_another_layer_is_not_believed(bench: Bench) -> None:
    bench.run("root", "more", wishes=WITHOUT_TESTS)
    old = bench.records()
    bench.texts.folders[RECORDS].pop(old["root"].key)
    bench.texts.write(CONTENTS, old["root"].content_key, old["more"].key)
    bench.run("root", wishes=WITHOUT_TESTS)
    assert bench.builder.built.count("root") == 2
    assert bench.records()["root"].digest == old["root"].digest


def test_fault_20_a_layer_whose_files_changed_while_it_was_built_leaves_no_record(bench: Bench) -> None:
    bench.edited.add("root")
    run = bench.run("root", wishes=WITHOUT_TESTS)
    assert run.of("build:root").note == "layers/root changed while it was built; run again"
    assert "root" not in bench.records()


def test_fault_20_tests_that_changed_while_they_ran_leave_no_verdict(bench: Bench) -> None:
    bench.run("root", wishes=WITHOUT_TESTS)
    bench.edited.add("root")
    run = bench.run("root")
    assert run.of("test:root").note == "layers/root changed while they ran; run again"
    assert bench.passed() == set()


def test_fault_16_an_image_that_another_run_composed_meanwhile_is_not_composed_again(bench: Bench) -> None:
    plan = bench.plan("app", wishes=WITHOUT_TESTS)
    bench.run("app", wishes=WITHOUT_TESTS)
    again = bench.run("app", wishes=WITHOUT_TESTS, plan=plan)
    assert again.of("compose:app").outcome is Outcome.REUSED
    assert again.of("compose:app").note.startswith("composed by another run")
