from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.process import Never
from buildgraph.app.locking import Update, check_lock, parse_update, update_lock
from buildgraph.app.planning import plan_targets
from buildgraph.errors import ErrorGroup, ExitCode, Interrupted, ManifestError, NetworkFault, Stale, UsageError
from buildgraph.lock import parse_lock
from buildgraph.plan import Wishes
from tests.fakes.resolver import FakeResolver

if TYPE_CHECKING:
    from buildgraph.ports import Cancel
    from tests.fakes.sample import Sample

LOCK = "manifests/buildgraph.lock"
ANY, OLD, NEW = "maven:org.example:driver:1.*", "maven:org.example:driver:1.4", "maven:org.example:driver:1.5"
TOOL = "maven:org.example:tool:2"
ANSWERS = {ANY: NEW, OLD: OLD, TOOL: TOOL}
PYTHON = """\
layer: {name}
kind: python
stage: intermediate
description: Packages
parents: [base]
prefix: /opt/python
python: "3.10"
manylinux: x86_64-manylinux_2_28
requirements: [{requirement}]
test_on: [base]
"""


SETS = {"numpy": "pypi:numpy==2.2.6", "Pan_Das": "pypi:Pan_Das==2.3.3", "x": "pypi:x==1"}


def write_sets(sample: Sample) -> None:
    """Three python layers, each but the last on the one after it."""
    for name, requirement, base in (("a-more", "x", "lower"), ("lower", "Pan_Das", "lowest"), ("lowest", "numpy", "")):
        sample.write(f"layers/{name}/test_{name.replace('-', '_')}.py", "def test_it(): ...\n")
        text = PYTHON.format(name=name, requirement=requirement)
        sample.write(f"manifests/layers/{name}.yaml", text + f"bases: [{base}]\n")


@pytest.fixture
def project(sample: Sample) -> Sample:
    """The sample with two sources of one layer and one of another."""
    sample.edit("manifests/layers/extra.yaml", "files:", f"sources: {{driver: '{ANY}', tool: '{TOOL}'}}\nfiles:")
    sample.edit("manifests/layers/tool.yaml", "files:", f"sources: {{driver: '{ANY}'}}\nfiles:")
    return sample


def lock(
    project: Sample,
    *updates: str,
    answers: dict[str, str] | None = None,
    output: str = LOCK,
    cancel: Cancel | None = None,
    said: list[str] | None = None,
) -> FakeResolver:
    resolver = FakeResolver(ANSWERS if answers is None else answers)
    update_lock(
        project.session(),
        resolver,
        [parse_update(text) for text in updates],
        output=output,
        say=(said if said is not None else []).append,
        cancel=cancel or Never(),
    )
    return resolver


def locked(project: Sample, file: str = LOCK) -> dict[str, str]:
    """node/source → coordinates."""
    entries = parse_lock((project.folder / file).read_text(), file).entries
    return {
        f"{node}/{source}": " ".join(artifact.coordinate for artifact in entry.artifacts)
        for node, sources in entries.items()
        for source, entry in sources.items()
    }


def test_an_update_is_a_name_and_perhaps_a_version() -> None:
    assert parse_update("os") == Update(pattern="os")
    assert parse_update("postgresql=42.7.13") == Update(pattern="postgresql", version="42.7.13")


def test_everything_is_resolved_when_there_is_no_lock(project: Sample) -> None:
    said: list[str] = []
    lock(project, said=said)
    assert locked(project) == {"extra/driver": NEW, "extra/tool": TOOL, "tool/driver": NEW}
    assert said == ["resolving extra/driver", "resolving extra/tool", "resolving tool/driver"]
    check_lock(project.session())


def test_what_is_locked_is_not_asked_for_again(project: Sample) -> None:
    lock(project)
    before = (project.folder / LOCK).stat()
    assert lock(project).asked == []
    assert (project.folder / LOCK).stat().st_mtime_ns == before.st_mtime_ns, "nor written again"


