"""One document of ``manifests/layers`` → the layers it describes, one for each variant."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.coordinate import parse_coordinate
from buildgraph.manifest.fields import Fields, is_inside, is_name
from buildgraph.manifest.templates import renderer
from buildgraph.model import (
    Compression,
    DockerfileSpec,
    FileAction,
    FileOp,
    FilesSpec,
    Kind,
    Layer,
    ModeRule,
    PythonSpec,
    RootfsSpec,
    Source,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlMapping
    from buildgraph.model import Spec

PACKAGES = "packages"
REQUIREMENTS = "requirements"
_LAYER_STAGES = tuple(stage.value for stage in Stage if stage is not Stage.FINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A node's name and the parameters that its strings may use."""

    node: str
    variant: str
    params: Mapping[str, str]
    expressions: Mapping[str, str]


def read_variants(fields: Fields, kind: str, name: str) -> Iterator[Variant]:
    """The variants of a layer or image; without ``variants:`` one that is named like the whole.

    ``kind`` is the word (``layer`` or ``image``) under which expressions see ``name``.
    """
    table = fields.fields("variants")
    if table is None:
        yield Variant(node=name, variant="", params={}, expressions={kind: name, "variant": "", "name": name})
        return
    if not table.names():
        fields.fail("no variant is listed", "variants", "list one, or leave the key out")
    for variant in table.names():
        inner = table.fields(variant)
        if not is_name(variant):
            table.fail(f"{variant!r} is not a name", variant, "use lower-case letters, digits, '-' and '.'")
        elif inner is not None:
            params = MappingProxyType({key: inner.text(key) for key in inner.names()})
            node = f"{name}-{variant}"
            yield Variant(
                node=node,
                variant=variant,
                params=params,
                expressions={**params, kind: name, "variant": variant, "name": node},
            )


def parse_layers(
    document: YamlMapping, file: str, tests: Mapping[str, tuple[str, ...]], errors: list[BuildgraphError]
) -> list[Layer]:
    """The layers of one document. ``tests`` maps a layer's name to its test files."""
    plain = Fields(document, file, "", errors, renderer({}, errors))
    name = plain.name("layer")
    layers = []
    for variant in read_variants(plain, "layer", name):
        fields = Fields(document, file, "", errors, renderer(variant.expressions, errors))
        layers.append(_read_layer(fields, name, variant, tests.get(name, ())))
    return layers


def _read_layer(fields: Fields, name: str, variant: Variant, tests: tuple[str, ...]) -> Layer:
    fields.text("layer")
    fields.fields("variants")
    kind = Kind(fields.choice("kind", tuple(Kind)))
    if name and not tests:
        fields.fail(f"the layer {name} has no tests", "layer", f"write layers/{name}/test_*.py")
    sources = _read_sources(fields)
    # Under a kind that nobody knows, no other key can be said to be wrong.
    is_known = fields.is_sound("kind")
    spec, extra = _READERS[kind](fields) if is_known else (FilesSpec(operations=()), ())
    _check_subjects(fields, spec)
    layer = Layer(
        name=variant.node,
        layer=name,
        variant=variant.variant,
        stage=Stage(fields.choice("stage", _LAYER_STAGES)),
        kind=kind,
        description=fields.text("description"),
        params=variant.params,
        parents=fields.texts("parents"),
        contexts=fields.texts("contexts") if kind is Kind.DOCKERFILE else (),
        sources=(*sources, *extra),
        spec=spec,
        env=fields.mapping("env"),
        prepend=fields.lists("prepend"),
        test_on=fields.texts("test_on"),
        tests=tests,
        compression=Compression(fields.choice("compression", tuple(Compression), Compression.ZSTD)),
        budget=fields.size("budget"),
        location=fields.location("layer"),
    )
    if is_known and kind in {Kind.FILES, Kind.ROOTFS} and layer.parents:
        fields.fail(f"a {kind} layer reads no parent", "parents", "say in test_on what its tests run on")
    if is_known:
        fields.finish()
    return layer


def _check_subjects(fields: Fields, spec: Spec) -> None:
    table = fields.fields("sources")
    known = table.names() if table else ()
    for operation in spec.operations if isinstance(spec, FilesSpec) else ():
        takes_source = operation.action in {FileAction.UNPACK, FileAction.PLACE}
        if takes_source and operation.subject and operation.subject not in known:
            hint = f"known: {', '.join(known)}" if known else "list it under sources"
            fields.fail_at(operation.location, f"{operation.subject!r} is no source of this layer", hint)


