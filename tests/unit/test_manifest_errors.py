"""What people get wrong in manifests; the exact answers stand in ``tests/golden/mistakes.txt``.

After a change that is meant: ``UPDATE_GOLDEN=1 pytest tests/unit/test_manifest_errors.py``, and read the diff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.golden_files import check_golden
from tests.samples import (
    IMAGE_FILE,
    IMAGE_TEXT,
    LAYER_FILE,
    LAYER_TEXT,
    PROJECT_TEXT,
    find_mistakes,
    make_documents,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = "manifests/project.yaml"
BASE_FILE = "manifests/layers/base.yaml"
LIB_FILE = "manifests/layers/lib.yaml"
TOP_FILE = "manifests/layers/top.yaml"
BASE_TEXT = "layer: base\nkind: dockerfile\nstage: base\ndescription: A base\n"
TOP_TEXT = "layer: top\nkind: dockerfile\nstage: base\ndescription: A top\n"
ROOTFS_TEXT = "layer: app\nkind: rootfs\nstage: os\ndescription: A root\nsuite: bookworm\n"
LIB_TEXT = """\
layer: lib
kind: python
stage: base
description: Libraries
parents: [app]
prefix: /opt/python
python: "3.10"
manylinux: x86_64-manylinux_2_28
requirements: ["numpy==2.2.6"]
"""


def swap(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def in_layer(line: str) -> dict[str, str | None]:
    return {LAYER_FILE: f"{LAYER_TEXT}{line}\n"}


def in_image(line: str) -> dict[str, str | None]:
    return {IMAGE_FILE: f"{IMAGE_TEXT}{line}\n"}


def layer_with(old: str, new: str, line: str = "") -> dict[str, str | None]:
    return {LAYER_FILE: f"{swap(LAYER_TEXT, old, new)}{line}\n"}


def image_with(old: str, new: str) -> dict[str, str | None]:
    return {IMAGE_FILE: swap(IMAGE_TEXT, old, new)}


def project_with(old: str, new: str) -> dict[str, str | None]:
    return {PROJECT_FILE: swap(PROJECT_TEXT, old, new)}


def operation(text: str, line: str = "") -> dict[str, str | None]:
    return layer_with("{write: /opt/app/RELEASE, text: one}", text, line)


def pin(text: str) -> dict[str, str | None]:
    return {"manifests/pins.yaml": f"pins:\n  - {{{text}, path: image}}\n"}


MISTAKES: Mapping[str, Mapping[str, str | None]] = {
    "an unknown key": in_layer("colour: red"),
    "an unknown key of the config": in_image('config: {usr: "185:0"}'),
    "an unknown key of an operation": operation("{write: /x, text: t, glob: y}"),
    "a key of another kind": in_layer("suite: bookworm"),
    "a duplicate key": in_layer("kind: rootfs"),
    "an unquoted version": in_layer("variants:\n  v1: {version: 3.10}"),
    "an unquoted date": layer_with("An app", "2026-01-01"),
    "an unquoted boolean": layer_with("An app", "yes"),
    "an empty value": layer_with("An app", ""),
    "an anchor": in_layer("env: {A: &x y}"),
    "an alias": in_layer("env: {A: *x}"),
    "a tag": in_layer("env: {A: !!python/object x}"),
    "a tag on a mapping": in_layer("env: !!set {A: x}"),
    "depth": in_layer(f"env: {'[' * 70}"),
    "broken YAML": in_layer("env: {A: x"),
    "a tab": in_layer("\tenv: x"),
    "two documents": in_layer("---\nlayer: x"),
    "a document that is a list": {LAYER_FILE: "- a\n"},
    "an empty document": {LAYER_FILE: ""},
    "a control character": {LAYER_FILE: "layer: \x00"},
    "a list as a key": in_layer("? [a, b]\n: c"),
    "a string for a list": in_layer("test_on: app"),
    "a list for a mapping": in_layer("env: [A]"),
    "a mapping for a string": layer_with("An app", "{a: b}"),
    "a string for an operation": operation("/x"),
    "a number for a string": in_layer("env: {A: 1}"),
    "a number for a coordinate": in_layer("sources: {x: 3}"),
    "missing keys": {LAYER_FILE: "layer: app\n"},
    "an unknown kind": layer_with("kind: files", "kind: file"),
    "a stage of images": layer_with("intermediate", "final"),
    "an unknown compression": in_layer("compression: gzip"),
    "a bad name": layer_with("layer: app", "layer: App"),
    "a bad variant": in_layer('variants: {"A b": {}}'),
    "a variant that is no mapping": in_layer("variants: {v1: x}"),
    "no variant": in_layer("variants: {}"),
    "an unknown ecosystem": in_layer("sources: {x: npm:left-pad}"),
    "half a coordinate": in_layer("sources: {x: maven:g:a}"),
    "a URL in the clear": in_layer('sources: {x: "url:http://example.org/x"}'),
    "a reserved source name": in_layer('sources: {packages: "deb:bash"}'),
    "an unknown source": operation("{unpack: dist, to: /x}"),
    "a misspelt source": operation("{place: dist, to: /x}", "sources: {dits: 'deb:bash'}"),
    "a mode without its zero": operation("{write: /x, text: t, mode: '755'}"),
    "an unquoted mode": operation("{write: /x, text: t, mode: 0755}"),
    "a mode in words": operation("{unpack: d, to: /x, modes: {'bin/*': rwx}}", "sources: {d: 'deb:bash'}"),
    "an owner by name": operation("{write: /x, text: t, owner: spark}"),
    "an unquoted owner": operation("{write: /x, text: t, owner: 185:0}"),
    "a size without a space": in_layer("budget: 20MB"),
    "a flag as a string": operation("{unpack: d, to: /x, gunzip: 'yes'}", "sources: {d: 'deb:bash'}"),
    "two actions in one operation": operation("{write: /x, copy: y, text: t}"),
    "an operation without an action": operation("{to: /x}"),
    "no operation": layer_with("files:\n  - {write: /opt/app/RELEASE, text: one}\n", ""),
    "a relative place in the image": operation("{write: opt/x, text: t}"),
    "a place that climbs": operation("{copy: x, to: /opt/../etc/passwd}"),
    "a copy from outside the layer": operation("{copy: ../../secret, to: /x}"),
    "a copy from this machine": operation("{copy: /etc/passwd, to: /x}"),
    "a hook from outside the layer": {LAYER_FILE: ROOTFS_TEXT + "packages: [bash]\nhooks: [../x.sh]\n"},
    "packages that are no list": {LAYER_FILE: ROOTFS_TEXT + "packages: bash\n"},
    "a root without packages": {LAYER_FILE: ROOTFS_TEXT},
    "a python layer without an interpreter": {LIB_FILE: LIB_TEXT.replace("parents: [app]\n", "")},
    "a parent of a files layer": in_layer("parents: [base]") | {BASE_FILE: BASE_TEXT},
    "an undefined variable": layer_with("An app", "'{{ version }}'"),
    "a misspelt variable": layer_with("An app", "'{{ versoin }}'", "variants: {v1: {version: '1'}}"),
    "an open expression": layer_with("An app", "'{{ version'"),
    "an escape from the sandbox by a chain": layer_with("An app", '"{{ ().__class__.__mro__ }}"'),
    "an escape from the sandbox by a method": layer_with("An app", '"{{ cycler.__init__.__globals__ }}"'),
    "an endless list": layer_with("An app", "'{{ range(10000000) | list }}'"),
    "a file in an expression": layer_with("An app", "\"{% include '/etc/passwd' %}\""),
    "a division by zero": layer_with("An app", "'{{ 1 / 0 }}'"),
    "an unknown filter": layer_with("An app", "'{{ layer | shout }}'"),
    "no project": {"manifests/project.yaml": None},
    "a project that is no YAML": {PROJECT_FILE: "project: ["},
    "an epoch in words": project_with("1767225600", "now"),
    "an unknown platform": project_with("linux/amd64", "windows/amd64"),
    "a group of nothing": project_with("project:", "groups: {all: [ap]}\nproject:"),
    "a group named like a node": project_with("project:", "groups: {app: ['*']}\nproject:"),
    "an image without layers": image_with("layers: [app]\n", ""),
    "a number for a layer": image_with("[app]", "[3]"),
    "an image without tags": image_with("tags: ['1.0']\n", ""),
    "a number for a tag": image_with("'1.0'", "1.0"),
    "a bad tag": image_with("'1.0'", "a b"),
    "a bad repository": image_with("sample/shop", "Sample/shop"),
    "a user by name": in_image("config: {user: root}"),
    "a user beyond 31 bits": in_image("config: {user: '2147483648:0'}"),
    "a port that is no list": in_image("config: {ports: 8080}"),
    "a port by name": in_image("config: {ports: [http]}"),
    "an alias named like a node": in_image("aliases: {app: x}"),
    "an alias of nothing": in_image("aliases: {latest: x}"),
    "a bad alias": in_image("aliases: {Latest: x}"),
    "a node twice": {BASE_FILE: LAYER_TEXT},
    "an image named like a layer": image_with("image: shop", "image: app"),
    "a layer twice in an image": image_with("[app]", "[app, app]"),
    "an unknown layer of an image": image_with("[app]", "[ap]"),
    "an image as a layer": image_with("[app]", "[app, top]")
    | {"manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top")},
    "a misspelt parent": {BASE_FILE: BASE_TEXT + "parents: [ap]\n"},
    "an unknown parent": {BASE_FILE: BASE_TEXT + "parents: [zzzz]\n"},
    "a layer that is its own parent": {BASE_FILE: BASE_TEXT + "parents: [base]\n"},
    "an image of itself": image_with("[app]", "[shop]"),
    "a circle of two": {BASE_FILE: BASE_TEXT + "parents: [top]\n", TOP_FILE: TOP_TEXT + "contexts: [base]\n"},
    "a circle of three": {
        BASE_FILE: BASE_TEXT + "parents: [top]\n",
        TOP_FILE: TOP_TEXT + "contexts: [lib]\n",
        LIB_FILE: LIB_TEXT.replace("[app]", "[base]"),
    },
    "a base that is no python layer": {LIB_FILE: LIB_TEXT + "base: app\n"},
    "an unknown layer to test on": in_layer("test_on: [os]"),
    "a pin to an unknown image": pin("image: shp, file: charts/a/values.yaml"),
    "a pin to a layer": pin("image: app, file: charts/a/values.yaml"),
    "a pin outside the project": pin("image: shop, file: ../values.yaml"),
    "a pin outside the project by an absolute path": pin("image: shop, file: /etc/values.yaml"),
}


def test_every_mistake_is_answered_as_written_in_the_golden_file() -> None:
    sections = (
        "\n".join([f"# {name}", *find_mistakes(make_documents(changes)), ""]) for name, changes in MISTAKES.items()
    )
    check_golden("mistakes.txt", "\n".join(sections))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_takes_a_line_each_with_its_place(name: str) -> None:
    lines = find_mistakes(make_documents(MISTAKES[name]))
    assert lines
    assert all(line.startswith("manifests/") and "\n" not in line for line in lines)


def test_the_sample_without_a_mistake_is_sound() -> None:
    assert find_mistakes(make_documents()) == []


def test_a_layer_and_an_image_without_tests_are_mistakes() -> None:
    assert find_mistakes(make_documents(untested=["app", "shop"])) == [
        "manifests/images/shop.yaml:1 (image): the image shop has no tests; write layers/shop/test_*.py",
        "manifests/layers/app.yaml:1 (layer): the layer app has no tests; write layers/app/test_*.py",
    ]


def test_all_mistakes_of_a_run_are_told_at_once_in_the_order_of_files_and_lines() -> None:
    layer = swap(LAYER_TEXT, "kind: files", "kind: files\ncolour: red") + "budget: much\n"
    image = swap(IMAGE_TEXT, "A shop", "3") + "aliases: {latest: x}\n"
    changes = {
        LAYER_FILE: layer,
        IMAGE_FILE: image,
        BASE_FILE: "layer: [",
        PROJECT_FILE: swap(PROJECT_TEXT, "epoch", "epok"),
        **pin("image: shop, file: /etc/x"),
    }
    assert [line.partition(" ")[0] for line in find_mistakes(make_documents(changes))] == [
        "manifests/images/shop.yaml:3",
        "manifests/images/shop.yaml:7",
        "manifests/layers/app.yaml:3",
        "manifests/layers/app.yaml:8",
        "manifests/layers/base.yaml:2:",
        "manifests/pins.yaml:2",
        "manifests/project.yaml:1:",
        "manifests/project.yaml:2",
    ]


def test_a_mistake_that_every_variant_repeats_is_told_once() -> None:
    changes = in_layer("variants: {a: {}, b: {}}\nbudget: much")
    assert find_mistakes(make_documents(changes)) == [
        "manifests/layers/app.yaml:8 (budget): 'much' is not a size; write it like 60 MB"
    ]


def test_a_file_beyond_the_limit_is_refused() -> None:
    changes = in_layer(f"# {'x' * (1 << 20)}")
    (line,) = find_mistakes(make_documents(changes))
    assert line.endswith("bytes is more than the limit of 1048576; split it")
