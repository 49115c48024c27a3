"""What is refused and what is not locked, in the whole program: jars come from a mirror on this machine."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ExitCode
from buildgraph.support import LABEL
from tests.fakes.mirrored import RARE, REASON, Mirrored, mirror
from tests.fakes.webserver import Reply, WebServer
from tests.unit.test_cli import HEAVY, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.sample import Ended, Sample

GAP = f'"jar": {{"request": ["{RARE}"], "unlocked": "not found in the configured repositories"}}\n'
UNSUPPORTED = f"  stack-2: {REASON}; --allow-unsupported builds it all the same"
WHY = f"is not locked ({RARE}, not found in the configured repositories); run: buildgraph lock --update rare"
REFUSED = ["refused (unsupported): 1", UNSUPPORTED, "unlocked: 2", f"  rare: source jar {WHY}"]
REFUSED += [f"  museum: source jar of rare {WHY}"]
OTHERS = {"base", "tool", "extra", "engine", "plugin-1", "plugin-2", "app-1", "plain", "stack-1"}


@pytest.fixture
def mirrored(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrored]:
    with WebServer() as server:
        yield mirror(sample, server, tmp_path / "settings.yaml", monkeypatch)


@pytest.fixture
def locked(mirrored: Mirrored) -> Mirrored:
    assert mirrored.call("lock").code == ExitCode.FAILED
    return mirrored


def read_config(project: Mirrored, node: str) -> dict[str, object]:
    """The OCI config of a composed image."""
    blobs = project.sample.store / "blobs/sha256"
    digest = digests(project, node)[node]
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    assert isinstance(config, dict)
    return config


def digests(project: Mirrored, *nodes: str) -> dict[str, str]:
    """What the store's index lists."""
    index = json.loads((project.sample.store / "index.json").read_text())
    names = {
        str(entry["annotations"]["org.opencontainers.image.ref.name"]): entry["digest"] for entry in index["manifests"]
    }
    return {node: names[node] for node in nodes}


def steps(ended: Ended) -> set[str]:
    return {step["node"] for step in json.loads(ended.out)["steps"]}


