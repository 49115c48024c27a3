"""A buildx that notes its words and fails as it is told to: a script, so that what a process sees is what is tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters.buildkit import BuildkitBuilder
from buildgraph.adapters.process import Never

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRIPT = """#!/bin/sh
printf '%s\\0' "$@" >> "$HOME/words"
printf '\\n' >> "$HOME/words"
if [ -s "$HOME/failures" ]; then
  head -n 1 "$HOME/failures"
  sed -i 1d "$HOME/failures"
  exit 1
fi
"""


@dataclass(frozen=True, slots=True)
class Buildx:
    """The script in ``folder``; each line of ``failures`` is what one call says before it fails."""

    folder: Path

    def export(self, *, args: Mapping[str, str], named: Mapping[str, str], failures: tuple[str, ...] = ()) -> None:
        """Build with the script in place of buildx."""
        (self.folder / "failures").write_text("".join(f"{line}\n" for line in failures))
        self.builder().export(
            dockerfile=self.folder / "Dockerfile",
            context=self.folder,
            named=named,
            args=args,
            network=False,
            platform="linux/amd64",
            dest=self.folder / "layer.tar",
            log=self.folder / "log",
            cancel=Never(),
        )

    def builder(self) -> BuildkitBuilder:
        """What runs the script."""
        script = self.folder / "buildx"
        script.write_text(SCRIPT)
        script.chmod(0o755)
        environ = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        return BuildkitBuilder(buildx=(str(script),), environ=environ, ca=None)

    def calls(self) -> list[list[str]]:
        """The words of each call."""
        text = (self.folder / "words").read_text()
        return [call.rstrip("\0").split("\0") for call in text.split("\0\n") if call]