@pytest.mark.parametrize(
    ("update", "asked"),
    [
        ("extra", ["extra/driver", "extra/tool"]),
        ("driver", ["extra/driver", "tool/driver"]),
        ("extra/driver", ["extra/driver"]),
        ("ex*", ["extra/driver", "extra/tool"]),
    ],
)
def test_an_update_names_a_layer_a_source_or_both(project: Sample, update: str, asked: list[str]) -> None:
    lock(project)
    assert [name for name, _ in lock(project, update).asked] == asked


def test_an_update_may_say_which_version_that_the_manifest_allows(project: Sample) -> None:
    lock(project)
    lock(project, "extra/driver=1.4")
    assert locked(project) == {"extra/driver": OLD, "extra/tool": TOOL, "tool/driver": NEW}
    check_lock(project.session())


def test_a_version_that_the_manifest_does_not_allow_is_refused(project: Sample) -> None:
    lock(project)
    with pytest.raises(UsageError, match=r"manifests/layers/extra.yaml:5 .*2\.0 is not among the versions .*\(1\.\*\)"):
        lock(project, "extra/driver=2.0")
    assert locked(project)["extra/driver"] == NEW


def test_an_update_that_names_nothing_is_refused(project: Sample) -> None:
    with pytest.raises(UsageError, match="no source is called drivers"):
        lock(project, "drivers")


def test_a_changed_request_is_stale_and_resolved_anew(project: Sample) -> None:
    lock(project)
    project.edit("manifests/layers/tool.yaml", ANY, OLD)
    with pytest.raises(Stale) as caught:
        check_lock(project.session())
    assert caught.value.diff.startswith("- tool/driver changed in the manifest since it was locked")
    assert lock(project).asked == [("tool/driver", OLD)]
    assert locked(project)["tool/driver"] == OLD


def test_what_no_manifest_asks_for_is_stale_and_goes(project: Sample) -> None:
    lock(project)
    project.edit("manifests/layers/extra.yaml", f", tool: '{TOOL}'", "")
    with pytest.raises(Stale) as caught:
        check_lock(project.session())
    assert caught.value.diff == "- extra/tool is asked for by no manifest"
    assert caught.value.exit_code is ExitCode.STALE
    lock(project)
    assert locked(project) == {"extra/driver": NEW, "tool/driver": NEW}


def test_one_source_that_cannot_be_resolved_does_not_keep_the_others_from_the_lock(project: Sample) -> None:
    with pytest.raises(NetworkFault, match=r"maven:org.example:tool:2 is nowhere"):
        lock(project, answers={ANY: NEW})
    assert locked(project) == {"extra/driver": NEW, "tool/driver": NEW}


def test_all_sources_that_cannot_be_resolved_are_told(project: Sample) -> None:
    with pytest.raises(ErrorGroup) as caught:
        lock(project, answers={TOOL: TOOL})
    assert [str(error) for error in caught.value.errors] == [f"{ANY} is nowhere"] * 2
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_locking_that_is_stopped_writes_nothing(project: Sample) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Interrupted):
        lock(project, cancel=cancel)
    assert not (project.folder / LOCK).exists()


def test_another_file_can_be_written(project: Sample) -> None:
    lock(project)
    before = (project.folder / LOCK).read_text()
    other = str(project.folder.parent / "today.lock")
    lock(project, "extra/driver=1.4", output=other)
    assert (project.folder / LOCK).read_text() == before
    assert locked(project, other)["extra/driver"] == OLD


RULES = """\
licences:
  - match: "maven:org.example:driver:*"
    licence: LicenseRef-Driver
    redistributable: false
    reason: its terms
    terms: https://example.org/terms
  - {match: "maven:org.example:*", licence: MIT, reason: never reached by the driver}
"""


def licences(project: Sample) -> dict[str, tuple[str, bool]]:
    """node/source → licence, and whether it may be passed on."""
    entries = parse_lock((project.folder / LOCK).read_text(), LOCK).entries
    return {
        f"{node}/{source}": (entry.artifacts[0].licence, entry.artifacts[0].redistributable)
        for node, sources in entries.items()
        for source, entry in sources.items()
    }


