"""Locked artifacts, brought here in parallel: each once, whoever asks, under its name only when verified."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import filelock

from buildgraph.adapters.claims import Claims
from buildgraph.adapters.download import obtain
from buildgraph.adapters.web import POLL_SECONDS, Stop, Web
from buildgraph.errors import (
    BuildgraphError,
    EnvironmentFault,
    IntegrityError,
    Interrupted,
    LockError,
    NetworkFault,
    NotFound,
    raise_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from buildgraph.adapters.download import Candidate, Report
    from buildgraph.model import Artifact
    from buildgraph.ports import Cancel, Progress

Locate: TypeAlias = "Callable[[Artifact], Iterable[Candidate]]"
"""Where an artifact may be, best first. Looked up when it is fetched: the lock holds no addresses."""
Notice: TypeAlias = "Callable[[str], None]"

WORKERS = 4
_GRACE_SECONDS = 2.0
_FILE_NAME = re.compile(r"[^/\\.\-\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SourceFetcher:
    """Keeps verified artifacts at ``<sources>/<sha256>/<file name>``."""

    def __init__(
        self, sources: Path, locate: Locate, *, web: Web | None = None, notice: Notice = lambda _text: None
    ) -> None:
        """``sources`` is made when needed; ``notice`` is told, from any thread, of places that were passed over."""
        self._sources = sources
        self._locate = locate
        self._web = web or Web()
        self._notice = notice
        self._claims = Claims(sources / ".locks" / "claims")
        self._whole: set[Path] = set()

    def fetch(self, artifacts: Sequence[Artifact], *, progress: Progress, cancel: Cancel) -> None:
        """Make every artifact present; all that can be had are, before the failures of the others are raised."""
        wanted = {self.path(artifact): artifact for artifact in artifacts}
        for artifact in wanted.values():
            self._claims.share(artifact.sha256)
        missing = [artifact for path, artifact in wanted.items() if path not in self._whole or not self.has(artifact)]
        total = sum(artifact.size for artifact in wanted.values())
        if missing:
            batch = _Batch(missing, self._fetch_one)
            batch.run(already=total - sum(artifact.size for artifact in missing), progress=progress, cancel=cancel)
            raise_all(_gather_vanished(batch.failures))
        progress(total, total)

    def path(self, artifact: Artifact) -> Path:
        """The verified file; ``LockError`` when the lock's names could not be those of a file here."""
        if not _SHA256.fullmatch(artifact.sha256) or not _FILE_NAME.fullmatch(artifact.file):
            raise LockError(
                f"{artifact.coordinate}: {artifact.file!r} with sha256 {artifact.sha256!r} cannot be stored",
                hint="write the lock anew with `buildgraph lock`",
            )
        return self._sources / artifact.sha256 / artifact.file

    def has(self, artifact: Artifact) -> bool:
        """True when the file is here: a stat, as only verified files ever get their name."""
        path = self.path(artifact)
        return path.is_file() and path.stat().st_size == artifact.size

    def drop(self, artifact: Artifact) -> None:
        """Forget the file and what is left of its downloads; the same bytes under another name stay.

        What another run has fetched or is about to is left to that run.
        """
        path = self.path(artifact)
        with self._claims.removing(artifact.sha256) as is_last:
            if is_last:
                self._remove(path)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if not path.parent.is_dir():
            return
        others = list(path.parent.iterdir())
        if all(other.name.startswith(".") for other in others):
            for other in others:
                other.unlink(missing_ok=True)
            path.parent.rmdir()

    def _fetch_one(self, artifact: Artifact, report: Report, stop: Stop) -> None:
        locks = self._sources / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(locks / artifact.sha256, thread_local=False)
        try:
            lock.acquire(poll_interval=POLL_SECONDS, cancel_check=stop.is_set)
        except filelock.Timeout as error:
            raise Interrupted("the download was stopped") from error
        try:
            if not self._is_whole(artifact):  # another process may have brought it meanwhile
                self._try_all(artifact, report, stop)
            self._whole.add(self.path(artifact))
        finally:
            lock.release()
        report(artifact.size)

    def _is_whole(self, artifact: Artifact) -> bool:
        """True when the file is here with the right bytes; what a bad disk made of them is removed.

        Read once by each process: what an earlier run left may have lain here for long.
        """
        path = self.path(artifact)
        if not self.has(artifact):
            return False
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == artifact.sha256:
                return True
        self._notice(f"{path} was damaged and is fetched again")
        path.unlink()
        return False

    def _try_all(self, artifact: Artifact, report: Report, stop: Stop) -> None:
        failures: list[BuildgraphError] = []
        folder = self.path(artifact).parent
        folder.mkdir(parents=True, exist_ok=True)
        for candidate in self._locate(artifact):
            try:
                if isinstance(candidate, NetworkFault):
                    raise candidate
                obtain(self._web, candidate, artifact, folder, report=report, stop=stop)
            except (IntegrityError, NetworkFault) as failure:
                failures.append(failure)
                continue
            for passed in failures:
                self._notice(f"{passed}; taken from the next place")
            return
        with suppress(OSError):  # something of the file came: that is kept for the next attempt
            folder.rmdir()
        raise _summarise(artifact, failures)


