"""Pins: what is written, what is refused, and that nothing else moves."""

from __future__ import annotations

import pytest
import yaml

from buildgraph.errors import ManifestError, UsageError
from buildgraph.pin import (
    PinValues,
    diff,
    read_pin,
    splice,
    splice_images,
    splice_scalar,
)

DIGEST = "sha256:" + "ab" * 32
NEW = PinValues(registry="docker.io", repository="spark-k8s/spark", tag="4.1.1", digest=DIGEST)

VALUES = """\
# -- the image
image:            # one unit
  registry: ghcr.io   # the default
  repository: 'old/spark'
  tag: "4.1.0"
  # written by buildgraph pin
  digest: ""
  pullPolicy: IfNotPresent
other:
    - 1
    - tag: keep   # me
"""


def test_the_four_scalars_change_and_keep_their_quotes_and_comments() -> None:
    assert splice(VALUES, "image", NEW, file="values.yaml") == (
        VALUES.replace("ghcr.io", "docker.io")
        .replace("old/spark", "spark-k8s/spark")
        .replace("4.1.0", "4.1.1")
        .replace('digest: ""', f'digest: "{DIGEST}"')
    )


def test_a_second_splice_changes_nothing() -> None:
    once = splice(VALUES, "image", NEW, file="values.yaml")
    assert splice(once, "image", NEW, file="values.yaml") is once


def test_what_was_written_is_read_back() -> None:
    assert read_pin(splice(VALUES, "image", NEW, file="v"), "image", file="v") == NEW


def test_values_are_read_as_written() -> None:
    text = "a:\n  image: {registry: , repository: r, tag: 4.10, digest: ~}\n"
    assert read_pin(text, "a.image", file="v") == PinValues(registry="", repository="r", tag="4.10", digest="")


@pytest.mark.parametrize(
    "tag", ["4.1", "1e3", "0o17", "0x1f", "yes", "y", "null", "2026-01-01", "1:30", "", "-x", "a b"]
)
def test_a_tag_that_yaml_would_take_for_something_else_is_quoted(tag: str) -> None:
    text = splice(VALUES.replace('"4.1.0"', "four"), "image", _tagged(tag), file="v")
    assert f'  tag: "{tag}"\n' in text


@pytest.mark.parametrize("tag", ["4.1.1", "4.1.1-gpu", "v1", "4.1.1_r2"])
def test_a_plain_scalar_stays_plain_when_it_can(tag: str) -> None:
    text = splice(VALUES.replace('"4.1.0"', "four"), "image", _tagged(tag), file="v")
    assert f"  tag: {tag}\n" in text


def test_an_empty_value_is_filled_before_its_comment() -> None:
    text = splice(VALUES.replace('digest: ""', "digest:   # none yet"), "image", NEW, file="v")
    assert f"  digest: {DIGEST}   # none yet\n" in text


def test_crlf_and_a_missing_final_newline_are_kept() -> None:
    text = VALUES.replace("\n", "\r\n").removesuffix("\r\n")
    new = splice(text, "image", NEW, file="v")
    assert new.count("\r\n") == new.count("\n") == text.count("\n")
    assert not new.endswith("\n")


def test_a_flow_mapping_stays_on_its_line() -> None:
    text = 'image: {registry: a, "repository": b, tag: c, digest: "", pullPolicy: Always}  # x\n'
    assert splice(text, "image", NEW, file="v") == (
        f'image: {{registry: docker.io, "repository": spark-k8s/spark, tag: 4.1.1, digest: "{DIGEST}",'
        " pullPolicy: Always}  # x\n"
    )


def test_a_colon_in_a_flow_mapping_is_quoted() -> None:
    text = "image: {registry: a, repository: b, tag: c, digest: d}\n"
    assert f'digest: "{DIGEST}"}}' in splice(text, "image", NEW, file="v")


def test_fault_39_duplicate_image_keys_are_ambiguous() -> None:
    text = f"x: 1\n{VALUES}image:\n  registry: r\n"
    assert _refusal(text) == "v:13: image is written more than once (lines 3, 13)"


def test_fault_39_a_key_written_twice_in_the_mapping_is_ambiguous() -> None:
    text = VALUES.replace("  pullPolicy", "  tag: again\n  pullPolicy")
    assert _refusal(text) == "v:8: tag is written more than once (lines 5, 8)"


