"""What people get wrong in the project and the pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import (
    FOREIGN,
    FOREIGN_FILE,
    LICENCES_FILE,
    PINS_FILE,
    PROJECT_FILE,
    foreign,
    licence,
    pin,
    project_with,
    swap,
    version,
)
from tests.samples import PROJECT_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

PROJECT: Mapping[str, Changes] = {
    "no project": {"manifests/project.yaml": None},
    "a project that is no YAML": {PROJECT_FILE: "project: ["},
    "an epoch in words": project_with("1767225600", "now"),
    "an unknown platform": project_with("linux/amd64", "windows/amd64"),
    "a pin outside the project": pin("image: shop, file: ../values.yaml"),
    "a pin outside the project by an absolute path": pin("image: shop, file: /etc/values.yaml"),
    "an epoch with a sign": project_with("1767225600", "-1"),
    "an epoch as a string": project_with("1767225600", "'1767225600'"),
    "an epoch beyond all clocks": project_with("1767225600", "9999999999999"),
    "a project without a name": {PROJECT_FILE: PROJECT_TEXT.replace("project: sample\n", "")},
    "a bad project": project_with("sample", "../x"),
    "a registry with a scheme": project_with("project:", "registry: https://registry.example\nproject:"),
    "an empty group": project_with("project:", "groups: {all: []}\nproject:"),
    "a group that is no list": project_with("project:", "groups: {all: '*'}\nproject:"),
    "a bad group": project_with("project:", "groups: {All: ['*']}\nproject:"),
    "an unknown key of the project": project_with("project:", "license: MIT\nproject:"),
    "a pin outside the project by look-alikes": pin("image: shop, file: charts/\u212aey/values.yaml"),
    "a pin to a hidden file": pin("image: shop, file: .git/config"),
    "a pin without a path": {PINS_FILE: "pins:\n  - {image: shop, file: charts/a/values.yaml}\n"},
    "a pin with an empty step": {PINS_FILE: "pins:\n  - {image: shop, file: charts/a/values.yaml, path: a..b}\n"},
    "pins that are no list": {PINS_FILE: "pins: {image: shop}\n"},
    "a version without a parameter": version("image: shop, file: charts/a/Chart.yaml"),
    "a version of a bad parameter": version("image: shop, file: charts/a/Chart.yaml, parameter: a.b"),
    "a version outside the project": version("image: shop, file: ../Chart.yaml, parameter: version"),
    "an unknown key of a version": version("image: shop, file: charts/a/Chart.yaml, parameter: version, tag: x"),
    "images of others that are no list": {FOREIGN_FILE: "images: {name: box}\n"},
    "an image of others without a licence": foreign(swap(FOREIGN, "licence: MIT, ", "")),
    "an image of others without a source": foreign(swap(FOREIGN, ", source: 'https://example.org'", "")),
    "an image of others without a registry": foreign(swap(FOREIGN, "quay.io/team/", "")),
    "an image of others without a tag": foreign(swap(FOREIGN, ":1@", "@")),
    "an image of others without a digest": foreign(swap(FOREIGN, "@sha256:" + "0" * 64, "")),
    "an image of others with a scheme": foreign(swap(FOREIGN, "quay.io", "https://quay.io")),
    "an unknown key of an image of others": foreign(f"{FOREIGN}, digest: x"),
    "an image of others twice": foreign(FOREIGN, swap(FOREIGN, "name: box", "name: other")),
    "two images of others of one name": foreign(FOREIGN, swap(FOREIGN, "team/box", "team/other")),
    "licences of nothing": {LICENCES_FILE: "licences: []\n"},
    "a licence of no coordinate": licence("match: 'org.example:*', licence: MIT, reason: so"),
    "a licence without a reason": licence("match: 'maven:*', licence: MIT"),
    "a licence for a blank reason": licence("match: 'maven:*', licence: MIT, reason: ' '"),
    "a licence across lines": licence('match: "maven:*", licence: "MIT\\nX", reason: so'),
    "terms to accept that stand nowhere": licence("match: 'maven:*', redistributable: false, reason: so"),
    "perhaps redistributable": licence("match: 'maven:*', redistributable: maybe, reason: so"),
    "an unknown key of a licence": licence("match: 'maven:*', license: MIT, reason: so"),
    "an unknown key of a pin": pin("image: shop, file: charts/a/values.yaml, tag: x"),
}
