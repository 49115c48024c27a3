"""A project of 20 nodes with a store and an engine of its own, in one folder: what the faults are done to."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from buildgraph.app.session import LOCK_FILE, Session, open_session
from buildgraph.lock import format_lock
from buildgraph.model import Artifact, Lock, LockEntry
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILES_LAYERS = 9
JOINED_LAYERS = 5
IMAGES = 6
SOURCES = ("alpha.bin", "beta.bin", "gamma.tar.gz")
HOST = "https://files.example.com/"
PAYLOAD = 40_000
PROJECT = """\
project: faults
epoch: 1767225600
platform: linux/amd64
registry: registry.example
groups:
  all: ["*"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large the project is. ``payload``: bytes of each file that a layer copies or fetches."""

    layers: int = FILES_LAYERS
    joined: int = JOINED_LAYERS
    images: int = IMAGES
    sources: tuple[str, ...] = SOURCES
    payload: int = PAYLOAD

    @property
    def nodes(self) -> int:
        """How many nodes it has."""
        return self.layers + self.joined + self.images


TWENTY = Shape()
SMALL = Shape(layers=2, joined=1, images=1, sources=SOURCES[:1], payload=3_000)


@dataclass(frozen=True, slots=True)
class Room:
    """Where everything of one project lies."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def engine(self) -> Path:
        """References of the fake engine, a file each."""
        return self.root / "engine"

    @property
    def workers(self) -> Path:
        """What each worker process says of itself: a file named after the step, a line for each process."""
        return self.root / "workers"

    @property
    def holds(self) -> Path:
        """Pipes at which workers of that name wait."""
        return self.root / "holds"

    @property
    def journal(self) -> Path:
        """A line for each layer that a builder really made, with the process that did."""
        return self.root / "journal"

    @property
    def address(self) -> str:
        """Where the sources are served."""
        return (self.root / "address").read_text(encoding="utf-8")

    def session(self) -> Session:
        """The project, read anew."""
        return open_session(self.project, store=self.store, lock_file=None, environ={})

    def events(self) -> list[dict[str, object]]:
        """What the runs on the store wrote into their journals."""
        lines = [
            line for file in self.store.glob("runs/*/events.jsonl") for line in file.read_text("utf-8").splitlines()
        ]
        return [json.loads(line) for line in lines]

    def ended(self, step: str, outcome: str) -> bool:
        """Whether a run said that a step ended so."""
        return self.endings(step, outcome) > 0

    def endings(self, step: str, outcome: str) -> int:
        """How many runs said that a step ended so."""
        return sum(event.get("step") == step and event.get("outcome") == outcome for event in self.events())

    def made(self) -> list[str]:
        """The layers that builders made, in order, repeated when they were made more than once."""
        text = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        return [line.split()[0] for line in text.splitlines()]

    def pids(self, step: str = "*") -> list[int]:
        """The worker processes that were ever started (for a step), their children among them."""
        return [int(line) for file in self.workers.glob(step) for line in file.read_text(encoding="utf-8").split()]

    def fail(self, step: str) -> None:
        """Let the worker of a step fail."""
        (self.root / "fails" / step).touch()

    def stubborn(self, step: str) -> None:
        """Hold the worker of a step, deaf to every request to end."""
        (self.root / "stubborn" / step).touch()
        self.hold(step)

    def hold(self, step: str) -> None:
        """Let the worker of a step wait, with a child of its own, until it is ended."""
        os.mkfifo(self.holds / step)

    def release(self, step: str) -> None:
        """Let workers of that step pass from now on; one that waits stays where it is."""
        (self.holds / step).unlink()

    def let_go(self, step: str) -> None:
        """Let the worker that waits go on, and all that come later."""
        held = self.holds / step
        # Opening waits for the worker, who may have said that it is there and not have got to the pipe yet.
        with held.open("w", encoding="utf-8") as waiting:
            held.rename(self.holds / f"{step}.waiting")
            waiting.write("go on\n")

    def fresh(self, name: str) -> Room:
        """The same project with an empty store beside this one; the same sources."""
        room = Room(self.root.parent / name)
        _make_folders(room)
        room.project.symlink_to(self.project)
        (room.root / "address").write_text(self.address, encoding="utf-8")
        return room


@contextmanager
def open_room(folder: Path, shape: Shape = TWENTY) -> Iterator[Room]:
    """The project below ``folder``, locked, its sources served while the context is open."""
    room = Room(folder / "room")
    _make_folders(room)
    contents = {name: _source(name, shape.payload) for name in shape.sources}
    for path, data in _project_files(shape).items():
        file = room.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    with WebServer() as server:
        for name, data in contents.items():
            server.serve(f"/{name}", Reply(body=data))
        (room.root / "address").write_text(server.url("/"), encoding="utf-8")
        (room.project / LOCK_FILE).write_text(format_lock(_lock(room, contents)), encoding="utf-8")
        yield room


def payload(name: str, size: int) -> bytes:
    """Bytes that do not shrink, the same for the same name."""
    return Random(name).randbytes(size)


def _make_folders(room: Room) -> None:
    for folder in (room.engine, room.workers, room.holds, room.root / "fails", room.root / "stubborn"):
        folder.mkdir(parents=True)


def _source(name: str, size: int) -> bytes:
    data = payload(name, size)
    if not name.endswith(".tar.gz"):
        return data
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for number in range(3):
            member = tarfile.TarInfo(f"top/file-{number}")
            member.size = size
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _lock(room: Room, contents: Mapping[str, bytes]) -> Lock:
    """One entry for each source, as the manifests ask for it."""
    entries: dict[str, dict[str, LockEntry]] = {}
    for node in room.session().catalogue.nodes.values():
        for source in getattr(node, "sources", ()):
            name = source.request[0].rpartition("/")[2]
            data = contents[name]
            artifact = Artifact(
                coordinate=source.request[0], file=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data)
            )
            entries[node.name] = {source.name: LockEntry(request=source.request, artifacts=(artifact,))}
    return replace(Lock(), entries=entries)


