from __future__ import annotations

import random
import re
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from buildgraph.diagram import MAX_DRAWN, DiagramNode, draw_dot, draw_mermaid, draw_svg, make_diagram
from buildgraph.diagram.layout import count_crossings, find_levels, lay_out
from buildgraph.errors import ExitCode
from buildgraph.model import Lock, Stage
from tests.fakes.catalogues import (
    make_catalogue,
    make_files_layer,
    make_image,
    make_keys,
    make_reading_layer,
    make_record,
)
from tests.golden_files import check_golden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.sample import Sample

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"><script>alert(1)</script>\\ & 'x' ]]> #35; %% -- \x1b[31m\x00\ud800\nsecond line `"
CATALOGUE = make_catalogue(
    make_files_layer("base"),
    make_files_layer("jar", sources=("maven:org.example:jar:1.0",)),
    make_reading_layer("tool", parents=("base",)),
    make_reading_layer("extra", parents=("base",), contexts=("tool",)),
    make_image("app", ("base", "tool", "extra")),
    make_image("app-jar", ("base", "jar")),
)
KEYS = make_keys(CATALOGUE, Lock())
RECORDS = {name: make_record(CATALOGUE.nodes[name], KEYS) for name in ("base", "app")}
NODES, EDGES = make_diagram(CATALOGUE, tuple(CATALOGUE.nodes), KEYS, RECORDS)
DRAWINGS = {"svg": draw_svg, "dot": draw_dot, "mermaid": draw_mermaid}


def node(name: str, stage: str = "base", note: str = "", details: tuple[str, ...] = ()) -> DiagramNode:
    return DiagramNode(name=name, kind="files", stage=stage, note=note, details=details)


def layered(count: int, seed: int) -> list[tuple[int, int]]:
    """Edges of some graph without a cycle."""
    randomness = random.Random(seed)
    return [
        (start, end)
        for end in range(1, count)
        for start in randomness.sample(range(end), min(end, randomness.randint(0, 3)))
    ]


def titles(svg: str, group: str) -> list[str]:
    (found,) = [element for element in ET.fromstring(svg).iter(f"{SVG}g") if element.get("class") == group]
    return [title.text or "" for title in found.iter(f"{SVG}title")]


@pytest.mark.parametrize("form", DRAWINGS)
def test_a_small_graph_is_drawn_as_it_stands_in_the_golden_file(form: str) -> None:
    check_golden(f"graph/small.{form}", DRAWINGS[form](NODES, EDGES))


def test_a_diagram_has_the_edges_between_the_nodes_that_are_named() -> None:
    _, edges = make_diagram(CATALOGUE, ("base", "extra", "app"), KEYS, {})
    assert edges == (("base", "extra"), ("base", "app"), ("extra", "app"))


def test_boxes_tell_kind_and_size_and_what_is_not_there() -> None:
    details = {node.name: (node.note, node.details[-1]) for node in NODES}
    assert details["base"] == ("files · 0.0 MB", RECORDS["base"].digest)
    assert details["tool"] == ("dockerfile", "not built")
    assert details["jar"] == ("files", "not locked")


def test_every_node_and_every_edge_is_in_the_svg() -> None:
    svg = draw_svg(NODES, EDGES)
    assert [text.splitlines()[0] for text in titles(svg, "nodes")] == list(CATALOGUE.nodes)
    assert titles(svg, "edges") == [f"{start} → {end}" for start, end in EDGES]
    assert svg.count('class="edge"') == len(EDGES)


def test_every_edge_is_in_the_texts() -> None:
    dot = draw_dot(NODES, EDGES)
    assert re.findall(r'"(.+)" -> "(.+)";', dot) == list(EDGES)
    mermaid = draw_mermaid(NODES, EDGES)
    ids = dict(re.findall(r'(n\d+)\["([^<"]+)', mermaid))
    assert [(ids[start], ids[end]) for start, end in re.findall(r"(n\d+) --> (n\d+)", mermaid)] == list(EDGES)


def test_the_legend_names_the_stages_that_there_are() -> None:
    nodes = [node("a", stage="os"), node("b", stage="final"), node("c", stage="unheard-of")]
    root = ET.fromstring(draw_svg(nodes, []))
    (legend,) = [element for element in root.iter(f"{SVG}g") if element.get("class") == "legend"]
    assert [text.text for text in legend.iter(f"{SVG}text")] == ["os", "final"]


def test_stages_differ_in_colour() -> None:
    svg = draw_svg([node(stage, stage=stage) for stage in Stage], [])
    assert len(set(re.findall(r'height="40"\s+rx="\d+" fill="(#\w+)"', svg))) == len(Stage)


def test_the_svg_asks_for_nothing_beside_itself() -> None:
    svg = draw_svg(NODES, EDGES)
    assert re.findall(r"https?://[^\"']+", svg) == ["http://www.w3.org/2000/svg"]
    assert not {"script", "style", "image", "foreignObject", "use"} & {
        element.tag.removeprefix(SVG) for element in ET.fromstring(svg).iter()
    }


def test_a_hostile_text_stays_a_text_in_the_svg() -> None:
    svg = draw_svg([node(HOSTILE, note=HOSTILE, details=(HOSTILE,), stage=HOSTILE), node("b")], [(HOSTILE, "b")])
    root = ET.fromstring(svg.encode())
    assert "<script>" not in svg
    assert not list(root.iter(f"{SVG}script"))
    (title, _) = titles(svg, "nodes")
    assert title.startswith("\"><script>alert(1)</script>\\ & 'x' ]]> #35; %% -- �[31m��\nsecond line `")


