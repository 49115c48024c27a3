"""What is written from the charts of a project, and what is refused in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from buildgraph.adapters.workspace import Workspace
from buildgraph.app.documenting import check_pages, find_pages, make_all_texts, write_pages
from buildgraph.cli.main import cli
from buildgraph.errors import BuildgraphError, ExitCode, Stale
from tests.samples import PROJECT_TEXT

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n{dependency}"
DEPENDENCY = "  - {name: lib, version: 1.0.0, repository: file://../lib}\n"
LIBRARY_SCHEMA = "charts/lib/values.schema.yaml"
MARKERS_HINT = "put <!-- values --> and <!-- /values --> on lines of their own"
SCENARIOS = "scenarios:\n  - {name: big, description: Big, presets: [a/big], charts: {app: [default]}}\n"
FILES = {
    "manifests/project.yaml": PROJECT_TEXT,
    "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\ntype: library\nversion: 1.0.0\n",
    LIBRARY_SCHEMA: "properties: {size: {type: integer, description: How big.}}\n",
    "charts/app/Chart.yaml": METADATA.format(dependency=DEPENDENCY),
    "charts/app/values.yaml": "size: 1\n",
    "charts/app/README.md": "# app\n<!-- values -->\n<!-- /values -->\n",
    "charts/presets/a/big.yaml": "# Big.\nsize: 10\n",
    "charts/scenarios.yaml": SCENARIOS,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")


def read(root: Path, file: str) -> str:
    return (root / file).read_text(encoding="utf-8")


def mistakes(root: Path) -> list[str]:
    with pytest.raises(BuildgraphError) as caught:
        find_pages(Workspace(root))
    assert caught.value.exit_code == ExitCode.USAGE
    return str(caught.value).splitlines()


def test_everything_is_written_once_and_then_is_up_to_date(project: Path) -> None:
    workspace = Workspace(project)
    assert sorted(write_pages(workspace)) == [
        "charts/app/README.md",
        "charts/app/values.schema.json",
        "charts/scenarios/README.md",
        "charts/scenarios/app/big.yaml",
    ]
    check_pages(workspace)
    assert write_pages(workspace) == ()
    assert "| `size` | `1` | How big. |" in read(project, "charts/app/README.md")
    assert json.loads(read(project, "charts/app/values.schema.json"))["additionalProperties"] is False
    assert read(project, "charts/scenarios/app/big.yaml").endswith("\nsize: 10\n")


def test_a_check_shows_what_would_be_written_and_writes_nothing(project: Path) -> None:
    workspace = Workspace(project)
    write_pages(workspace)
    write(project, {"charts/presets/a/big.yaml": "size: 11\n"})
    with pytest.raises(Stale) as caught:
        check_pages(workspace)
    assert caught.value.where == "charts/scenarios/app/big.yaml"
    assert "-size: 10\n+size: 11\n" in caught.value.diff
    assert read(project, "charts/scenarios/app/big.yaml").endswith("\nsize: 10\n")


def test_the_file_of_a_scenario_that_is_gone_goes_as_well(project: Path) -> None:
    workspace = Workspace(project)
    write_pages(workspace)
    write(project, {"charts/scenarios/app/old.yaml": "size: 2\n"})
    with pytest.raises(Stale) as caught:
        check_pages(workspace)
    assert "-size: 2\n" in caught.value.diff
    assert write_pages(workspace) == ("charts/scenarios/app/old.yaml",)
    assert not (project / "charts/scenarios/app/old.yaml").exists()


def test_a_charts_own_schema_counts_and_takes_definitions_from_the_library(project: Path) -> None:
    own = 'properties: {size: {$ref: "#/definitions/many", description: How many.}}\n'
    shared = FILES[LIBRARY_SCHEMA] + "definitions: {many: {type: integer, minimum: 5}}\n"
    write(project, {"charts/app/values.schema.yaml": own, LIBRARY_SCHEMA: shared})
    write_pages(Workspace(project))
    schema = json.loads(read(project, "charts/app/values.schema.json"))
    assert schema["definitions"] == {"many": {"type": "integer", "minimum": 5}}
    assert "How many." in read(project, "charts/app/README.md")


def test_charts_without_a_schema_and_projects_without_charts_are_left_alone(project: Path, tmp_path: Path) -> None:
    (project / LIBRARY_SCHEMA).unlink()
    (project / "charts/scenarios.yaml").unlink()
    assert find_pages(Workspace(project)) == ()
    assert find_pages(Workspace(tmp_path / "nothing")) == ()


def test_what_follows_from_a_change_is_known_before_it_is_written(project: Path) -> None:
    workspace = Workspace(project)
    write_pages(workspace)
    texts = make_all_texts(
        workspace, {"charts/presets/a/big.yaml": "size: 12\n", "charts/app/values.yaml": "size: 3\n"}
    )
    assert texts["charts/scenarios/app/big.yaml"].endswith("\nsize: 12\n")
    assert "| `size` | `3` |" in texts["charts/app/README.md"]


@pytest.mark.parametrize(
    ("file", "text", "mistake"),
    [
        (
            "charts/presets/a/big.yaml",
            "# Big.\nsiez: 10\n",
            "charts/presets/a/big.yaml:2: unknown key 'siez'; did you mean size?",
        ),
        (
            "charts/presets/a/small.yaml",
            "size: 1\n",
            "charts/presets/a/small.yaml: no scenario uses it; name it in charts/scenarios.yaml, or remove it",
        ),
        (
            "charts/scenarios.yaml",
            FILES["charts/scenarios.yaml"].replace("[a/big]", "[a/big, a/huge]"),
            "charts/scenarios.yaml:2 (scenarios[0].name): there is no charts/presets/a/huge.yaml",
        ),
        (
            "charts/scenarios.yaml",
            FILES["charts/scenarios.yaml"].replace("app:", "apple:"),
            "charts/scenarios.yaml:2 (scenarios[0].name): there is no chart apple; known here: app",
        ),
        (
            "charts/app/values.yaml",
            "size: 1\nmore: 2\n",
            "charts/app/values.yaml:2: unknown key 'more'; known here: size",
        ),
        (
            "charts/app/values.yaml",
            "{}\n",
            "charts/app/values.yaml: there is no default for size; give it one, or take it out of " + LIBRARY_SCHEMA,
        ),
        (
            "charts/app/README.md",
            "# app\n",
            "charts/app/README.md: there is no place for the values; " + MARKERS_HINT,
        ),
    ],
)
def test_mistakes_are_told_with_file_and_key(project: Path, file: str, text: str, mistake: str) -> None:
    write(project, {file: text})
    assert mistakes(project) == [mistake]


def test_a_chart_has_a_readme(project: Path) -> None:
    (project / "charts/app/README.md").unlink()
    assert mistakes(project) == ["charts/app/README.md: the file is missing; every chart has one"]


def test_the_command_writes_and_checks(project: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["-C", str(project), "charts", "docs", *words])
        assert result.exit_code == ExitCode.OK, result.exception
        return result.output

    assert json.loads(run("--json"))["changed"][0] == "charts/app/values.schema.json"
    assert run() == "schemas, tables and scenarios are up to date\n"
    assert run("--check") == "schemas, tables and scenarios are up to date\n"
    assert json.loads(run("--check", "--json")) == {"up_to_date": True, "diff": ""}
    write(project, {"charts/app/values.yaml": "size: 4\n"})
    result = CliRunner().invoke(cli, ["-C", str(project), "charts", "docs", "--check"])
    assert isinstance(result.exception, Stale)
    assert run() == "wrote charts/app/README.md\n"
