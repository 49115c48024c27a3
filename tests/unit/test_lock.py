"""The lock: one text for one value, and nothing accepted that is not exactly what was locked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ErrorGroup, LockError
from buildgraph.lock import MAX_BYTES, find_extra, find_unlocked, format_lock, parse_lock, with_entries
from buildgraph.model import Lock, LockEntry, LockGap
from tests.golden_files import check_golden
from tests.samples import make_artifact, make_catalogue, make_layer, make_source, make_world, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Json: TypeAlias = dict[str, object]

FILE = "manifests/buildgraph.lock"
WORLD = make_world()
TEXT = format_lock(WORLD.lock)
HASH = sha256("maven:org.example:driver:42.7.8")


def driver(**changes: object) -> str:
    """The text of a lock of one artifact, with keys replaced (None: taken away)."""
    artifact: Json = {
        "coordinate": "maven:org.example:driver:42.7.8",
        "file": "driver-42.7.8.jar",
        "sha256": HASH,
        "size": 1000,
    }
    artifact = {key: value for key, value in {**artifact, **changes}.items() if value is not None}
    return entry_text({"request": ["maven:org.example:driver:42.7.*"], "artifacts": [artifact]})


def entry_text(entry: object) -> str:
    return json.dumps({"lock": 1, "nodes": {"tools": {"driver": entry}}})


def complaint(text: str) -> str:
    """What is said about a text that is no lock."""
    with pytest.raises((LockError, ErrorGroup)) as caught:
        parse_lock(text, FILE)
    return str(caught.value)


def rearranged(text: str, change: Callable[[dict[str, Json]], object]) -> str:
    """The lock's text after a change to its nodes."""
    document = json.loads(text)
    change(document["nodes"])
    return json.dumps(document)


class TestText:
    def test_it_is_that_of_the_golden_file(self) -> None:
        check_golden("buildgraph.lock", TEXT)

    def test_it_is_json_with_one_artifact_a_line(self) -> None:
        assert json.loads(TEXT)["lock"] == 1
        assert sum('"sha256"' in line for line in TEXT.splitlines()) == 7
        assert max(line.count('"sha256"') for line in TEXT.splitlines()) == 1

    def test_what_is_written_is_read_back(self) -> None:
        assert parse_lock(TEXT, FILE) == WORLD.lock

    def test_an_empty_lock_is_written_and_read(self) -> None:
        assert parse_lock(format_lock(Lock()), FILE) == Lock()

    def test_a_licence_and_a_place_are_written_only_when_there_are_some(self) -> None:
        lines = {line.split('"')[3]: line for line in TEXT.splitlines() if '"sha256"' in line}
        assert '"licence": "BSD-2-Clause"' in lines["maven:org.example:driver:42.7.8"]
        assert '"licence"' not in lines["deb:bash=5.2.15-2+b7"]
        assert '"path": "bookworm pool/' in lines["deb:bash=5.2.15-2+b7"]
        assert '"path"' not in lines["pypi:numpy==2.2.6"]

    def test_that_an_artifact_may_be_passed_on_goes_unsaid(self) -> None:
        assert "redistributable" not in TEXT
        (entry,) = parse_lock(driver(redistributable=False), FILE).entries["tools"].values()
        assert not entry.artifacts[0].redistributable
        assert '"redistributable": false' in format_lock(parse_lock(driver(redistributable=False), FILE))


