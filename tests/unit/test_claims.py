from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.claims import Claims
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ab" * 32


def test_what_nobody_else_claims_may_be_removed_and_claimed_again(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "locks/claims")
    for _ in range(2):
        claims.share(NAME)
        claims.share(NAME)
        with claims.removing(NAME) as is_last:
            assert is_last


def test_what_was_never_claimed_may_be_removed(tmp_path: Path) -> None:
    with Claims(tmp_path / "claims").removing(NAME) as is_last:
        assert is_last


def test_no_claim_is_made_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "claims").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentFault, match="symlink"):
        Claims(tmp_path / "claims").share(NAME)
    assert not (tmp_path / "elsewhere").exists()
