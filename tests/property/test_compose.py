"""Composition over generated layers: one image for one input, and every disagreement found, however it is reached."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from buildgraph.compose import DEFAULT_PATH, compose_image, find_clashes, merge_environment
from buildgraph.model import Entry, EntryType, ImageConfig
from tests.samples import EPOCH, PLATFORM, file_entry, folder_entry, link_entry, make_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.compose import Clash
    from buildgraph.model import FileIndex, NamedLayer

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
VARIABLES = st.sampled_from(["A", "B", "C"])
LISTS = st.sampled_from(["PATH", "PYTHONPATH"])
FOLDERS = st.from_regex(r"/[a-z]{1,2}", fullmatch=True)
NAMES = st.sampled_from(["a", "b", "c", "d"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONFIGS = st.builds(
    ImageConfig,
    user=st.sampled_from(["", "185:0"]),
    entrypoint=st.lists(WORDS, max_size=2).map(tuple),
    env=st.dictionaries(VARIABLES, WORDS, max_size=2),
    labels=st.dictionaries(WORDS, WORDS, max_size=2),
    ports=st.lists(st.integers(1, 65535), max_size=2).map(tuple),
)


@st.composite
def stacks(draw: st.DrawFn) -> list[NamedLayer]:
    """Layers that agree about every variable."""
    values = draw(st.fixed_dictionaries(dict.fromkeys(["A", "B", "C"], WORDS)))
    nodes = draw(st.lists(NAMES, unique=True))
    return [
        make_named(
            node,
            {name: values[name] for name in draw(st.lists(VARIABLES, unique=True))},
            draw(st.dictionaries(LISTS, st.lists(FOLDERS, min_size=1, max_size=2).map(tuple))),
        )
        for node in nodes
    ]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Entry]:
    """Entries by path, no path twice, without a file above another path, and without symlinks."""
    chosen = draw(st.lists(PATHS, unique=True, max_size=8))
    folders = {"/".join(path.split("/")[:depth]) for path in chosen for depth in range(1, path.count("/") + 1)}
    entries = {path: folder_entry(path, mode=draw(st.sampled_from([0o755, 0o1777]))) for path in sorted(folders)}
    for path in chosen:
        if path not in folders:
            entries[path] = file_entry(path, draw(st.sampled_from(["one", "two"])), uid=draw(st.sampled_from([0, 185])))
    return entries


def clashes(indexes: Sequence[FileIndex], overrides: Mapping[str, str] | None = None) -> list[Clash]:
    return list(find_clashes([(f"layer-{number}", index) for number, index in enumerate(indexes)], overrides or {}))


def changed(entry: Entry) -> list[Entry]:
    """Every way in which an upper layer may disagree about an entry."""
    others = [
        replace(entry, mode=entry.mode ^ 0o002),
        replace(entry, uid=entry.uid + 1),
        replace(entry, gid=entry.gid + 1),
        link_entry(entry.path, "elsewhere"),
    ]
    if entry.type is EntryType.FILE:
        return [*others, file_entry(entry.path, "other", uid=entry.uid), folder_entry(entry.path)]
    return [*others, file_entry(entry.path)]


@settings(max_examples=60)
@given(stacks(), CONFIGS)
def test_an_image_obeys_the_rules_of_oci(layers: list[NamedLayer], config: ImageConfig) -> None:
    image = compose_image(layers, config, platform=PLATFORM, epoch=EPOCH)
    manifest, document = json.loads(image.manifest), json.loads(image.config)
    assert image.digest == f"sha256:{hashlib.sha256(image.manifest).hexdigest()}"
    assert image.config_digest == f"sha256:{hashlib.sha256(image.config).hexdigest()}"
    assert manifest["config"]["digest"] == image.config_digest
    assert manifest["config"]["size"] == len(image.config)
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.blob.digest for layer in layers]
    assert [layer["size"] for layer in manifest["layers"]] == [layer.blob.size for layer in layers]
    assert document["rootfs"]["diff_ids"] == [layer.blob.diff_id for layer in layers]
    assert len(document["history"]) == len(layers)
    assert all(isinstance(value, str) and "=" in value for value in document["config"]["Env"])


@settings(max_examples=60)
@given(stacks(), CONFIGS, st.data())
def test_the_order_of_no_mapping_counts(layers: list[NamedLayer], config: ImageConfig, data: st.DataObject) -> None:
    def shuffle(table: Mapping[str, str]) -> dict[str, str]:
        return {name: table[name] for name in data.draw(st.permutations(list(table)))}

    other = replace(config, env=shuffle(config.env), labels=shuffle(config.labels))
    shuffled = [replace(layer, env=shuffle(layer.env)) for layer in layers]
    images = [
        compose_image(stack, runtime, platform=PLATFORM, epoch=EPOCH)
        for stack, runtime in ((layers, config), (shuffled, other))
    ]
    assert images[0] == images[1]


@settings(max_examples=60)
@given(stacks(), CONFIGS)
def test_the_environment_holds_what_was_set_and_paths_in_the_order_of_the_layers(
    layers: list[NamedLayer], config: ImageConfig
) -> None:
    merged = merge_environment(layers, config)
    assert list(merged) == sorted(merged)
    names = {name for layer in layers for name in (*layer.env, *layer.prepend)}
    assert set(merged) == names | set(config.env) | {"PATH"}
    expected = {name: value for layer in layers for name, value in layer.env.items()} | dict(config.env)
    assert {name: merged[name] for name in expected} == expected
    for name in ("PATH", "PYTHONPATH"):
        written = [value for layer in reversed(layers) for value in layer.prepend.get(name, ())]
        written += DEFAULT_PATH if name == "PATH" else ()
        assert merged.get(name, "") == ":".join(dict.fromkeys(written))


@settings(max_examples=60)
@given(trees(), st.data())
def test_layers_that_agree_never_clash(tree: dict[str, Entry], data: st.DataObject) -> None:
    draw = data.draw
    indexes = [tuple(entry for entry in tree.values() if draw(st.booleans())) for _ in range(3)]
    assert clashes(indexes) == []


@settings(max_examples=60)
@given(trees().filter(bool), st.data())
def test_one_disagreement_is_one_clash_that_an_override_allows(tree: dict[str, Entry], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(tree)))
    upper = data.draw(st.sampled_from(changed(tree[path])))
    found = clashes([tuple(tree.values()), (upper,)])
    assert [(clash.path, clash.lower, clash.upper) for clash in found] == [(f"/{path}", "layer-0", "layer-1")]
    assert found[0].reason
    assert clashes([tuple(tree.values()), (upper,)], {f"/{path}": "on purpose"}) == []


@settings(max_examples=60)
@given(trees(), trees(), st.sampled_from(["usr/lib", "/usr/lib", "./usr/lib"]))
def test_a_path_through_a_symlink_is_compared_like_the_place_that_it_leads_to(
    lower: dict[str, Entry], upper: dict[str, Entry], target: str
) -> None:
    def below(folder: str, tree: Mapping[str, Entry]) -> FileIndex:
        return tuple(replace(entry, path=f"{folder}/{path}") for path, entry in tree.items())

    root = (*below("usr/lib", lower), link_entry("lib", target))
    direct = clashes([root, below("usr/lib", upper)])
    assert clashes([root, below("lib", upper)]) == direct
    assert {clash.path.removeprefix("/usr/lib/") for clash in direct} == {
        path for path in lower.keys() & upper.keys() if replace(lower[path], size=0) != replace(upper[path], size=0)
    }
