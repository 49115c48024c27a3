"""Keys: what moves them, what must not, and how a move is explained.

The golden files in ``tests/golden/keys`` hold the key documents of a small catalogue. After a change that is meant:
``UPDATE_GOLDEN=1 pytest tests/unit/test_key.py``. Keys that move for users' stores need a new format number.
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from buildgraph import key
from buildgraph.explain import explain_change
from buildgraph.graph import find_dependents
from buildgraph.key import FORMAT, PYTEST, TESTINFRA, compute_content_key, describe_test, hash_document, to_json
from buildgraph.model import EMPTY, Lock, LockEntry
from tests.changes import MOVING, STILL, change_artifact, change_file
from tests.golden_files import GOLDEN, check_golden
from tests.samples import make_artifact, make_world, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.key import Document, Keys
    from tests.samples import World

WORLD = make_world()
KEYS = WORLD.keys()
DIGESTS = {name: f"sha256:{sha256(name)}" for name in WORLD.catalogue.nodes}


def moved(world: World) -> set[str]:
    """The nodes whose keys are not those of the sample."""
    return {name for name, known in world.keys().keys.items() if known.key != KEYS.keys[name].key}


def with_descendants(world: World, nodes: tuple[str, ...]) -> set[str]:
    return {*nodes, *(other for name in nodes for other in find_dependents(world.catalogue, name))}


def explain(world: World, node: str) -> tuple[str, ...]:
    changes = explain_change(KEYS.keys[node].document, world.keys().keys[node].document)
    return tuple(str(change) for change in changes)


@pytest.mark.parametrize("node", WORLD.catalogue.nodes)
def test_key_documents_and_keys_are_those_of_the_golden_files(node: str) -> None:
    known = KEYS.keys[node]
    text = {"key": known.key, "content_key": compute_content_key(known.document, DIGESTS), "document": known.document}
    check_golden(f"keys/{node}.json", json.dumps(text, indent=1, sort_keys=True) + "\n")


def test_there_is_a_golden_file_for_each_node_and_no_other() -> None:
    assert {path.stem for path in (GOLDEN / "keys").glob("*.json")} == set(WORLD.catalogue.nodes)


@pytest.mark.parametrize("name", MOVING)
def test_a_changed_input_moves_its_nodes_and_their_descendants_and_nothing_else(name: str) -> None:
    change, nodes = MOVING[name]
    changed = change(WORLD)
    assert moved(changed) == with_descendants(changed, nodes)


@pytest.mark.parametrize("name", STILL)
def test_what_shapes_no_content_moves_no_key(name: str) -> None:
    changed = STILL[name](WORLD)
    assert changed != WORLD
    assert moved(changed) == set()


@pytest.mark.parametrize("name", MOVING)
def test_every_moved_key_is_explained(name: str) -> None:
    changed = MOVING[name][0](WORLD)
    assert all(explain(changed, node) for node in moved(changed))


@pytest.mark.parametrize(
    ("distribution", "pinned"),
    [
        ("zstandard", key.ZSTANDARD),
        ("installer", key.INSTALLER),
        ("pytest", key.PYTEST),
        ("pytest-testinfra", key.TESTINFRA),
    ],
)
def test_the_versions_in_keys_are_those_that_run(distribution: str, pinned: str) -> None:
    assert version(distribution) == pinned


def test_a_key_is_the_hash_of_its_document() -> None:
    assert hash_document({"b": "ü", "a": [1, None]}) == sha256('{"a":[1,null],"b":"ü"}')
    assert all(known.key == hash_document(known.document) for known in KEYS.keys.values())


def test_a_value_becomes_json_without_its_locations() -> None:
    operation = WORLD.layer("tools").sources[0]
    assert to_json(operation) == {"name": "driver", "request": ["maven:org.example:driver:42.7.*"], "is_set": False}


def test_two_layers_of_the_same_inputs_have_the_same_key() -> None:
    twin = replace(WORLD.layer("python"), name="python-twin")
    entries = {**WORLD.lock.entries, "python-twin": WORLD.lock.entries["python"]}
    keys = replace(WORLD.with_nodes(twin), lock=Lock(entries=entries)).keys().keys
    assert keys["python-twin"].key == keys["python"].key


class TestUnlocked:
    def test_a_source_that_the_lock_lacks_leaves_its_layer_and_all_that_read_it_without_a_key(self) -> None:
        entries = {node: sources for node, sources in WORLD.lock.entries.items() if node != "jdk"}
        keys = replace(WORLD, lock=Lock(entries=entries)).keys()
        assert keys.unlocked == {"jdk": ("jdk: jdk",), "app": ("jdk: jdk",), "shop": ("jdk: jdk",)}
        assert set(keys.keys) == set(WORLD.catalogue.nodes) - {"jdk", "app", "shop"}

    def test_an_entry_that_answers_another_request_does_not_count(self) -> None:
        entry = LockEntry(request=("deb:openjdk-21",), artifacts=(make_artifact("deb:openjdk-21=21"),))
        lock = Lock(entries={**WORLD.lock.entries, "jdk": {"jdk": entry}})
        assert set(replace(WORLD, lock=lock).keys().unlocked) == {"jdk", "app", "shop"}

    def test_what_two_parents_lack_is_told_once_each(self) -> None:
        keys = replace(WORLD, lock=Lock()).keys()
        assert keys.unlocked["shop"] == ("os: packages", "jdk: jdk", "python: dist", "libraries: requirements")


class TestContentKey:
    def test_it_depends_on_the_digests_of_parents_and_not_on_their_keys(self) -> None:
        changed = change_file(WORLD, "os", "customize.sh", f"x:{sha256('other')}").keys()
        documents = [keys.keys["jdk"].document for keys in (KEYS, changed)]
        assert documents[0] != documents[1]
        assert compute_content_key(documents[0], DIGESTS) == compute_content_key(documents[1], DIGESTS)

    @pytest.mark.parametrize("parent", ["os", "jdk", "python"])
    def test_another_digest_of_a_parent_moves_it(self, parent: str) -> None:
        document = KEYS.keys["app"].document
        other = {**DIGESTS, parent: f"sha256:{sha256('other')}"}
        assert compute_content_key(document, other) != compute_content_key(document, DIGESTS)

    def test_another_digest_of_what_it_does_not_read_does_not(self) -> None:
        document = KEYS.keys["app"].document
        other = {**DIGESTS, "libraries": f"sha256:{sha256('other')}"}
        assert compute_content_key(document, other) == compute_content_key(document, DIGESTS)

    def test_it_is_never_a_key(self) -> None:
        content = {compute_content_key(known.document, DIGESTS) for known in KEYS.keys.values()}
        assert content.isdisjoint({known.key for known in KEYS.keys.values()})


class TestTestKey:
    KNOWN: Mapping[str, str] = {"test_app.py": sha256("tests")}

    def make(
        self,
        *,
        image: str = "sha256:1",
        services: Mapping[str, str] = EMPTY,
        tests: Mapping[str, str] = KNOWN,
        params: Mapping[str, str] = EMPTY,
        capabilities: tuple[str, ...] = (),
        fixtures: str = "f",
    ) -> str:
        return hash_document(
            describe_test(
                image,
                services=services,
                tests=tests,
                params=params,
                capabilities=capabilities,
                fixtures=fixtures,
            )
        )

    def test_all_that_a_verdict_rests_on_moves_it(self) -> None:
        keys = {
            self.make(),
            self.make(image="sha256:2"),
            self.make(tests={"test_app.py": sha256("other tests")}),
            self.make(tests={"test_other.py": sha256("tests")}),
            self.make(params={"version": "1"}),
            self.make(capabilities=("gpu",)),
            self.make(fixtures="g"),
            self.make(services={"database": "sha256:3"}),
            self.make(services={"database": "sha256:4"}),
            self.make(services={"server": "sha256:3"}),
        }
        assert len(keys) == 10

    def test_without_services_it_is_what_it_was_before_there_were_any(self) -> None:
        facts = {"tests": {}, "params": {}, "capabilities": [], "fixtures": "f", "pytest": PYTEST}
        known = {"format": FORMAT, "image": "sha256:1", "testinfra": TESTINFRA, **facts}
        assert self.make(tests={}) == hash_document(known)  # type: ignore[arg-type]

    def test_the_order_of_capabilities_does_not(self) -> None:
        assert self.make(capabilities=("gpu", "net")) == self.make(capabilities=("net", "gpu"))


class TestExplanation:
    def test_equal_documents_need_none(self) -> None:
        assert explain(WORLD, "shop") == ()

    def test_a_changed_file_is_named(self) -> None:
        assert explain(change_file(WORLD, "os", "customize.sh", "x:0"), "os") == ("file customize.sh changed",)

    def test_a_new_file_and_one_that_is_gone_are_named(self) -> None:
        changed = change_file(change_file(WORLD, "jdk", "files/Main.java", None), "jdk", "files/New.java", "-:0")
        assert explain(changed, "jdk") == ("file files/Main.java is gone", "file files/New.java is new")

    def test_a_source_is_named_with_its_old_and_new_coordinate(self) -> None:
        changed = change_artifact(WORLD, "tools", "driver", lambda _: make_artifact("maven:org.example:driver:42.7.9"))
        line = "source driver: maven:org.example:driver:42.7.8 -> maven:org.example:driver:42.7.9"
        assert explain(changed, "tools") == (line,)

    def test_a_set_of_sources_names_the_first_three(self) -> None:
        coordinates = [f"pypi:package-{letter}==1.0" for letter in "abcde"]
        artifacts = tuple(make_artifact(coordinate) for coordinate in coordinates)
        entry = replace(WORLD.lock.entries["libraries"]["requirements"], artifacts=artifacts)
        lock = Lock(entries={**WORLD.lock.entries, "libraries": {"requirements": entry}})
        gone = "pypi:numpy==2.2.6, pypi:pandas==2.3.3"
        come = "pypi:package-a==1.0, pypi:package-b==1.0, pypi:package-c==1.0 and 2 more"
        assert explain(replace(WORLD, lock=lock), "libraries") == (f"source requirements: {gone} -> {come}",)

    def test_a_tool_is_named_with_its_old_and_new_version(self) -> None:
        old = KEYS.keys["tools"].document
        older: Document = {**old, "tools": {"writer": 1, "zstandard": "0.24.0"}}
        assert [str(change) for change in explain_change(older, old)] == ["tool zstandard: 0.24.0 -> 0.25.0"]

    def test_a_layer_that_changed_is_named_and_not_what_changed_in_it(self) -> None:
        assert explain(change_file(WORLD, "os", "customize.sh", "x:0"), "small") == ("layer os changed",)

    def test_layers_that_come_go_and_swap_are_named(self) -> None:
        small = WORLD.image("small")
        assert explain(WORLD.with_nodes(replace(small, layers=("os", "tools"))), "small") == (
            "layer tools is new",
            "layer python is gone",
        )
        assert explain(WORLD.with_nodes(replace(small, layers=("python", "os"))), "small") == (
            "the order of its layers changed",
        )

    @pytest.mark.parametrize(
        ("name", "node", "line"),
        [
            ("a build argument", "jdk", "argument MODULES changed"),
            ("the use of the network", "app", "manifest network changed"),
            ("the order of operations", "tools", "the order of its operations changed"),
            ("the compression", "tools", "compression: zstd -> none"),
            ("an image's variable", "shop", "variable MODE changed"),
            ("an image's overrides", "shop", "override /etc/motd is gone"),
            ("the epoch", "os", "epoch: 1767225600 -> 1"),
            ("the platform", "tools", "platform: linux/amd64 -> linux/arm64"),
            ("a parent that becomes a context", "app", "layer jdk is no parent any more"),
        ],
    )
    def test_what_a_manifest_says_otherwise_is_named(self, name: str, node: str, line: str) -> None:
        assert explain(MOVING[name][0](WORLD), node) == (line,)

    def test_another_format_is_named(self) -> None:
        old: Document = {**KEYS.keys["os"].document, "format": 0}
        changes = explain_change(old, KEYS.keys["os"].document)
        assert [str(change) for change in changes] == [f"format: 0 -> {key.FORMAT}"]


def test_keys_are_the_same_however_often_they_are_made() -> None:
    again: Keys = make_world().keys()
    assert again == KEYS
