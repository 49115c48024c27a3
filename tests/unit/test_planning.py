from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.disk import seal
from buildgraph.app.planning import DURATIONS, STEPS, plan_targets, save_durations
from buildgraph.app.session import find_store
from buildgraph.errors import UsageError
from buildgraph.plan import Wishes
from buildgraph.record import LATEST, LOADED, RECORDS, VERDICTS, name_load, parse_load
from tests.fakes.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.sample import Sample

BUILT_ONLY = Wishes(test=False, load=False)


def reasons(sample: Sample, *targets: str, wishes: Wishes = BUILT_ONLY, force: tuple[str, ...] = ()) -> dict[str, str]:
    planned = plan_targets(sample.session(), targets, wishes=wishes, force=force)
    return {step.id: step.reason for step in planned.plan.steps}


def record_name(sample: Sample, node: str) -> str:
    return plan_targets(sample.session(), [node], wishes=BUILT_ONLY).keys.keys[node].key


def test_what_was_never_built_says_so(sample: Sample) -> None:
    assert reasons(sample, "plain") == dict.fromkeys(("build:base", "build:extra", "compose:plain"), "never built here")


def test_planning_writes_nothing(sample: Sample) -> None:
    plan_targets(sample.session(), ["all"], wishes=Wishes())
    assert not sample.store.exists()


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (
            "layers/extra/files/conf/extra.conf",
            "size = 1",
            "size = 2",
            {"build:extra": "file files/conf/extra.conf changed", "compose:plain": "layer extra changed"},
        ),
        (
            "manifests/layers/extra.yaml",
            "to: /etc/extra",
            "to: /etc/other",
            {"build:extra": "operation copy: /etc/extra -> /etc/other", "compose:plain": "layer extra changed"},
        ),
        (
            "manifests/images/plain.yaml",
            "layers: [base, extra]",
            "layers: [extra, base]",
            {"compose:plain": "the order"},
        ),
        (
            "manifests/images/plain.yaml",
            "layers: [base, extra]",
            "layers: [base]",
            {"compose:plain": "layer extra is gone"},
        ),
        (
            "manifests/layers/base.yaml",
            'env: {BASE: "1"}',
            'env: {BASE: "2"}',
            {"compose:plain": "variable BASE of base changed"},
        ),
    ],
)
def test_a_missing_record_gives_a_build_with_the_reason_that_names_what_changed(
    sample: Sample, path: str, old: str, new: str, expected: dict[str, str]
) -> None:
    sample.build("plain")
    sample.edit(path, old, new)
    found = reasons(sample, "plain")
    assert found.keys() == expected.keys()
    assert all(found[step].startswith(reason) for step, reason in expected.items())


def test_a_new_epoch_changes_everything_and_says_from_what_to_what(sample: Sample) -> None:
    sample.build("all")
    sample.edit("manifests/project.yaml", "1767225600", "1767225601")
    found = reasons(sample, "all")
    assert len(found) == 5
    assert found["build:base"] == "epoch: 1767225600 -> 1767225601"


def test_of_many_changes_some_are_named_and_the_others_counted(sample: Sample) -> None:
    sample.build("plain")
    for number in range(5):
        sample.write(f"layers/extra/files/conf/{number}", "x")
    reason = reasons(sample, "plain")["build:extra"]
    assert reason == ("file files/conf/0 is new; file files/conf/1 is new; file files/conf/2 is new; and 2 more")


def test_an_earlier_state_is_known_again(sample: Sample) -> None:
    sample.build("plain")
    sample.edit("layers/extra/files/conf/extra.conf", "size = 1", "size = 2")
    sample.build("plain")
    sample.edit("layers/extra/files/conf/extra.conf", "size = 2", "size = 1")
    assert reasons(sample, "plain") == {}


def test_what_is_forced_is_made_again_and_nothing_else(sample: Sample) -> None:
    sample.build("plain")
    assert reasons(sample, "plain", force=("extra",)) == {"build:extra": "asked for by --force"}
    with pytest.raises(UsageError, match="no target is called 'extr'"):
        reasons(sample, "plain", force=("extr",))


