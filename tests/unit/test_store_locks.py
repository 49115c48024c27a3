"""The locks of a store: one holds, the others wait, and a holder that dies lets go."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import Interrupted


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path / "store")


HOLDER = """
import sys
from pathlib import Path
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
with LayoutStore(Path(sys.argv[1])).lock("key", cancel=Never(), waiting=print):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold_lock(store: LayoutStore) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_fault_18_a_lock_is_waited_for_with_a_message_and_freed_by_the_holders_death(store: LayoutStore) -> None:
    said: list[str] = []
    with hold_lock(store) as child:

        def kill_holder(line: str) -> None:
            said.append(line)
            child.kill()

        with store.lock("key", cancel=Never(), waiting=kill_holder):
            assert len(said) == 1
            assert "key" in said[0]
    with store.lock("key", cancel=Never(), waiting=said.append):
        assert len(said) == 1


def test_a_cancelled_run_stops_waiting_for_a_lock(store: LayoutStore) -> None:
    class Soon(Never):
        waiting = False

        def is_set(self) -> bool:
            return self.waiting

    cancel = Soon()
    with hold_lock(store) as child:
        started = time.monotonic()
        with (
            pytest.raises(Interrupted),
            store.lock("key", cancel=cancel, waiting=lambda _: setattr(cancel, "waiting", True)),
        ):
            pass
        assert time.monotonic() - started < 5
        child.kill()


def test_two_threads_hold_a_lock_one_after_the_other(store: LayoutStore) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with store.lock("key", cancel=Never(), waiting=lambda _: None):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8
