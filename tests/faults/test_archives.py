"""Fault 33: the corpus of archives, one test for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.archives import BAD, GOOD, LONG, try_bad, try_good

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.archives import Sample


@pytest.mark.parametrize(
    "sample", [pytest.param(sample, id=sample.name) for sample in BAD if not sample.name.startswith(LONG)]
)
def test_fault_33_a_bad_archive_is_refused_with_one_line_and_leaves_nothing(tmp_path: Path, sample: Sample) -> None:
    assert try_bad(sample, tmp_path) == ""


@pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.name) for sample in GOOD])
def test_fault_33_a_good_archive_becomes_the_tree_that_it_stands_for(tmp_path: Path, sample: Sample) -> None:
    assert try_good(sample, tmp_path) == ""
