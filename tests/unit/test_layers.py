"""What a layer of one kind may not have and another kind may."""

from __future__ import annotations

import pytest

from tests.mistakes.edits import ROOTFS_TEXT
from tests.samples import LAYER_FILE, LAYER_TEXT, find_mistakes, make_documents


@pytest.mark.parametrize(("kind", "text"), [("files", LAYER_TEXT), ("rootfs", ROOTFS_TEXT)], ids=["files", "rootfs"])
def test_a_layer_that_reads_no_parent_is_refused_one_with_the_reason(kind: str, text: str) -> None:
    line = len(text.splitlines()) + 1
    found = find_mistakes(make_documents({LAYER_FILE: f"{text}parents: [base]\n"}))
    what = f"a {kind} layer reads no parent; say in test_on what its tests run on"
    assert f"{LAYER_FILE}:{line} (parents): {what}" in found