def _project_files(shape: Shape) -> dict[str, bytes]:
    files = {"manifests/project.yaml": PROJECT.encode()}
    names = [f"files-{number}" for number in range(shape.layers)]
    for number, name in enumerate(names):
        source = shape.sources[number] if number < len(shape.sources) else ""
        files[f"manifests/layers/{name}.yaml"] = _files_layer(name, source, base=names[0]).encode()
        files[f"layers/{name}/files/data"] = payload(name, shape.payload)
    joined = [f"joined-{number}" for number in range(shape.joined)]
    for number, name in enumerate(joined):
        parents = [joined[number - 1] if number else names[0], names[(number + 1) % len(names)]]
        files[f"manifests/layers/{name}.yaml"] = _joined_layer(name, parents).encode()
        files[f"layers/{name}/Dockerfile"] = b"FROM scratch\n"
    layers = names + joined
    for number in range(shape.images):
        name = f"image-{number}"
        own = [names[0], *(layer for place, layer in enumerate(layers[1:]) if place % (shape.images + 1) <= number)]
        files[f"manifests/images/{name}.yaml"] = _image(name, own).encode()
    tested = [*layers, *(f"image-{number}" for number in range(shape.images))]
    files.update({f"layers/{name}/test_{name.replace('-', '_')}.py": b"def test_it(): ...\n" for name in tested})
    return files


def _files_layer(name: str, source: str, *, base: str) -> str:
    lines = [f"layer: {name}", "kind: files", "stage: intermediate", "description: Files"]
    lines += [f"sources: {{source: 'url:{HOST}{source}'}}"] if source else []
    lines += ["files:", f"  - {{copy: data, to: /opt/{name}/data}}", f"  - {{write: /opt/{name}/text, text: {name}}}"]
    verb = "unpack" if source.endswith(".tar.gz") else "place"
    lines += [f"  - {{{verb}: source, to: /opt/{name}/source/}}"] if source else []
    lines += [f"test_on: [{base}]"] if name != base else []
    return "\n".join(lines) + "\n"


def _joined_layer(name: str, parents: list[str]) -> str:
    return f"""\
layer: {name}
kind: dockerfile
stage: intermediate
description: Made from others
parents: [{", ".join(parents)}]
test_on: [{", ".join(parents)}]
"""


def _image(name: str, layers: list[str]) -> str:
    return f"""\
image: {name}
description: Some layers
layers: [{", ".join(layers)}]
repository: faults/{name}
tags: ["1"]
"""
