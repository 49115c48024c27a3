"""What Helm makes of the chart, and the questions that tests ask about it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from buildgraph.adapters import process
from buildgraph.pin import read_pin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Document: TypeAlias = "dict[str, Any]"

CHART = Path(__file__).parents[2] / "charts/spark-4.1"

CAPABILITY_ALLOWED = "NET_BIND_SERVICE"
SAFE_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


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


def render(helm: Helm, values: Document, *options: str) -> tuple[Document, ...]:
    """The objects that the chart's values render to."""
    return parse(helm.template(values, *options))


def settings(objects: Sequence[Document]) -> dict[str, str]:
    """The Spark settings in the rendered ConfigMap."""
    return parse_defaults(find(objects, "ConfigMap")["data"]["spark-defaults.conf"])


def reference(path: str) -> str:
    """The reference that the values file pins at a path."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    pin = read_pin(text, path, file="values.yaml")
    return f"{pin.registry}/{pin.repository}:{pin.tag}" + (f"@{pin.digest}" if pin.digest else "")


def find(objects: Sequence[Document], kind: str) -> Document:
    """The one object of a kind."""
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


def pods(objects: Sequence[Document]) -> Iterator[Document]:
    """Every pod that comes of the objects: pods, what makes pods, and templates inside ConfigMaps."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each
        elif "template" in each.get("spec", {}):
            yield each["spec"]["template"]
        elif each["kind"] == "ConfigMap":
            yield from (pod for name, text in each["data"].items() if name.endswith(".yaml") for pod in parse(text))


def containers(pod: Document) -> list[Document]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def is_selected(selector: Mapping[str, str], pod: Document) -> bool:
    """True when the pod has every label of the selector."""
    labels: Mapping[str, str] = pod["metadata"]["labels"]
    return selector.items() <= labels.items()


def parse_defaults(text: str) -> dict[str, str]:
    """``spark-defaults.conf`` as Spark reads it; each line ``key=value``, no key twice."""
    settings: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        assert separator, f"no key=value: {line!r}"
        assert key not in settings, f"{key} is set twice"
        settings[key] = value
    return settings
