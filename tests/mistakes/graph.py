"""What shows only between documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import (
    BASE_FILE,
    BASE_TEXT,
    LIB_FILE,
    LIB_TEXT,
    PINS_FILE,
    TOP_FILE,
    TOP_TEXT,
    image_with,
    in_image,
    in_layer,
    pin,
    project_with,
    version,
)
from tests.samples import IMAGE_TEXT, LAYER_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

GRAPH: Mapping[str, Changes] = {
    "a group of nothing": project_with("project:", "groups: {all: [ap]}\nproject:"),
    "a group named like a node": project_with("project:", "groups: {app: ['*']}\nproject:"),
    "an alias named like a node": in_image("aliases: {app: x}"),
    "an alias of nothing": in_image("aliases: {latest: x}"),
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
    "a base that is no python layer": {LIB_FILE: LIB_TEXT + "bases: [app]\n"},
    "a python layer whose base the image lacks": {
        LIB_FILE: LIB_TEXT + "bases: [top]\n",
        TOP_FILE: LIB_TEXT.replace("lib", "top", 1),
        **image_with("[app]", "[app, lib]"),
    },
    "an unknown layer to test on": in_layer("test_on: [os]"),
    "an unknown image to test with": in_layer("test_with: [shp]"),
    "a layer to test with": in_layer("test_with: [base]") | {BASE_FILE: BASE_TEXT},
    "an image that is tested with itself": in_image("test_with: [shop]"),
    "a layer that is tested with its own image": in_layer("test_with: [shop]"),
    "a pin to an unknown image": pin("image: shp, file: charts/a/values.yaml"),
    "a pin to a layer": pin("image: app, file: charts/a/values.yaml"),
    "a circle that tests do not make, and one that they do not hide": {
        BASE_FILE: BASE_TEXT + "parents: [top]\ntest_on: [lib]\n",
        TOP_FILE: TOP_TEXT + "parents: [base, nowhere]\n",
        LIB_FILE: LIB_TEXT + "test_on: [lib]\n",
    },
    "two circles": {
        BASE_FILE: BASE_TEXT + "parents: [top]\n",
        TOP_FILE: TOP_TEXT + "parents: [base]\n",
        LIB_FILE: LIB_TEXT.replace("[app]", "[image]"),
        "manifests/layers/image.yaml": BASE_TEXT.replace("base", "image", 1) + "parents: [lib]\n",
    },
    "a tag of two images": {"manifests/images/top.yaml": IMAGE_TEXT.replace("image: shop", "image: top")},
    "a tag twice": image_with("['1.0']", "['1.0', '1.0']"),
    "a place that is pinned twice": {
        PINS_FILE: "pins:\n" + "  - {image: shop, file: charts/a/values.yaml, path: image}\n" * 2
    },
    "a version of an unknown image": version("image: shp, parameter: version, file: charts/a/Chart.yaml"),
    "a version of a layer": version("image: app, parameter: version, file: charts/a/Chart.yaml"),
    "a version that no parameter is": version("image: shop, parameter: version, file: charts/a/Chart.yaml"),
    "a version that only some other parameter is": version(
        "image: shop-x, parameter: version, file: charts/a/Chart.yaml"
    )
    | in_image("variants: {x: {release: '1', line: '2'}}"),
    "a version in a place that is pinned": in_image("variants: {x: {release: '1'}}")
    | {
        PINS_FILE: "pins:\n  - {image: shop-x, file: charts/a/values.yaml, path: image}\n"
        "versions:\n  - {image: shop-x, parameter: release, file: charts/a/values.yaml, path: image.tag}\n"
        "  - {image: shop-x, parameter: release, file: charts/a/values.yaml, path: image}\n"
    },
    "an alias of two images": in_image("variants: {x: {}}\naliases: {latest: x}")
    | {"manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top") + "variants: {x: {}}\naliases: {latest: x}\n"},
    "a group named like an alias": in_image("variants: {x: {}}\naliases: {latest: x}")
    | project_with("project:", "groups: {latest: ['*']}\nproject:"),
    "an image that extends an unknown one": in_image("extends: shp"),
    "an image that extends a misspelt one": in_image("extends: tpo")
    | {"manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top")},
    "an image that extends a layer": in_image("extends: app"),
    "an image that extends itself": in_image("extends: shop"),
    "images that extend each other": in_image("extends: top")
    | {"manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top") + "extends: shop\n"},
    "two circles of images, and one that leads into them": {
        "manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top")
        + "variants: {x: {to: top-y}, y: {to: top-x}, z: {to: top-z}, w: {to: top-z}}\nextends: '{{ to }}'\n"
    },
    "images that extend each other in a long row": {
        "manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top")
        + f"variants: {{{', '.join(f'v{number}: {{to: v{number - 1}}}' for number in range(1, 13))}, v0: {{to: ''}}}}\n"
        "extends: \"{{ 'top-' + to if to }}\"\n"
    },
    "a layer of the image that is extended": in_image("extends: top")
    | {"manifests/images/top.yaml": IMAGE_TEXT.replace("shop", "top")},
    "a file that nobody reads": {"manifests/layer/app.yaml": LAYER_TEXT, "manifests/notes.yaml": "a: b\n"},
    "mistakes in several files": in_layer("budget: much") | in_image("budget: more") | {BASE_FILE: "layer: ["},
}
