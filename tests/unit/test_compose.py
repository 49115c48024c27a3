"""Composition: layers and a config become one OCI image, and what layers disagree about is found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.compose import DEFAULT_PATH, Clash, compose_image, find_clashes, merge_environment
from buildgraph.errors import Conflict
from buildgraph.model import MEDIA_CONFIG, MEDIA_MANIFEST, ImageConfig
from tests.golden_files import check_golden
from tests.samples import (
    EPOCH,
    PLATFORM,
    file_entry,
    folder_entry,
    hard_link_entry,
    link_entry,
    make_index,
    make_named,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Composition, Entry, FileIndex, NamedLayer

LAYERS = (
    make_named("os"),
    make_named("jdk", {"JAVA_HOME": "/opt/java"}, {"PATH": ("/opt/java/bin",)}),
    make_named("app", {"APP_HOME": "/opt/app"}, {"PATH": ("/opt/app/bin", "/opt/app/sbin")}),
)
CONFIG = ImageConfig(
    user="185:0",
    workdir="/opt/app",
    entrypoint=("/usr/bin/tini", "--", "/opt/app/run"),
    cmd=("serve",),
    env={"MODE": "web", "NAME": 'ü "quoted" $(id)\n'},
    labels={"org.opencontainers.image.title": "Shop {{7*7}}"},
    ports=(8080, 443),
    stop_signal="SIGTERM",
)


def compose(layers: tuple[NamedLayer, ...] = LAYERS, config: ImageConfig = CONFIG) -> Composition:
    return compose_image(layers, config, platform=PLATFORM, epoch=EPOCH)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class TestImage:
    def test_manifest_and_config_are_those_of_the_golden_files(self) -> None:
        image = compose()
        for name, data in (("manifest", image.manifest), ("config", image.config)):
            check_golden(f"image/{name}.json", json.dumps(json.loads(data), indent=1, ensure_ascii=False) + "\n")

    def test_the_same_layers_and_config_give_the_same_bytes(self) -> None:
        backwards = replace(CONFIG, env=dict(sorted(CONFIG.env.items(), reverse=True)), ports=(443, 8080))
        assert compose() == compose() == compose(config=backwards)

    def test_it_is_written_without_white_space_and_with_sorted_keys(self) -> None:
        for data in (compose().manifest, compose().config):
            plain = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert data == plain.encode()

    def test_digests_and_sizes_are_those_of_the_bytes(self) -> None:
        image = compose()
        manifest = json.loads(image.manifest)
        assert image.digest == digest(image.manifest)
        assert image.config_digest == digest(image.config)
        assert manifest["config"] == {
            "mediaType": MEDIA_CONFIG,
            "digest": digest(image.config),
            "size": len(image.config),
        }

    def test_the_manifest_is_one_of_oci_and_lists_the_layers_in_order(self) -> None:
        manifest = json.loads(compose().manifest)
        assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, MEDIA_MANIFEST)
        assert manifest["layers"] == [
            {"mediaType": layer.blob.media_type, "digest": layer.blob.digest, "size": layer.blob.size}
            for layer in LAYERS
        ]

    def test_the_config_holds_diff_ids_and_history_in_the_order_of_the_layers(self) -> None:
        config = json.loads(compose().config)
        assert config["rootfs"] == {"type": "layers", "diff_ids": [layer.blob.diff_id for layer in LAYERS]}
        assert [step["created_by"] for step in config["history"]] == [
            f"buildgraph {layer.node} {layer.blob.digest}" for layer in LAYERS
        ]
        assert (config["os"], config["architecture"]) == ("linux", "amd64")

    def test_the_only_time_is_the_epoch(self) -> None:
        config = json.loads(compose().config)
        assert {config["created"], *(step["created"] for step in config["history"])} == {"2026-01-01T00:00:00Z"}

    def test_what_the_config_says_is_taken_literally(self) -> None:
        runtime = json.loads(compose().config)["config"]
        assert runtime["User"] == "185:0"
        assert runtime["Entrypoint"] == ["/usr/bin/tini", "--", "/opt/app/run"]
        assert runtime["ExposedPorts"] == {"8080/tcp": {}, "443/tcp": {}}
        assert runtime["Labels"] == {"org.opencontainers.image.title": "Shop {{7*7}}"}
        assert 'NAME=ü "quoted" $(id)\n' in runtime["Env"]

    def test_what_the_config_does_not_say_is_left_out(self) -> None:
        assert set(json.loads(compose(config=ImageConfig()).config)["config"]) == {"Env"}

    @pytest.mark.parametrize(
        "other",
        [
            compose(layers=LAYERS[:2]),
            compose(layers=(LAYERS[0], LAYERS[2], LAYERS[1])),
            compose(config=replace(CONFIG, user="0:0")),
            compose(config=replace(CONFIG, labels={})),
            compose(config=replace(CONFIG, cmd=("serve", ""))),
            compose_image(LAYERS, CONFIG, platform="linux/arm64", epoch=EPOCH),
            compose_image(LAYERS, CONFIG, platform=PLATFORM, epoch=EPOCH + 1),
        ],
    )
    def test_another_image_has_another_digest(self, other: Composition) -> None:
        assert other.digest != compose().digest

    def test_the_size_is_that_of_the_layers(self) -> None:
        assert compose().size == sum(layer.blob.size for layer in LAYERS)


class TestEnvironment:
    def test_it_is_sorted_by_name_and_holds_what_layers_and_config_set(self) -> None:
        merged = merge_environment(LAYERS, CONFIG)
        assert list(merged) == ["APP_HOME", "JAVA_HOME", "MODE", "NAME", "PATH"]
        assert merged["JAVA_HOME"] == "/opt/java"

    def test_paths_of_upper_layers_go_first_and_the_systems_last(self) -> None:
        path = merge_environment(LAYERS, CONFIG)["PATH"].split(":")
        assert path == ["/opt/app/bin", "/opt/app/sbin", "/opt/java/bin", *DEFAULT_PATH]

    def test_a_path_that_two_layers_prepend_stands_once_in_front(self) -> None:
        layers = [make_named("a", prepend={"PATH": ("/x", "/y")}), make_named("b", prepend={"PATH": ("/y", "/bin")})]
        path = merge_environment(layers, ImageConfig())["PATH"].split(":")
        assert path == ["/y", "/bin", "/x", *(folder for folder in DEFAULT_PATH if folder != "/bin")]

    def test_other_lists_have_no_default(self) -> None:
        layers = [make_named("a", prepend={"PYTHONPATH": ("/a",)}), make_named("b", prepend={"PYTHONPATH": ("/b",)})]
        assert merge_environment(layers, ImageConfig())["PYTHONPATH"] == "/b:/a"

    def test_without_layers_there_is_still_a_path(self) -> None:
        assert merge_environment([], ImageConfig()) == {"PATH": ":".join(DEFAULT_PATH)}

    def test_two_layers_may_agree(self) -> None:
        layers = [make_named("a", {"LANG": "C.UTF-8"}), make_named("b", {"LANG": "C.UTF-8"})]
        assert merge_environment(layers, ImageConfig())["LANG"] == "C.UTF-8"

    def test_two_layers_that_do_not_agree_are_a_conflict(self) -> None:
        layers = [make_named("a", {"LANG": "C"}), make_named("b", {"LANG": "de"})]
        with pytest.raises(Conflict) as caught:
            merge_environment(layers, ImageConfig())
        assert str(caught.value) == "a sets LANG=C, b sets LANG=de; set LANG in the image's config.env"

    def test_the_images_config_decides_between_them(self) -> None:
        layers = [make_named("a", {"LANG": "C"}), make_named("b", {"LANG": "de"})]
        assert merge_environment(layers, ImageConfig(env={"LANG": "fr"}))["LANG"] == "fr"

    @pytest.mark.parametrize("name", ["PATH", "PYTHONPATH"])
    def test_a_layer_that_sets_what_layers_prepend_to_is_a_conflict(self, name: str) -> None:
        layers = [make_named("a", {name: "/a"}), make_named("b", prepend={"PYTHONPATH": ("/b",)})]
        with pytest.raises(Conflict) as caught:
            merge_environment(layers, ImageConfig())
        assert caught.value.what == f"a sets {name}=/a, to which layers prepend"
        assert caught.value.hint == f"write it under prepend, or set {name} in the image's config.env"

    def test_the_images_config_may_set_a_path_as_a_whole(self) -> None:
        assert merge_environment(LAYERS, ImageConfig(env={"PATH": "/only"}))["PATH"] == "/only"

    def test_an_image_with_a_conflict_is_not_composed(self) -> None:
        with pytest.raises(Conflict, match="a sets X=1, b sets X=2"):
            compose((make_named("a", {"X": "1"}), make_named("b", {"X": "2"})))


def clashes(*indexes: FileIndex, overrides: Mapping[str, str] | None = None) -> list[str]:
    """One line for each clash between layers that are called a, b, c, …"""
    named = [("abcd"[number], index) for number, index in enumerate(indexes)]
    return [str(clash) for clash in find_clashes(named, overrides or {})]


MERGED_USR = make_index(
    folder_entry("usr"),
    folder_entry("usr/lib"),
    file_entry("usr/lib/libc.so", "libc"),
    link_entry("lib", "usr/lib"),
    folder_entry("tmp", mode=0o1777),
    folder_entry("etc"),
    file_entry("etc/motd", "welcome"),
)


class TestClashes:
    @pytest.mark.parametrize(
        ("lower", "upper", "line"),
        [
            (file_entry("x", "1"), file_entry("x", "2"), "has other content than that of a"),
            (
                file_entry("x"),
                file_entry("x", mode=0o600),
                "has mode and owner 0600 0:0 where it is 0644 0:0 in that of a",
            ),
            (
                file_entry("x"),
                file_entry("x", uid=185),
                "has mode and owner 0644 185:0 where it is 0644 0:0 in that of a",
            ),
            (file_entry("x"), file_entry("x", gid=5), "has mode and owner 0644 0:5 where it is 0644 0:0 in that of a"),
            (
                folder_entry("x", mode=0o1777),
                folder_entry("x"),
                "has mode and owner 0755 0:0 where it is 1777 0:0 in that of a",
            ),
            (
                folder_entry("x"),
                folder_entry("x", uid=185),
                "has mode and owner 0755 185:0 where it is 0755 0:0 in that of a",
            ),
            (link_entry("x", "y"), link_entry("x", "z"), "links to z instead of y as in that of a"),
            (hard_link_entry("x", "y"), hard_link_entry("x", "z"), "links to z instead of y as in that of a"),
            (link_entry("x", "y"), folder_entry("x"), "puts a directory over a symlink of a"),
            (folder_entry("x"), link_entry("x", "y"), "puts a symlink over a directory of a"),
            (folder_entry("x"), file_entry("x"), "puts a file over a directory of a"),
            (file_entry("x"), folder_entry("x"), "puts a directory over a file of a"),
            (file_entry("x"), link_entry("x", "y"), "puts a symlink over a file of a"),
            (link_entry("x", "y"), file_entry("x"), "puts a file over a symlink of a"),
            (file_entry("x"), hard_link_entry("x", "y"), "puts a hardlink over a file of a"),
            (hard_link_entry("x", "y"), file_entry("x"), "puts a file over a hardlink of a"),
        ],
    )
    def test_every_disagreement_names_path_and_layers(self, lower: Entry, upper: Entry, line: str) -> None:
        assert clashes(make_index(lower), make_index(upper)) == [f"/x: b {line}"]

    @pytest.mark.parametrize(
        "entry", [file_entry("x", "same"), folder_entry("x"), link_entry("x", "y"), hard_link_entry("x", "y")]
    )
    def test_equal_entries_are_no_clash(self, entry: Entry) -> None:
        assert clashes(make_index(entry), make_index(entry), make_index(entry)) == []

    def test_other_paths_are_no_clash(self) -> None:
        assert clashes(make_index(file_entry("x")), make_index(file_entry("x2"), folder_entry("y"))) == []

    def test_a_path_behind_a_symlink_of_a_lower_layer_is_the_place_that_it_leads_to(self) -> None:
        assert clashes(MERGED_USR, make_index(file_entry("lib/libc.so", "other"))) == [
            "/usr/lib/libc.so: b has other content than that of a"
        ]
        assert clashes(MERGED_USR, make_index(file_entry("lib/libc.so", "libc"))) == []
        assert clashes(MERGED_USR, make_index(file_entry("lib/libm.so", "libm"))) == []

    def test_a_directory_over_the_symlink_that_leads_to_libraries_is_a_clash(self) -> None:
        upper = make_index(folder_entry("lib"), file_entry("lib/libm.so", "libm"))
        assert clashes(MERGED_USR, upper) == ["/lib: b puts a directory over a symlink of a"]

    def test_a_stray_directory_that_takes_the_sticky_bit_from_tmp_is_a_clash(self) -> None:
        assert clashes(MERGED_USR, make_index(folder_entry("tmp"))) == [
            "/tmp: b has mode and owner 0755 0:0 where it is 1777 0:0 in that of a"
        ]

    @pytest.mark.parametrize("target", ["usr/lib", "/usr/lib", "./usr/lib", "usr/../usr/lib", "../usr/lib"])
    def test_symlinks_are_followed_however_they_are_written(self, target: str) -> None:
        lower = make_index(file_entry("usr/lib/x", "1"), link_entry("lib", target))
        assert clashes(lower, make_index(file_entry("lib/x", "2"))) == [
            "/usr/lib/x: b has other content than that of a"
        ]

    def test_chains_of_symlinks_across_layers_are_followed(self) -> None:
        one = make_index(file_entry("opt/jdk-17/bin/java", "1"), link_entry("opt/jdk", "jdk-17"))
        two = make_index(link_entry("java", "opt/jdk/bin"))
        assert clashes(one, two, make_index(file_entry("java/java", "2"))) == [
            "/opt/jdk-17/bin/java: c has other content than that of a"
        ]

    def test_a_symlink_that_a_later_layer_completes_leads_on_from_there(self) -> None:
        layers = [
            make_index(file_entry("opt/jdk-17/java", "1"), link_entry("java", "opt/jdk")),
            make_index(file_entry("java/notes", "1")),
            make_index(link_entry("opt/jdk", "jdk-17")),
        ]
        assert clashes(*layers, make_index(file_entry("java/java", "2"))) == [
            "/opt/jdk-17/java: d has other content than that of a"
        ]

    def test_two_layers_that_write_through_the_symlink_are_compared(self) -> None:
        upper = [make_index(file_entry("lib/x", "1")), make_index(file_entry("usr/lib/x", "2"))]
        assert clashes(MERGED_USR, *upper) == ["/usr/lib/x: c has other content than that of b"]

    def test_a_symlink_of_its_own_layer_leads_nowhere_else(self) -> None:
        index = make_index(folder_entry("new"), file_entry("new/x", "1"), link_entry("old", "new"))
        assert clashes(index, index) == []

    @pytest.mark.parametrize("index", [[("a", "b"), ("b", "a")], [("a", "a")], [("a", "a/b")]])
    def test_symlinks_in_a_circle_end(self, index: list[tuple[str, str]]) -> None:
        lower = make_index(*(link_entry(path, target) for path, target in index))
        assert clashes(lower, make_index(file_entry("a/x"))) == []

    def test_the_last_of_three_layers_is_compared_with_the_last_that_holds_the_path(self) -> None:
        one, two = make_index(file_entry("x", "1")), make_index(file_entry("x", "2"))
        assert clashes(one, two, two) == ["/x: b has other content than that of a"]
        assert clashes(one, make_index(file_entry("y")), two) == ["/x: c has other content than that of a"]

    def test_an_override_allows_its_path_and_no_other(self) -> None:
        upper = make_index(file_entry("etc/motd", "hello"), file_entry("lib/libc.so", "other"))
        assert clashes(MERGED_USR, upper, overrides={"/etc/motd": "greeting"}) == [
            "/usr/lib/libc.so: b has other content than that of a"
        ]
        assert clashes(MERGED_USR, upper, overrides={"/etc/motd": "greeting", "/usr/lib/libc.so": "ours"}) == []

    def test_all_clashes_are_found_in_the_order_of_the_layers(self) -> None:
        lower = make_index(file_entry("a", "1"), file_entry("b", "1"))
        upper = make_index(file_entry("b", "2"), file_entry("a", "2"))
        assert [line[:2] for line in clashes(lower, upper, lower)] == ["/b", "/a", "/a", "/b"]

    def test_a_clash_is_a_value_of_path_layers_and_reason(self) -> None:
        found = list(find_clashes([("os", make_index(file_entry("x"))), ("app", make_index(folder_entry("x")))], {}))
        assert found == [Clash(path="/x", lower="os", upper="app", reason="puts a directory over a file")]
