"""Schemas of values, what agrees with them, and what is made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from buildgraph.errors import BuildgraphError, ManifestError
from buildgraph.manifest.document import parse_document
from buildgraph.values.agreement import find_missing, find_unknown
from buildgraph.values.document import to_mapping
from buildgraph.values.overlays import lay
from buildgraph.values.scenarios import format_scenario, list_scenarios, read_table, render_index
from buildgraph.values.schema import format_schema, read_definitions, read_schema
from buildgraph.values.table import insert_tables, render_tables

if TYPE_CHECKING:
    from buildgraph.values.document import Json

SOURCE = """
$schema: http://json-schema.org/draft-07/schema#
type: object
properties:
  enabled: {type: boolean, x-set-by: a parent chart, description: Of a parent.}
  name: {type: string, description: Its | name.}
  image: {$ref: "#/definitions/image", description: What runs.}
  labels: {type: object, additionalProperties: {type: string}, description: Free.}
  server:
    description: The server.
    properties:
      size: {$ref: "#/definitions/size", description: How big.}
      kind: {enum: [a, b], description: "`a` is one."}
      probe: {$ref: "#/definitions/probe", description: Its probe.}
      hosts:
        type: array
        items: {properties: {name: {type: string}}}
        description: Where.
definitions:
  image:
    x-block: true
    description: An image.
    properties:
      registry: {type: string, description: A.}
      repository: {type: string, description: B.}
      tag: {$ref: "#/definitions/tag", description: C.}
  probe:
    x-block: true
    description: Timing.
    properties:
      period: {type: integer, description: D.}
      delay: {type: integer, description: E.}
  tag: {type: string}
  size: {type: integer, minimum: 1}
  unused: {type: string}
"""
VALUES = """
name: x
image: {registry: r, repository: a/b, tag: "1"}
labels: {}
server:
  size: 1
  kind: a
  probe: {period: 5}
  hosts: []
"""
TABLE = """
scenarios:
  - name: one
    also: [uno]
    description: The first
    presets: [a/x, b/y]
    charts: {c: [default, 1.2.3], d: [default]}
absent:
  - names: [two]
    chart: c
    reason: It cannot be
