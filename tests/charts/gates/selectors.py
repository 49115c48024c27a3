"""Who selects whom: no selector reaches a pod of another component or release, and none moves in a release's life."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.charts.gates.objects import COMPONENT, INSTANCE, SERVERS, Document, describe, find_pods, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STABLE = frozenset({"app.kubernetes.io/name", INSTANCE, COMPONENT})
"""Labels that selectors may use: a version, a chart or a digest among them would forbid every upgrade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What an object selects by: pods, or services where ``of_services``."""

    where: str
    component: str
    labels: Mapping[str, str]
    expressions: tuple[Document, ...] = ()
    of_services: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """True when something with these labels is selected."""
        return self.labels.items() <= labels.items() and all(_holds(each, labels) for each in self.expressions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A pod or a service that may be selected."""

    where: str
    labels: Mapping[str, str]
    is_service: bool = False


def find_selectors(objects: Iterable[Document]) -> tuple[Selector, ...]:
    """Every selector of the objects that decides who is served, guarded, scraped or owned."""
    return tuple(selector for each in objects for selector in _selectors(each))


def find_targets(objects: Sequence[Document]) -> tuple[Target, ...]:
    """What selectors of the objects may match."""
    pods = [Target(where=pod.where, labels=pod.labels) for pod in find_pods(objects)]
    services = [each for each in objects if each.get("kind") == "Service"]
    return (
        *pods,
        *(Target(where=describe(each), labels=labels_of(each), is_service=True) for each in services),
    )


def find_strangers(releases: Mapping[str, Sequence[Document]]) -> list[str]:
    """Selectors that match what is not their own when all the releases share a namespace."""
    targets = [(name, target) for name, objects in releases.items() for target in find_targets(objects)]
    problems = []
    for release, objects in releases.items():
        for selector in find_selectors(objects):
            for other, target in targets:
                if target.is_service != selector.of_services or not selector.matches(target.labels):
                    continue
                if other != release:
                    problems.append(f"{release}: {selector.where} selects {target.where} of release {other}")
                elif target.labels.get(COMPONENT) != selector.component:
                    problems.append(f"{release}: {selector.where} selects {target.where} of another component")
    return problems


def find_idle(objects: Sequence[Document]) -> list[str]:
    """Selectors that match nothing at all."""
    targets = find_targets(objects)
    return [
        f"{selector.where} selects nothing"
        for selector in find_selectors(objects)
        if not any(each.is_service == selector.of_services and selector.matches(each.labels) for each in targets)
    ]


def find_unstable(objects: Iterable[Document]) -> list[str]:
    """Selectors by something that an upgrade changes, or by too little."""
    problems = []
    for selector in find_selectors(objects):
        keys = set(selector.labels) | {each["key"] for each in selector.expressions}
        problems += [f"{selector.where} selects by {key}" for key in sorted(keys - STABLE)]
        problems += [f"{selector.where} does not select by {key}" for key in sorted(STABLE - keys)]
    return problems


def find_moved(first: Iterable[Document], second: Iterable[Document]) -> list[str]:
    """Selectors of the same object that two sets of values make different: an upgrade between them would fail."""
    before = {selector.where: selector for selector in find_selectors(first)}
    return [
        f"{selector.where}: {dict(before[selector.where].labels)} became {dict(selector.labels)}"
        for selector in find_selectors(second)
        if selector.where in before and before[selector.where] != selector
    ]


def find_twins(releases: Mapping[str, Sequence[Document]]) -> list[str]:
    """Objects that two releases, or one twice, want to have under the same name."""
    names = Counter(
        f"{each.get('apiVersion', '').rpartition('/')[0]} {describe(each)}".strip()
        for objects in releases.values()
        for each in objects
    )
    return [f"{name} is there {count} times" for name, count in names.items() if count > 1]


def _selectors(each: Document) -> Iterator[Selector]:
    kind, spec, component = each.get("kind", ""), each.get("spec") or {}, labels_of(each).get(COMPONENT, "")
    if kind == "Service" and spec.get("selector"):
        yield Selector(where=describe(each), component=component, labels=spec["selector"])
    elif kind == "NetworkPolicy":
        yield _selector(each, spec.get("podSelector") or {})
    elif kind in {"PodDisruptionBudget", "PodMonitor", "ServiceMonitor"} or kind in SERVERS:
        yield _selector(each, spec.get("selector") or {}, of_services=kind == "ServiceMonitor")


def _selector(each: Document, selector: Document, *, of_services: bool = False) -> Selector:
    return Selector(
        where=describe(each),
        component=labels_of(each).get(COMPONENT, ""),
        labels=selector.get("matchLabels") or {},
        expressions=tuple(selector.get("matchExpressions") or ()),
        of_services=of_services,
    )


def _holds(expression: Document, labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
