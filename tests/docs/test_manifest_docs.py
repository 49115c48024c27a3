"""Every YAML block of ``docs/manifests.md`` is read by the parser that reads manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from buildgraph.coordinate import parse_coordinate
from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.manifest.templates import renderer
from buildgraph.model import FileAction, FilesSpec, Kind, Layer, Location
from tests.samples import PROJECT_TEXT

if TYPE_CHECKING:
    from typing import TypeAlias

    from buildgraph.errors import BuildgraphError
    from buildgraph.model import Catalogue

    Values: TypeAlias = dict[str, object]

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str, str]] = re.findall(
    r"^```yaml\n# (a part of )?(\S+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL
)
WHOLE = {file: text for part, file, text in BLOCKS if not part}
PARTS = {file: text for part, file, text in BLOCKS if part}
KINDS = {
    "manifests/layers/example.yaml": Kind.FILES,
    "manifests/layers/os.yaml": Kind.ROOTFS,
    "manifests/layers/python-deps.yaml": Kind.PYTHON,
    "manifests/layers/jdk-17.yaml": Kind.DOCKERFILE,
}
# What the part about files takes for granted.
SOURCES = {"dist": "url:https://example.org/dist.tar.gz", "driver": "url:https://example.org/driver.jar"}


def parse(file: str, text: str) -> Catalogue:
    """The catalogue of a document beside a project and what it extends; every layer and image has tests."""
    texts = {"manifests/project.yaml": PROJECT_TEXT, file: text}
    if "\nextends: " in text:
        texts["manifests/images/spark.yaml"] = WHOLE["manifests/images/spark.yaml"]
    tests = {(name := Path(path).stem): (f"layers/{name}/test_{name}.py",) for path in texts}
    return parse_catalogue(Documents(texts=texts, tests=tests))


def complete(file: str) -> str:
    """A layer of the least that its kind asks for, with the keys of the part."""
    layer: Values = {
        "layer": Path(file).stem,
        "kind": KINDS[file].value,
        "stage": "base",
        "description": "An example",
        "variants": {"v": {"version": "4.1.1"}},
    }
    if KINDS[file] is Kind.FILES:
        layer["sources"] = SOURCES
    return yaml.safe_dump(layer, sort_keys=False) + PARTS[file]


def parse_part(file: str) -> Layer:
    (node,) = parse(file, complete(file)).nodes.values()
    assert isinstance(node, Layer)
    return node


def test_every_yaml_block_names_its_file_and_is_tried() -> None:
    assert len(BLOCKS) == TEXT.count("```yaml")
    assert len(WHOLE) + len(PARTS) == len(BLOCKS)
    assert set(PARTS) == set(KINDS)


@pytest.mark.parametrize("file", WHOLE)
def test_a_whole_document_is_read_as_it_stands(file: str) -> None:
    catalogue = parse(file, WHOLE[file])
    single = (catalogue.pins, catalogue.foreign, catalogue.groups, catalogue.support.rows, catalogue.licences)
    assert catalogue.nodes or any(single)


@pytest.mark.parametrize("file", PARTS)
def test_a_part_completes_a_layer_of_its_kind(file: str) -> None:
    assert parse_part(file).kind is KINDS[file]


def test_the_part_about_files_shows_every_operation() -> None:
    spec = parse_part("manifests/layers/example.yaml").spec
    assert isinstance(spec, FilesSpec)
    assert {operation.action for operation in spec.operations} == set(FileAction)


def test_the_table_lists_every_file_that_is_read() -> None:
    table = re.findall(r"^\| `(manifests/\S+)` \|", TEXT, flags=re.MULTILINE)
    documented = {re.sub(r"[^/]*\.yaml$", "*.yaml", file) if file.count("/") > 1 else file for file in (*WHOLE, *PARTS)}
    assert documented <= set(table)


def test_the_coordinates_of_the_table_are_coordinates() -> None:
    cells = re.findall(r"^\| (`(?:pypi|maven|deb|go|url):.*?) \|", TEXT, flags=re.MULTILINE)
    examples = [
        text for cell in cells for text in re.findall(r"`([^`]+)`", cell) if "…" not in text and "[" not in text
    ]
    assert len(cells) == 5
    assert [str(parse_coordinate(text)) for text in examples] == examples


def test_the_expressions_of_the_table_are_expressions() -> None:
    errors: list[BuildgraphError] = []
    render = renderer({"version": "4.1.1", "flavour": "gpu"}, errors)
    shown = {text.replace("\\|", "|") for text in re.findall(r"^\| [a-z ]+ \|.*$", TEXT, flags=re.MULTILINE)}
    expressions = [text for row in shown for text in re.findall(r"`({{.*?}})`", row)]
    assert {text: render(text, Location(file="manifests.md")) for text in expressions} == {
        "{{ 'cuda-12.1' if flavour == 'gpu' }}": "cuda-12.1",
        "{{ {'gpu': 'cuda', 'cpu': 'blas'}[flavour] }}": "cuda",
        "{{ version.split('.')[0] }}": "4",
        "{{ version.split('.')[:2] | join('.') }}": "4.1",
    }
    assert errors == []


def test_the_settings_for_editors_name_the_schemas_that_there_are() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    settings = json.loads(block)
    named = {*settings["yaml.schemas"], *(entry["url"].removeprefix("./") for entry in settings["json.schemas"])}
    assert named == {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "schema").iterdir()}


def test_the_mistakes_that_are_shown_are_answered_like_that() -> None:
    shown = re.findall(r"^    (manifests/.*)$", TEXT, flags=re.MULTILINE)
    known = (ROOT / "tests" / "golden" / "mistakes.txt").read_text(encoding="utf-8").splitlines()
    assert len(shown) == 3
    assert set(shown) <= set(known)
