"""Small changes to the sound project of ``tests.samples``: file → its new text, or None when it is taken away."""

from __future__ import annotations

from typing import TypeAlias

from tests.samples import IMAGE_FILE, IMAGE_TEXT, LAYER_FILE, LAYER_TEXT, PROJECT_TEXT

Changes: TypeAlias = "dict[str, str | None]"

PROJECT_FILE = "manifests/project.yaml"
PINS_FILE = "manifests/pins.yaml"
LICENCES_FILE = "manifests/licences.yaml"
FOREIGN_FILE = "manifests/third-party-images.yaml"
FOREIGN = (
    "name: box, reference: 'quay.io/team/box:1@sha256:" + "0" * 64 + "', licence: MIT, source: 'https://example.org'"
)
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


def in_layer(line: str) -> Changes:
    return {LAYER_FILE: f"{LAYER_TEXT}{line}\n"}


def in_image(line: str) -> Changes:
    return {IMAGE_FILE: f"{IMAGE_TEXT}{line}\n"}


def layer_with(old: str, new: str, line: str = "") -> Changes:
    return {LAYER_FILE: f"{swap(LAYER_TEXT, old, new)}{line}\n"}


def lib_with(old: str, new: str) -> Changes:
    return {LIB_FILE: swap(LIB_TEXT, old, new)}


def image_with(old: str, new: str) -> Changes:
    return {IMAGE_FILE: swap(IMAGE_TEXT, old, new)}


def project_with(old: str, new: str) -> Changes:
    return {PROJECT_FILE: swap(PROJECT_TEXT, old, new)}


def operation(text: str, line: str = "") -> Changes:
    return layer_with("{write: /opt/app/RELEASE, text: one}", text, line)


def named(name: str) -> Changes:
    """The layer under another name, as a double-quoted string."""
    return layer_with("layer: app", f'layer: "{name}"')


def described(expression: str) -> Changes:
    """The layer with an expression for its description."""
    return layer_with("An app", "'" + expression.replace("'", "''") + "'")


def pin(text: str) -> Changes:
    return {PINS_FILE: f"pins:\n  - {{{text}, path: image}}\n"}


def version(text: str) -> Changes:
    return {PINS_FILE: f"versions:\n  - {{{text}, path: appVersion}}\n"}


def foreign(*images: str) -> Changes:
    return {FOREIGN_FILE: "images:\n" + "".join(f"  - {{{image}}}\n" for image in images)}


def licence(rule: str) -> Changes:
    return {LICENCES_FILE: f"licences:\n  - {{{rule}}}\n"}
