"""How often functions are called while something runs: what grows too fast shows without a clock."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType


@contextmanager
def counted(*functions: Callable[..., object]) -> Iterator[dict[str, int]]:
    """Calls by qualified name; complete when the block has ended. This thread only."""
    counts = {function.__qualname__: 0 for function in functions}
    codes: dict[CodeType, str] = {_code_of(function): function.__qualname__ for function in functions}

    def notice(frame: FrameType, event: str, _called: object) -> None:
        if event == "call" and frame.f_code in codes:
            counts[codes[frame.f_code]] += 1

    sys.setprofile(notice)
    try:
        yield counts
    finally:
        sys.setprofile(None)


def _code_of(function: Callable[..., object]) -> CodeType:
    code: CodeType = function.__code__
    return code
