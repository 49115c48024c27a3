"""The Debian archive: what is asked of mmdebstrap, and what is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.debian import DebianArchive
from buildgraph.adapters.process import Never
from buildgraph.errors import UsageError
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("suite", ["--setup-hook=reboot", "", "Bookworm", "book worm", "../sid"])
def test_what_is_no_suite_never_reaches_mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    folder = write_program(tmp_path / "bin", "mmdebstrap", f"touch {tmp_path}/called; exit 1").parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")
    archive = DebianArchive(tmp_path / "scratch", cancel=Never())
    with pytest.raises(UsageError, match="is no Debian suite"):
        archive.resolve_set(["tini"], suite)
    assert not (tmp_path / "called").exists()
