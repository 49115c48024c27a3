"""Programs that do what a test says: shell scripts, so that what a process sees is what is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENTER = 'shift 2; exec "$@"'
"""``nsenter`` that stays where it is, as ``buildgraph.adapters.cluster.inside.wrap`` calls it."""


def write_program(folder: Path, name: str, script: str) -> Path:
    """A shell script as a program of that name; the folder is made."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program
