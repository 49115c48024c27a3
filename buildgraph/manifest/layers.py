"""One document of ``manifests/layers`` → the layers it describes, one for each variant."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import quote, suggest
from buildgraph.forms import (
    ABSOLUTE,
    COORDINATE,
    DISTRIBUTION,
    INSIDE,
    NAME,
    NODE,
    PACKAGE,
    PARAMETER,
    PLATFORM,
    PYTHON,
    REASON,
    REQUIREMENT,
    SECRET,
    SOURCE,
    VARIABLE,
)
from buildgraph.manifest.document import YamlMapping, count_values
from buildgraph.manifest.fields import Fields
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
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from buildgraph.errors import BuildgraphError
    from buildgraph.forms import Form
    from buildgraph.model import Spec

    Opener: TypeAlias = Callable[[Mapping[str, str]], Fields]

PACKAGES = "packages"
REQUIREMENTS = "requirements"
MAX_READ = 100_000
_MAX_PARAMETER = 1000
_SUGGESTED = 100
_LAYER_STAGES = tuple(stage.value for stage in Stage if stage is not Stage.FINAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A node's name and the parameters that its strings may use."""

    node: str
    variant: str
    params: Mapping[str, str]
    expressions: Mapping[str, str]


def opener(document: YamlMapping, file: str, errors: list[BuildgraphError]) -> Opener:
    """A function that opens the document for the parameters of one variant, of which none is read yet."""
    return lambda params: Fields(document, file, "", errors, renderer(params, errors))


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
    for variant in table.names(NAME):
        inner = table.fields(variant)
        if inner is not None:
            params = MappingProxyType({key: _read_parameter(inner, key) for key in inner.names(PARAMETER)})
            node = f"{name}-{variant}"
            yield Variant(
                node=node,
                variant=variant,
                params=params,
                expressions={**params, kind: name, "variant": variant, "name": node},
            )


def _read_parameter(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if len(text) > _MAX_PARAMETER:
        fields.fail(f"{quote(text)} is too long for a parameter", key, f"at most {_MAX_PARAMETER} characters")
        return ""
    return text


def is_too_large(document: YamlMapping, fields: Fields) -> bool:
    """True, and reported, when reading the document once for each variant would take more than a moment."""
    variants = fields.fields("variants")
    each = tuple(item for item in document.items if item[0].text != "variants")
    reads = len(variants.names()) * count_values(YamlMapping(each, document.line)) if variants else 0
    if reads > MAX_READ:
        fields.fail(f"{reads} values in all variants are more than the limit of {MAX_READ}", "variants", "split it")
    return reads > MAX_READ


def parse_layers(
    document: YamlMapping, file: str, tests: Mapping[str, tuple[str, ...]], errors: list[BuildgraphError]
) -> list[Layer]:
    """The layers of one document. ``tests`` maps a layer's name to its test files."""
    reopen = opener(document, file, errors)
    return [] if is_too_large(document, reopen({})) else read_layers(reopen, tests)


def read_layers(reopen: Opener, tests: Mapping[str, tuple[str, ...]]) -> list[Layer]:
    """One layer for each variant of the document that ``reopen`` opens."""
    plain = reopen({})
    name = plain.name("layer")
    variants = list(read_variants(plain, "layer", name))
    return [_read_layer(reopen(variant.expressions), name, variant, tests.get(name, ())) for variant in variants]


def _read_layer(fields: Fields, name: str, variant: Variant, tests: tuple[str, ...]) -> Layer:
    fields.text("layer")
    fields.skip("variants")
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
        parents=_read_parents(fields, kind) if is_known else (),
        contexts=fields.texts("contexts", form=NODE) if kind is Kind.DOCKERFILE else (),
        sources=(*sources, *extra),
        spec=spec,
        env=fields.mapping("env", keys=VARIABLE),
        prepend=fields.lists("prepend", keys=VARIABLE),
        test_on=tuple(filter(None, fields.texts("test_on", form=NODE, may_be_blank=True))),
        test_with=fields.texts("test_with", form=NODE),
        tests=_read_tests(fields, tests),
        compression=Compression(fields.choice("compression", tuple(Compression), Compression.ZSTD)),
        budget=fields.size("budget"),
        location=fields.location("layer"),
    )
    if is_known:
        fields.finish()
    return layer