class TestFault37:
    """A lock that was damaged, edited or merged is refused; what changes no meaning is accepted and put right."""

    def test_fault_37_missing_entry(self) -> None:
        lock = parse_lock(rearranged(TEXT, lambda nodes: nodes.pop("jdk")), FILE)
        (missing,) = find_unlocked(lock, [WORLD.layer(name) for name in ("os", "jdk", "tools")])
        assert (missing.node, missing.source.name, missing.reason) == ("jdk", "jdk", "is not in the lock")

    def test_fault_37_extra_entry(self) -> None:
        def add(nodes: dict[str, Json]) -> None:
            nodes["gone"] = nodes["jdk"]
            nodes["os"]["other"] = nodes["jdk"]["jdk"]
            nodes["shop"] = nodes["jdk"]

        lock = parse_lock(rearranged(TEXT, add), FILE)
        assert set(find_extra(lock, WORLD.catalogue)) == {("gone", "jdk"), ("os", "other"), ("shop", "jdk")}
        assert with_entries(lock, {}, WORLD.catalogue) == WORLD.lock

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("da39a3ee5e6b4b0d3255bfef95601890afd80709", id="sha1"),
            pytest.param("d41d8cd98f00b204e9800998ecf8427e", id="md5"),
            pytest.param(HASH.upper(), id="upper-case"),
            pytest.param(HASH[:-1], id="63-digits"),
            pytest.param(f"{HASH}0", id="65-digits"),
            pytest.param(f"sha256:{HASH}", id="prefix"),
            pytest.param("g" * 64, id="no-digits"),
            pytest.param(f"{HASH}\n", id="line-end"),
            pytest.param("", id="nothing"),
        ],
    )
    def test_fault_37_weak_or_malformed_hash(self, value: str) -> None:
        assert complaint(driver(sha256=value)) == (
            f"{FILE} (tools.driver): maven:org.example:driver:42.7.8: sha256 {value!r} is not 64 lower-case "
            "hexadecimal digits; run: buildgraph lock --update tools"
        )

    def test_fault_37_sha1_alone(self) -> None:
        text = driver(sha256=None, sha1="da39a3ee5e6b4b0d3255bfef95601890afd80709")
        assert "an artifact has coordinate, file, sha256 and size" in complaint(text)

    def test_fault_37_sha1_beside_sha256(self) -> None:
        assert "an artifact has coordinate, file, sha256 and size" in complaint(driver(sha1="da39a3ee"))

    @pytest.mark.parametrize("size", [0, -1, 1.5, 1000.0, "1000", True, [1000], float("nan"), 1e400, 10**400])
    def test_fault_37_size_of_another_type(self, size: object) -> None:
        assert "size" in complaint(driver(size=size))

    def test_fault_37_size_missing(self) -> None:
        assert "an artifact has coordinate, file, sha256 and size" in complaint(driver(size=None))

    @pytest.mark.parametrize(
        ("request_", "coordinate"),
        [
            ("url:https://example.org/a.tar.gz", "url:https://example.net/a.tar.gz"),
            ("url:https://example.org/a.tar.gz", "url:https://example.org/b.tar.gz"),
            ("maven:org.example:driver:42.7.*", "maven:org.evil:driver:42.7.8"),
            ("maven:org.example:driver:42.7.*", "maven:org.example:driver:42.70.1"),
            ("maven:org.example:driver:42.7.8", "maven:org.example:driver:42.7.9"),
            ("maven:org.example:driver:42.7.8:cuda", "maven:org.example:driver:42.7.8"),
            ("pypi:numpy==2.2.6", "pypi:numpi==2.2.6"),
            ("pypi:numpy==2.2.6", "pypi:numpy==2.2.5"),
            ("deb:bash", "deb:dash=0.5"),
            ("go:example.org/m@v1.0.0", "go:example.org/m@v1.0.1"),
            ("deb:bash", "pypi:bash==5.2"),
        ],
    )
    def test_fault_37_entry_for_something_else(self, request_: str, coordinate: str) -> None:
        artifact = {"coordinate": coordinate, "file": "f", "sha256": HASH, "size": 1}
        text = entry_text({"request": [request_], "artifacts": [artifact]})
        assert f"{coordinate} does not answer {request_}" in complaint(text)

    @pytest.mark.parametrize(
        ("request_", "coordinate"),
        [
            ("pypi:Ruamel_YAML==0.18!sdist", "pypi:ruamel-yaml==0.18"),
            ("maven:g:a:1.*", "maven:g:a:1.2"),
            ("maven:g:a:1.0:linux@zip", "maven:g:a:1.0:linux@zip"),
            ("deb:bash", "deb:bash=5.2.15-2+b7"),
            ("numpy>=2", "pypi:numpy==2.2.6"),
            ("bash", "deb:libc6=2.36-9"),
        ],
    )
    def test_an_answer_to_the_request_is_accepted(self, request_: str, coordinate: str) -> None:
        artifact = make_artifact(coordinate, file="f")
        lock = Lock(entries={"tools": {"driver": LockEntry(request=(request_,), artifacts=(artifact,))}})
        assert parse_lock(format_lock(lock), FILE) == lock

    def test_fault_37_two_answers_to_one_coordinate(self) -> None:
        artifacts = tuple(make_artifact(f"deb:bash={version}") for version in ("5.2", "5.3"))
        lock = Lock(entries={"os": {"bash": LockEntry(request=("deb:bash",), artifacts=artifacts)}})
        assert "deb:bash=5.2 does not answer deb:bash" in complaint(format_lock(lock))

    def test_fault_37_entry_for_another_request(self) -> None:
        layer = replace(WORLD.layer("tools"), sources=(make_source("driver", "maven:org.example:driver:43.*"),))
        (changed,) = find_unlocked(WORLD.lock, [layer])
        assert changed.reason == (
            "changed in the manifest since it was locked "
            "(maven:org.example:driver:42.7.*, maven:org.example:driver:43.*)"
        )

    def test_fault_37_reordered_is_accepted_and_normalised_on_write(self) -> None:
        document = json.loads(TEXT)
        nodes = {
            node: {
                source: {
                    "artifacts": [dict(reversed(artifact.items())) for artifact in reversed(entry["artifacts"])],
                    "request": entry["request"][::-1],
                }
                for source, entry in reversed(sources.items())
            }
            for node, sources in reversed(document["nodes"].items())
        }
        text = json.dumps({"nodes": nodes, "lock": 1}, indent=4)
        assert text != TEXT
        assert parse_lock(text, FILE) == WORLD.lock
        assert format_lock(parse_lock(text, FILE)) == TEXT

    def test_fault_37_line_ends_of_another_system_are_accepted_and_normalised_on_write(self) -> None:
        assert format_lock(parse_lock(TEXT.replace("\n", "\r\n"), FILE)) == TEXT

    @pytest.mark.parametrize("mark", ["<<<<<<< ours\n", "=======\n", ">>>>>>> theirs\n", "||||||| base\n"])
    def test_fault_37_conflict_marks(self, mark: str) -> None:
        lines = TEXT.splitlines(keepends=True)
        for line in range(len(lines) + 1):
            said = complaint("".join([*lines[:line], mark, *lines[line:]]))
            assert said.startswith(f"{FILE}: not a lock: ")
            assert said.endswith("; run: buildgraph lock")

    @pytest.mark.parametrize(
        "text",
        [
            '{"lock": 1, "lock": 1, "nodes": {}}',
            '{"lock": 1, "nodes": {}, "nodes": {}}',
            TEXT.replace('"jdk": {', '"os": {', 1),
            TEXT.replace('"size": 1000', '"size": 1, "size": 1000', 1),
        ],
    )
    def test_fault_37_duplicate_keys(self, text: str) -> None:
        assert complaint(text) == f"{FILE}: not a lock: a key stands twice; run: buildgraph lock"


