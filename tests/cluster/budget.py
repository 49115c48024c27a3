"""The node's memory, shared by all workers of a run: a scenario starts when what it takes is free."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from tests.cluster.waits import require, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GIB = 1 << 30


def fits(total: int, taken: Mapping[str, int], wanted: int) -> bool:
    """Whether there is room; one that is larger than the node may run when nothing else does."""
    return not taken or sum(taken.values()) + wanted <= total


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is taken is in a file that all workers share."""

    folder: Path
    total: int

    @contextmanager
    def take(self, name: str, wanted: int, *, seconds: float) -> Iterator[None]:
        """Hold that much memory; wait until it is free."""
        wait_for(f"memory for {name}", lambda: self._try(name, wanted), seconds=seconds, pause=2.0)
        try:
            yield
        finally:
            with self._lock():
                self._write({key: size for key, size in self._read().items() if key != name})

    def _try(self, name: str, wanted: int) -> None:
        with self._lock():
            taken = self._read()
            holders = ", ".join(taken)
            require(
                fits(self.total, taken, wanted),
                f"{wanted / GIB:.1f} GiB wanted, {self.total / GIB:.1f} GiB in all, used by {holders}",
            )
            self._write({**taken, name: wanted})

    def _lock(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "memory.lock")

    def _read(self) -> dict[str, int]:
        file = self.folder / "memory.json"
        taken: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return taken

    def _write(self, taken: Mapping[str, int]) -> None:
        (self.folder / "memory.json").write_text(json.dumps(taken), encoding="utf-8")