class TestLock:
    def test_a_source_that_no_repository_has_is_written_down_and_the_others_are_locked(
        self, mirrored: Mirrored
    ) -> None:
        done = mirrored.call("lock")
        assert done.code == ExitCode.FAILED, "something that was asked for is not there"
        assert done.out == "3 sources resolved; manifests/buildgraph.lock is up to date\n"
        assert done.err.splitlines()[-1] == "unlocked: rare/jar is not found in the configured repositories"
        assert any(line.startswith("not found: manifests/layers/rare.yaml:5") for line in done.err.splitlines())
        assert GAP in mirrored.lock_text()
        assert "127.0.0.1" not in mirrored.lock_text(), "no answer of a mirror is kept"

    def test_it_is_tried_again_each_time_and_then_no_news(self, locked: Mirrored) -> None:
        before = len(locked.server.asked)
        done = locked.call("lock", "--json")
        assert done.code == ExitCode.OK
        assert json.loads(done.out) == {
            "resolved": 0,
            "file": "manifests/buildgraph.lock",
            "unlocked": ["rare/jar is not found in the configured repositories"],
        }
        assert {asked.path for asked in locked.server.asked[before:]} == {"/org/example/rare/3.0/rare-3.0.jar"}

    def test_who_asks_for_it_by_name_hears_that_it_is_not_done(self, locked: Mirrored) -> None:
        assert locked.call("lock", "--update", "rare").code == ExitCode.FAILED

    def test_a_check_accepts_what_is_known_and_says_it(self, locked: Mirrored) -> None:
        done = locked.call("lock", "--check")
        assert (done.code, done.out) == (ExitCode.OK, "manifests/buildgraph.lock is up to date\n")
        assert done.err == "unlocked: rare/jar is not found in the configured repositories\n"
        assert json.loads(locked.call("lock", "--check", "--json").out) == {"up_to_date": True, "diff": ""}

    def test_what_is_known_of_another_request_does_not_count(self, locked: Mirrored) -> None:
        locked.sample.edit("manifests/layers/rare.yaml", "rare:3.0", "rare:3.1")
        done = locked.call("lock", "--check")
        assert done.code == ExitCode.STALE
        assert done.out.startswith("- rare/jar changed in the manifest since it was locked")
        assert locked.call("lock").code == ExitCode.FAILED
        assert "rare:3.1" in locked.lock_text()
        assert "rare:3.0" not in locked.lock_text()

    def test_what_no_manifest_asks_for_any_more_goes(self, locked: Mirrored) -> None:
        for file in ("manifests/layers/rare.yaml", "manifests/images/museum.yaml"):
            (locked.sample.folder / file).unlink()
        assert locked.call("lock", "--check").out == "- rare/jar is asked for by no manifest\n"
        assert locked.call("lock").code == ExitCode.OK
        assert "rare" not in locked.lock_text()

    @pytest.mark.parametrize("status", [403, 500])
    def test_a_server_that_only_refuses_is_no_proof_that_it_is_not_there(self, mirrored: Mirrored, status: int) -> None:
        mirrored.serve("rare", "3.0", Reply(status=status))
        done = mirrored.call("lock")
        assert done.code == ExitCode.ENVIRONMENT
        assert f"HTTP {status}" in done.err
        assert "rare" not in mirrored.lock_text()

    def test_a_single_version_that_is_not_there_says_nothing_of_the_others(self, mirrored: Mirrored) -> None:
        mirrored.sample.edit("manifests/layers/rare.yaml", "rare:3.0", "rare:3.*")
        done = mirrored.call("lock", "--update", "rare=3.0")
        assert done.code == ExitCode.ENVIRONMENT
        assert f"{RARE}: the repositories do not have it" in done.err
        assert "rare" not in mirrored.lock_text()

    def test_what_is_locked_stays_when_it_is_gone_from_its_repository(self, locked: Mirrored) -> None:
        before = locked.lock_text()
        locked.serve("engine", "4.1", Reply(status=404))
        done = locked.call("lock", "--update", "engine")
        assert done.code == ExitCode.ENVIRONMENT
        assert "engine:4.1: the repositories do not have it" in done.err
        assert locked.lock_text() == before

    def test_offline_what_is_known_is_left_alone(self, locked: Mirrored) -> None:
        done = locked.call("--offline", "lock")
        assert done.code == ExitCode.OK
        assert done.err == "unlocked: rare/jar is not found in the configured repositories\n"


