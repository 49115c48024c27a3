"""What each step does, in terms of ports. One instance serves one run; its workers share it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock as Mutex
from typing import TYPE_CHECKING

from buildgraph.compose import compose_image, find_clashes
from buildgraph.errors import BuildFailure, BuildgraphError, Conflict
from buildgraph.events import Outcome, StepProgress
from buildgraph.execute.loading import load_image
from buildgraph.execute.loop import Done, StepFailure
from buildgraph.key import compute_content_key, hash_document, hide_values
from buildgraph.model import Image, Layer, NamedLayer, Verdict
from buildgraph.plan import (
    Action,
    compose_test_image,
    find_inherited,
    find_services,
    find_test_document,
    find_test_folders,
    named_layer,
)
from buildgraph.record import (
    CONTENTS,
    LATEST,
    RECORDS,
    VERDICTS,
    Record,
    format_record,
    format_verdict,
    parse_key,
    parse_record,
    parse_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from buildgraph.events import Emit
    from buildgraph.key import Document, Keys
    from buildgraph.model import Artifact, Catalogue, Composition, Kind, LayerBlob, Lock, Node, TestCounts
    from buildgraph.plan import Plan, Step, TestFacts
    from buildgraph.ports import BlobStore, Cancel, Clock, Engine, Fetcher, LayerBuilder, Probe, Progress, Texts

CONFLICTS_SHOWN = 20
UNTAGGED_TOGETHER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world of a run. ``engine`` and ``probe`` are asked for only by steps that need them.

    ``guard(key)`` keeps other processes from doing the same; ``log(step id)`` is the path of a step's log.
    ``same_files`` and ``same_tests`` say whether a folder of ``layers`` is still what the keys were made of.
    """

    blobs: BlobStore
    texts: Texts
    fetcher: Fetcher
    builders: Mapping[Kind, LayerBuilder]
    engine: Callable[[], Engine]
    probe: Callable[[], Probe]
    guard: Callable[[str], AbstractContextManager[None]]
    log: Callable[[str], Path]
    emit: Emit
    cancel: Cancel
    clock: Clock
    same_files: Callable[[str], bool]
    same_tests: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """``ports.LayerInputs`` of one step."""

    layer: Layer
    artifacts: Mapping[str, tuple[Artifact, ...]]
    parents: tuple[NamedLayer, ...]
    contexts: Mapping[str, NamedLayer]
    epoch: int
    platform: str
    log: Path
    progress: Progress
    cancel: Cancel


