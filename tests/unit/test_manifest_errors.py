"""What people get wrong in manifests; the exact answers stand in ``tests/golden/mistakes.txt``.

After a change that is meant: ``UPDATE_GOLDEN=1 pytest tests/unit/test_manifest_errors.py``, and read the diff.
"""

from __future__ import annotations

import pytest

from tests.golden_files import check_golden
from tests.mistakes import MISTAKES, TOPICS
from tests.mistakes.edits import BASE_FILE, PROJECT_FILE, in_layer, pin, swap
from tests.samples import IMAGE_FILE, IMAGE_TEXT, LAYER_FILE, LAYER_TEXT, PROJECT_TEXT, find_mistakes, make_documents


def test_every_mistake_is_answered_as_written_in_the_golden_file() -> None:
    sections = [
        "\n".join([f"# {topic}: {name}", *find_mistakes(make_documents(changes)), ""])
        for topic, cases in TOPICS.items()
        for name, changes in cases.items()
    ]
    check_golden("mistakes.txt", "\n".join(sections))
    assert len(sections) == len(MISTAKES), "a name is used twice"


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
    assert line.endswith("more than the limit of 1048576 bytes; split it")
