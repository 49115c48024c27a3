"""The JSON Schemas say what the readers say, as far as a schema can say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml

from buildgraph.app.schemas import format_schemas, make_schemas
from buildgraph.cli.schemas import NAMES
from buildgraph.manifest.descriptions import DESCRIPTIONS
from tests.golden_files import check_golden
from tests.mistakes import MISTAKES
from tests.mistakes.documents import DOCUMENTS
from tests.mistakes.graph import GRAPH
from tests.mistakes.templates import TEMPLATES
from tests.samples import make_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.sample import Sample

ROOT = Path(__file__).parents[2]
SCHEMAS = make_schemas()
FILES = format_schemas(SCHEMAS)
VALIDATORS = {name: jsonschema_rs.validator_for(schema) for name, schema in SCHEMAS.items()}
REAL = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "manifests").rglob("*") if path.is_file())

# What only the reader can know: the form of a whole coordinate, other keys of the document, lengths of parameters.
BEYOND = {
    "no variant",
    "half a coordinate",
    "a URL in the clear",
    "a coordinate without a version",
    "a coordinate of look-alikes",
    "a coordinate with credentials",
    "a parameter that is too long",
    "more variants than anybody reads",
    "an unknown source",
    "a misspelt source",
    "layers of nothing",
    "a test file that is not there",
    "no project",
    "a project that is no YAML",
    "terms to accept that stand nowhere",
    "an image of others twice",
    "two images of others of one name",
}


def schema_of(file: str) -> str:
    """The name of the schema that editors use for a file."""
    for folder, name in (("manifests/layers/", "layer"), ("manifests/images/", "image")):
        if file.startswith(folder):
            return name
    name = file.rpartition("/")[2]
    return "lock" if name == "buildgraph.lock" else name.partition(".")[0]


def find_complaints(file: str, text: str) -> list[str]:
    document = json.loads(text) if file.endswith((".json", ".lock")) else yaml.safe_load(text)
    return [error.message for error in VALIDATORS[schema_of(file)].iter_errors(document)]


def walk(schema: object) -> Iterator[dict[str, Any]]:
    """Every mapping of a schema."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from walk(inner)


@pytest.mark.parametrize("file", FILES)
def test_the_copies_for_editors_are_those_that_the_readers_give(file: str) -> None:
    check_golden(f"../../docs/schema/{file}", FILES[file])


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_of_its_dialect(name: str) -> None:
    assert jsonschema_rs.meta.is_valid(SCHEMAS[name])
    assert SCHEMAS[name]["title"] == name


def test_there_is_a_schema_for_every_name_of_the_command() -> None:
    assert tuple(SCHEMAS) == NAMES


@pytest.mark.parametrize("file", REAL)
def test_the_files_of_the_project_fit(file: str) -> None:
    assert find_complaints(file, (ROOT / file).read_text(encoding="utf-8")) == []


def test_a_sound_project_fits() -> None:
    for file, text in make_documents().texts.items():
        assert find_complaints(file, text) == []


def test_what_the_reader_refuses_in_a_document_the_schema_refuses_or_it_is_listed() -> None:
    missed = set()
    for name in MISTAKES.keys() - DOCUMENTS.keys() - TEMPLATES.keys() - GRAPH.keys() - BEYOND:
        texts = make_documents(MISTAKES[name]).texts
        if not any(find_complaints(file, text) for file, text in texts.items()):
            missed.add(name)
    assert missed == set()


@pytest.mark.parametrize("name", sorted(BEYOND - {"a project that is no YAML"}))
def test_what_is_listed_as_beyond_a_schema_is(name: str) -> None:
    assert not any(find_complaints(file, text) for file, text in make_documents(MISTAKES[name]).texts.items())


@pytest.mark.parametrize(
    "text",
    ["layer: app", "stage: \"{{ 'os' }}\"", "budget: \"{{ '1 MB' if layer }}\"", "sources: {x: '{{ layer }}'}"],
)
def test_an_expression_may_stand_wherever_a_string_may(text: str) -> None:
    (complaint, *more) = find_complaints("manifests/layers/app.yaml", f"{text}\nlayer: app\nkind: rootfs\n")
    assert "required" in complaint
    assert all("required" in line for line in more)


@pytest.mark.parametrize("name", NAMES)
def test_no_mapping_takes_keys_that_it_does_not_list(name: str) -> None:
    for part in walk(SCHEMAS[name]):
        if part.get("type") == "object" and "properties" in part:
            assert part["additionalProperties"] is False


def test_every_key_is_explained_and_nothing_else_is() -> None:
    for name, texts in DESCRIPTIONS.items():
        shown = {part["description"] for part in walk(SCHEMAS[name]) if isinstance(part.get("description"), str)}
        assert shown == set(texts.values())
        assert all(text.endswith(".") and "\n" not in text for text in texts.values())


def test_the_keys_of_one_kind_are_refused_in_another() -> None:
    text = "layer: app\nkind: rootfs\nstage: os\ndescription: x\nsuite: bookworm\npackages: [bash]\n"
    assert find_complaints("manifests/layers/app.yaml", text) == []
    for key in ("files: []", "args: {}", "prefix: /x", "parents: [x]", "colour: red"):
        assert find_complaints("manifests/layers/app.yaml", f"{text}{key}\n") != []


class TestCommand:
    def test_one_schema_is_printed(self, sample: Sample) -> None:
        assert json.loads(sample.call("schema", "layer").out) == SCHEMAS["layer"]

    def test_all_are_printed_by_name(self, sample: Sample) -> None:
        assert json.loads(sample.call("schema").out) == SCHEMAS

    def test_files_are_written(self, sample: Sample) -> None:
        folder = sample.folder / "docs" / "schema"
        done = sample.call("schema", "--output", str(folder))
        assert done.out.splitlines() == [str(folder / file) for file in FILES]
        assert {file: (folder / file).read_text(encoding="utf-8") for file in FILES} == FILES
        sample.call("schema", "lock", "--output", str(sample.folder))
        assert (sample.folder / "lock.json").read_text(encoding="utf-8") == FILES["lock.json"]

    def test_a_folder_that_cannot_be_made_is_one_line(self, sample: Sample) -> None:
        sample.write("file", "x")
        done = sample.call("schema", "--output", str(sample.folder / "file" / "x"))
        assert (done.code, done.out) == (3, "")
        assert done.err == f"error: {sample.folder / 'file' / 'x'}: cannot make the folder: Not a directory\n"

    def test_it_needs_no_project(self, sample: Sample) -> None:
        sample.write("manifests/layers/tool.yaml", "layer: [")
        assert sample.call("schema", "pins").code == 0
