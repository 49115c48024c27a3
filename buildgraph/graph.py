"""Questions about the catalogue's graph: is it sound, what does a target need, in which order, who depends on it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from buildgraph.errors import BuildgraphError, ManifestError, UsageError, quote, sort_errors, suggest
from buildgraph.model import Image, Layer, PythonSpec, VersionPin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import networkx as nx

    from buildgraph.model import Catalogue, Location, Node, Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What targets need, parents first: ``nodes`` are built, and those of them in ``tested`` must pass their tests.

    ``tested`` are the targets, what they are made of, and the images that these are tested with.
    """

    nodes: tuple[str, ...]
    tested: tuple[str, ...]


MAX_SUGGESTED = 20  # a suggestion looks at every name; for more mistakes than these the list does as well


def check_graph(catalogue: Catalogue) -> list[BuildgraphError]:
    """Every mistake that shows only between nodes, by file and line: unknown names, wrong kinds of nodes, cycles."""
    hints = _Hints(catalogue)
    errors = [error for node in catalogue.nodes.values() for error in _check_references(catalogue, node, hints)]
    errors.extend(_check_groups(catalogue, hints))
    errors.extend(_check_pins(catalogue, hints))
    errors.extend(_check_tags(catalogue))
    errors.extend(_check_cycles(catalogue))
    errors.extend(_check_test_circles(catalogue))
    return sort_errors(errors)


def find_targets(catalogue: Catalogue, patterns: Sequence[str]) -> tuple[str, ...]:
    """Node names for node names, aliases, groups and globs, each once, in the order written.

    Raises:
        UsageError: for a pattern that matches nothing, with the closest names.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = _match(catalogue, pattern)
        if not matches:
            raise UsageError(f"no target is called {pattern!r}", hint=_suggest(catalogue, pattern))
        found.update(dict.fromkeys(matches))
    return tuple(found)


def find_target(catalogue: Catalogue, pattern: str) -> str:
    """The one node of a pattern.

    Raises:
        UsageError: for a pattern that matches nothing, or more than one node.
    """
    name, *others = find_targets(catalogue, [pattern])
    if others:
        raise UsageError(f"{pattern!r} is {len(others) + 1} nodes", hint=f"name one of them, such as {name}")
    return name


def find_needs(catalogue: Catalogue, targets: Iterable[str], *, with_tests: bool) -> Needs:
    """What is needed for the targets to be built and, with tests, to be tested."""
    if not with_tests:
        return Needs(nodes=sort_nodes(catalogue, _reach(catalogue, targets, lambda node: node.reads)), tested=())
    tested = _reach(catalogue, targets, lambda node: (*node.reads, *node.test_with))
    started = [*tested, *(name for one in tested for name in _test_on(catalogue.nodes[one]))]
    nodes = sort_nodes(catalogue, _reach(catalogue, started, lambda node: node.reads))
    return Needs(nodes=nodes, tested=tuple(name for name in nodes if name in tested))


def find_closure(catalogue: Catalogue, targets: Iterable[str], *, with_tests: bool) -> tuple[str, ...]:
    """The targets and all they need (to be built; with tests also to be tested), parents first."""
    return find_needs(catalogue, targets, with_tests=with_tests).nodes


def sort_nodes(catalogue: Catalogue, names: Iterable[str]) -> tuple[str, ...]:
    """The names in topological order; among equals in the order of the catalogue."""
    wanted = set(names)
    return _sort([name for name in catalogue.nodes if name in wanted], lambda name: catalogue.nodes[name].reads)


def sort_tests(catalogue: Catalogue, names: Sequence[str]) -> tuple[str, ...]:
    """The names in an order in which their tests may run; among equals in the order given."""
    return _sort(names, lambda name: _tests_before(catalogue.nodes[name]))


def _tests_before(node: Node) -> tuple[str, ...]:
    """What must have passed before the tests of a node run: an image's layers, and what they are run with."""
    return (*node.layers, *node.test_with) if isinstance(node, Image) else node.test_with


def _test_on(node: Node) -> tuple[str, ...]:
    return node.test_on if isinstance(node, Layer) else ()


def _reach(catalogue: Catalogue, names: Iterable[str], ways: Callable[[Node], tuple[str, ...]]) -> dict[str, None]:
    """The names and whatever can be reached from them."""
    pending = list(names)
    reached: dict[str, None] = {}
    while pending:
        name = pending.pop()
        if name not in reached:
            reached[name] = None
            pending.extend(ways(catalogue.nodes[name]))
    return reached