class _Batch:
    """Some artifacts, a few threads. The calling thread alone reports progress and listens to the user."""

    def __init__(self, artifacts: Sequence[Artifact], work: Callable[[Artifact, Report, Stop], None]) -> None:
        self._artifacts = artifacts
        self._queue = deque(enumerate(artifacts))
        self._work = work
        self._done = [0] * len(artifacts)
        self._failures: dict[int, tuple[Artifact, BuildgraphError]] = {}
        self._bugs: list[BaseException] = []
        self._stop = Stop()

    @property
    def failures(self) -> list[tuple[Artifact, BuildgraphError]]:
        """What could not be had, in the order asked for."""
        return [self._failures[index] for index in sorted(self._failures)]

    def run(self, *, already: int, progress: Progress, cancel: Cancel) -> None:
        """Work until all is tried, or the user or a full disk stops it."""
        total = already + sum(artifact.size for artifact in self._artifacts)
        # Daemons: a thread that waits for a dead server's first byte must not hold up the exit.
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(min(WORKERS, len(self._artifacts)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(POLL_SECONDS)
                progress(already + sum(self._done), total)
                if cancel.is_set():
                    self._abandon(threads)
        if self._bugs:
            raise self._bugs[0]

    def _abandon(self, threads: Sequence[threading.Thread]) -> None:
        self._stop.set()
        for thread in threads:
            thread.join(_GRACE_SECONDS / len(threads))
        raise Interrupted("the download was stopped")

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                index, artifact = self._queue.popleft()
            except IndexError:
                return
            try:
                self._work(artifact, self._reporter(index), self._stop)
            except Interrupted:
                return
            except BuildgraphError as error:
                self._failures[index] = (artifact, error)
                if isinstance(error, EnvironmentFault) and not isinstance(error, NetworkFault):
                    self._stop.set()  # a full disk is full for the others, too
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                self._bugs.append(error)
                self._stop.set()

    def _reporter(self, index: int) -> Report:
        def report(done: int) -> None:
            self._done[index] = done

        return report


def _summarise(artifact: Artifact, failures: Sequence[BuildgraphError]) -> BuildgraphError:
    """One error for all the places that were tried: other bytes weigh more than none."""
    if not failures:
        return NotFound(f"{artifact.coordinate}: no repository is known for it")
    if len(failures) == 1:
        return failures[0]
    text = "; ".join(failure.what for failure in failures)
    if any(isinstance(failure, IntegrityError) for failure in failures):
        return IntegrityError(text)
    if all(isinstance(failure, NotFound) for failure in failures):
        return NotFound(text)
    return NetworkFault(text, hint=next((failure.hint for failure in failures if failure.hint), ""))


def _gather_vanished(failures: Sequence[tuple[Artifact, BuildgraphError]]) -> list[BuildgraphError]:
    """All Debian packages that the archive removed in one line; the other failures as they are."""
    vanished = [
        artifact.coordinate.removeprefix("deb:")
        for artifact, error in failures
        if artifact.coordinate.startswith("deb:") and isinstance(error, NotFound)
    ]
    rest = [
        error
        for artifact, error in failures
        if not (artifact.coordinate.startswith("deb:") and isinstance(error, NotFound))
    ]
    if not vanished:
        return rest
    hint = "updates replaced them: take the new versions with `buildgraph lock --update <node>`"
    return [NetworkFault(f"the Debian archive no longer has {', '.join(sorted(vanished))}", hint=hint), *rest]
