"""How our charts compare with those of others: ``python -m tests.charts.scorecard`` prints the table.

Each row of ours is counted: in the chart's files, and in what it renders with its default values.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.charts.combinations import CHARTS, Combination, application_charts, load_chart, load_schema, load_values
from tests.charts.gates.hardening import find_unlimited
from tests.charts.gates.mistakes import walk
from tests.charts.gates.objects import Document, Pod, containers, find_pods, strings
from tests.charts.gates.pod_security import find_violations
from tests.charts.renders import Recipe, Renders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEERS = Path(__file__).with_name("scorecard_peers.yaml")
COLUMNS = (
    "chart",
    "values.schema",
    "unit tests",
    "helm test",
    "NOTES",
    "image digest",
    "globalRegistry",
    "NetPol / PDB by default",
    "pods that break PSS restricted",
    "readiness / requests / read-only root of containers",
    "generated docs",
    "kubeVersion / artifacthub",
)


def ours(chart: str, objects: Sequence[Document]) -> tuple[str, ...]:
    """The row of one of our charts, from its files and its objects with default values."""
    metadata, schema = load_chart(chart), load_schema(chart)
    kinds = [each["kind"] for each in objects]
    pods = find_pods(objects)
    broken = [pod for pod in pods if find_violations([pod])]
    return (
        f"**{chart} {metadata['version']}**",
        f"yes, {_closed(schema)} closed" if schema else "no",
        _unit_tests(CHARTS / chart),
        str(sum(_is_test(each) for each in objects)),
        _yes((CHARTS / chart / "templates/NOTES.txt").exists()),
        _yes(any(path.endswith(".digest") and text for path, text in strings(load_values(chart)))),
        _yes("imageRegistry" in load_values(chart).get("global", {})),
        f"{kinds.count('NetworkPolicy')} / {kinds.count('PodDisruptionBudget')}",
        f"{len(broken)} of {len(pods)}",
        _counts(pods),
        "from schema" if "<!-- " in (CHARTS / chart / "README.md").read_text(encoding="utf-8") else "no",
        f"{metadata.get('kubeVersion', 'no')} / {_yes('artifacthub.io/images' in metadata.get('annotations', {}))}",
    )


def render_table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with our columns."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def peers() -> list[tuple[str, ...]]:
    """The rows that were measured on charts of others."""
    loaded = yaml.safe_load(PEERS.read_text(encoding="utf-8"))
    return [tuple(str(cell) for cell in row) for row in loaded]


def _counts(pods: Sequence[Pod]) -> str:
    every = [(pod, container) for pod in pods for container in containers(pod)]
    ready = _count(every, lambda _, container: "readinessProbe" in container)
    limited = _count(every, lambda pod, container: not find_unlimited([_alone(pod, container)]))
    sealed = _count(every, lambda _, container: (container.get("securityContext") or {}).get("readOnlyRootFilesystem"))
    return f"{ready} / {limited} / {sealed} of {len(every)}"


def _count(every: Sequence[tuple[Pod, Document]], holds: Callable[[Pod, Document], object]) -> int:
    return sum(bool(holds(pod, container)) for pod, container in every)


def _alone(pod: Pod, container: Document) -> Pod:
    return Pod(where="", kind=pod.kind, namespace="", metadata={}, spec={"containers": [container]})


def _closed(schema: Document) -> int:
    return sum(node.get("additionalProperties") is False for _, node in walk(schema))


def _unit_tests(chart: Path) -> str:
    suites = len(list((chart / "tests").rglob("*_test.yaml")))
    return f"pytest, {suites} suites" if suites else "pytest"


def _is_test(each: Document) -> bool:
    return "test" in str((each.get("metadata", {}).get("annotations") or {}).get("helm.sh/hook", "")).split(",")


def _yes(holds: object) -> str:
    return "yes" if holds else "no"


def main() -> int:
    """Render our charts, and print them beside the others."""
    with tempfile.TemporaryDirectory() as name:
        renders = Renders(Path(name))
        defaults = [Combination(chart=chart, name="defaults") for chart in application_charts()]
        rows = [ours(each.chart, renders.objects(Recipe(combination=each))) for each in defaults]
    sys.stdout.write(render_table([*rows, *peers()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