def _sort(names: Sequence[str], needs: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Topological order; among equals the order of the names."""
    places = {name: place for place, name in enumerate(names)}
    sorter = TopologicalSorter({name: [other for other in needs(name) if other in places] for name in places})
    sorter.prepare()
    order: list[str] = []
    while sorter:
        ready = sorted(sorter.get_ready(), key=places.__getitem__)
        sorter.done(*ready)
        order.extend(ready)
    return tuple(order)


def kind_of(node: Node) -> str:
    """The layer's kind, or ``image``."""
    return node.kind.value if isinstance(node, Layer) else "image"


def references_of(node: Node) -> tuple[str, ...]:
    """``repository:tag`` of an image, nothing for a layer."""
    return tuple(f"{node.repository}:{tag}" for tag in node.tags) if isinstance(node, Image) else ()


def to_networkx(catalogue: Catalogue, names: Iterable[str]) -> nx.DiGraph[str]:
    """The graph of the names with an edge from each node to whatever reads it."""
    import networkx as nx  # slower to import than a whole no-op

    graph: nx.DiGraph[str] = nx.DiGraph()
    wanted = tuple(names)
    graph.add_nodes_from(wanted)
    graph.add_edges_from((parent, name) for name in wanted for parent in catalogue.nodes[name].reads)
    return graph


def bases_of(node: Node | None) -> tuple[str, ...]:
    """What a python layer says that it stands on; nothing for any other node."""
    return node.spec.bases if isinstance(node, Layer) and isinstance(node.spec, PythonSpec) else ()


def find_bases(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """All layers that a python layer stands on, at any distance, each once, the nearest first."""
    found = dict.fromkeys(bases_of(catalogue.nodes[name]))
    pending = deque(found)
    while pending:
        new = [base for base in bases_of(catalogue.nodes[pending.popleft()]) if base not in found]
        found.update(dict.fromkeys(new))
        pending.extend(new)
    return tuple(found)


def find_dependents(catalogue: Catalogue, name: str) -> frozenset[str]:
    """All nodes that are made of the node, at any distance."""
    import networkx as nx

    return frozenset(nx.descendants(to_networkx(catalogue, catalogue.nodes), name))


def _match(catalogue: Catalogue, pattern: str) -> tuple[str, ...]:
    if pattern in catalogue.nodes:
        return (pattern,)
    if pattern in catalogue.aliases:
        return (catalogue.aliases[pattern],)
    if pattern in catalogue.groups:
        return tuple(name for member in catalogue.groups[pattern] for name in _match_plain(catalogue, member))
    return _match_plain(catalogue, pattern)


def _match_plain(catalogue: Catalogue, pattern: str) -> tuple[str, ...]:
    if pattern in catalogue.aliases:
        return (catalogue.aliases[pattern],)
    return tuple(name for name in catalogue.nodes if fnmatchcase(name, pattern))


def _suggest(catalogue: Catalogue, word: str) -> str:
    return suggest(word, (*catalogue.nodes, *catalogue.aliases, *catalogue.groups)) or "see: buildgraph list"


class _Hints:
    """What to say of unknown names: the closest ones for the first few."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._asked: set[str] = set()

    def __call__(self, word: str) -> str:
        self._asked.add(word)
        return _suggest(self._catalogue, word) if len(self._asked) <= MAX_SUGGESTED else "see: buildgraph list"


def _check_references(catalogue: Catalogue, node: Node, hints: _Hints) -> Iterator[BuildgraphError]:
    for key, name in _references(node):
        other = catalogue.nodes.get(name)
        if name == node.name:
            yield _error(node.location, f"{node.name} names itself under {key}")
        elif other is None:
            yield _error(node.location, f"{node.name}: {key} names {name}, which is no node", hints(name))
        elif isinstance(other, Image):
            if key != "test_with":
                yield _error(node.location, f"{node.name}: {key} names {name}, which is an image", "name a layer")
        elif key == "test_with":
            yield _error(node.location, f"{node.name}: {key} names {name}, which is a layer", "name an image")
        elif key == "bases" and not isinstance(other.spec, PythonSpec):
            yield _error(node.location, f"{node.name}: the base {name} is no python layer")
    if isinstance(node, Image):
        yield from _check_composed(catalogue, node)


def _check_composed(catalogue: Catalogue, image: Image) -> Iterator[BuildgraphError]:
    if len(set(image.layers)) != len(image.layers):
        yield _error(image.location, f"{image.name} lists a layer twice")
    for name in image.layers:
        lacking = [base for base in bases_of(catalogue.nodes.get(name)) if base not in image.layers]
        if lacking:
            what = f"{image.name}: {name} stands on {', '.join(lacking)}, which the image lacks"
            yield _error(image.location, what, "list it, too")


def _references(node: Node) -> Iterator[tuple[str, str]]:
    yield from (("test_with", name) for name in node.test_with)
    if isinstance(node, Image):
        yield from (("layers", name) for name in node.layers)
        return
    yield from (("parents", name) for name in node.parents)
    yield from (("contexts", name) for name in node.contexts)
    yield from (("test_on", name) for name in node.test_on)
    yield from (("bases", name) for name in bases_of(node))


def _check_groups(catalogue: Catalogue, hints: _Hints) -> Iterator[BuildgraphError]:
    for group, members in catalogue.groups.items():
        where = f"manifests/project.yaml (groups.{group})"
        if group in catalogue.nodes or group in catalogue.aliases:
            yield ManifestError(f"the name {group} is taken by a node or an alias", where=where)
        for member in members:
            if not _match_plain(catalogue, member):
                yield ManifestError(f"{quote(member)} matches no node", where=where, hint=hints(member))


def _check_pins(catalogue: Catalogue, hints: _Hints) -> Iterator[BuildgraphError]:
    places: dict[tuple[str, str], Location] = {}
    bound: tuple[Pin | VersionPin, ...] = (*catalogue.pins, *catalogue.versions)
    for pin in bound:
        node = catalogue.nodes.get(catalogue.aliases.get(pin.image, pin.image))
        if isinstance(node, Layer):
            yield _error(pin.location, f"{pin.image} is a layer", "pin an image")
        elif node is None:
            yield _error(pin.location, f"{pin.image} is no image", hints(pin.image))
        elif isinstance(pin, VersionPin) and pin.parameter not in node.params:
            what = f"{pin.image} has no parameter {pin.parameter}"
            yield _error(pin.location, what, f"it has: {', '.join(node.params) or 'none'}")
        first = places.setdefault((pin.file, pin.path), pin.location)
        if isinstance(pin, VersionPin):  # an image's four strings are one; none of them is written for another reason
            first = places.get((pin.file, pin.path.rpartition(".")[0]), first)
        if first is not pin.location:
            yield _error(pin.location, f"{pin.path} of {pin.file} is pinned already at {first}")


def _check_tags(catalogue: Catalogue) -> Iterator[BuildgraphError]:
    """Two images of one name would take it from each other with each build."""
    owners: dict[str, Node] = {}
    for node in catalogue.nodes.values():
        references = references_of(node)
        if len(set(references)) != len(references):
            yield _error(node.location, f"{node.name} lists a tag twice")
        for reference in references:
            owner = owners.setdefault(reference, node)
            if owner is not node:
                yield _error(node.location, f"{node.name}: {reference} is the name of {owner.name}, too")


def _check_cycles(catalogue: Catalogue) -> Iterator[BuildgraphError]:
    """One shortest circle of each set of nodes that need each other; a node that names itself is told elsewhere."""
    edges = {name: _layers_below(catalogue, node) for name, node in catalogue.nodes.items()}
    for circle in () if _is_acyclic(edges) else _find_circles(edges):
        what = f"nodes need each other in a circle: {' -> '.join(circle)}"
        yield _error(catalogue.nodes[circle[0]].location, what, "take one of these steps out")


def _check_test_circles(catalogue: Catalogue) -> Iterator[BuildgraphError]:
    """An image that tests are run with must have passed its own: what waits for itself would never run."""
    if not any(node.test_with for node in catalogue.nodes.values()):
        return
    edges = {
        name: [other for other in _tests_before(node) if other != name and other in catalogue.nodes]
        for name, node in catalogue.nodes.items()
    }
    for circle in () if _is_acyclic(edges) else _find_circles(edges):
        what = f"tests wait for each other in a circle: {' -> '.join(circle)}"
        yield _error(catalogue.nodes[circle[0]].location, what, "take a name out of test_with")


def _is_acyclic(edges: Mapping[str, Sequence[str]]) -> bool:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError:
        return False
    return True


def _layers_below(catalogue: Catalogue, node: Node) -> list[str]:
    names = dict.fromkeys(name for key, name in _references(node) if key != "test_on" and name != node.name)
    return [name for name in names if isinstance(catalogue.nodes.get(name), Layer)]


def _find_circles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """For each strongly connected set the shortest way from its first node to itself."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph([(name, other) for name, others in edges.items() for other in others])
    places = {name: place for place, name in enumerate(edges)}
    parts = [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    for part in sorted(parts, key=lambda part: min(places[name] for name in part)):
        first = min(part, key=places.__getitem__)
        inside = graph.subgraph(part).copy()
        # From a node to itself the shortest way is none, so the way home ends at a double with an empty name.
        inside.add_edges_from([(name, "") for name in list(inside.predecessors(first))])
        yield [*nx.shortest_path(inside, first, "")[:-1], first]


def _error(location: Location, what: str, hint: str = "") -> ManifestError:
    return ManifestError(what, where=str(location), hint=hint)