def test_fault_08_a_record_without_its_blob_is_a_miss(sample: Sample) -> None:
    sample.build("plain")
    session = sample.session()
    digest = plan_targets(session, ["extra"], wishes=BUILT_ONLY).records["extra"].digest
    session.store.blob_path(digest).unlink()
    assert reasons(sample, "plain") == {"build:extra": f"the store has a record but not the blob {digest}"}


def test_fault_05_a_record_whose_blob_is_cut_is_a_miss(sample: Sample) -> None:
    sample.build("plain")
    session = sample.session()
    record = plan_targets(session, ["extra"], wishes=BUILT_ONLY).records["extra"]
    os.truncate(session.store.blob_path(record.digest), record.size // 2)
    assert list(reasons(sample, "plain")) == ["build:extra"]


def test_fault_08_an_image_without_its_config_is_composed_again(sample: Sample) -> None:
    sample.build("plain")
    session = sample.session()
    record = plan_targets(session, ["plain"], wishes=BUILT_ONLY).records["plain"]
    session.store.blob_path(record.config_digest).unlink()
    assert list(reasons(sample, "plain")) == ["compose:plain"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"record": 1', '"record": 2'),
        lambda text: text.replace("sha256:", "sha256;"),
        lambda _: "[]",
    ],
    ids=["empty", "cut", "newer format", "no digest", "other JSON"],
)
def test_fault_07_15_a_record_that_cannot_be_read_is_a_miss(sample: Sample, damage: Callable[[str], str]) -> None:
    sample.build("plain")
    name = record_name(sample, "extra")
    store = sample.session().store
    text = store.read(RECORDS, name)
    assert text is not None
    store.write(RECORDS, name, damage(text))
    assert reasons(sample, "plain") == {"build:extra": "its record cannot be read by this version"}


@pytest.mark.parametrize("text", ["", "A" * 64, "../x"])
def test_fault_07_a_note_of_the_newest_record_that_leads_nowhere_does_not_count(sample: Sample, text: str) -> None:
    sample.build("plain")
    sample.session().store.write(LATEST, "extra", text)
    sample.edit("layers/extra/files/conf/extra.conf", "size = 1", "size = 2")
    assert reasons(sample, "plain")["build:extra"] == "never built here"


def test_fault_08_a_note_of_a_record_that_is_gone_gives_a_build_that_says_so(sample: Sample) -> None:
    sample.build("plain")
    sample.session().store.write(LATEST, "extra", "ab" * 32)
    sample.edit("layers/extra/files/conf/extra.conf", "size = 1", "size = 2")
    reason = "its inputs changed, and the record of its last build, abababababab, is missing"
    assert reasons(sample, "plain")["build:extra"] == reason


