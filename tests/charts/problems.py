"""How a test says what a gate has found: all of it, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def expect_none(problems: Sequence[str], where: str = "") -> None:
    """Fail with every problem when there is one."""
    __tracebackhide__ = True
    text = "\n  ".join([where, *problems]) if where else "\n  ".join(["", *problems])
    assert not problems, text