def _read_tests(fields: Fields, known: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the layer's test files that are for this variant; all where none is named."""
    files = {file.rpartition("/")[2]: file for file in known}
    names = fields.texts("tests")
    for name in names:
        if name not in files and known:
            fields.fail(f"{quote(name)} is no test file of the layer", "tests", f"known here: {', '.join(files)}")
    return tuple(files[name] for name in names if name in files) if names else known


def _read_parents(fields: Fields, kind: Kind) -> tuple[str, ...]:
    if kind in {Kind.FILES, Kind.ROOTFS}:
        fields.refuse("parents", f"a {kind} layer reads no parent", "say in test_on what its tests run on")
        return ()
    return fields.texts("parents", form=NODE, least=1 if kind is Kind.PYTHON else 0)


def _check_subjects(fields: Fields, spec: Spec) -> None:
    table = fields.fields("sources")
    known = frozenset(table.names()) if table else frozenset()
    for operation in spec.operations if isinstance(spec, FilesSpec) else ():
        takes_source = operation.action in {FileAction.UNPACK, FileAction.PLACE}
        if takes_source and operation.subject and operation.subject not in known:
            hint = suggest(operation.subject, sorted(known)[:_SUGGESTED]) or "list it under sources"
            fields.fail_at(operation.location, f"{quote(operation.subject)} is no source of this layer", hint)


def _read_sources(fields: Fields) -> tuple[Source, ...]:
    table = fields.fields("sources")
    if table is None:
        return ()
    sources = []
    for name in table.names(SOURCE):
        text = table.text(name, form=COORDINATE)
        if not table.is_sound(name):
            continue
        try:
            parse_coordinate(text)
        except ValueError as error:
            table.fail(str(error), name)
            continue
        sources.append(Source(name=name, request=(text,), location=table.location(name)))
    return tuple(sources)


def _read_set(fields: Fields, key: str, form: Form) -> tuple[Source, ...]:
    requests = fields.texts(key, form=form, least=1)
    return (Source(name=key, request=tuple(sorted(requests)), is_set=True, location=fields.location(key)),)


def _read_rootfs(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    spec = RootfsSpec(suite=fields.name("suite"), hooks=fields.texts("hooks", form=INSIDE))
    return spec, _read_set(fields, PACKAGES, PACKAGE)


def _read_python(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    spec = PythonSpec(
        prefix=fields.text("prefix", form=ABSOLUTE),
        version=fields.text("python", form=PYTHON),
        platform=fields.text("manylinux", form=PLATFORM),
        bases=fields.texts("bases", form=NODE),
        without=fields.texts("without", form=DISTRIBUTION),
        exclude=fields.texts("exclude"),
    )
    return spec, _read_set(fields, REQUIREMENTS, REQUIREMENT)


def _read_dockerfile(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    spec = DockerfileSpec(
        args=fields.mapping("args", keys=VARIABLE),
        network=fields.text("network", "", form=REASON),
        secrets=fields.mapping("secrets", keys=SECRET, form=REASON),
    )
    return spec, ()


def _read_files(fields: Fields) -> tuple[Spec, tuple[Source, ...]]:
    entries = fields.sequence("files", least=1)
    return FilesSpec(operations=tuple(operation for entry in entries if (operation := _read_operation(entry)))), ()


_READERS = {
    Kind.ROOTFS: _read_rootfs,
    Kind.PYTHON: _read_python,
    Kind.DOCKERFILE: _read_dockerfile,
    Kind.FILES: _read_files,
}

_PATH_IN_KEY = {FileAction.WRITE, FileAction.LINK, FileAction.DIRECTORY}
_SUBJECTS = {
    FileAction.UNPACK: NAME,
    FileAction.PLACE: NAME,
    FileAction.COPY: INSIDE,
    FileAction.WRITE: ABSOLUTE,
    FileAction.LINK: ABSOLUTE,
    FileAction.DIRECTORY: ABSOLUTE,
}


def _read_operation(fields: Fields) -> FileOp | None:
    actions = [action for action in FileAction if fields.has(action) and not _is_stable_name(action, fields)]
    if len(actions) != 1:
        fields.fail(f"exactly one of {', '.join(FileAction)} is wanted", hint="one operation an entry")
        return None
    action = actions[0]
    subject = fields.text(action, form=_SUBJECTS[action])
    to = subject if action in _PATH_IN_KEY else fields.text("to", form=ABSOLUTE)
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
        link=fields.text("link", "", form=INSIDE) if action is FileAction.PLACE else "",
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
