"""``gc``: what is needed stays, what is not goes, and it is said before."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.store import LayoutStore
from buildgraph.app.cleaning import QUARANTINE_SECONDS, Clearing, Sort, clear, plan_clearing
from buildgraph.errors import EnvironmentFault, ExitCode
from buildgraph.record import LATEST, name_load

if TYPE_CHECKING:
    from tests.fakes.sample import Sample

NOW = 1_800_000_000.0
QUIETLY = ("--no-test", "--no-load", "--progress", "quiet")
PLAIN, APP = (f"loaded/{name_load(reference)}.json" for reference in ("sample/plain:1", "sample/app:1"))
EXTRA = "layers/extra/files/conf/extra.conf"


def plan(sample: Sample, *, keep_runs: int = 50, now: float = NOW) -> Clearing:
    return plan_clearing(sample.session(), keep_runs=keep_runs, now=now)


def sorts(planned: Clearing) -> set[Sort]:
    return {item.sort for item in planned.garbage}


def files(sample: Sample) -> set[Path]:
    return {path.relative_to(sample.store) for path in sample.store.rglob("*") if path.is_file()}


def test_what_was_just_built_and_tested_stays(sample: Sample) -> None:
    sample.build("all")
    sample.plant_verdicts("all")
    sample.plant_loads("all")
    assert sorts(plan(sample)) <= {Sort.LEFTOVER}
    assert sample.call("gc", "--yes").code == ExitCode.OK
    assert sample.call("plan", "all").out == "nothing to do: 5 nodes are built and tested\n"
    assert sample.call("verify").code == ExitCode.OK


def test_a_pass_of_tests_that_run_with_other_images_stays(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "test_on:", "test_with: [plain]\ntest_on:")
    test_what_was_just_built_and_tested_stays(sample)


def test_an_earlier_state_goes_with_all_that_only_it_needs(sample: Sample) -> None:
    sample.build("all")
    before = {path for path in files(sample) if path.parts[0] in {"records", "blobs", "files", "contents"}}
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    planned = plan(sample)
    gone = {Path(item.path) for item in planned.garbage if item.sort is not Sort.LEFTOVER}
    assert gone <= before
    assert {path.parts[0] for path in gone} == {"records", "blobs", "files", "contents"}
    # The layer, and the image of it: a record each; their blobs are a layer, a manifest and a config.
    assert len([path for path in gone if path.parts[0] == "records"]) == 2
    assert len([path for path in gone if path.parts[0] == "blobs"]) == 3
    done = sample.call("gc", "--yes")
    assert done.code == ExitCode.OK
    assert not gone & files(sample)
    assert sample.call("verify").code == ExitCode.OK
    assert sample.call("plan", "all", "--no-test", "--no-load").out == "nothing to do: 5 nodes are built\n"


def test_what_an_engine_was_given_is_remembered_as_long_as_the_image_is_there(sample: Sample) -> None:
    sample.build("all")
    sample.plant_loads("all")
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    assert [item.path for item in plan(sample).garbage if item.sort is Sort.POINTER and "loaded" in item.path] == [
        PLAIN
    ]
    assert f"{PLAIN}, 0.00 MB: it names an image that is not needed" in sample.call("gc", "--dry-run").out
    assert sample.call("gc", "--yes").code == ExitCode.OK
    assert files(sample) & {Path(PLAIN), Path(APP)} == {Path(APP)}
    assert sample.call("verify").code == ExitCode.OK


def test_what_an_engine_was_given_is_forgotten_with_the_image(sample: Sample) -> None:
    sample.build("all")
    sample.plant_loads("all")
    (sample.folder / "manifests/images/plain.yaml").unlink()
    assert sorts(plan(sample)) <= {Sort.LEFTOVER}, "the newest record of an image that is gone stays"
    LayoutStore(sample.store).forget(LATEST, "plain")
    LayoutStore(sample.store).remove("plain")
    assert PLAIN in {item.path for item in plan(sample).garbage}


def test_an_earlier_state_that_the_catalogue_has_again_stays(sample: Sample) -> None:
    sample.build("all")
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    sample.write(EXTRA, "size = 1\n")
    assert sorts(plan(sample)) <= {Sort.LEFTOVER}


def test_what_is_pinned_stays(sample: Sample) -> None:
    sample.build("app")
    sample.plant_verdicts("app")
    assert sample.call("pin").code == ExitCode.OK
    sample.edit("layers/tool/files/tool.sh", "exec true", "exec false")
    sample.build("app")
    assert sorts(plan(sample)) <= {Sort.LEFTOVER, Sort.VERDICT}
    (sample.folder / "manifests/ledger.json").unlink()
    assert Sort.BLOB in sorts(plan(sample))


def test_a_dry_run_removes_nothing_and_says_what_and_why(sample: Sample) -> None:
    sample.build("all")
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    before = files(sample)
    done = sample.call("gc", "--dry-run")
    assert done.code == ExitCode.OK
    assert "extra: of an earlier state of the node" in done.out
    document = json.loads(sample.call("gc", "--dry-run", "--json").out)
    assert document["removed"] is False
    assert document["bytes"] == sum(item["bytes"] for item in document["items"]) > 0
    assert files(sample) == before


def test_without_a_terminal_and_without_yes_nothing_is_removed(sample: Sample) -> None:
    LayoutStore(sample.store).write_blob(b"nobody's")
    before = files(sample)
    sample.monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    done = sample.call("gc")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "There is no terminal to ask on; add --yes to remove, or --dry-run to look." in done.err
    assert files(sample) == before


def test_of_a_store_that_cannot_be_written_nothing_is_removed(sample: Sample) -> None:
    LayoutStore(sample.store).write_blob(b"nobody's")
    planned, before, asked = plan(sample), files(sample), []

    def refuse(path: Path, mode: int) -> bool:
        asked.append((path, mode))
        return False

    with pytest.raises(EnvironmentFault, match=f"{sample.store}: the store cannot be written, so nothing is removed"):
        clear(sample.session(), planned, keep_runs=50, now=NOW, access=refuse)
    assert asked == [(sample.store, os.W_OK)]
    assert Sort.BLOB in sorts(planned)
    assert files(sample) == before


def test_the_newest_runs_stay(sample: Sample) -> None:
    for size in range(3):
        sample.write(EXTRA, f"size = {size}\n")
        sample.build("all")
    runs = sorted(path.name for path in (sample.store / "runs").iterdir())
    old = [item.path for item in plan(sample, keep_runs=1).garbage if item.sort is Sort.RUN]
    assert old == [f"runs/{name}" for name in runs[:-1]]
    assert sample.call("gc", "--yes", "--keep-runs", "1").code == ExitCode.OK
    assert [path.name for path in (sample.store / "runs").iterdir()] == runs[-1:]


def test_what_dead_runs_left_goes(sample: Sample) -> None:
    sample.build("all")
    (sample.store / "tmp" / "rootfs-1" / "deep").mkdir(parents=True)
    (sample.store / "tmp" / "unfinished").write_bytes(b"half")
    (sample.store / "sources" / ".locks").mkdir()
    (sample.store / "sources" / ".locks" / ("a" * 64)).touch()
    (sample.store / "sources" / ("b" * 64)).mkdir()
    (sample.store / "sources" / ("b" * 64) / "lib.jar").write_bytes(b"jar")
    assert sample.call("gc", "--yes").code == ExitCode.OK
    assert list((sample.store / "tmp").iterdir()) == []
    assert list((sample.store / "sources").iterdir()) == []
    assert [path.name for path in (sample.store / "locks").iterdir()] == ["in-use"]


def test_what_was_put_aside_stays_for_a_month(sample: Sample) -> None:
    sample.build("all")
    store = LayoutStore(sample.store)
    store.quarantine(sample.store / "durations" / "steps.json")
    changed = (sample.store / "quarantine" / "steps.json").stat().st_ctime
    assert Sort.QUARANTINE not in sorts(plan(sample, now=changed + QUARANTINE_SECONDS - 5))
    assert Sort.QUARANTINE in sorts(plan(sample, now=changed + QUARANTINE_SECONDS + 5))


def test_while_a_run_goes_on_only_what_no_run_reads_goes(sample: Sample) -> None:
    for size in range(2):
        sample.write(EXTRA, f"size = {size}\n")
        sample.build("all")
    store = LayoutStore(sample.store)
    with store.in_use(waiting=print):
        planned = plan(sample, keep_runs=1)
        assert sorts(planned) == {Sort.RUN}
        assert not planned.is_alone
        done = sample.call("gc", "--yes", "--keep-runs", "1")
        assert done.code == ExitCode.OK
        assert "in use" in done.out
    assert Sort.BLOB in sorts(plan(sample))


def test_what_came_to_be_needed_since_the_plan_stays(sample: Sample) -> None:
    sample.build("all")
    sample.write(EXTRA, "size = 2\n")
    sample.build("all")
    planned = plan(sample)
    assert Sort.BLOB in sorts(planned)
    sample.write(EXTRA, "size = 1\n")
    removed = clear(sample.session(), planned, keep_runs=50, now=NOW)
    assert Sort.BLOB not in sorts(removed)
    assert sample.call("plan", "all", "--no-test", "--no-load").out == "nothing to do: 5 nodes are built\n"


def test_an_empty_place_has_nothing_to_remove(sample: Sample) -> None:
    done = sample.call("gc", "--yes")
    assert done.code == ExitCode.OK
    assert done.out == "0 items, 0.0 MB; 0.0 MB stay\n"
