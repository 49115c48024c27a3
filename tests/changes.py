"""Changes to the sample world: those that must move the keys of some nodes, and those that must move none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from buildgraph.model import (
    Compression,
    DockerfileSpec,
    FileOp,
    FilesSpec,
    Location,
    Lock,
    ModeRule,
    PythonSpec,
    RootfsSpec,
    Stage,
)
from tests.samples import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from buildgraph.model import Artifact
    from tests.samples import World

    Change: TypeAlias = Callable[[World], World]

ELSEWHERE = Location(file="manifests/layers/elsewhere.yaml", line=99, key="moved")


def change_file(world: World, folder: str, path: str, what: str | None) -> World:
    """A file of ``layers/<folder>`` is other (None: gone)."""
    tree = {**world.trees.get(folder, {}), path: what}
    kept = {name: described for name, described in tree.items() if described is not None}
    return replace(world, trees={**world.trees, folder: kept})


def change_artifact(world: World, node: str, source: str, change: Callable[[Artifact], Artifact]) -> World:
    """The first artifact that the lock holds for a source is other."""
    entry = world.lock.entries[node][source]
    first, *others = entry.artifacts
    changed = replace(entry, artifacts=(change(first), *others))
    sources = {**world.lock.entries[node], source: changed}
    return replace(world, lock=Lock(entries={**world.lock.entries, node: sources}))


def change_operation(world: World, node: str, change: Callable[[FileOp], FileOp]) -> World:
    """The first operation of a files layer is other."""
    layer = world.layer(node)
    assert isinstance(layer.spec, FilesSpec)
    first, *others = layer.spec.operations
    return world.with_nodes(replace(layer, spec=FilesSpec(operations=(change(first), *others))))


def change_spec(world: World, node: str, spec: RootfsSpec | PythonSpec | DockerfileSpec) -> World:
    """A layer of another kind than ``files`` is made in another way."""
    return world.with_nodes(replace(world.layer(node), spec=spec))


def _reverse_operations(world: World) -> World:
    layer = world.layer("tools")
    assert isinstance(layer.spec, FilesSpec)
    return world.with_nodes(replace(layer, spec=FilesSpec(operations=layer.spec.operations[::-1])))


def _project(world: World, *, epoch: int | None = None, platform: str | None = None) -> World:
    known = world.catalogue.project
    project = replace(known, epoch=epoch or known.epoch, platform=platform or known.platform)
    return replace(world, catalogue=replace(world.catalogue, project=project))


def _config(world: World, *, env: Mapping[str, str] | None = None, cmd: tuple[str, ...] = ()) -> World:
    shop = world.image("shop")
    config = replace(shop.config, env=env or shop.config.env, cmd=cmd or shop.config.cmd)
    return world.with_nodes(replace(shop, config=config))


PYTHON = PythonSpec(prefix="/opt/python", version="3.10", platform="x86_64-manylinux_2_28")
EVERYTHING = ("os", "jdk", "python", "libraries", "app", "tools", "shop", "small")

# What is changed → the change, and the nodes whose own inputs it changes.
MOVING: Mapping[str, tuple[Change, tuple[str, ...]]] = {
    "a file's content": (lambda w: change_file(w, "os", "customize.sh", f"x:{sha256('other')}"), ("os",)),
    "a file's executable bit": (lambda w: change_file(w, "os", "customize.sh", f"-:{sha256('customize')}"), ("os",)),
    "a link's target": (lambda w: change_file(w, "app", "files/latest", "link:app-2"), ("app",)),
    "a new file": (lambda w: change_file(w, "jdk", "files/New.java", f"-:{sha256('')}"), ("jdk",)),
    "a file that is gone": (lambda w: change_file(w, "jdk", "files/Main.java", None), ("jdk",)),
    "a source's sha256": (
        lambda w: change_artifact(w, "python", "dist", lambda a: replace(a, sha256=sha256("other"))),
        ("python",),
    ),
    "a source's version": (
        lambda w: change_artifact(w, "os", "packages", lambda a: replace(a, coordinate="deb:bash=5.2.15-2+b8")),
        ("os",),
    ),
    "a source's file name": (
        lambda w: change_artifact(w, "tools", "driver", lambda a: replace(a, file="driver.jar")),
        ("tools",),
    ),
    "a build argument": (
        lambda w: change_spec(w, "jdk", DockerfileSpec(args={"MODULES": "java.base,java.sql"})),
        ("jdk",),
    ),
    "the use of the network": (lambda w: change_spec(w, "app", DockerfileSpec()), ("app",)),
    "the suite": (lambda w: change_spec(w, "os", RootfsSpec(suite="trixie", hooks=("customize.sh",))), ("os",)),
    "the hooks": (lambda w: change_spec(w, "os", RootfsSpec(suite="bookworm")), ("os",)),
    "the Python version": (lambda w: change_spec(w, "libraries", replace(PYTHON, version="3.11")), ("libraries",)),
    "the prefix": (lambda w: change_spec(w, "libraries", replace(PYTHON, prefix="/usr")), ("libraries",)),
    "what is left out": (lambda w: change_spec(w, "libraries", replace(PYTHON, exclude=("**/x",))), ("libraries",)),
    "an operation's place": (lambda w: change_operation(w, "tools", lambda o: replace(o, to="/srv/")), ("tools",)),
    "an operation's mode": (lambda w: change_operation(w, "tools", lambda o: replace(o, mode=0o600)), ("tools",)),
    "an operation's owner": (lambda w: change_operation(w, "tools", lambda o: replace(o, uid=185)), ("tools",)),
    "an operation's globs": (
        lambda w: change_operation(w, "python", lambda o: replace(o, include=("bin/**",))),
        ("python",),
    ),
    "an operation's mode rules": (
        lambda w: change_operation(w, "python", lambda o: replace(o, modes=(ModeRule(glob="bin/*", mode=0o755),))),
        ("python",),
    ),
    "the order of operations": (_reverse_operations, ("tools",)),
    "the compression": (
        lambda w: w.with_nodes(replace(w.layer("tools"), compression=Compression.NONE)),
        ("tools",),
    ),
    "a parent's variable": (
        lambda w: w.with_nodes(replace(w.layer("jdk"), env={"JAVA_HOME": "/usr/java"})),
        ("app", "shop"),
    ),
    "a parent's PATH": (
        lambda w: w.with_nodes(replace(w.layer("python"), prepend={"PATH": ("/opt/bin",)})),
        ("libraries", "app", "shop", "small"),
    ),
    "the order of parents": (lambda w: w.with_nodes(replace(w.layer("app"), parents=("jdk", "os"))), ("app",)),
    "a parent that becomes a context": (
        lambda w: w.with_nodes(replace(w.layer("app"), parents=("os",), contexts=("jdk", "python"))),
        ("app",),
    ),
    "one context fewer": (lambda w: w.with_nodes(replace(w.layer("app"), contexts=())), ("app",)),
    "the order of an image's layers": (
        lambda w: w.with_nodes(replace(w.image("small"), layers=("python", "os"))),
        ("small",),
    ),
    "one layer more in an image": (
        lambda w: w.with_nodes(replace(w.image("small"), layers=("os", "python", "tools"))),
        ("small",),
    ),
    "an image's variable": (lambda w: _config(w, env={"MODE": "batch"}), ("shop",)),
    "an image's command": (lambda w: _config(w, cmd=("serve",)), ("shop",)),
    "an image's overrides": (lambda w: w.with_nodes(replace(w.image("shop"), overrides={})), ("shop",)),
    "the epoch": (lambda w: _project(w, epoch=1), EVERYTHING),
    "the platform": (lambda w: _project(w, platform="linux/arm64"), EVERYTHING),
}

# What is changed → the change; no key may move.
STILL: Mapping[str, Change] = {
    "descriptions": lambda w: w.with_nodes(
        *(replace(node, description="other words") for node in w.catalogue.nodes.values())
    ),
    "budgets": lambda w: w.with_nodes(*(replace(node, budget=1) for node in w.catalogue.nodes.values())),
    "tests": lambda w: w.with_nodes(*(replace(node, tests=("test_x.py",)) for node in w.catalogue.nodes.values())),
    "places in the manifests": lambda w: w.with_nodes(
        *(replace(node, location=ELSEWHERE) for node in w.catalogue.nodes.values())
    ),
    "an operation's line": lambda w: change_operation(w, "tools", lambda o: replace(o, location=ELSEWHERE)),
    "a source's line": lambda w: w.with_nodes(
        replace(w.layer("jdk"), sources=tuple(replace(s, location=ELSEWHERE) for s in w.layer("jdk").sources))
    ),
    "what tests run on": lambda w: w.with_nodes(replace(w.layer("app"), test_on=())),
    "what tests run with": lambda w: w.with_nodes(replace(w.layer("app"), test_with=("small",))),
    "the stage": lambda w: w.with_nodes(replace(w.layer("tools"), stage=Stage.HELPER)),
    "parameters that no string uses": lambda w: w.with_nodes(replace(w.layer("tools"), params={"unused": "1"})),
    "the reason for the network": lambda w: change_spec(w, "app", DockerfileSpec(network="another reason")),
    "the reason for an override": lambda w: w.with_nodes(
        replace(w.image("shop"), overrides={"/etc/motd": "another reason"})
    ),
    "the bases that a set was locked with": lambda w: change_spec(w, "libraries", replace(PYTHON, bases=("other",))),
    "what a set leaves to other layers": lambda w: change_spec(w, "libraries", replace(PYTHON, without=("numpy",))),
    "a repository and its tags": lambda w: w.with_nodes(
        replace(w.image("shop"), repository="other/shop", tags=("2.0", "latest"))
    ),
    "aliases, groups and pins": lambda w: replace(w, catalogue=replace(w.catalogue, aliases={}, groups={}, pins=())),
    "the project's name and registry": lambda w: replace(
        w, catalogue=replace(w.catalogue, project=replace(w.catalogue.project, name="other", registry="example.org"))
    ),
    "a licence, a size and a place in the archive": lambda w: change_artifact(
        w, "os", "packages", lambda a: replace(a, licence="GPL-3.0", size=a.size + 1, path="bookworm pool/other.deb")
    ),
    "a folder of no layer": lambda w: change_file(w, "shop", "notes.txt", f"-:{sha256('notes')}"),
    "a lock entry of no layer": lambda w: replace(w, lock=Lock(entries={**w.lock.entries, "gone": {}})),
}
