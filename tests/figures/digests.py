"""The figure of equal digests: cold and warm, many workers and few, another place, zone, mask and language."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.checks import digests
from tests.faults.programs import Programs
from tests.faults.room import TWENTY, open_room
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from tests.faults.room import Room

VARIANTS: dict[str, dict[str, object]] = {
    "1 worker": {"jobs": 1},
    "2 workers": {"jobs": 2},
    "8 workers": {"jobs": 8},
    "another folder": {"directory": "/usr"},
    "another time zone": {"environ": {"TZ": "Pacific/Kiritimati"}},
    "another language": {"environ": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}},
    "umask 077": {"umask": 0o077},
    "umask 0": {"umask": 0},
    "a clock that jumps": {"clock": -86400},
}
YEAR_2040 = 2208988800


def equal_digests() -> Figure:
    """Each variant in an empty store of its own, then once more on the store that is there."""
    with (
        tempfile.TemporaryDirectory(prefix="buildgraph-figures-") as folder,
        Programs() as programs,
        open_room(Path(folder)) as room,
    ):
        programs.build(room)
        found = {"cold": digests(room)}
        for name, options in VARIANTS.items():
            fresh = room.fresh(name.replace(" ", "-"))
            programs.build(fresh, **options)
            found[name] = digests(fresh)
        copy = _copied(room)
        programs.build(copy)
        found["a copy with other times and modes"] = digests(copy)
        programs.build(room)
        found["warm"] = digests(room)
    differing = [name for name, digest in found.items() if digest != found["cold"]]
    counts = {len({digest.get(node) for digest in found.values()}) for node in found["cold"]}
    return Figure(
        name="equal digests",
        how=f"{TWENTY.nodes} nodes: {', '.join(found)}",
        target="1 distinct digest a node",
        result=f"{max(counts)} distinct at most, {len(found)} builds{f'; differing: {differing}' if differing else ''}",
        ok=not differing and counts == {1} and len(found["cold"]) == TWENTY.nodes,
    )


def _copied(room: Room) -> Room:
    """A room whose project is a copy: files as a strict umask leaves them, from another year."""
    fresh = room.fresh("copy")
    fresh.project.unlink()
    shutil.copytree(room.project, fresh.project)
    for file in fresh.project.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
        os.utime(file, (YEAR_2040, YEAR_2040))
    return fresh