def test_fault_39_an_incomplete_mapping_names_the_line_and_the_keys() -> None:
    text = "a: 1\nimage:\n  repository: r\n  tag: t\n"
    assert _refusal(text).startswith("v:3: image has no registry and no digest;")


def test_fault_39_a_missing_path_lists_the_places_that_could_be_meant() -> None:
    text = VALUES + "gpu:\n  image: {registry: a, repository: b, tag: c, digest: d}\n"
    with pytest.raises(ManifestError) as caught:
        splice(text, "gpu.imag", NEW, file="v")
    assert str(caught.value) == (
        "v:13: there is no gpu.imag; mappings with registry, repository, tag, digest: gpu.image, image"
    )


@pytest.mark.parametrize(
    "text",
    [
        "base: &b {registry: a, repository: b, tag: c, digest: d}\nimage: *b\n",
        "image: &b {registry: a, repository: b, tag: c, digest: d}\nother: *b\n",
        "image: &b {registry: a, repository: b, tag: c, digest: d}\nother:\n  <<: *b\n",
        "t: &t x\nimage: {registry: a, repository: b, tag: *t, digest: d}\n",
        "image: {registry: a, repository: b, tag: &t x, digest: d}\nt: *t\n",
    ],
)
def test_fault_39_what_an_anchor_shares_is_refused(text: str) -> None:
    assert "an anchor makes this stand at several places" in _refusal(text)


@pytest.mark.parametrize("value", ["&unused x", "!!str 4.1"])
def test_fault_39_a_scalar_with_an_anchor_or_a_tag_is_refused(value: str) -> None:
    assert _refusal(VALUES.replace('"4.1.0"', value)).startswith("v:5: the value has an anchor or a tag")


def test_fault_39_keys_that_only_a_merge_brings_are_missing() -> None:
    text = "base: &b {registry: a, repository: b, tag: c}\nimage:\n  <<: *b\n  digest: d\n"
    assert "image has no registry and no repository and no tag" in _refusal(text)


def test_fault_39_anchors_elsewhere_do_not_matter() -> None:
    text = f"a: &a {{x: 1}}\nb: *a\nc:\n  <<: *a\n{VALUES}"
    assert splice(text, "image", NEW, file="v").startswith("a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n# -- the image\n")


@pytest.mark.parametrize("value", ["|\n    4.1\n", ">-\n    4.1\n", '"4.\n    1"\n', "four\n    one\n"])
def test_fault_39_a_value_over_several_lines_is_refused(value: str) -> None:
    assert _refusal(VALUES.replace('"4.1.0"\n', value)).startswith("v:5: the value goes over several lines")


def test_fault_39_a_tag_that_is_a_number_becomes_a_string() -> None:
    text = VALUES.replace('"4.1.0"', "4.1")
    spliced = splice(text, "image", _tagged("4.1"), file="v")
    assert yaml.safe_load(spliced)["image"]["tag"] == "4.1"


def test_fault_39_the_same_image_in_three_subcharts_is_three_pins() -> None:
    block = "  image:\n    registry: a\n    repository: b\n    tag: c\n    digest: d\n"
    text = "".join(f"chart{number}:\n{block}" for number in range(3))
    spliced = splice(text, "chart1.image", NEW, file="v")
    assert spliced.count("    tag: c\n") == 2
    assert read_pin(spliced, "chart1.image", file="v") == NEW


def test_fault_39_a_flow_key_without_a_value_is_refused() -> None:
    assert "the key has no value" in _refusal("image: {registry: a, repository: b, tag, digest: d}\n")


def test_fault_39_a_comment_that_would_become_part_of_the_value_is_refused() -> None:
    """A key in quotes needs no blank between its colon and a comment."""
    text = 'image: {"registry":# none\n  , repository: b, tag: c, digest: d}\n'
    assert yaml.safe_load(text)["image"]["registry"] is None
    assert _refusal(text) == (
        "v:1: a pin cannot be written here safely; write the mapping in block style, one key a line"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "v: the file is empty"),
        ("- a\n", "v:1: there is no image"),
        ("image: x\n", "v:1: image is not a mapping; write registry, repository, tag, digest"),
        ("a: 1\n---\nimage: {}\n", "v:2: not YAML: but found another document"),
        ("a: [\n", "v:2: not YAML: expected the node content, but found '<stream end>'"),
        ("image: *nothing\n", "v:1: not YAML: found undefined alias 'nothing'"),
        ("a: \x00\n", "v: not YAML: unacceptable character #x0000: special characters are not allowed"),
        ("[" * 5000, "v: not YAML: maximum recursion depth exceeded"),
        ('a: "\\UFFFFFFFF"\n', "v: not YAML: "),
        (f"%YAML 1.{'1' * 5000}\n---\na: x\n", "v: not YAML: Exceeds the limit (4300 digits)"),
        (" " * ((1 << 20) + 1), "v: more than the limit of 1048576 bytes; split it"),
        (VALUES.replace('"4.1.0"', "[4]"), "v:5: image.tag is not a string; write one string on one line"),
    ],
)
def test_what_is_no_values_file_is_refused_with_its_line(text: str, message: str) -> None:
    assert _refusal(text).startswith(message)


