"""A kept run → one HTML page that needs nothing else: no script, no font, no request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.diagram import MAX_DRAWN, DiagramNode, draw_svg
from buildgraph.errors import ExitCode
from buildgraph.events import Outcome
from buildgraph.plan import Action
from buildgraph.report.figures import (
    IMAGE,
    Totals,
    count_stored,
    describe_outcome,
    find_bound,
    find_critical,
    find_failed,
    find_image_sizes,
    find_reused,
    name_targets,
    sum_up,
)
from buildgraph.report.gantt import draw_gantt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.history import Run, RunNode, RunStep

LAYERS_SHOWN = 40
_KILO = 1000
# The first that one of a node's steps ended with says what came of the node.
_WORDS = (
    (Outcome.FAILED, "failed"),
    (Outcome.BLOCKED, "blocked"),
    (Outcome.CANCELLED, "stopped"),
)
_MADE = ((Action.BUILD, "made"), (Action.COMPOSE, "made"), (Action.TEST, "tested"), (Action.LOAD, "loaded"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A number at the top of the page. ``style`` is a class: empty, ``good`` or ``bad``."""

    value: str
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBar:
    """A horizontal bar: shares in per cent of the longest, ``own`` after ``shared``."""

    name: str
    shared: float
    own: float
    text: str
    title: str


def format_html(run: Run, tails: Mapping[str, Sequence[str]]) -> str:
    """The page. ``tails``: step id → last lines of its log."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("buildgraph.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(size=format_size, seconds=format_time)
    nodes = {node.node: node for node in run.nodes}
    sizes = find_image_sizes(run)
    return environment.get_template("page.html").render(
        run=run,
        outcome=describe_outcome(run),
        targets=name_targets(run),
        tiles=make_tiles(run, sum_up(run)),
        failures=[(step, tuple(tails.get(step.id, ()))) for step in find_failed(run)],
        gantt=draw_gantt(run),
        actions=list(dict.fromkeys(step.action for step in run.steps)),
        graph=Markup(draw_graph(run)),  # noqa: S704 - it escapes what it writes
        images=_image_bars(run),
        layers=_layer_bars(run),
        stored=count_stored(run, sizes),
        apart=sum(size.shared + size.own for size in sizes),
        tests=[step for step in run.steps if step.action == Action.TEST],
        made=[step for step in run.steps if step.action != Action.FETCH],
        fetches=[step for step in run.steps if step.action == Action.FETCH],
        reused=[nodes[name] for name in find_reused(run)],
        nodes=run.nodes,
        critical=set(find_critical(run)),
        exit_meaning=_meaning(run.exit_code),
    )


def make_tiles(run: Run, totals: Totals) -> tuple[Tile, ...]:
    """The numbers at the top."""
    tests = f"tests passed, {totals.failures} failed, {totals.skipped} skipped"
    saved = f"steps done, {totals.failed} failed, {totals.blocked} blocked"
    return (
        Tile(value=format_time(run.seconds), text="from start to end"),
        Tile(value=f"{totals.done}/{totals.steps}", text=saved, style="bad" if totals.failed else "good"),
        Tile(value=f"{totals.reused}/{len(run.nodes)}", text="nodes reused"),
        Tile(value=str(totals.passed), text=tests, style="bad" if totals.failures else ""),
        Tile(value=format_size(totals.fetched), text="fetched"),
        Tile(value=format_size(totals.written), text="of layers written"),
        Tile(value=f"{totals.work / run.seconds:.1f}" if run.seconds else "0", text="steps at once, on average"),
        Tile(value=format_time(find_bound(run)), text="would do, if no step waited for a worker"),
    )


def draw_graph(run: Run) -> str:
    """The run's nodes as SVG, each with what came of it; nothing for more than can be drawn."""
    if not run.nodes or len(run.nodes) > MAX_DRAWN:
        return ""
    places = {node.node: place for place, node in enumerate(run.nodes)}
    nodes = [_draw_node(run, node) for node in run.nodes]
    edges = [
        (parent, node.node)
        for node in run.nodes
        for parent in node.reads
        if places.get(parent, len(places)) < places[node.node]
    ]
    return draw_svg(nodes, edges)


def _draw_node(run: Run, node: RunNode) -> DiagramNode:
    word = _describe_fate([step for step in run.steps if step.node == node.node])
    return DiagramNode(
        name=node.node,
        kind=node.kind,
        stage=node.stage,
        note=f"{word} · {format_size(node.size)}" if node.digest else word,
        details=tuple(detail for detail in (*node.references, node.digest) if detail),
    )


def _describe_fate(steps: Sequence[RunStep]) -> str:
    """What came of a node whose steps these are, in a word."""
    outcomes = {step.outcome for step in steps}
    done = {step.action for step in steps if step.outcome == Outcome.DONE}
    bad = next((word for outcome, word in _WORDS if outcome in outcomes), "")
    return bad or next((word for action, word in _MADE if action in done), "reused")


def format_size(count: float) -> str:
    """Bytes in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < _KILO:
            return f"{count:.0f} {unit}" if unit == "B" or count >= _KILO / 10 else f"{count:.1f} {unit}"
        count /= _KILO
    return f"{count:.1f} TB"


def format_time(seconds: float) -> str:
    """``7.3 s``, ``1 min 05 s``, ``2 h 01 min``."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"  # noqa: PLR2004


def _meaning(code: int) -> str:
    return ExitCode(code).meaning if code in set(ExitCode) else ""


def _image_bars(run: Run) -> list[SizeBar]:
    sizes = find_image_sizes(run)
    longest = max((size.shared + size.own for size in sizes), default=0) or 1
    return [
        SizeBar(
            name=size.node,
            shared=round(100 * size.shared / longest, 2),
            own=round(100 * size.own / longest, 2),
            text=format_size(size.shared + size.own),
            title=f"{format_size(size.shared)} in layers of other images, too; {format_size(size.own)} its own",
        )
        for size in sizes
    ]


def _layer_bars(run: Run) -> list[SizeBar]:
    """The largest layers."""
    layers = sorted((node for node in run.nodes if node.kind != IMAGE and node.digest), key=lambda node: -node.size)
    longest = max((layer.size for layer in layers), default=0) or 1
    return [
        SizeBar(
            name=layer.node,
            shared=0,
            own=round(100 * layer.size / longest, 2),
            text=format_size(layer.size),
            title=f"{layer.kind}, {layer.digest}, {_count_users(run, layer)}",
        )
        for layer in layers[:LAYERS_SHOWN]
    ]


def _count_users(run: Run, layer: RunNode) -> str:
    count = sum(layer.node in node.reads for node in run.nodes if node.kind == IMAGE)
    return f"in {count} image{'' if count == 1 else 's'} of this run"