def test_what_people_found_out_about_licences_is_written_into_the_lock_and_asks_no_server(project: Sample) -> None:
    lock(project)
    project.write("manifests/licences.yaml", RULES)
    with pytest.raises(Stale) as caught:
        check_lock(project.session())
    assert caught.value.diff.splitlines() == [
        f"- {name} has another licence for {coordinate} than manifests/licences.yaml gives it"
        for name, coordinate in (("extra/driver", NEW), ("extra/tool", TOOL), ("tool/driver", NEW))
    ]
    assert lock(project).asked == []
    driver = ("LicenseRef-Driver", False)
    assert licences(project) == {"extra/driver": driver, "extra/tool": ("MIT", True), "tool/driver": driver}
    check_lock(project.session())


def test_what_no_rule_restricts_any_more_may_be_passed_on(project: Sample) -> None:
    project.write("manifests/licences.yaml", RULES)
    lock(project)
    project.write("manifests/licences.yaml", RULES.replace("driver:*", "other:*"))
    with pytest.raises(Stale, match="out of date"):
        check_lock(project.session())
    lock(project)
    assert set(licences(project).values()) == {("MIT", True)}


def test_a_licence_changes_no_key(project: Sample) -> None:
    lock(project)
    before = plan_targets(project.session(), ("*",), wishes=Wishes()).keys
    project.write("manifests/licences.yaml", RULES)
    lock(project)
    assert plan_targets(project.session(), ("*",), wishes=Wishes()).keys == before


def test_a_set_has_no_single_version(sample: Sample) -> None:
    sample.write("layers/packages/test_packages.py", "def test_it(): ...\n")
    sample.write("manifests/layers/packages.yaml", PYTHON.format(name="packages", requirement="pandas"))
    with pytest.raises(UsageError, match="requirements is a set"):
        lock(sample, "packages=3")


def test_a_python_layer_is_resolved_after_its_base_and_holds_its_versions(sample: Sample) -> None:
    write_sets(sample)
    resolver = lock(sample, answers=SETS)
    assert [name for name, _ in resolver.asked] == [f"{name}/requirements" for name in ("lowest", "lower", "a-more")]
    assert resolver.held == {
        "lowest": {},
        "lower": {"numpy": "2.2.6"},
        "a-more": {"pan-das": "2.3.3", "numpy": "2.2.6"},
    }


def test_a_set_that_moves_takes_along_those_that_hold_only_what_it_lacks(sample: Sample) -> None:
    write_sets(sample)
    lock(sample, answers=SETS)
    resolver = lock(sample, "lower", answers={**SETS, "Pan_Das": "pypi:pan-das==3"})
    assert [name for name, _ in resolver.asked] == ["lower/requirements", "a-more/requirements"]
    assert resolver.held["a-more"] == {"pan-das": "3", "numpy": "2.2.6"}


def test_a_set_whose_base_cannot_be_resolved_stays_unlocked(sample: Sample) -> None:
    write_sets(sample)
    with pytest.raises(ErrorGroup) as caught:
        lock(sample, answers={name: SETS[name] for name in ("Pan_Das", "x")})
    assert [error.what for error in caught.value.errors] == [
        "numpy is nowhere",
        "lower stands on what is not locked: lowest",
        "a-more stands on what is not locked: lower, lowest",
    ]
    assert locked(sample) == {}


def test_what_a_layer_leaves_to_others_is_not_in_its_lock(sample: Sample) -> None:
    write_sets(sample)
    sample.edit("manifests/layers/lower.yaml", "[Pan_Das]", "[Pan_Das, x]")
    lock(sample, answers=SETS)
    sample.write(
        "manifests/layers/lower.yaml", (sample.folder / "manifests/layers/lower.yaml").read_text() + "without: [X]\n"
    )
    with pytest.raises(Stale) as caught:
        check_lock(sample.session())
    assert (
        caught.value.diff
        == "- a-more/requirements holds x, which lower has\n- lower/requirements holds x, which another layer has"
    )
    with pytest.raises(ManifestError, match="nothing is left of a-more: other layers have all that it asks for"):
        lock(sample, answers=SETS)
    assert locked(sample)["lower/requirements"] == "pypi:Pan_Das==2.3.3"


def test_a_lock_elsewhere_is_compared_like_the_project_s_own(project: Sample) -> None:
    with pytest.raises(Stale, match=r"elsewhere.lock: out of date; run: buildgraph lock"):
        check_lock(replace(project.session(), lock_file="elsewhere.lock"))