def test_aliases_that_multiply_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)), VALUES]
    assert DIGEST in splice("\n".join(lines), "image", NEW, file="v")


def test_a_value_with_a_line_break_is_refused() -> None:
    with pytest.raises(UsageError, match=r"v:5: '4\\n' cannot be written on one line"):
        splice(VALUES, "image", _tagged("4\n"), file="v")


CHART = """\
apiVersion: v2
appVersion: "4.1.0"   # the Spark version
annotations:
  artifacthub.io/license: Apache-2.0
  artifacthub.io/images: |
    - name: spark-4.1
      image: docker.io/spark-k8s/spark:4.1.0
      platforms: [linux/amd64]

    # the GPU flavour
    - name: spark-4.1-gpu
      image: docker.io/spark-k8s/spark:4.1.0-gpu
version: 0.1.0
"""


def test_one_scalar_changes() -> None:
    assert splice_scalar(CHART, "appVersion", "4.1.1", file="Chart.yaml") == CHART.replace('"4.1.0"', '"4.1.1"')


def test_a_path_to_a_mapping_is_no_scalar() -> None:
    with pytest.raises(ManifestError, match=r"^Chart.yaml:4: annotations is not a string"):
        splice_scalar(CHART, "annotations", "x", file="Chart.yaml")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_images_of_the_annotation_change(newline: str) -> None:
    text = CHART.replace("\n", newline)
    reference = f"docker.io/spark-k8s/spark:4.1.1-gpu@{DIGEST}"
    spliced = splice_images(text, {"spark-4.1-gpu": reference}, file="Chart.yaml")
    assert spliced == text.replace("docker.io/spark-k8s/spark:4.1.0-gpu", reference)
    assert splice_images(spliced, {"spark-4.1-gpu": reference}, file="Chart.yaml") == spliced


@pytest.mark.parametrize("end", ["", "   ", "\n", "\n      ", "\n\n  \n"])
def test_blanks_at_the_end_of_the_annotation_stay(end: str) -> None:
    text = CHART.partition("version: 0.1.0")[0].rstrip("\n") + end
    spliced = splice_images(text, {"spark-4.1": "x"}, file="Chart.yaml")
    assert spliced == text.replace("docker.io/spark-k8s/spark:4.1.0\n", "x\n")


def test_an_image_that_the_annotation_lacks_is_named() -> None:
    with pytest.raises(ManifestError, match=r"^Chart.yaml:6: artifacthub.io/images does not list spark-3.5; add"):
        splice_images(CHART, {"spark-3.5": "x"}, file="Chart.yaml")


@pytest.mark.parametrize("value", ["text", "|2\n      - name: a\n", ">\n    - name: a\n"])
def test_an_annotation_in_another_form_is_refused(value: str) -> None:
    text = f"annotations:\n  artifacthub.io/images: {value}"
    with pytest.raises(ManifestError, match=r"^Chart.yaml:2: .* is not a literal block"):
        splice_images(text, {"a": "x"}, file="Chart.yaml")


def test_the_diff_shows_the_changed_line() -> None:
    assert diff("a\nb\n", "a\nc", "values.yaml") == (
        "--- a/values.yaml\n+++ b/values.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
    )


def test_equal_texts_have_no_diff() -> None:
    assert diff(VALUES, VALUES, "v") == ""


def _tagged(tag: str) -> PinValues:
    return PinValues(registry="docker.io", repository="spark-k8s/spark", tag=tag, digest=DIGEST)


def _refusal(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        splice(text, "image", NEW, file="v")
    return str(caught.value)
