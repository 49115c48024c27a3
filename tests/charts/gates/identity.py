"""Names and labels: what Kubernetes takes, what is recommended, and no digest among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, describe, find_pods, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST = 63
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
KEY = re.compile(r"(?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
DIGEST = re.compile(r"sha\d{3}|[0-9a-f]{32,}")
RECOMMENDED = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/component",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
)
FROM_PODS = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component")
SUFFIXES = {"StatefulSet": 11, "CronJob": 11}
"""Letters that Kubernetes appends to the names of these in labels and names of its own: a revision's hash, a time."""


def find_bad_names(objects: Iterable[Document]) -> list[str]:
    """Names that are no DNS labels of at most 63 letters, with what Kubernetes appends to them."""
    problems = []
    for each in objects:
        name = each.get("metadata", {}).get("name", "")
        if not DNS_LABEL.fullmatch(name):
            problems.append(f"{describe(each)}: the name is no DNS label of at most {MOST} letters")
        elif len(name) + SUFFIXES.get(each.get("kind", ""), 0) > MOST:
            problems.append(f"{describe(each)}: the name leaves no room for what Kubernetes appends")
    return problems


def find_bad_labels(objects: Iterable[Document]) -> list[str]:
    """Labels that Kubernetes refuses, that hold a digest, or that are missing from an object or a pod."""
    problems = []
    for each in objects:
        problems += [f"{describe(each)}: {problem}" for problem in _bad(labels_of(each), RECOMMENDED)]
        for pod in find_pods([each]) if each.get("kind") != "Pod" else ():
            problems += [f"{pod.where}, pod: {problem}" for problem in _bad(pod.labels, FROM_PODS)]
    return problems


def _bad(labels: Mapping[str, object], wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"the label {name} is missing" for name in wanted if not labels.get(name))
    for key, value in labels.items():
        if not isinstance(value, str) or not VALUE.fullmatch(value):
            yield f"the label {key} has no valid value: {value!r}"
        elif DIGEST.search(value):
            yield f"the label {key} holds a digest: {value}"
        if not KEY.fullmatch(key):
            yield f"the label's name is not valid: {key}"