def test_a_verdict_makes_a_node_done(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all", without="extra")
    wishes = Wishes(load=False)
    assert list(reasons(sample, "app", wishes=wishes)) == []
    assert list(reasons(sample, "plain", wishes=wishes)) == ["test:extra"]


def test_a_pass_with_another_service_is_none(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "test_on:", "test_with: [plain]\ntest_on:")
    sample.build("all")
    sample.plant_verdicts("all")
    wishes = Wishes(load=False)
    assert reasons(sample, "tool", wishes=wishes) == {}
    sample.edit("layers/extra/files/conf/extra.conf", "1", "2")
    assert list(reasons(sample, "tool", wishes=wishes)) == [
        *("build:extra", "test:extra", "compose:plain", "test:plain", "test:tool"),
    ]
    sample.build("plain")
    sample.plant_verdicts("plain")
    assert list(reasons(sample, "tool", wishes=wishes)) == ["test:tool"]


def test_fault_07_a_verdict_that_cannot_be_read_is_no_pass(sample: Sample) -> None:
    sample.build("plain")
    sample.plant_verdicts("plain")
    store = sample.session().store
    for name in store.names(VERDICTS):
        store.write(VERDICTS, name, '{"verdict": 1, "passed": 0}')
    assert list(reasons(sample, "plain", wishes=Wishes(load=False))) == ["test:base", "test:extra", "test:plain"]


def test_a_pass_does_not_serve_other_tests_or_another_image(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    sample.edit("manifests/layers/base.yaml", "one", "two")
    sample.build("all")
    assert list(reasons(sample, "app", wishes=Wishes(load=False))) == ["test:base", "test:tool", "test:app-1"]


def test_what_an_engine_was_given_makes_a_target_done(sample: Sample) -> None:
    sample.build("all")
    wishes = Wishes(test=False)
    sample.plant_loads("app")
    assert reasons(sample, "app", wishes=wishes) == {}
    assert reasons(sample, "all", wishes=wishes) == {"load:plain": "no load of sample/plain:1 is recorded"}
    sample.plant_loads("all")
    assert reasons(sample, "all", wishes=wishes) == {}


def test_an_edit_that_is_undone_gives_a_load_of_what_was_there_before(sample: Sample) -> None:
    conf = "layers/extra/files/conf/extra.conf"
    sample.build("plain")
    sample.edit(conf, "size = 1", "size = 2")
    sample.build("plain")
    sample.plant_loads("plain")
    digest = plan_targets(sample.session(), ["plain"], wishes=BUILT_ONLY).records["plain"].digest
    sample.edit(conf, "size = 2", "size = 1")
    assert reasons(sample, "plain", wishes=Wishes(test=False)) == {
        "load:plain": f"an engine was last given another digest as sample/plain:1, {digest}"
    }


GARBAGE = [
    b"",
    b"\n",
    b"sha256:",
    b"sha256:" + b"E" * 64,
    b"sha256:" + b"e" * 63,
    b"sha256:" + b"e" * 64 + b" and more",
    b"ab" * 32,
    b'{"digest": "sha256:1"}',
    b"../plain",
    b"\0" * 100,
    b"sha256:" + b"e" * 1_000_000,
    b"sha256:\xff\xfe",
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_fault_07_a_note_of_a_load_that_cannot_be_read_is_no_load(sample: Sample, data: bytes) -> None:
    sample.build("plain")
    sample.plant_loads("plain")
    session, wishes = sample.session(), Wishes(test=False)
    right = session.store.read(LOADED, name_load("sample/plain:1"))
    path = sample.store / LOADED / f"{name_load('sample/plain:1')}.json"
    for written in (seal(data), data):  # as a program would leave it, and as a disk would
        path.write_bytes(written)
        assert reasons(sample, "plain", wishes=wishes) == {"load:plain": "no load of sample/plain:1 is recorded"}
        assert reasons(sample, "base", "extra", wishes=wishes) == {}
    session.store.write(LOADED, name_load("sample/plain:1"), right or "")
    assert reasons(sample, "plain", wishes=wishes) == {}


def test_what_was_loaded_is_asked_for_images_that_are_targets_and_made_and_for_nothing_else(sample: Sample) -> None:
    sample.build("app")
    store = sample.session().store
    for wishes, targets, count in (
        (Wishes(test=False), ["all"], 1),
        (Wishes(test=False), ["base", "tool"], 0),
        (BUILT_ONLY, ["all"], 0),
    ):
        with counted(parse_load) as calls:
            plan_targets(sample.session(), targets, wishes=wishes)
        assert calls["parse_load"] == count
    assert store.names(LOADED) == ()


def test_durations_of_earlier_runs_are_remembered(sample: Sample) -> None:
    session = sample.session()
    save_durations(session, {"build:base": 12.345})
    save_durations(session, {"build:extra": 2.0})
    plan = plan_targets(session, ["plain"], wishes=BUILT_ONLY).plan
    assert {step.id: step.seconds for step in plan.steps if step.action == "build"} == {
        "build:base": 12.35,
        "build:extra": 2.0,
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"build:base": "long"}', '{"build:base": null}'])
def test_fault_07_durations_that_cannot_be_read_do_not_count(sample: Sample, text: str) -> None:
    session = sample.session()
    session.store.write(DURATIONS, STEPS, text)
    assert len(plan_targets(session, ["plain"], wishes=BUILT_ONLY).plan.steps) == 3


def test_groups_and_globs_name_several_targets(sample: Sample) -> None:
    planned = plan_targets(sample.session(), ["apps", "pl*"], wishes=BUILT_ONLY)
    assert planned.plan.targets == ("app-1", "plain")


def test_the_store_is_the_chosen_one_or_in_the_user_s_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_store({"BUILDGRAPH_STORE": "/somewhere"}) == Path("/somewhere")
    assert find_store({}) == tmp_path / "buildgraph/store"
