"""Faults 21 to 26, by number, for each kind of source; the matrix is in ``downloads``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.authority import make_authority
from tests.faults.downloads import FAULTS, SourceKind, try_fault

if TYPE_CHECKING:
    from tests.fakes.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "127.0.0.1")


def of(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", [name for name in FAULTS if name.startswith(number)])


each_kind = pytest.mark.parametrize("kind", list(SourceKind))


@each_kind
@of("21")
def test_fault_21_a_broken_answer_is_asked_for_again_or_refused(
    fault: str, kind: SourceKind, authority: Authority
) -> None:
    assert try_fault(fault, kind, authority) == []


@each_kind
@of("22")
def test_fault_22_busy_servers_are_asked_again_and_refusals_are_not(
    fault: str, kind: SourceKind, authority: Authority
) -> None:
    assert try_fault(fault, kind, authority) == []


@each_kind
@of("23")
def test_fault_23_other_bytes_are_refused_and_not_kept(fault: str, kind: SourceKind, authority: Authority) -> None:
    assert try_fault(fault, kind, authority) == []


@each_kind
@of("24")
def test_fault_24_a_poisoned_mirror_is_named_and_the_next_one_used(
    fault: str, kind: SourceKind, authority: Authority
) -> None:
    assert try_fault(fault, kind, authority) == []


@each_kind
@of("25")
def test_fault_25_redirects_to_where_no_server_should_lead_are_refused(
    fault: str, kind: SourceKind, authority: Authority
) -> None:
    assert try_fault(fault, kind, authority) == []


@each_kind
@of("26")
def test_fault_26_a_file_that_changed_is_started_anew(fault: str, kind: SourceKind, authority: Authority) -> None:
    assert try_fault(fault, kind, authority) == []


def test_the_matrix_is_twelve_faults_by_three_kinds() -> None:
    assert len(FAULTS) * len(SourceKind) == 36
