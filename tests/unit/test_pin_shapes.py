"""Values files of many shapes: the four strings of a pin change, and every other byte stays; or the file is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from buildgraph.errors import ManifestError
from buildgraph.pin import PinValues, read_pin, splice

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST = "sha256:" + "5a" * 32
OLD = PinValues(registry="old.example", repository="old/image", tag="1.0.0-old", digest="sha256:" + "0" * 64)
NEW = PinValues(registry="docker.io", repository="spark-k8s/spark", tag="4.1.1-gpu", digest=DIGEST)

# Name → path and text, in which R, P, T and D between angle brackets stand for the four strings.
SHAPES: Mapping[str, tuple[str, str]] = {
    "a plain block": (
        "image",
        "image:\n  registry: <R>\n  repository: <P>\n  tag: <T>\n  digest: <D>\n",
    ),
    "no final newline": (
        "image",
        "image:\n  digest: <D>\n  registry: <R>\n  repository: <P>\n  tag: <T>",
    ),
    "CRLF line ends": (
        "gpu.image",
        (
            "# top\r\ngpu:\r\n  image:\r\n    registry: <R>\r\n    repository: '<P>' # p\r\n    tag: \"<T>\"\r\n"
            "    digest: <D>\r\n\r\nlast: 1\r\n"
        ),
    ),
    "line ends of both kinds": (
        "image",
        "a: 1\r\nimage:\n  registry: <R>\r\n  repository: <P>\n  tag: <T>\r\n  digest: <D>\n",
    ),
    "a byte order mark": (
        "image",
        "\ufeffimage:\n  registry: <R>\n  repository: <P>\n  tag: <T>\n  digest: <D>\n",
    ),
    "an entry of a list": (
        "images.1",
        (
            "images:\n- registry: keep\n  repository: keep\n  tag: keep\n  digest: keep\n"
            "- registry: <R>   # the second\n  repository: <P>\n  tag: <T>\n  digest: <D>\n"
            "- {registry: keep, repository: keep, tag: keep, digest: keep}\n"
        ),
    ),
    "a list in a list, indented": (
        "a.0.1.image",
        (
            "a:\n    -   - x\n        - image:\n              registry: <R>\n              repository: <P>\n"
            "              tag: <T>\n              digest: <D>\n          name: y\n"
        ),
    ),
    "a list of flow mappings": (
        "images.0",
        "images: [{name: a, registry: '<R>', repository: '<P>', tag: '<T>', digest: '<D>'}, {name: b}]\n",
    ),
    "a list in flow style over lines": (
        "images.1",
        (
            'images: [\n  {name: b},  # first\n  {registry: "<R>",\n   repository: "<P>",  # there\n   tag: "<T>",\n'
            '   digest: "<D>"},\n]\n'
        ),
    ),
    "quoted keys": (
        "gpu.image",
        "\"gpu\":\n  'image':\n    \"registry\": <R>\n    'repository': <P>\n    \"tag\" : <T>\n    'digest' :   <D>\n",
    ),
    "keys with question marks": (
        "image",
        "? image\n:\n  ? registry\n  : <R>\n  ? repository\n  : <P>\n  tag: <T>\n  digest: <D>\n",
    ),
    "comments at odd places": (
        "image",
        (
            "# before\n\nimage: # after the key\n      # deep\n# not deep at all\n  registry: <R> #registry: x\n\n\n"
            "  # repository: commented/out\n  repository:   <P>     # far away\n  tag: '<T>' #close\n"
            "  digest:    <D>\n  # last\n# end"
        ),
    ),
    "a nested subchart": (
        "sub.chart-two.image",
        (
            "image: {registry: keep, repository: keep, tag: keep, digest: keep}\nsub:\n  image:\n    registry: keep\n"
            "    repository: keep\n    tag: keep\n    digest: keep\n  chart-two:\n    image:\n      registry: <R>\n"
            "      repository: <P>\n      tag: <T>\n      digest: <D>\n"
        ),
    ),
    "anchors and aliases elsewhere": (
        "image",
        (
            "base: &base {a: 1, image: {registry: keep, repository: keep, tag: keep, digest: keep}}\nother: *base\n"
            "third:\n  <<: *base\n  b: 2\nimage:\n  registry: <R>\n  repository: <P>\n  tag: <T>\n  digest: <D>\n"
            "last: *base\n"
        ),
    ),
    "a mapping that merges others into itself": (
        "image",
        (
            "defaults: &d {pullPolicy: Always}\nimage:\n  <<: *d\n  registry: <R>\n  repository: <P>\n  tag: <T>\n"
            "  digest: <D>\n"
        ),
    ),
    "text blocks that look like pins": (
        "image",
        (
            "text: |\n  image:\n    registry: keep\n    tag: keep\nfolded: >-\n  image: x\n\n  digest: y\nimage:\n"
            "  registry: <R>\n  notes: |+\n    tag: no\n\n  repository: <P>\n  tag: <T>\n  digest: <D>\n"
        ),
    ),
    "a document mark and an end": (
        "image",
        "---\nimage:\n  registry: <R>\n  repository: <P>\n  tag: <T>\n  digest: <D>\n...\n",
    ),
    "words of other scripts": (
        "image",
        "# Größe 😀\n\u540d: \U0001d4b3\nimage:\n  registry: <R>\n  repository: <P>\n  tag: <T> # ⚡\n  digest: <D>\n",
    ),
}


def render(shape: str, values: PinValues) -> str:
    for mark, value in (("R", values.registry), ("P", values.repository), ("T", values.tag), ("D", values.digest)):
        assert shape.count(f"<{mark}>") == 1
        shape = shape.replace(f"<{mark}>", value)
    return shape


@pytest.mark.parametrize("name", SHAPES)
def test_only_the_four_strings_change(name: str) -> None:
    path, shape = SHAPES[name]
    spliced = splice(render(shape, OLD), path, NEW, file="values.yaml")
    assert spliced == render(shape, NEW)
    assert read_pin(spliced, path, file="values.yaml") == NEW


@pytest.mark.parametrize("name", SHAPES)
def test_the_second_time_no_byte_changes(name: str) -> None:
    path, shape = SHAPES[name]
    once = splice(render(shape, OLD), path, NEW, file="values.yaml")
    assert splice(once, path, NEW, file="values.yaml") == once


@pytest.mark.parametrize("name", SHAPES)
def test_all_else_means_what_it_meant(name: str) -> None:
    path, shape = SHAPES[name]
    before, after = (
        yaml.safe_load(text) for text in (render(shape, OLD), splice(render(shape, OLD), path, NEW, file="v"))
    )
    for document in (before, after):
        place = document
        for step in path.split("."):
            place = place[int(step)] if isinstance(place, list) else place[step]
        for key in ("registry", "repository", "tag", "digest"):
            del place[key]
    assert before == after


@pytest.mark.parametrize("name", SHAPES)
def test_a_digest_that_is_not_known_yet_is_emptied_and_filled_again(name: str) -> None:
    path, shape = SHAPES[name]
    empty = PinValues(registry=NEW.registry, repository=NEW.repository, tag=NEW.tag, digest="")
    emptied = splice(render(shape, OLD), path, empty, file="v")
    assert read_pin(emptied, path, file="v") == empty
    assert splice(emptied, path, empty, file="v") == emptied
    assert read_pin(splice(emptied, path, NEW, file="v"), path, file="v") == NEW


SHARED = "an anchor makes this stand at several places"
BLOCK = "{registry: r, repository: p, tag: t, digest: d}"
REFUSED: Mapping[str, tuple[str, str, str]] = {
    "an anchored list": ("images.0", f"images: &i [{BLOCK}]\nother: *i\n", SHARED),
    "an anchored entry of a list": ("images.0", f"images: [&i {BLOCK}, *i]\n", SHARED),
    "an alias as the entry of a list": ("images.1", f"images: [&i {BLOCK}, *i]\n", SHARED),
    "an anchor far above": ("a.b.image", f"a: &a\n  b:\n    image: {BLOCK}\nc: {{<<: *a}}\n", SHARED),
    "a list beyond its end": ("images.2", f"images: [{BLOCK}, {BLOCK}]\n", "there is no images.2"),
    "a place before the list": ("images.-1", f"images: [{BLOCK}]\n", "there is no images.-1"),
    "a place written otherwise": ("images.00", f"images: [{BLOCK}]\n", "there is no images.00"),
    "a name in a list": ("images.spark", f"images: [{BLOCK}]\n", "there is no images.spark"),
    "a list where a mapping is due": ("image", "image: [registry, repository, tag, digest]\n", "is not a mapping"),
    "a tab before a comment": (
        "image",
        f"image: {BLOCK}\t# PyYAML takes no tab here\n",
        "not YAML: found character '\\t' that cannot start any token",
    ),
    "a folded tag": (
        "image",
        "image:\n  registry: r\n  repository: p\n  tag: >-\n    1\n  digest: d\n",
        "the value goes over several lines",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_alone_is_refused_with_its_line(name: str) -> None:
    path, text, message = REFUSED[name]
    with pytest.raises(ManifestError, match=r"^values.yaml:\d+: ") as caught:
        splice(text, path, NEW, file="values.yaml")
    assert message in str(caught.value)


def test_a_path_that_is_not_there_lists_entries_of_lists_too() -> None:
    text = f"images:\n  - {BLOCK}\n  - name: {{image: {BLOCK}}}\n"
    with pytest.raises(ManifestError, match=r"mappings with .*: images.0, images.1.name.image$"):
        splice(text, "image", NEW, file="v")
