"""Workers take whole scenarios."""

from __future__ import annotations

from tests.cluster.scheduling import find_scenario
from tests.cluster.table import load_table


def test_tests_of_a_row_have_its_id_at_their_end() -> None:
    for row in load_table().scenarios:
        assert find_scenario(f"tests/cluster/test_upgrade.py::test_digests[{row.id}]") == row.id


def test_other_tests_have_none() -> None:
    assert not find_scenario("tests/cluster/test_node.py::test_it_is_taken_down")
