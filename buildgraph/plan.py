"""Graph + keys + records → steps, each with its reason. ``plan`` decides, ``execute`` obeys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.compose import compose_image
from buildgraph.graph import references_of, sort_tests
from buildgraph.key import describe_test, hash_document
from buildgraph.model import Image, ImageConfig, Layer, NamedLayer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from buildgraph.key import Document, Keys, Tree
    from buildgraph.model import Catalogue, Composition, Lock, Node
    from buildgraph.record import Load, Record
    from buildgraph.refusal import Refusal, Scope

BYTES_PER_SECOND = 20e6
BUILD_SECONDS = 20.0
TEST_SECONDS = 15.0


class Action(StrEnum):
    """What a step does; ``reuse`` stands for a node that needs no step."""

    REUSE = "reuse"
    FETCH = "fetch"
    BUILD = "build"
    COMPOSE = "compose"
    TEST = "test"
    LOAD = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of work. ``needs`` are ids of other steps; ``seconds`` is what it is expected to take.

    ``again``: what the store knows of its outcome does not count.
    """

    id: str
    action: Action
    node: str
    reason: str
    needs: tuple[str, ...] = ()
    source: str = ""
    seconds: float = 0.0
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``nodes`` are all that the targets need, parents first; steps come after what they need; ``reused`` need none.

    ``refused`` were asked for, too, and cannot be built; nothing is done for them.
    """

    targets: tuple[str, ...]
    nodes: tuple[str, ...]
    steps: tuple[Step, ...]
    reused: tuple[str, ...]
    with_tests: bool = True
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFacts:
    """What test keys are made of beside images: test files by folder, fixtures, capabilities of the place."""

    trees: Mapping[str, Tree]
    fixtures: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the store knows. ``records`` are usable (their blobs are there); ``misses`` say why the others are not.

    ``passed`` are the nodes whose test key has a verdict; ``seconds`` holds earlier durations by step id. ``loaded``:
    reference → what an engine was last given under it; whether it is still there only the engine can tell.
    ``engine``: the ID of the engine that images go to, where that is known without asking one, else "".
    """

    records: Mapping[str, Record]
    misses: Mapping[str, str]
    passed: Collection[str]
    seconds: Mapping[str, float]
    loaded: Mapping[str, Load]
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user asked for beside the targets. ``force``: the nodes that are made again."""

    test: bool = True
    load: bool = True
    retest: bool = False
    force: frozenset[str] = frozenset()


def make_plan(
    catalogue: Catalogue,
    lock: Lock,
    keys: Keys,
    state: State,
    *,
    scope: Scope,
    wishes: Wishes,
) -> Plan:
    """The steps that make the targets of the scope."""
    planner = _Planner(catalogue, lock, keys, state, frozenset(scope.tested) if wishes.test else frozenset(), wishes)
    steps = tuple(planner.plan_nodes([catalogue.nodes[name] for name in scope.nodes], frozenset(scope.targets)))
    busy = {step.node for step in steps}
    return Plan(
        targets=scope.targets,
        nodes=scope.nodes,
        steps=steps,
        reused=tuple(name for name in scope.nodes if name not in busy),
        with_tests=wishes.test,
        refused=scope.refused,
    )


def compose_test_image(catalogue: Catalogue, node: Node, records: Mapping[str, Record]) -> Composition | None:
    """The image that a node's tests run on, or None while a record of what it is made of is lacking."""
    if isinstance(node, Image):
        names, config = node.layers, node.config
    else:
        names, config = (*(name for name in node.test_on if name != node.name), node.name), ImageConfig()
    layers = [named_layer(catalogue, name, records) for name in names]
    if not all(layers):
        return None
    return compose_image(
        [layer for layer in layers if layer],
        config,
        platform=catalogue.project.platform,
        epoch=catalogue.project.epoch,
    )


