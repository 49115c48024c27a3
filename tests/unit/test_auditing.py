"""``verify``: a clean store is clean, each kind of damage has its class, and a repair leaves what a build completes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from buildgraph.adapters.disk import seal, unseal
from buildgraph.adapters.inventory import open_plain
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.app.auditing import Audit, audit_store
from buildgraph.app.mending import Repair, repair_store
from buildgraph.audit import Kind, Remedy
from buildgraph.errors import EnvironmentFault, ExitCode, Interrupted
from buildgraph.record import LOADED, name_load
from tests.fakes.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.audit import Finding
    from tests.fakes.sample import Sample

PLAIN = name_load("sample/plain:1")
WITHOUT_ENGINE = ("--no-test", "--no-load", "--progress", "quiet")


@pytest.fixture
def built(sample: Sample) -> Sample:
    sample.build("all")
    return sample


def audit(sample: Sample) -> Audit:
    return audit_store(LayoutStore(sample.store), progress=lambda _done, _total: None, cancel=Never())


def repair(sample: Sample) -> Repair:
    return repair_store(LayoutStore(sample.store), progress=lambda _done, _total: None, cancel=Never())


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def record_of(sample: Sample, node: str) -> Path:
    key = (sample.store / "latest" / f"{node}.json").read_text().split()[0]
    return sample.store / "records" / f"{key}.json"


def blob_of(sample: Sample, node: str) -> Path:
    return sample.store / "blobs" / "sha256" / digest_in(record_of(sample, node)).removeprefix("sha256:")


def digest_in(record: Path) -> str:
    data = unseal(record.read_bytes())
    assert data is not None
    return str(json.loads(data)["digest"])


def edit_record(sample: Sample, node: str, edit: Callable[[dict[str, object]], None]) -> None:
    """Change a record and seal it again, as no disk fault would."""
    path = record_of(sample, node)
    data = unseal(path.read_bytes())
    assert data is not None
    body = json.loads(data)
    edit(body)
    path.write_bytes(seal(json.dumps(body).encode()))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_store_as_a_build_leaves_it_is_clean(built: Sample) -> None:
    built.plant_verdicts("all")
    done = built.call("verify")
    assert done.code == ExitCode.OK, done.out
    assert audit(built).wrong == ()
    document = json.loads(built.call("verify", "--json").out)
    assert document["clean"] is True
    assert {finding["class"] for finding in document["findings"]} <= {"orphan"}


def test_verify_changes_nothing(built: Sample) -> None:
    flip(blob_of(built, "tool"))
    before = {path: path.read_bytes() for path in built.store.rglob("*") if path.is_file()}
    assert built.call("verify").code == ExitCode.FAILED
    assert {path: path.read_bytes() for path in built.store.rglob("*") if path.is_file()} == before


def test_a_store_that_is_not_there_is_not_clean(sample: Sample) -> None:
    done = sample.call("verify")
    assert done.code == ExitCode.ENVIRONMENT
    assert "there is no store" in done.err
    assert not sample.store.exists()


def test_a_store_of_another_program_is_refused_and_left_as_it_is(built: Sample) -> None:
    path, text = built.store / "store.json", seal(json.dumps({"store": 7}).encode())
    path.write_bytes(text)
    for look in (audit, repair):
        with pytest.raises(EnvironmentFault, match="the store has format 7, this program reads 1"):
            look(built)
    assert path.read_bytes() == text


@pytest.mark.parametrize("text", [b"[1.5]", b"{"])
def test_durations_that_are_no_table_are_wrong_even_when_their_seal_holds(built: Sample, text: bytes) -> None:
    (built.store / "durations" / "steps.json").write_bytes(seal(text))
    found = only(audit(built).wrong)
    assert (found.kind, found.path) == (Kind.CORRUPT, "durations/steps.json")
    assert found.what == "it is no table of durations"
    assert repair(built).after.wrong == ()


def test_a_damaged_blob_is_named_with_what_it_holds(built: Sample) -> None:
    path = blob_of(built, "tool")
    flip(path)
    corrupt = [finding for finding in audit(built).wrong if finding.kind is Kind.CORRUPT]
    assert only(tuple(corrupt)).path == path.relative_to(built.store).as_posix()
    assert digest_of(path.read_bytes()) in corrupt[0].what


def test_a_record_with_another_diff_id_is_wrong_even_when_its_seal_holds(built: Sample) -> None:
    def edit(body: dict[str, object]) -> None:
        layer = body["layer"]
        assert isinstance(layer, dict)
        layer["diff_id"] = digest_of(b"other")

    edit_record(built, "tool", edit)
    findings = [f for f in audit(built).wrong if f.path == record_of(built, "tool").relative_to(built.store).as_posix()]
    assert only(tuple(findings)).kind is Kind.CORRUPT
    assert "diff_id of tool" in findings[0].what


def test_a_record_under_the_name_of_another_key_is_wrong_and_misleads_no_build(built: Sample) -> None:
    shutil.copy(record_of(built, "extra"), record_of(built, "tool"))
    assert [f.kind for f in audit(built).wrong if "another key" in f.what] == [Kind.CORRUPT]
    planned = built.call("plan", "tool", "--no-test", "--json")
    assert [step["node"] for step in json.loads(planned.out)["steps"] if step["action"] == "build"] == ["tool"]


def test_an_image_whose_config_belongs_to_other_layers_is_wrong(built: Sample) -> None:
    body = json.loads(unseal(record_of(built, "plain").read_bytes()) or b"")

    def edit(other: dict[str, object]) -> None:
        other.update(size=body["size"] + 1)

    edit_record(built, "plain", edit)
    assert "do not belong together" in only(audit(built).wrong).what


def test_a_record_of_a_later_version_is_left_alone_and_nothing_wrong(built: Sample) -> None:
    edit_record(built, "tool", lambda body: body.update(record=99))
    found = audit(built)
    assert found.wrong == ()
    path = record_of(built, "tool").relative_to(built.store).as_posix()
    assert [f.what for f in found.findings if f.path == path] == [
        "of another version of this program, or none of its documents; it is not used"
    ]
    repair(built)
    assert record_of(built, "tool").is_file()


def test_what_an_engine_was_given_is_checked_and_damage_means_no_more_than_a_load(built: Sample) -> None:
    built.plant_verdicts("all")
    built.plant_loads("all")
    assert audit(built).wrong == ()
    path = built.store / LOADED / f"{PLAIN}.json"
    flip(path)
    assert (only(audit(built).wrong).path, only(audit(built).wrong).kind) == (f"loaded/{PLAIN}.json", Kind.CORRUPT)
    done = built.call("verify", "--repair")
    assert done.code == ExitCode.OK, done.out
    assert not path.exists()
    planned = json.loads(built.call("plan", "all", "--json").out)["steps"]
    assert [step["id"] for step in planned if "id" in step] == ["load:plain"]


def test_a_note_of_a_load_that_leads_nowhere_is_an_orphan_that_gc_removes(built: Sample) -> None:
    store = LayoutStore(built.store)
    store.write(LOADED, "plain", digest_of(b"gone") + "\n")
    store.write(LOADED, "no-image", digest_of(b"gone") + "\n")
    found = audit(built)
    assert found.wrong == ()
    paths = {"loaded/plain.json", "loaded/no-image.json"}
    assert {f.path: f.remedy for f in found.findings if f.path in paths} == dict.fromkeys(paths, Remedy.COLLECT)
    assert repair(built).after.wrong == ()
    assert built.call("gc", "--yes").code == ExitCode.OK
    assert store.names(LOADED) == ()


def test_a_note_of_a_load_of_a_later_version_is_left_alone(built: Sample) -> None:
    store, text = LayoutStore(built.store), json.dumps({"loaded": 2, "digest": digest_of(b"later")})
    store.write(LOADED, "plain", text)
    found = audit(built)
    assert found.wrong == ()
    assert [f.remedy for f in found.findings if f.path == "loaded/plain.json"] == [Remedy.NONE]
    assert built.call("gc", "--yes").code == ExitCode.OK
    assert store.read(LOADED, "plain") == text


def test_a_file_index_is_made_anew_from_its_blob_and_no_layer_is_built(built: Sample) -> None:
    path = LayoutStore(built.store).index_path(digest_in(record_of(built, "tool")))
    before = LayoutStore(built.store).load_files(digest_in(record_of(built, "tool")))
    for damage in (flip, Path.unlink):
        damage(path)
        assert audit(built).wrong
        assert repair(built).after.wrong == ()
        assert LayoutStore(built.store).load_files(digest_in(record_of(built, "tool"))) == before
    path.unlink()
    built.write("layers/extra/files/conf/extra.conf", "size = 3\n")
    done = built.call("build", "all", *WITHOUT_ENGINE, "--json")
    assert {step["node"] for step in json.loads(done.out)["steps"] if step["action"] == "build"} == {"extra"}


def test_a_repaired_index_names_the_images_that_are_there(built: Sample) -> None:
    names = LayoutStore(built.store).published()
    assert set(names) == {"app-1", "plain"}
    for damage in (flip, Path.unlink):
        damage(built.store / "index.json")
        assert {finding.path for finding in audit(built).wrong} == {"index.json"}
        assert repair(built).after.wrong == ()
        assert LayoutStore(built.store).published() == names


def test_leftovers_and_strays_are_orphans_and_only_ours_are_removed(built: Sample) -> None:
    (built.store / "tmp" / "build-x" / "deep").mkdir(parents=True)
    (built.store / "tmp" / "build-x" / "deep" / "file").write_text("left")
    (built.store / "tmp" / "empty").mkdir()
    (built.store / "notes.txt").write_text("mine")
    assert LayoutStore(built.store).write_blob(b"nobody's")
    found = audit(built)
    assert found.wrong == ()
    orphans = {finding.path for finding in found.findings}
    assert {"tmp/build-x", "tmp/empty", "notes.txt"} <= orphans
    assert f"blobs/sha256/{digest_of(b'nobody' + bytes([39]) + b's').removeprefix('sha256:')}" in orphans
    repair(built)
    assert not list((built.store / "tmp").iterdir())
    assert (built.store / "notes.txt").is_file()


def test_a_lost_blob_takes_its_records_with_it_and_the_next_build_makes_what_was_lost(built: Sample) -> None:
    blob_of(built, "tool").unlink()
    kinds = {finding.kind for finding in audit(built).wrong}
    assert kinds == {Kind.MISSING}
    done = built.call("verify", "--repair")
    assert done.code == ExitCode.OK, done.out
    assert "removed: records/" in done.out
    rebuilt = built.call("build", "all", *WITHOUT_ENGINE, "--json")
    assert {step["node"] for step in json.loads(rebuilt.out)["steps"] if step["action"] != "reuse"} == {"tool", "app-1"}
    assert audit(built).wrong == ()


def test_while_a_run_goes_on_its_files_are_no_leftovers_and_nothing_is_repaired(built: Sample) -> None:
    store = LayoutStore(built.store)
    with store.in_use(waiting=print), store.scratch("build-x") as scratch:
        (scratch / "file").write_text("in use")
        assert not [finding for finding in audit(built).findings if finding.path.startswith("tmp/")]
        with pytest.raises(EnvironmentFault, match="in use"):
            repair(built)
        assert (scratch / "file").is_file()


def test_a_file_that_cannot_be_read_is_a_finding(built: Sample) -> None:
    path = blob_of(built, "tool")

    def refuse(file: Path) -> BinaryIO:
        if file in {path, built.store / "index.json", record_of(built, "extra")}:
            raise OSError(5, "Input/output error")
        return open_plain(file)

    found = audit_store(LayoutStore(built.store), progress=lambda _done, _total: None, cancel=Never(), opener=refuse)
    unreadable = {finding.path: finding.what for finding in found.wrong if finding.kind is Kind.UNREADABLE}
    assert unreadable == {
        file.relative_to(built.store).as_posix(): "Input/output error"
        for file in (path, built.store / "index.json", record_of(built, "extra"))
    }


def test_a_finished_run_is_covered_by_its_checksums(built: Sample) -> None:
    log = next((built.store / "runs").glob("*/events.jsonl"))
    flip(log)
    assert only(audit(built).wrong).path == log.relative_to(built.store).as_posix()
    assert repair(built).after.wrong == ()
    (log.parent / "run.json").unlink()
    assert only(audit(built).wrong).kind is Kind.MISSING
    assert repair(built).after.wrong == ()


def test_a_stopped_verify_ends_as_interrupted(built: Sample) -> None:
    class Now(Never):
        def is_set(self) -> bool:
            return True

    with pytest.raises(Interrupted):
        audit_store(LayoutStore(built.store), progress=lambda _done, _total: None, cancel=Now())


def test_progress_counts_the_bytes_that_are_hashed(built: Sample) -> None:
    told: list[tuple[int, int | None]] = []
    audit_store(LayoutStore(built.store), progress=lambda done, total: told.append((done, total)), cancel=Never())
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
