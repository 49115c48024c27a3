"""Runs the steps of ``dockerfile`` layers with BuildKit and exports what the last stage holds as a plain tar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from buildgraph.adapters import process
from buildgraph.errors import BuildFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from buildgraph.ports import Cancel

FAILED_STEP = re.compile(r"^ > \[(?P<stage>[^]]*)\] (?P<command>.+):$")
STEP_OUTPUT = re.compile(r"^\d+\.\d+ (?P<text>.*\S)")
POSITION = re.compile(r"^(?P<file>\S+):(?P<line>\d+)$")
REASON = re.compile(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?(?P<text>.+)$")


class BuildkitBuilder:
    """``docker buildx build`` with inputs from this machine only: named contexts, arguments, the CA secret."""

    def __init__(self, *, buildx: Sequence[str], environ: Mapping[str, str], ca: Path | None) -> None:
        """``buildx``: the words that run it; ``environ`` leads to the engine; ``ca``: the machine's certificates."""
        self._buildx = tuple(buildx)
        self._environ = {**environ, "NO_COLOR": "1"}
        self._ca = ca

    def export(
        self,
        *,
        dockerfile: Path,
        context: Path,
        named: Mapping[str, str],
        args: Mapping[str, str],
        network: bool,
        platform: str,
        dest: Path,
        log: Path,
        cancel: Cancel,
    ) -> None:
        """Write the files of the last stage to ``dest``, a tar.

        ``named`` maps context names to directories or ``oci-layout://`` addresses. Steps have no network unless
        ``network``; then the machine's certificates are offered as the secret ``ca``. The output of the steps goes to
        ``log``. Raises ``BuildFailure`` with the failing line, ``Interrupted``; ``dest`` is then not there.
        """
        # Our keys decide what is built; what is built is really run, whatever BuildKit remembers of another day.
        argv = [
            *self._buildx,
            "build",
            "--no-cache",
            "--progress",
            "plain",
            "--provenance=false",
            "--platform",
            platform,
        ]
        argv += ["--output", f"type=tar,dest={dest}", "--file", str(dockerfile)]
        for name, place in sorted(named.items()):
            argv += ["--build-context", f"{name}={place}"]
        for name, value in sorted(args.items()):
            argv += ["--build-arg", f"{name}={value}"]
        argv += self._network(allowed=network)
        done = False
        try:
            code = process.run([*argv, str(context)], log=log, cancel=cancel, env=self._environ)
            if code:
                raise read_failure(process.tail(log, 200), dockerfile=dockerfile, log=log)
            done = True
        finally:
            if not done:
                dest.unlink(missing_ok=True)

    def _network(self, *, allowed: bool) -> list[str]:
        if not allowed:
            return ["--network", "none"]
        return ["--secret", f"id=ca,src={self._ca}"] if self._ca else []


def read_failure(lines: Sequence[str], *, dockerfile: Path, log: Path) -> BuildFailure:
    """What BuildKit's last lines say: the command and its last words, at its line of the Dockerfile."""
    command, words, position, reason = "", "", "", "buildx gave no reason"
    for line in lines:
        if match := FAILED_STEP.match(line):
            command, words = match["command"], ""
        elif command and (match := STEP_OUTPUT.match(line)):
            words = match["text"]
        elif match := POSITION.match(line):
            position = match["line"]
        elif match := REASON.match(line):
            reason = match["text"]
    where = f"{dockerfile}:{position}" if position else str(dockerfile)
    what = f"{command} failed: {words or reason}" if command else reason
    return BuildFailure(what, where=where, log=str(log))
