"""``doctor``: each judgement, time limits, and the exit code that goes with them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import layout
from buildgraph.adapters.disk import seal
from buildgraph.app.diagnosis import (
    Check,
    Status,
    examine,
    judge_space,
    judge_staleness,
    judge_version,
    parse_version,
)
from buildgraph.app.symptoms import list_probes
from buildgraph.errors import EnvironmentFault, ExitCode, LockError, Stale

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sample import Ended, Sample

FINE = Check(name="fine", status=Status.OK, text="as it should be")


def checks(done: Ended) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(done.out)["checks"]}


def probe(sample: Sample, name: str, **environ: str) -> Check:
    return list_probes(sample.folder, store=sample.store, lock_file=None, environ=environ)[name]()


def write_program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    (folder / name).chmod(0o755)


# Judgements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("github.com/docker/buildx v0.13.1 788433953af1", (0, 13, 1)),
        ("v3.17.2+gcc0bbbd", (3, 17, 2)),
        ("26.1.5+dfsg1", (26, 1, 5)),
        ("unknown", None),
        ("", None),
    ],
)
def test_a_version_is_the_first_dotted_number(text: str, expected: tuple[int, ...] | None) -> None:
    assert parse_version(text) == expected


@pytest.mark.parametrize(
    ("text", "status"),
    [("22.9", Status.FAIL), ("23.0", Status.OK), ("100.0.1", Status.OK), ("none", Status.WARN)],
)
def test_a_version_is_compared_by_its_numbers(text: str, status: Status) -> None:
    assert judge_version("engine", text, floor=(23, 0), hint="update", below=Status.FAIL).status is status


def test_little_space_is_a_warning_that_says_how_much() -> None:
    check = judge_space("disk", 9_000_000_000, least=10_000_000_000, hint="free some")
    assert (check.status, check.text, check.hint) == (Status.WARN, "9.0 GB free, below 10 GB", "free some")
    assert judge_space("disk", 10_000_000_000, least=10_000_000_000, hint="").status is Status.OK


def test_a_stale_file_is_a_warning_and_a_wrong_one_a_failure() -> None:
    def stale() -> None:
        raise Stale("out of date", where="the.lock", hint="run: buildgraph lock")

    def wrong() -> None:
        raise LockError("not a lock", where="the.lock:1", hint="write it anew")

    assert judge_staleness("lock", lambda: None).status is Status.OK
    warned = judge_staleness("lock", stale)
    assert (warned.status, warned.text, warned.hint) == (Status.WARN, "the.lock: out of date", "run: buildgraph lock")
    assert judge_staleness("lock", wrong).status is Status.FAIL


# Examining


def test_a_probe_that_hangs_fails_and_holds_up_nobody() -> None:
    release = threading.Event()

    def hang() -> Check:
        release.wait()
        return FINE

    def refuse() -> Check:
        raise EnvironmentFault("no engine answers", hint="run: buildgraph engine up")

    def break_down() -> Check:
        raise PermissionError(13, "Permission denied", "/somewhere")

    found = examine({"hangs": hang, "fine": lambda: FINE, "refuses": refuse, "breaks": break_down}, limit=0.2)
    release.set()
    assert [check.name for check in found] == ["hangs", "fine", "refuses", "breaks"]
    assert [check.status for check in found] == [Status.FAIL, Status.OK, Status.FAIL, Status.FAIL]
    assert "0.2 s" in found[0].text
    assert found[2].hint == "run: buildgraph engine up"
    assert found[3].text == "/somewhere: Permission denied"


def test_an_engine_that_is_down_fails_with_the_command_that_brings_one_up(sample: Sample) -> None:
    done = sample.call("doctor", "--json")
    assert done.code == ExitCode.ENVIRONMENT
    engine = checks(done)["engine"]
    assert engine["status"] == "fail"
    assert "buildgraph engine up" in engine["hint"]
    lines = sample.call("doctor").out.splitlines()
    assert len(lines) == len(checks(done))
    assert any(line.startswith("fail  engine ") and "buildgraph engine up" in line for line in lines)


def test_each_failure_and_warning_says_what_to_do(sample: Sample) -> None:
    found = checks(sample.call("doctor", "--json"))
    assert all(check["hint"] for check in found.values() if check["status"] != "ok")
    assert found["project"]["text"].endswith("5 nodes")
    assert found["lock"]["status"] == "ok"
    assert found["pins"]["status"] == "warn"


def test_outside_a_project_only_the_machine_is_looked_at(sample: Sample, tmp_path: Path) -> None:
    found = checks(sample.call("-C", str(tmp_path), "doctor", "--json"))
    assert found["project"]["status"] == "ok"
    assert "nothing of a project" in found["project"]["text"]
    assert "lock" not in found
    assert "store" in found


def test_a_project_that_cannot_be_read_fails(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "kind: files", "kind: flies")
    found = checks(sample.call("doctor", "--json"))
    assert found["project"]["status"] == "fail"
    assert "tool.yaml" in found["project"]["text"]


# What is looked at


def test_the_store_is_judged_by_place_format_and_rights(sample: Sample) -> None:
    assert probe(sample, "store").text == f"{sample.store} is made by the first build"
    sample.build("plain")
    assert probe(sample, "store").status is Status.OK
    sample.store.chmod(0o755)
    assert "chmod 700" in probe(sample, "store").hint
    sample.store.chmod(0o700)
    (sample.store / layout.STORE_FILE).write_bytes(seal(b'{"store": 2}'))
    assert probe(sample, "store").status is Status.FAIL
    (sample.store / layout.STORE_FILE).write_bytes(b"?")
    assert "verify --repair" in probe(sample, "store").hint
    (sample.store / layout.STORE_FILE).unlink()
    assert probe(sample, "store").status is Status.WARN


def test_a_store_that_is_a_symlink_or_has_a_forbidden_name_fails(sample: Sample, tmp_path: Path) -> None:
    sample.store.symlink_to(tmp_path)
    assert probe(sample, "store").status is Status.FAIL
    place = list_probes(sample.folder, store=tmp_path / "a:b", lock_file=None, environ={})["store"]()
    assert (place.status, "':'" in place.text) == (Status.FAIL, True)


def test_certificates_must_be_there_and_be_pem(sample: Sample, tmp_path: Path) -> None:
    gone = probe(sample, "certificates", SSL_CERT_FILE="/nowhere/ca.pem")
    assert (gone.status, "/nowhere/ca.pem" in gone.text) == (Status.FAIL, True)
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    assert probe(sample, "certificates", SSL_CERT_FILE=str(tmp_path / "ca.pem")).status is Status.FAIL
    assert probe(sample, "certificates", REQUESTS_CA_BUNDLE="/nowhere").status is Status.FAIL


def test_helm_and_the_rest_are_taken_from_the_path(sample: Sample, tmp_path: Path) -> None:
    assert probe(sample, "helm", PATH=str(tmp_path)).status is Status.WARN
    assert probe(sample, "mmdebstrap", PATH=str(tmp_path)).status is Status.WARN
    programs = tmp_path / "bin"
    path = f"{programs}:/usr/bin:/bin"
    write_program(programs, "helm", "v3.16.4+g7877b45")
    assert probe(sample, "helm", PATH=path).status is Status.WARN
    write_program(programs, "helm", "v4.1.4")
    assert probe(sample, "helm", PATH=path).status is Status.OK
    assert probe(sample, "helm", PATH=str(tmp_path), HELM=str(programs / "helm")).status is Status.OK
    write_program(programs, "go", "go version go1.27.3 linux/amd64")
    assert probe(sample, "go", PATH=path).text == "go version go1.27.3 linux/amd64"


def test_a_clock_before_the_projects_epoch_is_a_warning(sample: Sample) -> None:
    assert probe(sample, "clock").status is Status.OK
    sample.edit("manifests/project.yaml", "epoch: 1767225600", "epoch: 4102444800")
    assert probe(sample, "clock").status is Status.WARN


def test_the_libraries_are_those_of_the_keys(sample: Sample) -> None:
    found = probe(sample, "libraries")
    assert (found.status, "zstandard" in found.text) == (Status.OK, True)
