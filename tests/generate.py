"""A complete catalogue of a given shape, for measuring and for tests: ``python -m tests.generate DIR --help``.

Nodes stand in levels, ``l000-000`` upwards. Level 0 are files layers; each node above reads nodes of the level below it
through a Dockerfile and needs no network. The image ``whole`` is made of the last level. The same arguments write the
same bytes.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_NODES = 200_000
MAX_PARENTS = 20
IMAGE = "whole"
IMAGE_LAYERS = 100  # an engine takes 127
PAUSE = "pause"

_PROJECT = """\
project: generated
epoch: 1767225600
platform: linux/amd64
registry: registry.example
groups:
  all: ["*"]
"""
_TEST = """\
def test_there_is_an_image(image: str) -> None:
    assert image
"""
_DOCKERFILE = """\
FROM {base} AS work
ARG NAME
COPY payload /own/names/$NAME
COPY --from=parent /names /own/seen/$NAME
{run}
FROM scratch
COPY --from=work /own /
"""


class Split(StrEnum):
    """How nodes are spread over manifests."""

    NODE = "per-node"
    LEVEL = "per-level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is written. ``payload`` is bytes a node, ``build_seconds`` what each node above level 0 takes at least."""

    levels: int
    width: int
    parents: int
    payload: int = 16
    build_seconds: float = 0.0
    seed: int = 0
    split: Split = Split.NODE

    @property
    def nodes(self) -> int:
        """How many nodes there are in levels."""
        return self.levels * self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    level: int
    place: int
    parents: tuple[str, ...]

    @property
    def name(self) -> str:
        return name_node(self.level, self.place)


def name_node(level: int, place: int) -> str:
    """The name of a node, the same however manifests are split."""
    return f"{_name_level(level)}-{place:03d}"


def write_catalogue(folder: Path, shape: Shape) -> None:
    """Write the project into ``folder``, which is made and must hold none yet."""
    if (folder / "manifests").exists():
        raise FileExistsError(f"{folder} holds a project already")
    randomness = random.Random(shape.seed)
    _write(folder / "manifests/project.yaml", _PROJECT)
    if shape.build_seconds:
        _write_pause(folder, shape.build_seconds)
    nodes: list[_Node] = []
    for level in range(shape.levels):
        nodes = list(_choose_parents(level, nodes, shape, randomness))
        payload = randomness.randbytes(shape.payload)
        for layer, text in _describe_level(level, nodes, shape):
            _write(folder / f"manifests/layers/{layer}.yaml", text)
            _write_folder(folder / "layers" / layer, layer, payload, shape, level=level)
    _write(folder / f"manifests/images/{IMAGE}.yaml", _describe_image(nodes))
    _write(folder / f"layers/{IMAGE}/test_{IMAGE}.py", _TEST)


def _choose_parents(level: int, below: Sequence[_Node], shape: Shape, randomness: random.Random) -> Iterator[_Node]:
    count = min(shape.parents, len(below))
    for place in range(shape.width):
        parents = sorted(node.name for node in randomness.sample(below, count))
        yield _Node(level=level, place=place, parents=tuple(parents))


def _describe_level(level: int, nodes: Sequence[_Node], shape: Shape) -> Iterator[tuple[str, str]]:
    """The layers of a level and their manifests."""
    if shape.split is Split.NODE:
        for node in nodes:
            body = _describe_body(level, node.name, node.parents, shape)
            yield node.name, f"layer: {node.name}\n{body}"
        return
    rows = [f'  "{node.place:03d}": {_table(node.parents)}\n' for node in nodes]
    parents = [f'"{{{{ p{index} }}}}"' for index in range(len(nodes[0].parents))]
    body = _describe_body(level, '"{{ name }}"', parents, shape)
    layer = _name_level(level)
    yield layer, f"layer: {layer}\nvariants:\n{''.join(rows)}{body}"


def _describe_body(level: int, name: str, parents: Sequence[str], shape: Shape) -> str:
    if level == 0:
        path = f'"/names/{name.strip(chr(34))}"'
        return f"kind: files\nstage: base\ndescription: Reads nothing\nfiles:\n  - {{copy: payload, to: {path}}}\n"
    contexts = f"contexts: [{PAUSE}]\n" if shape.build_seconds else ""
    return (
        f"kind: dockerfile\nstage: intermediate\ndescription: Reads level {level - 1}\n"
        f"parents: [{', '.join(parents)}]\n{contexts}args: {{NAME: {name}}}\n"
    )