class TestBuild:
    def test_what_is_refused_is_named_last_and_everything_else_is_built(self, locked: Mirrored) -> None:
        done = locked.build()
        assert done.code == ExitCode.FAILED
        assert re.fullmatch(r"6 built, 3 composed; 0 nodes reused; 1 refused, 2 unlocked; \d+\.\d s\n", done.out)
        assert done.err.splitlines() == REFUSED
        nodes = {node["node"]: node for node in json.loads(locked.call("list", "--json").out)["nodes"]}
        assert {name for name, node in nodes.items() if node["digest"]} == OTHERS
        assert nodes["stack-2"]["unsupported"] == [REASON]
        assert nodes["museum"]["unlocked"] == ["rare: jar"]

    def test_what_only_a_refused_image_needs_is_not_built(self, locked: Mirrored) -> None:
        done = locked.build("stack-2", "museum", "plain")
        assert done.code == ExitCode.FAILED
        assert re.match(r"2 built, 1 composed; ", done.out)

    def test_alone_it_starts_no_run_but_is_reported(self, locked: Mirrored, tmp_path: Path) -> None:
        page = tmp_path / "report.html"
        done = locked.build("stack-2", "--report", str(page))
        assert (done.code, done.out) == (ExitCode.FAILED, "nothing to do: 0 nodes are built; 1 refused\n")
        assert done.err.splitlines() == ["refused (unsupported): 1", UNSUPPORTED]
        assert not (locked.sample.store / "runs").exists()
        assert REASON in page.read_text(encoding="utf-8")

    def test_a_plan_names_them_last_and_ends_alike(self, locked: Mirrored) -> None:
        done = locked.call("plan", "all")
        assert (done.code, done.err) == (ExitCode.FAILED, "")
        lines = done.out.splitlines()
        assert lines[-5:] == REFUSED
        assert lines[-6].endswith("nodes are reused; 1 refused, 2 unlocked")
        as_json = locked.call("plan", "all", "--json")
        assert as_json.code == ExitCode.FAILED
        assert steps(as_json) == OTHERS
        assert [(each["node"], each["cause"]) for each in json.loads(as_json.out)["refused"]] == [
            ("stack-2", "unsupported"),
            ("rare", "unlocked"),
            ("museum", "unlocked"),
        ]

    def test_a_document_of_a_run_holds_them_and_so_do_its_reports(self, locked: Mirrored, tmp_path: Path) -> None:
        page, xml = tmp_path / "report.html", tmp_path / "junit.xml"
        done = locked.call(
            "build", "all", "--json", "--no-test", "--no-load", "--report", str(page), "--junit", str(xml)
        )
        assert [each["node"] for each in json.loads(done.out)["refused"]] == ["stack-2", "rare", "museum"]
        assert done.err.splitlines()[-5:] == REFUSED
        assert UNSUPPORTED.strip() in locked.call("report").out
        assert REASON in page.read_text(encoding="utf-8")
        assert f'<skipped message="{REASON}; ' in xml.read_text(encoding="utf-8")
        assert REASON.partition(":")[0] in locked.call("report", "--format", "github").out

    def test_list_marks_them(self, locked: Mirrored) -> None:
        lines = {line.split()[0]: line.split()[2] for line in locked.call("list").out.splitlines() if line[:2] == "  "}
        assert {name: lines[name] for name in ("stack-2", "museum", "rare")} == {
            "stack-2": "unsupported",
            "museum": "unlocked",
            "rare": "unlocked",
        }

    def test_why_says_it_too(self, locked: Mirrored) -> None:
        assert locked.call("why", "stack-2").out == f"{UNSUPPORTED.strip()}\n"
        assert json.loads(locked.call("why", "stack-2", "--json").out)["state"] == "refused"
        assert locked.call("why", "museum").out.startswith("museum cannot be built before its sources are locked\n")

    def test_load_takes_the_others_and_names_them(self, locked: Mirrored) -> None:
        done = locked.call("load", "stack-2")
        assert (done.code, done.out) == (ExitCode.FAILED, "")
        assert done.err.splitlines() == ["refused (unsupported): 1", UNSUPPORTED]

    def test_tests_of_them_are_not_run(self, locked: Mirrored) -> None:
        done = locked.call("test", "stack-2", "museum", "--progress", "quiet")
        assert (done.code, done.out) == (
            ExitCode.FAILED,
            "nothing to do: 0 nodes are built and tested; 1 refused, 1 unlocked\n",
        )


class TestWhenTheSourceIsThere:
    def test_lock_resolves_it_and_the_node_builds(self, locked: Mirrored) -> None:
        locked.build()
        locked.serve("rare", "3.0")
        done = locked.call("lock")
        assert (done.code, done.err) == (ExitCode.OK, "resolving rare/jar\n")
        assert done.out == "1 sources resolved; manifests/buildgraph.lock is up to date\n"
        assert '"unlocked"' not in locked.lock_text()
        assert locked.call("lock", "--check").err == ""
        done = locked.build("museum")
        assert done.code == ExitCode.OK, done.err
        assert re.match(r"1 built, 1 composed; 1 nodes reused; ", done.out)
        assert read_config(locked, "museum")["architecture"] == "amd64"

    def test_update_takes_it_alone(self, locked: Mirrored) -> None:
        locked.serve("rare", "3.0")
        assert locked.call("lock", "--update", "rare").code == ExitCode.OK
        assert locked.build("museum").code == ExitCode.OK