def test_a_hostile_text_stays_inside_its_quotes_in_dot() -> None:
    dot = draw_dot([node(HOSTILE, details=(HOSTILE,))], [])
    (line,) = [line for line in dot.splitlines() if "script" in line]
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    assert outside == "   [label=, tooltip=, fillcolor=, color=];"
    dot.encode()


def test_a_hostile_text_stays_inside_its_quotes_in_mermaid() -> None:
    mermaid = draw_mermaid([node(HOSTILE, note=HOSTILE, stage="x]; y")], [])
    line = mermaid.splitlines()[1]
    label, _, rest = line.removeprefix('  n0["').rpartition('"]')
    assert rest == ":::none"
    assert re.fullmatch(r"(?:[\w .,:/()·+@-]|#\d+;|<br/><small>|</small>)+", label)
    assert "\n" not in label


@pytest.mark.parametrize("form", DRAWINGS)
def test_nothing_is_drawn_of_nothing(form: str) -> None:
    text = DRAWINGS[form]([], [])
    assert text.endswith("\n")
    if form == "svg":
        assert not list(ET.fromstring(text).iter(f"{SVG}path"))[1:]


def test_long_names_are_cut_in_boxes_and_whole_in_titles() -> None:
    svg = draw_svg([node("n" * 90)], [])
    assert titles(svg, "nodes")[0].startswith("n" * 90)
    assert f">{'n' * 33}…<" in svg


# Where boxes stand


@pytest.mark.parametrize("seed", range(5))
def test_each_edge_leads_to_the_right_and_passes_each_column_once(seed: int) -> None:
    edges = layered(30, seed)
    levels = find_levels(30, edges)
    layout = lay_out(30, edges, box=54, bend=16)
    column = {point: place for place, points in enumerate(layout.columns) for point in points}
    assert all(column[number] == level for number, level in enumerate(levels))
    for (start, end), way in zip(edges, layout.ways, strict=True):
        assert (way[0], way[-1]) == (start, end)
        assert [column[point] for point in way] == list(range(levels[start], levels[end] + 1))


@pytest.mark.parametrize("seed", range(5))
def test_no_two_boxes_overlap(seed: int) -> None:
    layout = lay_out(30, layered(30, seed), box=54, bend=16)
    for points in layout.columns:
        for upper, lower in pairwise(points):
            space = (54 if upper < 30 else 16) / 2 + (54 if lower < 30 else 16) / 2
            assert layout.heights[lower] - layout.heights[upper] >= space - 0.2
    assert min(layout.heights.values()) >= 8


def test_what_nobody_reads_stands_at_the_end() -> None:
    assert find_levels(4, [(0, 1), (1, 2)]) == [0, 1, 2, 2]


def test_ordering_removes_crossings_that_need_not_be() -> None:
    edges = [(0, 5), (1, 4), (2, 3)]
    layout = lay_out(6, edges, box=10, bend=5)
    right: dict[int, Sequence[int]] = {0: [5], 1: [4], 2: [3]}
    assert count_crossings([0, 1, 2], [3, 4, 5], right) == 3
    assert count_crossings(layout.columns[0], layout.columns[1], right) == 0


def test_a_drawing_is_the_same_each_time() -> None:
    names = [f"n{number}" for number in range(40)]
    edges = [(names[start], names[end]) for start, end in layered(40, 7)]
    nodes = [node(name) for name in names]
    assert draw_svg(nodes, edges) == draw_svg(list(nodes), list(edges))


# The command


@pytest.mark.parametrize("form", ["tree", "json", "dot", "mermaid", "svg"])
def test_the_command_writes_the_same_to_a_file_as_to_standard_output(sample: Sample, form: str) -> None:
    shown = sample.call("graph", "all", "--format", form)
    target = sample.folder / "out.txt"
    done = sample.call("graph", "all", "--format", form, "--output", str(target))
    assert (shown.code, done.code, done.out) == (0, 0, "")
    assert done.err == f"wrote {target}\n"
    assert target.read_text(encoding="utf-8") == shown.out
    assert "plain" in shown.out


def test_json_may_be_asked_for_in_two_ways_but_not_with_another_format(sample: Sample) -> None:
    assert sample.call("graph", "--json").out == sample.call("graph", "--format", "json").out
    done = sample.call("graph", "--json", "--format", "dot")
    assert done.code == ExitCode.USAGE
    assert "--json and --format dot exclude each other" in done.err


def test_a_file_is_written_only_where_a_file_can_be(sample: Sample) -> None:
    missing = sample.call("graph", "--output", str(sample.folder / "nowhere/out.svg"))
    assert missing.code == ExitCode.USAGE
    assert "the folder is missing; make it first" in missing.err
    (sample.folder / "link").symlink_to("/dev/null")
    for place in ("link", "layers"):
        refused = sample.call("graph", "--output", str(sample.folder / place))
        assert refused.code == ExitCode.USAGE
        assert "something other than a file is there" in refused.err


def test_more_than_can_be_seen_is_not_drawn(sample: Sample) -> None:
    rows = "".join(f'  "{number}": {{}}\n' for number in range(MAX_DRAWN))
    sample.edit("manifests/layers/extra.yaml", "files:", f"variants:\n{rows}files:")
    sample.edit("manifests/images/plain.yaml", "extra", "extra-0")
    done = sample.call("graph", "--format", "svg")
    assert done.code == ExitCode.USAGE
    assert "nodes are more than can be drawn (2000); name fewer targets, or use --format dot" in done.err
    assert sample.call("graph", "--format", "dot").code == ExitCode.OK
