"""What each key of a manifest is for, as editors show it: path of the key → one sentence. ``[]`` is an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIANTS = "The variants: one node for each, with parameters that every string may use as {{ parameter }}."
_TEST_WITH = "Images of this catalogue that the tests start beside the image under test."
_BUDGET = "The most that may be stored, like 60 MB; more is a failure."

_LAYER = {
    "": "A layer that is built once, tested, and shared by images.",
    "layer": "The layer's name; its files and tests stand in layers/<name>.",
    "kind": "How the layer is made.",
    "stage": "Where the layer stands in lists; helpers exist only while others are built.",
    "description": "What the layer is, in one line.",
    "variants": _VARIANTS,
    "sources": "What is fetched from outside: name → coordinate.",
    "parents": "The layers that it is built on, in order.",
    "contexts": "Other layers that the steps may read: --from=<node>.",
    "test_on": "The layers, in order, below this one in the image that its tests run on.",
    "test_with": _TEST_WITH,
    "tests": "Which of the files layers/<name>/test_*.py are for these variants; all unless said.",
    "env": "What it adds to the environment of images.",
    "prepend": "Variables like PATH: what it puts first, in the order of layers.",
    "compression": "How the layer is stored: none for content that does not shrink.",
    "budget": _BUDGET,
    "suite": "The Debian release.",
    "packages": "Debian packages beside the required ones; the lock holds all that they need.",
    "hooks": "Scripts below layers/<name>, run with the root directory as $1.",
    "prefix": "The interpreter's prefix, under which the packages are installed.",
    "python": "The interpreter's version, like 3.10.",
    "manylinux": "The platform of the wheels, like x86_64-manylinux_2_28.",
    "requirements": "Python requirements; the lock holds all that they need.",
    "bases": "Other python layers: this one holds only what they lack.",
    "without": "Python distributions that other layers of the image bring, whatever needs them here.",
    "exclude": "Globs of paths below the prefix that are left out.",
    "args": "Build arguments of the Dockerfile.",
    "secrets": "Secrets that the steps may mount, and why. Their values stand in no manifest.",
    "network": "The reason why the steps may use the network; without one they may not.",
    "files": "What the layer holds, one operation an entry, in order.",
    "files[].unpack": "A source: an archive whose members are taken.",
    "files[].place": "A source: a file that keeps its name.",
    "files[].copy": "A file or folder below layers/<name>/files.",
    "files[].write": "The path of a file with the text given.",
    "files[].link": "The path of a symbolic link; beside place, a stable name for what was placed.",
    "files[].directory": "The path of a directory.",
    "files[].to": "The absolute path in the image; with a slash at its end, the directory.",
    "files[].strip": "A prefix that is dropped; members outside it are skipped.",
    "files[].include": "Globs over the path after strip; only what matches one is taken.",
    "files[].exclude": "Globs over the path after strip; what matches one is left out.",
    "files[].gunzip": "Members that end in .gz are stored decompressed, without the ending.",
    "files[].modes": "Glob → file mode, for archives that carry none.",
    "files[].mode": 'Permission bits like "0755", in quotes.',
    "files[].owner": 'Numeric owner and group like "185:0", in quotes; 0:0 by default.',
    "files[].text": "The text of the file.",
    "files[].target": "What the link points to.",
}
_IMAGE = {
    "": "A family of images: layers, in order, and a configuration.",
    "image": "The family's name; the tests of its images stand in layers/<name>.",
    "stage": "Where the images stand in lists; services exist only for tests.",
    "description": "What the images are, in one line.",
    "variants": _VARIANTS,
    "extends": "An image that this one starts as: its layers come first, and what is not said here is as it is there.",
    "layers": "The layers, in order; an entry whose expression gives nothing is left out.",
    "config": "How containers of the image start.",
    "config.user": 'Numeric user and group like "185:0", in quotes.',
    "config.workdir": "The working directory.",
    "config.entrypoint": "The command that always runs.",
    "config.cmd": "Its arguments, or the command where there is no entrypoint.",
    "config.env": "Variables beside those of the layers.",
    "config.labels": "Labels: name → text.",
    "config.ports": "The TCP ports that the image serves.",
    "config.stop_signal": "The signal that ends a container, like SIGTERM.",
    "repository": "The name in a registry, without the registry.",
    "tags": "The tags; the first is the one that charts use.",
    "aliases": "Other names: name → variant.",
    "test_with": _TEST_WITH,
    "overrides": "Path → the reason why two layers may disagree about it.",
    "budget": _BUDGET,
}
_PROJECT = {
    "": "What holds for the whole catalogue.",
    "project": "The project's name.",
    "epoch": "The time stamp of every file, in seconds since 1970.",
    "platform": "The platform of all images.",
    "registry": "Where charts look for the images.",
    "groups": "Names for targets: group → names and globs of nodes.",
}
_PINS = {
    "": "Which image stands at which place of which values file.",
    "pins": "One image at one place an entry.",
    "pins[].image": "An image or an alias.",
    "pins[].file": "The values file, relative to the project.",
    "pins[].path": "The keys that lead to a mapping with registry, repository, tag and digest, like gpu.image.",
    "versions": "One parameter of an image at one place an entry, such as a chart's appVersion.",
    "versions[].image": "The image, or an alias, whose version it is.",
    "versions[].parameter": "The parameter of its variant that holds the version.",
    "versions[].file": "The file, relative to the project, such as a Chart.yaml.",
    "versions[].path": "The keys that lead to a string, like appVersion.",
}
_FOREIGN = {
    "": "The images of others that charts name; whatever is in neither the catalogue nor this list is refused.",
    "images": "One image an entry; none at all is fine.",
    "images[].name": "What it is called here.",
    "images[].reference": "Registry, repository, tag and digest, in one.",
    "images[].licence": "Its licence as SPDX writes it.",
    "images[].source": "Where its source is found.",
}
_LICENCES = {
    "": "What people found out about licences, where a registry says nothing, something else or too little.",
    "licences": "One rule an entry; the first that matches an artifact counts.",
    "licences[].match": "A glob over exact coordinates, like maven:org.example:driver:*.",
    "licences[].licence": "The licence as SPDX writes it; it stands in for what the registry says.",
    "licences[].redistributable": "False where passing it on needs terms to be accepted: push then asks for that.",
    "licences[].reason": "Why, and how one knows.",
    "licences[].terms": "Where the terms can be read; a must where it is not redistributable.",
}

_SUPPORT = {
    "": "Which versions of components fit which versions of the host.",
    "host": "The component beside which all others are judged, as a coordinate without a version.",
    "title": "The host's name for people.",
    "components": "One component an entry, or several of which the same is known.",
    "components[].title": "The component's name for people.",
    "components[].names": "Coordinates without a version, or a word for what is no source of a layer.",
    "components[].rows": "What is known, one row an entry; the first one that fits counts.",
    "components[].rows[].versions": "Ranges of the component's versions; one of them has to fit.",
    "components[].rows[].with": "Ranges of the host's versions; one of them has to fit.",
    "components[].rows[].verdict": "An image with what is unsupported is refused.",
    "components[].rows[].source": "Where this is known from.",
    "components[].rows[].reason": "Why, in one line.",
}

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "layer": _LAYER,
    "image": _IMAGE,
    "project": _PROJECT,
    "pins": _PINS,
    "third-party-images": _FOREIGN,
    "support": _SUPPORT,
    "licences": _LICENCES,
}