class TestRefusal:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", "not a lock: Expecting value: line 1 column 1 (char 0)"),
            (TEXT[:-4], "not a lock: Expecting ',' delimiter"),
            ("[" * 100_000, "not a lock: "),
            ("[]", "not a lock of format 1"),
            ("null", "not a lock of format 1"),
            ('{"lock": 2, "nodes": {}}', "not a lock of format 1"),
            ('{"lock": "1", "nodes": {}}', "not a lock of format 1"),
            ('{"lock": 1.0, "nodes": {}}', "not a lock of format 1"),
            ('{"lock": true, "nodes": {}}', "not a lock of format 1"),
            ('{"lock": NaN, "nodes": {}}', "not a lock of format 1"),
            ('{"lock": 1, "nodes": {},}', "not a lock: "),
            ('{"lock": 1, "nodes": {"../x": {}}}', "'../x' is not the name of a node"),
            ('{"lock": 1, "nodes": {"a\\nb": {}}}', "'a\\nb' is not the name of a node"),
            ('{"lock": 1, "nodes": {"\\ud800": {}}}', "'\\ud800' is not the name of a node"),
            (f'{{"lock": {"9" * 5000}}}', "not a lock: Exceeds the limit (4300 digits) for integer string conversion"),
            (" " * (MAX_BYTES + 1), "more than the limit of 33554432 bytes"),
            ('{"nodes": {}}', "not a lock of format 1"),
            ('{"lock": 1}', "the keys must be lock and nodes"),
            ('{"lock": 1, "nodes": []}', "the keys must be lock and nodes"),
            ('{"lock": 1, "nodes": {}, "more": 1}', "the keys must be lock and nodes"),
        ],
    )
    def test_what_is_no_lock_is_refused(self, text: str, line: str) -> None:
        said = complaint(text)
        assert said.startswith(f"{FILE}: {line}")
        assert said.endswith("; run: buildgraph lock")

    @pytest.mark.parametrize("sources", [{}, [], None, "x"])
    def test_a_node_without_sources_is_refused(self, sources: object) -> None:
        text = json.dumps({"lock": 1, "nodes": {"tools": sources}})
        assert complaint(text) == f"{FILE} (tools): a node without sources; run: buildgraph lock"

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            ([], "an entry has request and artifacts"),
            ({"request": ["x"]}, "an entry has request and artifacts"),
            ({"request": ["x"], "artifacts": [], "more": 1}, "an entry has request and artifacts"),
            ({"request": "x", "artifacts": []}, "request is a list of strings"),
            ({"request": [1], "artifacts": []}, "request is a list of strings"),
            ({"request": [], "artifacts": []}, "request is a list of at least one"),
            ({"request": ["a\nb"], "artifacts": []}, "request is a list of strings"),
            ({"request": ["x"], "artifacts": []}, "artifacts is a list of at least one"),
            ({"request": ["x"], "artifacts": {}}, "artifacts is a list of at least one"),
            ({"request": ["x"], "unlocked": ""}, "unlocked is one line of text"),
            ({"request": ["x"], "unlocked": "a\nb"}, "unlocked is one line of text"),
            ({"request": ["x"], "unlocked": "a\u202eb"}, "unlocked is one line of text"),
            ({"request": ["x"], "unlocked": True}, "unlocked is one line of text"),
            ({"request": [], "unlocked": "why"}, "request is a list of at least one"),
            (
                {"request": ["x"], "unlocked": "why", "artifacts": []},
                "an entry has request and artifacts, or request and",
            ),
            ({"unlocked": "why"}, "an entry has request and artifacts, or request and unlocked"),
            ({"request": ["x"], "artifacts": ["y"]}, "an artifact has coordinate, file, sha256 and size"),
        ],
    )
    def test_an_entry_of_another_shape_is_refused(self, entry: object, reason: str) -> None:
        assert f"(tools.driver): {reason}" in complaint(entry_text(entry))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"file": "../driver.jar"}, "'../driver.jar' is not a file name"),
            ({"file": "a/b"}, "'a/b' is not a file name"),
            ({"file": ".hidden"}, "'.hidden' is not a file name"),
            ({"file": "-rf"}, "'-rf' is not a file name"),
            ({"file": ""}, "'' is not a file name"),
            ({"file": "a\n"}, "'a\\n' is not a file name"),
            ({"file": 3}, "everything in an artifact but its size and redistributable is a string"),
            ({"licence": "a\x1b[31m"}, "licence 'a\\x1b[31m' is not one line of text"),
            ({"licence": "\ud800"}, "licence '\\ud800' is not one line of text"),
            ({"licence": ["MIT"]}, "everything in an artifact but its size and redistributable is a string"),
            ({"redistributable": True}, "redistributable is false, or left out"),
            ({"redistributable": 0}, "redistributable is false, or left out"),
            ({"redistributable": "false"}, "redistributable is false, or left out"),
            ({"coordinate": "maven:org.example:driver:42.7.*"}, "not one exact version"),
            ({"coordinate": "driver"}, "'driver' is not a coordinate"),
            ({"coordinate": "deb:bash=5", "path": "bookworm ../../etc/passwd"}, "is not a place in an archive"),
            ({"url": "https://example.org/"}, "an artifact has coordinate, file, sha256 and size"),
        ],
    )
    def test_an_artifact_of_another_shape_is_refused(self, changes: Json, reason: str) -> None:
        assert reason in complaint(driver(**changes))

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        text = rearranged(TEXT, lambda nodes: nodes.update(one={}, two={"x": {}}, three={"y": []}))
        assert [line.split(":", 1)[0] for line in complaint(text).splitlines()] == [
            f"{FILE} (one)",
            f"{FILE} (two.x)",
            f"{FILE} (three.y)",
        ]