def _read_sources(fields: Fields) -> tuple[Source, ...]:
    table = fields.fields("sources")
    if table is None:
        return ()
    sources = []
    for name in table.names():
        text = table.text(name)
        if not is_name(name) or name in {PACKAGES, REQUIREMENTS}:
            table.fail(f"{name!r} cannot name a source", name)
        if not table.is_sound(name):
            continue
        try:
            parse_coordinate(text)
        except ValueError as error:
            table.fail(str(error), name)
            continue
        sources.append(Source(name=name, request=(text,), location=table.location(name)))
    return tuple(sources)


def _read_set(fields: Fields, key: str, extra: tuple[str, ...] = ()) -> tuple[Source, ...]:
    requests = (*fields.texts(key), *extra)
    if not requests:
        if fields.is_sound(key):
            fields.fail("at least one is needed", key)
        return ()
    return (Source(name=key, request=tuple(sorted(requests)), is_set=True, location=fields.location(key)),)


def _read_rootfs(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    spec = RootfsSpec(suite=fields.name("suite"), hooks=fields.texts("hooks"))
    for hook in spec.hooks:
        if not is_inside(hook):
            fields.fail(f"{hook!r} is not a path inside the layer's folder", "hooks")
    return spec, _read_set(fields, PACKAGES)


def _read_python(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    spec = PythonSpec(
        prefix=fields.text("prefix"),
        version=fields.text("python"),
        platform=fields.text("manylinux"),
        base=fields.name("base", ""),
        exclude=fields.texts("exclude"),
    )
    if not fields.has("parents"):
        fields.fail("a python layer needs the layer of its interpreter", "parents")
    return spec, _read_set(fields, REQUIREMENTS)


def _read_dockerfile(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    return DockerfileSpec(args=fields.mapping("args"), network=fields.text("network", "")), ()


def _read_files(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    entries = tuple(fields.sequence("files"))
    operations = tuple(operation for entry in entries if (operation := _read_operation(entry)))
    if not entries and fields.is_sound("files"):
        fields.fail("a files layer needs at least one operation", "files")
    return FilesSpec(operations=operations), ()


_READERS = {
    Kind.ROOTFS: _read_rootfs,
    Kind.PYTHON: _read_python,
    Kind.DOCKERFILE: _read_dockerfile,
    Kind.FILES: _read_files,
}

_PATH_IN_KEY = {FileAction.WRITE, FileAction.LINK, FileAction.DIRECTORY}


def _read_operation(fields: Fields) -> FileOp | None:
    actions = [action for action in FileAction if fields.has(action) and not _is_stable_name(action, fields)]
    if len(actions) != 1:
        fields.fail(f"exactly one of {', '.join(FileAction)} is wanted", hint="one operation an entry")
        return None
    action = actions[0]
    subject = fields.text(action)
    to = subject if action in _PATH_IN_KEY else fields.text("to")
    place = action.value if action in _PATH_IN_KEY else "to"
    if fields.is_sound(place) and (not to.startswith("/") or "/../" in f"{to}/"):
        fields.fail(f"{to!r} is not an absolute path", place)
    if action is FileAction.COPY and fields.is_sound(action) and not is_inside(subject):
        fields.fail(f"{subject!r} is not a path inside the layer's files", action)
    uid, gid = fields.owner("owner")
    unpack = action is FileAction.UNPACK
    operation = FileOp(
        action=action,
        subject="" if action in _PATH_IN_KEY else subject,
        to=to,
        strip=fields.text("strip", "") if unpack else "",
        include=fields.texts("include") if unpack else (),
        exclude=fields.texts("exclude") if unpack else (),
        gunzip=fields.flag("gunzip") if unpack else False,
        modes=_read_modes(fields) if unpack else (),
        text=fields.text("text") if action is FileAction.WRITE else "",
        target=fields.text("target") if action is FileAction.LINK else "",
        link=fields.text("link", "") if action is FileAction.PLACE else "",
        mode=fields.mode("mode") if action is not FileAction.LINK else None,
        uid=uid,
        gid=gid,
        location=fields.location(action),
    )
    fields.finish()
    return operation


def _is_stable_name(action: FileAction, fields: Fields) -> bool:
    """``link`` beside ``place`` is a name for what was placed, not an operation of its own."""
    return action is FileAction.LINK and fields.has(FileAction.PLACE)


def _read_modes(fields: Fields) -> tuple[ModeRule, ...]:
    table = fields.fields("modes")
    if table is None:
        return ()
    return tuple(ModeRule(glob=glob, mode=mode) for glob in table.names() if (mode := table.mode(glob)) is not None)
