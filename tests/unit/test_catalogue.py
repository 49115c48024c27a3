"""What is wrong in one document is told without what follows from it in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import BASE_FILE, BASE_TEXT
from tests.samples import IMAGE_FILE, find_mistakes, make_documents

if TYPE_CHECKING:
    from tests.mistakes.edits import Changes

TOP_TEXT = """\
image: top
description: A top
extends: shop
layers: [base]
repository: sample/top
tags: ["1.0"]
"""
EXTENDING: Changes = {BASE_FILE: BASE_TEXT, "manifests/images/top.yaml": TOP_TEXT}


def test_an_image_is_not_wrong_because_the_document_of_the_one_that_it_extends_is() -> None:
    assert find_mistakes(make_documents(EXTENDING)) == []
    (line,) = find_mistakes(make_documents({**EXTENDING, IMAGE_FILE: "image: [\n"}))
    assert line.startswith(f"{IMAGE_FILE}:2: not valid YAML")
