"""All figures, in the order of the table. What a figure needs is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias, cast

from tests.figures.figure import Figure

Run: TypeAlias = Callable[[], Figure]

FIGURES: dict[str, tuple[str, str]] = {
    "kill": ("tests.figures.state", "kill"),
    "write-path": ("tests.figures.state", "write_path"),
    "power": ("tests.figures.state", "power"),
    "bit-rot": ("tests.figures.state", "bit_rot"),
    "concurrent": ("tests.figures.state", "together"),
    "downloads": ("tests.faults.downloads", "run"),
    "archives": ("tests.faults.archives", "run"),
    "full-disk": ("tests.figures.state", "full_disk"),
    "refusing-disk": ("tests.figures.state", "refusing_disk"),
    "canaries": ("tests.faults.canaries", "run"),
    "orphans": ("tests.figures.state", "interrupts"),
    "fuzz": ("tests.faults.fuzz", "run"),
    "nothing-to-do": ("tests.figures.noop", "nothing_to_do"),
    "digests": ("tests.figures.digests", "equal_digests"),
}
"""Name on the command line → module and function."""


def find_figure(name: str) -> Run:
    """The function that takes the figure of that name."""
    module, function = FIGURES[name]
    return cast("Run", getattr(import_module(module), function))
