"""What differs between two key documents is named, finely, and without values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.explain import explain_change, explain_tests
from buildgraph.key import describe_test, hide_values
from buildgraph.model import EMPTY, DockerfileSpec, FileAction, FileOp, FilesSpec, ImageConfig, Kind, Lock
from tests.changes import MOVING, change_artifact, change_operation
from tests.samples import NOWHERE, make_artifact, make_world, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.key import Document
    from tests.samples import World

WORLD = make_world()
CANARY = "canary-7d1c"


def document(world: World, node: str) -> Document:
    return hide_values(world.keys().keys[node].document)


def explain(world: World, node: str, *, since: World = WORLD) -> list[str]:
    return [str(change) for change in explain_change(document(since, node), document(world, node))]


def with_operations(*operations: FileOp) -> World:
    return WORLD.with_nodes(replace(WORLD.layer("tools"), spec=FilesSpec(operations=operations)))


def write(to: str, text: str) -> FileOp:
    return FileOp(action=FileAction.WRITE, to=to, text=text, location=NOWHERE)


# Every change of tests/changes.py, and how the first node that it concerns names it.
NAMED = {
    "a file's content": ["file customize.sh changed"],
    "a file's executable bit": ["file customize.sh changed"],
    "a link's target": ["file files/latest changed"],
    "a new file": ["file files/New.java is new"],
    "a file that is gone": ["file files/Main.java is gone"],
    "a source's sha256": ["source dist: url:https://example.org/python.tar.gz with another file name or sha256"],
    "a source's version": ["source packages: deb:bash=5.2.15-2+b7 -> deb:bash=5.2.15-2+b8"],
    "a source's file name": ["source driver: maven:org.example:driver:42.7.8 with another file name or sha256"],
    "a build argument": ["argument MODULES changed"],
    "the use of the network": ["manifest network changed"],
    "the suite": ["manifest suite changed"],
    "the hooks": ["manifest hooks changed"],
    "the Python version": ["manifest version changed"],
    "the prefix": ["manifest prefix changed"],
    "what is left out": ["manifest exclude changed"],
    "an operation's place": ["operation place: /opt/tools/ -> /srv/"],
    "an operation's mode": ["operation place -> /opt/tools/ changed (mode)"],
    "an operation's owner": ["operation place -> /opt/tools/ changed (uid)"],
    "an operation's globs": ["operation unpack -> /opt/python changed (include)"],
    "an operation's mode rules": ["operation unpack -> /opt/python changed (modes)"],
    "the order of operations": ["the order of its operations changed"],
    "the compression": ["compression: zstd -> none"],
    "a parent's variable": ["variable JAVA_HOME of jdk changed"],
    "a parent's PATH": ["prepended variable PATH of python changed"],
    "the order of parents": ["the order of its layers changed"],
    "a parent that becomes a context": ["layer jdk is no parent any more"],
    "one context fewer": ["layer python is gone"],
    "the order of an image's layers": ["the order of its layers changed"],
    "one layer more in an image": ["layer tools is new"],
    "an image's variable": ["variable MODE changed"],
    "an image's command": ["config cmd changed"],
    "an image's overrides": ["override /etc/motd is gone"],
    "the epoch": ["epoch: 1767225600 -> 1"],
    "the platform": ["platform: linux/amd64 -> linux/arm64"],
}


def test_every_change_that_moves_a_key_is_listed_here() -> None:
    assert NAMED.keys() == MOVING.keys()


@pytest.mark.parametrize("name", NAMED)
def test_a_change_is_named_and_nothing_else_is(name: str) -> None:
    change, nodes = MOVING[name]
    assert explain(change(WORLD), nodes[0]) == NAMED[name]


@pytest.mark.parametrize("name", NAMED)
def test_the_way_back_is_named_too(name: str) -> None:
    change, nodes = MOVING[name]
    assert len(explain(WORLD, nodes[0], since=change(WORLD))) == 1


@pytest.mark.parametrize(
    ("args", "lines"),
    [
        ({"MODULES": CANARY}, ["argument MODULES changed"]),
        ({}, ["argument MODULES is gone"]),
        ({"MODULES": "java.base", "TOKEN": CANARY}, ["argument TOKEN is new"]),
    ],
)
def test_arguments_are_named_one_by_one_without_values(args: Mapping[str, str], lines: list[str]) -> None:
    world = WORLD.with_nodes(replace(WORLD.layer("jdk"), spec=DockerfileSpec(args=args)))
    assert explain(world, "jdk") == lines
    assert CANARY not in json.dumps(document(world, "jdk"))


def test_variables_and_labels_of_an_image_are_named_one_by_one_without_values() -> None:
    config = ImageConfig(
        user="185:0", entrypoint=("/opt/app/run",), env={"MODE": CANARY}, labels={"title": CANARY, "vendor": CANARY}
    )
    world = WORLD.with_nodes(replace(WORLD.image("shop"), config=config))
    lines = ["variable MODE changed", "label title changed", "label vendor is new"]
    assert explain(world, "shop") == lines


def test_the_text_of_a_written_file_is_named_by_its_path() -> None:
    before, after = with_operations(write("/etc/token", "one")), with_operations(write("/etc/token", CANARY))
    assert explain(after, "tools", since=before) == ["operation write -> /etc/token changed (text)"]


def test_operations_that_come_and_go_are_named() -> None:
    before, after = with_operations(write("/etc/a", "a"), write("/etc/b", "b")), with_operations(write("/etc/c", "c"))
    assert explain(after, "tools", since=before) == [
        "operation write -> /etc/a is gone",
        "operation write -> /etc/b is gone",
        "operation write -> /etc/c is new",
    ]


def test_of_operations_that_share_a_path_each_counts() -> None:
    before = with_operations(write("/etc/a", "one"), write("/etc/a", "two"))
    after = with_operations(write("/etc/a", "one"), write("/etc/a", "three"))
    assert explain(after, "tools", since=before) == ["operation write -> /etc/a changed (text)"]


def test_an_operation_of_another_place_and_content_is_two() -> None:
    world = change_operation(WORLD, "tools", lambda operation: replace(operation, to="/srv/", mode=0o600))
    assert explain(world, "tools") == [
        "operation place -> /opt/tools/ is gone",
        "operation place -> /srv/ is new",
    ]


def test_packages_that_join_and_leave_a_set_are_named() -> None:
    entry = WORLD.lock.entries["libraries"]["requirements"]
    numpy = entry.artifacts[0]
    more = replace(entry, artifacts=(*entry.artifacts, make_artifact("pypi:six==1.17.0")))
    fewer = replace(entry, artifacts=(numpy,))

    def with_entry(changed: object) -> World:
        return replace(WORLD, lock=Lock(entries={**WORLD.lock.entries, "libraries": {"requirements": changed}}))  # type: ignore[dict-item]

    assert explain(with_entry(more), "libraries") == ["source requirements: pypi:six==1.17.0 is new"]
    assert explain(with_entry(fewer), "libraries") == ["source requirements: pypi:pandas==2.3.3 is gone"]


def test_a_source_that_is_renamed_is_new_under_its_name() -> None:
    driver = WORLD.lock.entries["tools"]["driver"]
    source = replace(WORLD.layer("tools").sources[0], name="database")
    world = WORLD.with_nodes(replace(WORLD.layer("tools"), sources=(source,)))
    world = replace(world, lock=Lock(entries={**WORLD.lock.entries, "tools": {"database": driver}}))
    assert explain(world, "tools") == [
        "source database: maven:org.example:driver:42.7.8 is new",
        "source driver: maven:org.example:driver:42.7.8 is gone",
    ]


def test_another_kind_is_named_and_not_all_that_it_brings() -> None:
    layer = replace(WORLD.layer("tools"), kind=Kind.DOCKERFILE, spec=DockerfileSpec(args={"A": "1"}), sources=())
    world = WORLD.with_nodes(layer)
    assert explain(world, "tools") == [
        "kind: files -> dockerfile",
        "source driver: maven:org.example:driver:42.7.8 is gone",
    ]


def test_a_part_of_a_document_that_only_another_version_knows_is_named() -> None:
    old = document(WORLD, "os")
    assert [str(change) for change in explain_change(old, {**old, "weather": "rain"})] == ["weather changed"]


def test_coordinates_and_versions_are_kept_apart_for_programs() -> None:
    world = change_artifact(WORLD, "tools", "driver", lambda _: make_artifact("maven:org.example:driver:42.7.9"))
    (change,) = explain_change(document(WORLD, "tools"), document(world, "tools"))
    assert (change.kind, change.name) == ("source", "driver")
    assert (change.old, change.new) == ("maven:org.example:driver:42.7.8", "maven:org.example:driver:42.7.9")


class TestTests:
    FACTS: Mapping[str, str] = {"test_app.py": sha256("tests"), "conftest.py": sha256("fixtures")}

    def make(
        self,
        *,
        image: str = "sha256:1",
        services: Mapping[str, str] = EMPTY,
        tests: Mapping[str, str] = FACTS,
        params: Mapping[str, str] | None = None,
        capabilities: tuple[str, ...] = (),
        fixtures: str = "f",
    ) -> Document:
        document = describe_test(
            image,
            services=services,
            tests=tests,
            params=params or {"a": "1"},
            capabilities=capabilities,
            fixtures=fixtures,
        )
        return hide_values(document)

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"image": "sha256:2"}, "the image that they run on is another one"),
            ({"tests": {**FACTS, "test_app.py": sha256("other")}}, "test file test_app.py changed"),
            ({"tests": {"test_app.py": sha256("tests")}}, "test file conftest.py is gone"),
            ({"params": {"a": CANARY}}, "parameter a changed"),
            ({"capabilities": ("gpu",)}, "capability gpu of this machine is new"),
            ({"fixtures": "g"}, "the fixtures of tests changed"),
            ({"services": {"database": "sha256:2"}}, "service database is new"),
        ],
    )
    def test_what_a_verdict_rests_on_is_named(self, changes: dict[str, str], line: str) -> None:
        now = self.make(**changes)  # type: ignore[arg-type]
        assert [str(change) for change in explain_tests(self.make(), now)] == [line]
        assert CANARY not in json.dumps(now)

    def test_a_service_of_other_content_is_named(self) -> None:
        old, new = (self.make(services={"database": digest}) for digest in ("sha256:2", "sha256:3"))
        assert [str(change) for change in explain_tests(old, new)] == ["service database changed"]

    def test_tools_of_tests_are_named_with_their_versions(self) -> None:
        old = self.make()
        changes = explain_tests({**old, "pytest": "8.0.0"}, {**old, "pytest": "9.0.0"})
        assert [str(change) for change in changes] == ["tool pytest: 8.0.0 -> 9.0.0"]
