"""A build that stops before its first layer until somebody writes to a fifo: ``-m`` this with PROJECT STORE FIFO."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.process import Never
from buildgraph.app.building import RunOptions, run_plan
from buildgraph.app.equipment import Equipment
from buildgraph.app.planning import plan_targets
from buildgraph.app.session import open_session
from buildgraph.plan import Wishes

if TYPE_CHECKING:
    from collections.abc import Iterator


class HeldEquipment(Equipment):
    """Says that it holds, and waits for the fifo, when the first node is about to be made."""

    has_held = False

    @contextmanager
    def guard(self, node_key: str) -> Iterator[None]:
        with super().guard(node_key):
            if not self.has_held:
                self.has_held = True
                print("held", flush=True)
                Path(sys.argv[3]).read_text(encoding="utf-8")
            yield


def main() -> None:
    """Build everything; the exit code is that of the run."""
    session = open_session(Path(sys.argv[1]), store=Path(sys.argv[2]), lock_file=None, environ=dict(os.environ))
    with session.store.in_use(waiting=print):
        planned = plan_targets(session, ("all",), wishes=Wishes(test=False, load=False))
        result, _records = run_plan(
            session, planned, RunOptions(jobs=1), emit=lambda _event: None, cancel=Never(), equip=HeldEquipment
        )
    sys.exit(result.exit_code)


if __name__ == "__main__":
    main()