def named_layer(catalogue: Catalogue, name: str, records: Mapping[str, Record]) -> NamedLayer | None:
    """A built layer with what it adds to the environment, or None when there is no record of it."""
    layer, record = catalogue.nodes[name], records.get(name)
    if record is None or record.layer is None or not isinstance(layer, Layer):
        return None
    return NamedLayer(node=name, blob=record.layer, env=layer.env, prepend=layer.prepend)


def find_inherited(catalogue: Catalogue, node: Node) -> tuple[str, ...]:
    """The test files of an image's layers; only their tests marked as inherited run on the image."""
    if not isinstance(node, Image):
        return ()
    files = (file for name in node.layers for file in catalogue.nodes[name].tests)
    return tuple(dict.fromkeys(files))


def find_services(node: Node, records: Mapping[str, Record]) -> dict[str, str] | None:
    """The digests of the images that a node is tested with, by name, or None while a record of one is lacking."""
    if not all(name in records for name in node.test_with):
        return None
    return {name: records[name].digest for name in node.test_with}


def find_test_key(
    catalogue: Catalogue, node: Node, image: str, facts: TestFacts, *, services: Mapping[str, str]
) -> str:
    """The test key of a node whose tests run on the image with that digest, and with the ``services``."""
    return hash_document(find_test_document(catalogue, node, image, facts, services=services))


def find_test_document(
    catalogue: Catalogue, node: Node, image: str, facts: TestFacts, *, services: Mapping[str, str]
) -> Document:
    """What the test key of a node is made of."""
    folders = find_test_folders(catalogue, node)
    trees = [(folder, facts.trees.get(folder, {})) for folder in folders]
    files = {f"layers/{folder}/{path}": what for folder, tree in trees for path, what in tree.items()}
    run = {*node.tests, *find_inherited(catalogue, node)}
    # What tests read counts with each of them; test files of other variants do not.
    tests = {path: what for path, what in files.items() if path in run or "/testdata/" in path}
    return describe_test(
        image,
        services=services,
        tests=tests,
        params=node.params,
        capabilities=facts.capabilities,
        fixtures=facts.fixtures,
    )


def find_test_folders(catalogue: Catalogue, node: Node) -> tuple[str, ...]:
    """The folders of ``layers`` whose tests run on a node: its own and, for an image, those of its layers."""
    inner = node.reads if isinstance(node, Image) else ()
    return tuple(_folder(catalogue, name) for name in (node.name, *inner))


def _folder(catalogue: Catalogue, name: str) -> str:
    node = catalogue.nodes[name]
    return node.image if isinstance(node, Image) else node.layer


