"""The released Python, before pip: it starts, and what was left out is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

PYTHON = "/opt/python/bin/python3"


def test_it_starts_and_finds_its_library(run: Run) -> None:
    assert run(PYTHON, "-c", "import sys; print(sys.version.split()[0], sys.prefix)").output == "3.10.16 /opt/python"


@pytest.mark.parametrize("name", ["2to3", "pydoc3", "python", "python3", "python3-config"])
def test_link_leads_to_a_program(host: Host, name: str) -> None:
    link = host.file(f"/opt/python/bin/{name}")
    assert link.is_symlink
    assert host.file(link.linked_to).mode == 0o755


def test_the_library_is_there_once(host: Host) -> None:
    assert host.file("/opt/python/lib/libpython3.10.so").linked_to == "/opt/python/lib/libpython3.10.so.1.0"


def test_no_packed_file_is_left(host: Host) -> None:
    assert host.check_output("find /opt/python -name '*.gz' -o -name .empty -o -name files.json") == ""


def test_nothing_calls_a_pip_that_is_not_there(host: Host) -> None:
    assert host.check_output("find /opt/python/bin -name 'pip*'") == ""


def test_the_licence_is_there(host: Host) -> None:
    assert host.file("/opt/python/lib/python3.10/LICENSE.txt").contains("PYTHON SOFTWARE FOUNDATION LICENSE")