class TestGaps:
    LAYER = make_layer("jars", sources=(make_source("rare", "maven:a:rare:1"),))
    GAP = LockGap(request=("maven:a:rare:1",), reason="not found")

    def test_a_source_that_could_not_be_locked_is_one_line(self) -> None:
        text = format_lock(Lock(gaps={"jars": {"rare": self.GAP}}))
        assert text.splitlines()[4] == '   "rare": {"request": ["maven:a:rare:1"], "unlocked": "not found"}'
        assert parse_lock(text, FILE).find("jars", "rare") is None

    def test_it_is_known_while_it_is_asked_for_like_that(self) -> None:
        lock = Lock(gaps={"jars": {"rare": self.GAP}})
        (known,) = find_unlocked(lock, [self.LAYER])
        assert (known.is_known, known.reason) == (True, "is not found")
        other = make_layer("jars", sources=(make_source("rare", "maven:a:rare:2"),))
        (changed,) = find_unlocked(lock, [other])
        assert (changed.is_known, changed.reason.partition(" (")[0]) == (
            False,
            "changed in the manifest since it was locked",
        )

    def test_an_answer_takes_its_place_and_it_the_answer_s(self) -> None:
        catalogue = make_catalogue([self.LAYER])
        entry = LockEntry(request=("maven:a:rare:1",), artifacts=(make_artifact("maven:a:rare:1"),))
        lacking = with_entries(Lock(), {("jars", "rare"): self.GAP}, catalogue)
        found = with_entries(lacking, {("jars", "rare"): entry}, catalogue)
        assert (dict(found.gaps), found.find("jars", "rare")) == ({}, entry)
        assert with_entries(found, {("jars", "rare"): self.GAP}, catalogue) == lacking

    def test_what_no_manifest_asks_for_is_extra(self) -> None:
        lock = Lock(gaps={"jars": {"rare": self.GAP, "other": self.GAP}, "gone": {"rare": self.GAP}})
        assert set(find_extra(lock, make_catalogue([self.LAYER]))) == {("jars", "other"), ("gone", "rare")}


class TestUpdate:
    def test_entries_are_replaced_and_added_and_others_kept(self) -> None:
        entry = LockEntry(request=("deb:openjdk",), artifacts=(make_artifact("deb:openjdk=21"),))
        changed = with_entries(WORLD.lock, {("jdk", "jdk"): entry}, WORLD.catalogue)
        assert changed.entries["jdk"]["jdk"] is entry
        assert {node: changed.entries[node] for node in changed.entries if node != "jdk"} == {
            node: WORLD.lock.entries[node] for node in WORLD.lock.entries if node != "jdk"
        }

    def test_what_no_manifest_asks_for_is_left_out(self) -> None:
        catalogue = make_catalogue([make_layer("jdk", sources=WORLD.layer("jdk").sources)])
        assert set(with_entries(WORLD.lock, {}, catalogue).entries) == {"jdk"}

    def test_a_complete_lock_lacks_nothing(self) -> None:
        layers = [WORLD.layer(name) for name in ("os", "jdk", "python", "libraries", "app", "tools")]
        assert list(find_unlocked(WORLD.lock, layers)) == []
        assert list(find_extra(WORLD.lock, WORLD.catalogue)) == []
