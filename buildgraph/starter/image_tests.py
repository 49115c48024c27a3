"""The image as its users start it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Run


def test_it_greets(run: Run) -> None:
    assert run().output.startswith("Hello from @NAME@")


def test_it_runs_as_any_user_with_a_read_only_root(run: Run) -> None:
    assert run("id", "-u", user="4711:0", read_only=True).output == "4711"
