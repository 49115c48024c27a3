"""What Helm makes of a chart, and the questions that tests ask about it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from buildgraph.adapters import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Document: TypeAlias = "dict[str, Any]"

CHART = Path(__file__).parents[2] / "charts/spark-4.1"
COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True, slots=True)
class Helm:
    """One Helm program and the chart that it renders."""

    program: Path
    chart: Path = CHART

    def template(self, values: Mapping[str, object], *options: str, release: str = "demo") -> str:
        """The rendered objects as text; ``BuildFailure`` with Helm's last line when it refuses."""
        return self._run(["template", release, str(self.chart), *options], values)

    def lint(self, values: Mapping[str, object]) -> str:
        """What lint says when it has nothing to complain about."""
        return self._run(["lint", "--strict", str(self.chart)], values)

    def refusal(self, values: Mapping[str, object], *options: str) -> str:
        """All that Helm says when it refuses the values."""
        with tempfile.TemporaryDirectory() as name:
            log = Path(name) / "log"
            argv = self._argv(["template", "demo", str(self.chart), *options], values, Path(name))
            code = process.run(argv, log=log, cancel=process.Never())
            assert code != 0, f"Helm takes {values}"
            return log.read_text(encoding="utf-8")

    def _run(self, command: Sequence[str], values: Mapping[str, object]) -> str:
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            return process.output(self._argv(command, values, scratch), scratch=scratch, cancel=process.Never())

    def _argv(self, command: Sequence[str], values: Mapping[str, object], scratch: Path) -> list[str]:
        file = scratch / "values.json"
        file.write_text(json.dumps(values), encoding="utf-8")
        return [str(self.program), *command, "--values", str(file)]


def parse(text: str) -> tuple[Document, ...]:
    """The objects of a rendered chart."""
    return tuple(document for document in yaml.safe_load_all(text) if document)


def find(objects: Sequence[Document], kind: str, component: str = "") -> Document:
    """The one object of a kind, or of a component's objects of that kind."""
    (found,) = (
        each
        for each in objects
        if each["kind"] == kind and (not component or each["metadata"]["labels"].get(COMPONENT) == component)
    )
    return found


def settings(objects: Sequence[Document], component: str = "connect") -> dict[str, str]:
    """The Spark settings in a component's ConfigMap."""
    return parse_defaults(find(objects, "ConfigMap", component)["data"]["spark-defaults.conf"])


def pods(objects: Sequence[Document]) -> Iterator[Document]:
    """Every pod that comes of the objects: pods, what makes pods, and templates inside ConfigMaps."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each
        elif "template" in each.get("spec", {}):
            yield each["spec"]["template"]
        elif each["kind"] == "ConfigMap":
            yield from (pod for name, text in each["data"].items() if name.endswith(".yaml") for pod in parse(text))


def find_pod(objects: Sequence[Document], component: str = "connect") -> Document:
    """The pod of a component."""
    (found,) = (pod for pod in pods(objects) if pod["metadata"]["labels"][COMPONENT] == component)
    return found


def containers(pod: Document) -> list[Document]:
    """All containers of a pod, init containers first."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def environment(container: Document) -> dict[str, str]:
    """The variables of a container whose values are in the open."""
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def parse_defaults(text: str) -> dict[str, str]:
    """``spark-defaults.conf``; each line ``key=value``, no key twice."""
    settings: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        assert separator, f"no key=value: {line!r}"
        assert key not in settings, f"{key} is set twice"
        settings[key] = value
    return settings