def _table(parents: Sequence[str]) -> str:
    return "{" + ", ".join(f"p{index}: {name}" for index, name in enumerate(parents)) + "}"


def _describe_image(nodes: Sequence[_Node]) -> str:
    layers = "".join(f"  - {node.name}\n" for node in nodes[:IMAGE_LAYERS])
    return (
        f"image: {IMAGE}\ndescription: Made of the last level\nlayers:\n{layers}"
        f'config: {{user: "185:0"}}\nrepository: generated/{IMAGE}\ntags: ["1"]\n'
    )


def _write_folder(folder: Path, layer: str, payload: bytes, shape: Shape, *, level: int) -> None:
    _write(folder / f"test_{layer.replace('-', '_')}.py", _TEST)
    _write(folder / "files/payload", payload)
    if level:
        base, run = (PAUSE, f'RUN ["/{PAUSE}"]\n') if shape.build_seconds else ("scratch", "")
        _write(folder / "Dockerfile", _DOCKERFILE.format(base=base, run=run))


def _write_pause(folder: Path, seconds: float) -> None:
    """A layer that holds a program which only waits: build steps run it, and no shell is needed for that."""
    text = (
        f"layer: {PAUSE}\nkind: files\nstage: helper\ndescription: Waits\nfiles:\n  - {{copy: {PAUSE}, to: /{PAUSE}}}\n"
    )
    _write(folder / f"manifests/layers/{PAUSE}.yaml", text)
    _write(folder / f"layers/{PAUSE}/test_{PAUSE}.py", _TEST)
    program = folder / f"layers/{PAUSE}/files/{PAUSE}"
    _write(program, make_pause(seconds))
    program.chmod(0o755)


def make_pause(seconds: float) -> bytes:
    """A static program for Linux on amd64 that sleeps that long and ends with 0."""
    base, headers = 0x400000, 64 + 56
    code = bytes.fromhex(
        "b823000000"  # mov eax, 35 (nanosleep)
        "488d3d0d000000"  # lea rdi, [rip + 13]: the time stands behind the code
        "31f6"  # xor esi, esi
        "0f05"  # syscall
        "b83c000000"  # mov eax, 60 (exit)
        "31ff"  # xor edi, edi
        "0f05"  # syscall
    )
    whole = int(seconds)
    body = code + struct.pack("<qq", whole, int((seconds - whole) * 1e9))
    size = headers + len(body)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return header + program + body


def _name_level(level: int) -> str:
    return f"l{level:03d}"


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _parse(arguments: Sequence[str] | None) -> tuple[Path, Shape]:
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--levels", type=int, default=10)
    parser.add_argument("--width", type=int, default=10, help="nodes a level")
    parser.add_argument("--parents", type=int, default=2, help="nodes of the level below that each node reads")
    parser.add_argument("--diamonds", type=int, metavar="N", help="a ladder of N diamonds, two by two, instead")
    parser.add_argument("--payload", type=int, default=16, metavar="BYTES", help="what each node holds")
    parser.add_argument("--build-seconds", type=float, default=0.0, metavar="S", help="what building a node takes")
    parser.add_argument(
        "--files", type=Split, choices=list(Split), default=Split.NODE, help="a manifest each, or tables"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    levels, width, parents = options.levels, options.width, options.parents
    if options.diamonds is not None:
        levels, width, parents = options.diamonds + 1, 2, 2
    if min(levels, width) < 1 or levels * width > MAX_NODES:
        parser.error(f"levels times width is from 1 to {MAX_NODES}")
    if not 1 <= parents <= MAX_PARENTS or options.payload < 1 or options.build_seconds < 0:
        parser.error(f"parents are from 1 to {MAX_PARENTS}, a payload has a byte, and time does not run backwards")
    shape = Shape(
        levels=levels,
        width=width,
        parents=parents,
        payload=options.payload,
        build_seconds=options.build_seconds,
        seed=options.seed,
        split=options.files,
    )
    return options.folder, shape


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what was asked for; the exit code."""
    folder, shape = _parse(arguments)
    try:
        write_catalogue(folder, shape)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{folder}: {shape.nodes} nodes in {shape.levels} levels, {shape.split}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