class _Planner:
    def __init__(
        self,
        catalogue: Catalogue,
        lock: Lock,
        keys: Keys,
        state: State,
        tested: frozenset[str],
        wishes: Wishes,
    ) -> None:
        self._catalogue = catalogue
        self._lock = lock
        self._keys = keys
        self._state = state
        self._tested = tested
        self._wishes = wishes
        self._made: dict[str, str] = {}
        self._tests: dict[str, str] = {}

    def plan_nodes(self, nodes: Sequence[Node], targets: frozenset[str]) -> Iterator[Step]:
        """Layers, then tests (which may run on layers that are not read) and images, in an order that tests allow."""
        for node in nodes:
            if isinstance(node, Layer):
                yield from self._plan_layer(node)
        for name in sort_tests(self._catalogue, [node.name for node in nodes]):
            node = self._catalogue.nodes[name]
            if isinstance(node, Image):
                yield from self._plan_image(node, is_target=name in targets)
            else:
                yield from self._plan_test(node, self._made_of((name, *node.test_on)))

    def _plan_layer(self, layer: Layer) -> Iterator[Step]:
        if layer.name not in self._state.records:
            fetches = list(self._fetches(layer))
            yield from fetches
            needs = [step.id for step in fetches] + self._made_of(layer.reads)
            yield self._make(layer, Action.BUILD, needs)

    def _plan_image(self, image: Image, *, is_target: bool) -> Iterator[Step]:
        if image.name not in self._state.records:
            yield self._make(image, Action.COMPOSE, self._made_of(image.layers) + self._tested_of(image.layers))
        # An image is done only when its layers are: their tests come first even if it is composed already.
        needs = self._made_of((image.name,)) + self._tested_of(image.layers)
        tests = list(self._plan_test(image, needs))
        yield from tests
        reason = self._find_load_reason(image) if is_target and self._wishes.load else ""
        if reason:
            # One that is composed already is put together from its layers, which may have to be made again.
            after = [step.id for step in tests] or needs or self._made_of(image.layers)
            yield self._step(Action.LOAD, image.name, reason, after, seconds=1.0)

    def _find_load_reason(self, image: Image) -> str:
        """Why the engine is given the image, or nothing."""
        if image.name in self._made:
            return "the image is new to the engine"
        for reference in references_of(image):
            given = self._state.loaded.get(reference)
            if given is None:
                return f"no load of {reference} is recorded"
            if given.digest != self._state.records[image.name].digest:
                return f"an engine was last given another digest as {reference}, {given.digest}"
            if self._state.engine and given.engine != self._state.engine:
                return f"no load of {reference} into this engine is recorded"
        return "its tests run now" if self._tested_of((image.name, *image.layers)) else ""

    def _fetches(self, layer: Layer) -> Iterator[Step]:
        for source in layer.sources:
            entry = self._lock.find(layer.name, source.name)
            assert entry is not None
            size = sum(artifact.size for artifact in entry.artifacts)
            count = len(entry.artifacts)
            reason = f"{layer.name} needs {count} file{'s' if count > 1 else ''}, {size / 1e6:.1f} MB"
            yield self._step(
                Action.FETCH, layer.name, reason, [], source=source.name, seconds=1 + size / BYTES_PER_SECOND
            )

    def _make(self, node: Node, action: Action, needs: list[str]) -> Step:
        reason = self._state.misses.get(node.name, "never built")
        again = node.name in self._wishes.force
        step = self._step(action, node.name, reason, needs, seconds=BUILD_SECONDS, again=again)
        self._made[node.name] = step.id
        return step

    def _plan_test(self, node: Node, needs: list[str]) -> Iterator[Step]:
        if node.name not in self._tested:
            return
        if node.name in self._made:
            reason = "the image that they run on is new"
        elif self._made_of(node.test_with):
            reason = "an image that they run with is new"
        elif self._wishes.retest:
            reason = "a new run was asked for"
        elif node.name in self._state.passed:
            return
        else:
            reason = "no pass is recorded for these tests on this image"
        again = self._wishes.retest
        needs = [*needs, *(step for name in node.test_with for step in self._proven(name))]
        step = self._step(Action.TEST, node.name, reason, needs, seconds=TEST_SECONDS, again=again)
        self._tests[node.name] = step.id
        yield step

    def _step(
        self,
        action: Action,
        node: str,
        reason: str,
        needs: list[str],
        *,
        seconds: float,
        source: str = "",
        again: bool = False,
    ) -> Step:
        step_id = f"{action}:{node}" + (f"/{source}" if source else "")
        return Step(
            id=step_id,
            action=action,
            node=node,
            reason=reason,
            needs=tuple(dict.fromkeys(needs)),
            source=source,
            seconds=self._state.seconds.get(step_id, seconds),
            again=again,
        )

    def _proven(self, image: str) -> list[str]:
        """The steps after which tests may rely on the image."""
        return self._made_of((image,)) + self._tested_of((image, *self._catalogue.nodes[image].reads))

    def _made_of(self, names: Sequence[str]) -> list[str]:
        return [self._made[name] for name in names if name in self._made]

    def _tested_of(self, names: Sequence[str]) -> list[str]:
        return [self._tests[name] for name in names if name in self._tests]