class TestAllowing:
    def test_an_unsupported_image_is_built_on_demand_and_says_so_in_a_label(self, locked: Mirrored) -> None:
        done = locked.build("stack-2", "--allow-unsupported")
        assert (done.code, done.err) == (ExitCode.OK, "")
        config = read_config(locked, "stack-2")["config"]
        assert isinstance(config, dict)
        assert config["Labels"] == {LABEL: REASON}
        assert locked.build("stack-2", "--allow-unsupported").out == "nothing to do: 4 nodes are built\n"

    def test_it_is_another_image_than_one_that_is_supported(self, locked: Mirrored) -> None:
        locked.build("stack-2", "--allow-unsupported")
        before = digests(locked, "stack-2")
        locked.sample.edit("manifests/support.yaml", "verdict: unsupported", "verdict: unknown")
        done = locked.build("stack-2")
        assert (done.code, done.err) == (ExitCode.OK, "")
        assert digests(locked, "stack-2") != before
        assert "Labels" not in json.dumps(read_config(locked, "stack-2"))

    def test_it_moves_no_other_image(self, locked: Mirrored) -> None:
        locked.build()
        done = locked.call("plan", "all", "--allow-unsupported", "--no-test", "--no-load", "--json")
        made = {step["node"] for step in json.loads(done.out)["steps"] if step["action"] != "reuse"}
        assert made == {"stack-2"}
        assert [each["cause"] for each in json.loads(done.out)["refused"]] == ["unlocked", "unlocked"]
        assert done.code == ExitCode.FAILED

    def test_without_the_word_it_stays_refused_also_when_it_is_built(self, locked: Mirrored) -> None:
        locked.build("stack-2", "--allow-unsupported")
        assert locked.build("stack-2").code == ExitCode.FAILED
        (stack,) = json.loads(locked.call("list", "stack-2", "--json").out)["nodes"]
        assert (stack["digest"], stack["unsupported"]) == (None, [REASON])

    def test_it_is_never_pinned(self, locked: Mirrored) -> None:
        locked.sample.edit("manifests/pins.yaml", "image: app", "image: stack-2")
        locked.build("stack-2", "--allow-unsupported")
        for words in (("pin",), ("pin", "--check")):
            done = locked.call(*words)
            assert (done.code, done.out) == (ExitCode.FAILED, "")
            where = "manifests/pins.yaml:2 (pins[0])"
            assert done.err == f"error: {where}: stack-2 cannot be pinned: {REASON}; pin another image\n"
        assert not (locked.sample.folder / "manifests/ledger.json").exists()


def test_what_is_tested_on_something_unlocked_is_not_pinned(locked: Mirrored) -> None:
    """Its tests cannot run, so it has not passed them, though nothing of its own is missing."""
    locked.build("app")
    locked.sample.edit("manifests/layers/tool.yaml", "test_on: [base]", "test_on: [base, rare]")
    done = locked.call("pin")
    assert done.code == ExitCode.FAILED
    assert done.err.startswith("error: nothing is pinned: app-1: source jar of rare is not locked")


def test_what_was_pinned_stays_pinned_as_it_was_while_its_tests_cannot_run(locked: Mirrored) -> None:
    locked.build("app")
    locked.sample.plant_verdicts("app")
    assert locked.call("pin").code == ExitCode.OK
    ledger = locked.sample.folder / "manifests/ledger.json"
    pinned = json.loads(ledger.read_text())["nodes"]["app-1"]["digest"]
    other = f"sha256:{'0' * 64}"
    locked.sample.edit("manifests/ledger.json", pinned, other)
    locked.sample.edit("manifests/layers/tool.yaml", "test_on: [base]", "test_on: [base, rare]")
    assert locked.call("pin").code == ExitCode.OK
    assert json.loads(ledger.read_text())["nodes"]["app-1"]["digest"] == other


def test_nothing_to_do_but_what_is_refused_asks_no_daemon_and_starts_no_process(
    locked: Mirrored, tmp_path: Path
) -> None:
    locked.build()
    locked.sample.plant_verdicts(*sorted(OTHERS))
    locked.sample.plant_loads(*sorted(OTHERS))
    (tmp_path / "empty").mkdir()
    env = {"PATH": str(tmp_path / "empty"), "HOME": os.environ["HOME"], "DOCKER_HOST": os.environ["DOCKER_HOST"]}
    with locked.sample.spawn("build", "all", module="tests.fakes.audited", env=env) as child:
        out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out) == (
        ExitCode.FAILED,
        "nothing to do: 9 nodes are built and tested; 1 refused, 2 unlocked\n",
    )
    *lines, last = err.splitlines()
    assert lines == REFUSED
    assert json.loads(last)["calls"] == []
    assert sorted({name.partition(".")[0] for name in json.loads(last)["modules"]} & HEAVY) == []
