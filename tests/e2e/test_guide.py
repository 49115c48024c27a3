"""The guide "add your own layer", followed to the letter: its files written, its commands run, its claims checked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.engines import export_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-layer.md"
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
DEADLINE = 900

pytestmark = pytest.mark.engine


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of the guide: a shell script, or a file whose first line is a comment with its path."""

    kind: str
    text: str

    @property
    def file(self) -> tuple[str, str]:
        first, _, rest = self.text.partition("\n")
        return first.removeprefix("# "), rest


def read_blocks() -> Iterator[Block]:
    for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        yield Block(kind=match["kind"], text=match["text"])


class Reader:
    """Somebody who follows the guide in a shell: the working directory lasts from one block to the next."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder = folder
        engine = dict(re.findall(r"export (\w+)=(.*)", "\n".join(export_lines())))
        path = f"{Path(sys.executable).parent}{os.pathsep}{engine['PATH'].strip(chr(39))}"
        self._environ = {**os.environ, **engine, "PATH": path, "BUILDGRAPH_STORE": str(store)}
        self._environ.pop("BUILDGRAPH_LOCK", None)

    def follow(self, block: Block) -> str:
        if block.kind == "sh":
            return self.run(block.text)
        name, text = block.file
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        return ""

    def run(self, script: str, *, code: int = 0) -> str:
        done = subprocess.run(
            ["sh", "-eu", "-c", f"{script}\npwd"],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == code, done.stderr
        if code == 0:
            self.folder = Path(done.stdout.splitlines()[-1])
        return done.stdout


def test_the_guide_leads_to_a_tested_image_with_a_layer_of_ones_own(tmp_path: Path) -> None:
    reader = Reader(tmp_path, tmp_path / "store")
    seen = "\n".join(reader.follow(block) for block in read_blocks())
    assert "Hello from demo on Debian GNU/Linux 12 (bookworm)" in seen
    assert "Greetings from 2 files in /opt/jdbc" in seen
    assert "file files/greet changed" in seen
    assert "1 built, 1 composed, 2 tested, 1 loaded; 1 nodes reused" in seen
    reader.run("buildgraph build", code=1)
    assert "Greetings from 2 files" in reader.run("docker run --rm demo/demo greet")