"""


def problems(values: str, source: str = SOURCE) -> list[str]:
    schema = read_schema(source, "schema.yaml")
    document = parse_document(values, "values.yaml")
    errors = (*find_unknown(document, schema.root, "values.yaml"), *find_missing(document, schema, "values.yaml"))
    return [str(error) for error in errors]


def written(source: str = SOURCE, shared: str = "") -> dict[str, Json]:
    definitions = read_definitions(shared, "shared.yaml") if shared else {}
    loaded: dict[str, Json] = json.loads(format_schema(read_schema(source, "schema.yaml", definitions)))
    return loaded


def mistakes(text: str) -> str:
    with pytest.raises(BuildgraphError) as caught:
        read_table(text, "scenarios.yaml")
    return str(caught.value)


def test_values_are_what_helm_reads() -> None:
    text = 'a: 1\nb: "1"\nc: 1.5\nd: true\ne:\nf: [x, {g: 4.1.0}]\nh: 2026-01-01\ni: 0x1f\n'
    assert to_mapping(parse_document(text, "f")) == {
        "a": 1,
        "b": "1",
        "c": 1.5,
        "d": True,
        "e": None,
        "f": ["x", {"g": "4.1.0"}],
        "h": "2026-01-01",
        "i": 31,
    }


def test_what_names_its_keys_takes_no_others() -> None:
    schema = written()
    assert schema["additionalProperties"] is False
    assert isinstance(schema["properties"], dict)
    server = schema["properties"]["server"]
    assert server["type"] == "object"
    assert server["additionalProperties"] is False
    assert server["properties"]["hosts"]["items"]["additionalProperties"] is False
    assert schema["properties"]["labels"]["additionalProperties"] == {"type": "string"}


def test_an_object_may_say_that_it_is_open() -> None:
    source = "properties: {a: {description: A., additionalProperties: true, properties: {b: {description: B.}}}}"
    properties = written(source)["properties"]
    assert isinstance(properties, dict)
    assert properties["a"]["additionalProperties"] is True
    assert find_all(source, "a: {b: 1, c: 2}") == []


def find_all(source: str, values: str) -> list[str]:
    document = parse_document(values, "v.yaml")
    return [str(error) for error in find_unknown(document, read_schema(source, "s").root, "v.yaml")]


def test_only_definitions_in_use_are_written_and_no_marks_of_ours() -> None:
    definitions = written()["definitions"]
    assert isinstance(definitions, dict)
    assert sorted(definitions) == ["image", "probe", "size", "tag"]
    assert '"x-' not in json.dumps(written())


def test_definitions_may_come_from_another_source_and_own_ones_win() -> None:
    own = """
    properties:
      a: {$ref: "#/definitions/size", description: A.}
      b: {$ref: "#/definitions/tag", description: B.}
    definitions: {tag: {type: integer}}
    """
    assert written(own, SOURCE)["definitions"] == {
        "size": {"minimum": 1, "type": "integer"},
        "tag": {"type": "integer"},
    }


def test_a_reference_to_nothing_is_told_with_what_is_near() -> None:
    with pytest.raises(ManifestError, match=r"s\.yaml: there is no definition sizes; did you mean size\?"):
        read_schema(SOURCE.replace("definitions/size", "definitions/sizes"), "s.yaml")


def test_every_key_has_a_description() -> None:
    broken = SOURCE.replace(", description: What runs.", "").replace("description: An image.\n", "\n")
    with pytest.raises(BuildgraphError) as caught:
        read_schema(broken.replace("description: D.", "default: 1"), "s.yaml")
    assert str(caught.value).splitlines() == [
        "s.yaml: image has no description",
        "s.yaml: server.probe.period has no description",
    ]


def test_conditions_are_passed_on_as_they_are() -> None:
    condition = "if: {properties: {a: {const: 1}}}\nthen: {properties: {b: {minimum: 1}}}\n"
    schema = written(f"properties: {{a: {{description: A.}}, b: {{description: B.}}}}\n{condition}")
    assert schema["if"] == {"properties": {"a": {"const": 1}}}
    assert schema["then"] == {"properties": {"b": {"minimum": 1}}}


def test_sound_values_agree_with_the_schema() -> None:
    assert problems(VALUES) == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            VALUES.replace("kind", "knid"),
            "values.yaml:7: unknown key 'server.knid'; did you mean kind?",
        ),
        (VALUES + "zzz: 1\n", "values.yaml:10: unknown key 'zzz'; known here: enabled, name, image, labels, server"),
        (
            VALUES.replace("tag:", "tga:"),
            "values.yaml:3: unknown key 'image.tga'; known here: registry, repository, tag",
        ),
    ],
)
def test_an_unknown_key_is_told_with_its_line(values: str, problem: str) -> None:
    assert problem in problems(values)


def test_every_key_has_a_default_but_for_those_of_blocks_and_of_what_is_empty() -> None:
    assert problems(VALUES.replace("size: 1", "probe: {}").replace("  probe: {period: 5}\n", "")) == [
        "values.yaml: there is no default for server.size; give it one, or take it out of schema.yaml"
    ]
    assert problems(VALUES.replace("server:\n", "server: {}\nlabels2:\n")) != []


def test_tables_show_each_value_and_explain_blocks_once() -> None:
    schema = read_schema(SOURCE, "s.yaml")
    tables = render_tables(to_mapping(parse_document(VALUES, "v.yaml")), schema)
    assert tables.splitlines() == [
        "### General",
        "",
        "| value | default | meaning |",
        "|---|---|---|",
        '| `name` | `"x"` | Its \\| name. |',
        "| `image` | `r/a/b:1` | What runs. ([image](#image)) |",
        "| `labels` | `{}` | Free. |",
        "",
        "### `server`",
        "",
        "The server.",
        "",
        "| value | default | meaning |",
        "|---|---|---|",
        "| `server.size` | `1` | How big. |",
        '| `server.kind` | `"a"` | `a` is one. One of `a`, `b`. |',
        '| `server.probe` | `{"period": 5}` | Its probe. ([probe](#probe)) |',
        "| `server.hosts` | `[]` | Where. |",
        "",
        "### image",
        "",
        "An image.",
        "",
        "| key | meaning |",
        "|---|---|",
        "| `registry` | A. |",
        "| `repository` | B. |",
        "| `tag` | C. |",
        "",
        "### probe",
        "",
        "Timing.",
        "",
        "| key | meaning |",
        "|---|---|",
        "| `period` | D. |",
        "| `delay` | E. |",
    ]


def test_tables_go_between_their_markers_and_leave_the_rest() -> None:
    page = "# Chart\n<!-- values -->\nold\n<!-- /values -->\nend\n"
    first = insert_tables(page, "| new |", "README.md")
    assert first == "# Chart\n<!-- values -->\n\n| new |\n<!-- /values -->\nend\n"
    assert insert_tables(first, "| new |", "README.md") == first
    with pytest.raises(ManifestError, match=r"README\.md: there is no place for the values"):
        insert_tables("# Chart\n", "", "README.md")


def test_overlays_join_mappings_and_replace_all_else() -> None:
    below: dict[str, Json] = {"a": {"b": 1, "c": [1, 2]}, "d": 1, "e": {"f": 1}}
    above: dict[str, Json] = {"a": {"c": [3], "g": None}, "d": {"h": 1}, "e": 2}
    assert lay([below, above]) == {"a": {"b": 1, "c": [3], "g": None}, "d": {"h": 1}, "e": 2}
    assert lay([]) == {}
    assert below["a"] == {"b": 1, "c": [1, 2]}


def test_a_row_is_a_scenario_for_each_version_and_other_names_are_for_the_charts_own() -> None:
    (row,) = read_table(TABLE, "scenarios.yaml").rows
    assert [(each.chart, each.name, each.presets) for each in list_scenarios(row)] == [
        ("c", "one", ("a/x", "b/y")),
        ("c", "uno", ("a/x", "b/y")),
        ("c", "one-1.2.3", ("a/x", "b/y", "version/1.2.3")),
        ("d", "one", ("a/x", "b/y")),
        ("d", "uno", ("a/x", "b/y")),
    ]


def test_a_scenarios_file_says_what_it_is_and_where_it_comes_from() -> None:
    (row,) = read_table(TABLE, "scenarios.yaml").rows
    text = format_scenario(next(iter(list_scenarios(row))), {"b": {"c": "1"}, "a": True}, "scenarios.yaml")
    assert text.startswith("# The first\n# Written by `buildgraph charts docs` from scenarios.yaml: a/x, b/y.\n")
    assert yaml.safe_load(text) == {"b": {"c": "1"}, "a": True}
    assert list(yaml.safe_load(text)) == ["b", "a"]


def test_the_index_lists_scenarios_and_the_names_without_one() -> None:
    index = render_index(read_table(TABLE, "scenarios.yaml"), "scenarios.yaml")
    assert (
        "| `one`, also `uno` | The first | `a/x`, `b/y` | [c/one](c/one.yaml), [c/one-1.2.3](c/one-1.2.3.yaml), "
        in index
    )
    assert "| `two` | c | It cannot be |" in index
    assert "## Names" not in render_index(read_table(TABLE.partition("absent:")[0], "s"), "s")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("also: [uno]", "also: [one]", "scenarios.yaml:3 (scenarios[0].name): one of c stands already in line 3"),
        ("names: [two]", "names: [uno]", "scenarios.yaml:9 (absent[0]): uno of c stands already in line 3"),
        ("reason: It cannot be", "resaon: no", "the key 'reason' is missing"),
        ("description: The first", "text: x", "unknown key 'text'"),
        ("presets: [a/x, b/y]", "presets: [../x]", "'../x' is not a path inside the project"),
        ("charts: {c: [default, 1.2.3], d: [default]}", "charts: {c: []}", "the list is empty"),
        ("name: one", "name: One", "'One' is not a name"),
    ],
)
def test_mistakes_in_the_table_are_told_with_their_place(old: str, new: str, mistake: str) -> None:
    assert old in TABLE
    assert mistake in mistakes(TABLE.replace(old, new))