class Workbench:
    """Performs steps. ``records`` grows as nodes are made; everything else is fixed."""

    def __init__(
        self,
        catalogue: Catalogue,
        lock: Lock,
        keys: Keys,
        plan: Plan,
        facts: TestFacts,
        *,
        records: Mapping[str, Record],
        ports: Ports,
        run: str,
        keep_sources: bool = False,
    ) -> None:
        """``records`` are those of the nodes that the plan reuses."""
        self._catalogue = catalogue
        self._lock = lock
        self._keys = keys
        self._facts = facts
        self._ports = ports
        self._run = run
        self._keep_sources = keep_sources
        self._mutex = Mutex()
        self._records = dict(records)
        self._references: set[str] = set()
        self._readers = self._count_readers(plan)
        self._actions = {
            Action.FETCH: self._fetch,
            Action.BUILD: self._build,
            Action.COMPOSE: self._compose,
            Action.TEST: self._test,
            Action.LOAD: self._load,
        }

    @property
    def records(self) -> Mapping[str, Record]:
        """All records known so far, by node."""
        return dict(self._records)

    def perform(self, step: Step) -> Done:
        """Do what the step says; raises ``BuildgraphError`` when it cannot be done."""
        return self._actions[step.action](step)

    def close(self) -> None:
        """Take the run's own references out of the engine."""
        if not self._references:
            return
        engine = self._ports.engine()
        # An engine waits for its garbage collection after each image, but only once for those that go together.
        with ThreadPoolExecutor(UNTAGGED_TOGETHER) as pool:
            for future in [pool.submit(engine.untag, reference) for reference in sorted(self._references)]:
                future.result()

    def _fetch(self, step: Step) -> Done:
        entry = self._lock.find(step.node, step.source)
        assert entry is not None
        fetcher = self._ports.fetcher
        missing = [artifact for artifact in entry.artifacts if not fetcher.has(artifact)]
        try:
            # What is here is asked for, too: so other runs that need it no more leave it here.
            fetcher.fetch(entry.artifacts, progress=self._progress(step), cancel=self._ports.cancel)
        except BuildgraphError as error:
            # The fetcher knows artifacts, not which node's lock entry they stand in.
            error.hint = error.hint.replace("<node>", step.node)
            raise
        if not missing:
            return Done(note="was here already", outcome=Outcome.REUSED)
        size = sum(artifact.size for artifact in missing)
        return Done(note=f"{size / 1e6:.1f} MB", moved=size)

    def _build(self, step: Step) -> Done:
        layer = self._catalogue.nodes[step.node]
        assert isinstance(layer, Layer)
        node_key = self._keys.keys[step.node]
        digests = {name: self._records[name].digest for name in layer.reads}
        content_key = compute_content_key(node_key.document, digests)
        with self._ports.guard(node_key.key):
            known = None if step.again else self._find_made(node_key.key, content_key)
            began = self._ports.clock()
            blob = known.layer if known and known.layer else self._build_blob(layer, step)
            seconds = known.seconds if known else self._ports.clock() - began
            self._check_budget(step.node, blob.size, layer.budget)
            record = Record(
                node=step.node,
                key=node_key.key,
                content_key=content_key,
                digest=blob.digest,
                size=blob.size,
                seconds=seconds,
                layer=blob,
                document=hide_values(node_key.document),
            )
            self._save(record)
        self._drop_sources(step.node)
        if known:
            return Done(note=f"same content as before, {_brief(blob.digest)}", outcome=Outcome.REUSED)
        return Done(note=f"{_brief(blob.digest)} {blob.size / 1e6:.1f} MB", moved=blob.size)

    def _find_made(self, key: str, content_key: str) -> Record | None:
        """The record that another run made meanwhile, or one with the same content key (early cut-off)."""
        texts = self._ports.texts
        for name in (key, parse_key(texts.read(CONTENTS, content_key))):
            text = texts.read(RECORDS, name) if name else None
            record = parse_record(text) if text else None
            # What leads here is only a hint: the record says itself what it is of.
            is_it = record is not None and (record.key == key or record.content_key == content_key)
            if record and is_it and record.layer and self._ports.blobs.has_blob(record.digest, record.size):
                return record
        return None

    def _build_blob(self, layer: Layer, step: Step) -> LayerBlob:
        entries = {source.name: self._lock.find(layer.name, source.name) for source in layer.sources}
        inputs = Inputs(
            layer=layer,
            artifacts={name: entry.artifacts for name, entry in entries.items() if entry},
            parents=tuple(self._named(name) for name in layer.parents),
            contexts={name: self._named(name) for name in layer.contexts},
            epoch=self._catalogue.project.epoch,
            platform=self._catalogue.project.platform,
            log=self._ports.log(step.id),
            progress=self._progress(step),
            cancel=self._ports.cancel,
        )
        blob = self._ports.builders[layer.kind](inputs)
        _check_same(self._ports.same_files, [layer.layer], "it was built")
        return blob

    def _compose(self, step: Step) -> Done:
        image = self._catalogue.nodes[step.node]
        assert isinstance(image, Image)
        self._check_conflicts(image)
        composition = self._composition(image)
        self._check_budget(image.name, composition.size, image.budget)
        node_key = self._keys.keys[image.name]
        with self._ports.guard(node_key.key):
            known = None if step.again else self._find_composed(node_key.key, composition)
            self._write(composition)
            self._save(known or self._image_record(image, composition))
        if known:
            return Done(note=f"composed by another run, {_brief(composition.digest)}", outcome=Outcome.REUSED)
        return Done(note=f"{_brief(composition.digest)} {len(image.layers)} layers, {composition.size / 1e6:.0f} MB")

    def _find_composed(self, key: str, composition: Composition) -> Record | None:
        """The record of the same image that another run made meanwhile."""
        text = self._ports.texts.read(RECORDS, key)
        record = parse_record(text) if text else None
        return record if record and record.digest == composition.digest else None

    def _image_record(self, image: Image, composition: Composition) -> Record:
        node_key = self._keys.keys[image.name]
        return Record(
            node=image.name,
            key=node_key.key,
            content_key="",
            digest=composition.digest,
            size=composition.size,
            seconds=0.0,
            config_digest=composition.config_digest,
            document=hide_values(node_key.document),
        )

    def _check_conflicts(self, image: Image) -> None:
        indexes = []
        for name in image.layers:
            index = self._ports.blobs.load_files(self._records[name].digest)
            if index is None:
                raise BuildFailure(f"the file index of {name} is missing", hint=f"run: buildgraph build --force {name}")
            indexes.append((name, index))
        clashes = [str(clash) for clash in find_clashes(indexes, image.overrides)]
        if clashes:
            shown = "; ".join(clashes[:CONFLICTS_SHOWN])
            more = f"; and {len(clashes) - CONFLICTS_SHOWN} more" if len(clashes) > CONFLICTS_SHOWN else ""
            hint = "let one layer own the path, or list it under overrides with a reason"
            raise Conflict(f"{image.name}: {shown}{more}", where=str(image.location), hint=hint)

    def _test(self, step: Step) -> Done:
        node = self._catalogue.nodes[step.node]
        composition = compose_test_image(self._catalogue, node, self._records)
        services = find_services(node, self._records)
        assert composition is not None
        assert services is not None
        document = find_test_document(self._catalogue, node, composition.digest, self._facts, services=services)
        test_key = hash_document(document)
        with self._ports.guard(test_key):
            known = self._ports.texts.read(VERDICTS, test_key)
            if known is not None and parse_verdict(known) is not None and not step.again:
                return Done(note="passed before on the same image", outcome=Outcome.REUSED)
            return self._run_tests(step, node, composition, document)

    def _run_tests(self, step: Step, node: Node, composition: Composition, document: Document) -> Done:
        reference = self._lend(step.node, composition)
        services = {name: self._lend_service(name) for name in node.test_with}
        log = self._ports.log(step.id)
        counts = self._ports.probe().run(
            step.node,
            reference=reference,
            services=services,
            tests=node.tests,
            inherited=find_inherited(self._catalogue, node),
            params={**node.params, "node": step.node},
            log=log,
            cancel=self._ports.cancel,
        )
        _check_same(self._ports.same_tests, find_test_folders(self._catalogue, node), "they ran")
        return self._judge(step.node, document, counts, log)

    def _lend_service(self, name: str) -> str:
        image = self._catalogue.nodes[name]
        assert isinstance(image, Image)
        return self._lend(name, self._composition(image))

    def _lend(self, node: str, composition: Composition) -> str:
        """Load an image under a name of this run, which ``close`` takes away."""
        self._write(composition)
        engine = self._ports.engine()
        reference = f"buildgraph-test/{node}:{self._run}"
        with self._mutex:
            self._references.add(reference)
        engine.load(composition, [reference], cancel=self._ports.cancel)
        return reference

    def _judge(self, node: str, document: Document, counts: TestCounts, log: Path) -> Done:
        if counts.failed or not counts.passed:
            details = counts.failures or ("no test was executed",)
            raise StepFailure(
                f"{max(counts.failed, 1)} failed, {counts.passed} passed", details=details, log=str(log), counts=counts
            )
        verdict = Verdict(
            node=node,
            test_key=hash_document(document),
            image=str(document["image"]),
            passed=counts.passed,
            skipped=counts.skipped,
            seconds=counts.seconds,
        )
        self._ports.texts.write(VERDICTS, verdict.test_key, format_verdict(verdict, hide_values(document)))
        skipped = "".join(f"; skipped {skip.test}: {skip.reason}" for skip in counts.skipped)
        return Done(note=f"{counts.passed} passed, {len(counts.skipped)} skipped{skipped}", counts=counts)

    def _load(self, step: Step) -> Done:
        image = self._catalogue.nodes[step.node]
        assert isinstance(image, Image)
        composition, ports, engine = self._composition(image), self._ports, self._ports.engine()
        given = load_image(image, composition, engine, texts=ports.texts, guard=ports.guard, cancel=ports.cancel)
        return Done(note=", ".join(given))

    def _composition(self, image: Image) -> Composition:
        layers = [self._named(name) for name in image.layers]
        project = self._catalogue.project
        return compose_image(layers, image.config, platform=project.platform, epoch=project.epoch)

    def _write(self, composition: Composition) -> None:
        self._ports.blobs.write_blob(composition.config)
        self._ports.blobs.write_blob(composition.manifest)

    def _named(self, name: str) -> NamedLayer:
        layer = named_layer(self._catalogue, name, self._records)
        assert layer is not None, name
        return layer

    def _check_budget(self, node: str, size: int, budget: int | None) -> None:
        if budget is not None and size > budget:
            what = f"{node} is {size / 1e6:.1f} MB, its budget is {budget / 1e6:.1f} MB"
            raise BuildFailure(what, hint="make it smaller, or raise the budget in its manifest")

    def _save(self, record: Record) -> None:
        """The record last: whoever finds it may rely on everything that it names."""
        texts = self._ports.texts
        if record.content_key:
            texts.write(CONTENTS, record.content_key, record.key + "\n")
        texts.write(RECORDS, record.key, format_record(record))
        texts.write(LATEST, record.node, record.key + "\n")
        with self._mutex:
            self._records[record.node] = record

    def _progress(self, step: Step) -> Progress:
        def report(done: int, total: int | None) -> None:
            self._ports.emit(StepProgress(step=step.id, done=done, total=total))

        return report

    def _count_readers(self, plan: Plan) -> dict[str, set[str]]:
        """sha256 of each artifact → the nodes of this run that still have to read it."""
        readers: dict[str, set[str]] = {}
        for step in plan.steps:
            if step.action is Action.BUILD:
                for artifact in self._artifacts(step.node):
                    readers.setdefault(artifact.sha256, set()).add(step.node)
        return readers

    def _artifacts(self, node: str) -> list[Artifact]:
        sources = self._lock.entries.get(node, {})
        return [artifact for entry in sources.values() for artifact in entry.artifacts]

    def _drop_sources(self, node: str) -> None:
        """Forget what only this node read: the layer holds it now."""
        for artifact in [] if self._keep_sources else self._artifacts(node):
            with self._mutex:
                readers = self._readers[artifact.sha256]
                readers.discard(node)
            if not readers:
                self._ports.fetcher.drop(artifact)


def _check_same(is_same: Callable[[str], bool], folders: Iterable[str], doing: str) -> None:
    """A result of other files than those in its key would be found again under that key."""
    changed = [folder for folder in folders if not is_same(folder)]
    if changed:
        raise BuildFailure(f"layers/{changed[0]} changed while {doing}", hint="run again")


def _brief(digest: str) -> str:
    return digest[: len("sha256:") + 12]
