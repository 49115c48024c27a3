"""Rendered objects, and the pods that come of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# What an object holds is known only by its schema.
Document: TypeAlias = Mapping[str, Any]

COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
SERVERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})


class _Loader(yaml.CSafeLoader):
    """Refuses a key that is there twice, of which PyYAML keeps the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in {key for key in keys if keys.count(key) > 1 and key != "<<"}:
            raise yaml.constructor.ConstructorError(None, None, f"{key} is there twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod as it will be made: by an object, or by Spark from a template that a ConfigMap holds."""

    where: str
    kind: str
    namespace: str
    metadata: Document
    spec: Document
    claims: frozenset[str] = frozenset()

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        found: Mapping[str, str] = self.metadata.get("labels") or {}
        return found

    @property
    def is_server(self) -> bool:
        """True when it runs until it is told to stop."""
        return self.kind in SERVERS

    @property
    def is_template(self) -> bool:
        """True when Spark makes it, and adds image, name, resources and ports."""
        return self.kind == "ConfigMap"


def parse(text: str) -> tuple[Document, ...]:
    """The objects of a YAML stream, lists taken apart; ``yaml.YAMLError`` when a key is there twice."""
    documents = yaml.load_all(text, Loader=_Loader)
    return tuple(_take_apart(document for document in documents if document))


def describe(each: Document) -> str:
    """Kind and name, as a person says it."""
    return f"{each.get('kind', '?')} {each.get('metadata', {}).get('name', '?')}"


def labels_of(each: Document) -> Mapping[str, str]:
    """An object's labels."""
    found: Mapping[str, str] = each.get("metadata", {}).get("labels") or {}
    return found


def find_pods(objects: Iterable[Document]) -> tuple[Pod, ...]:
    """Every pod that comes of the objects, those of jobs, hooks and tests among them."""
    return tuple(pod for each in objects for pod in _pods(each))


def containers(pod: Pod) -> tuple[Document, ...]:
    """All containers of a pod: init, ephemeral and ordinary ones."""
    groups = ("initContainers", "containers", "ephemeralContainers")
    return tuple(container for group in groups for container in pod.spec.get(group) or ())


def strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted path and text of every string below a value."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from strings(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from strings(below, f"{path}[{index}]")


def _take_apart(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        if document.get("kind") == "List":
            yield from _take_apart(document.get("items") or ())
        else:
            yield document


def _pods(each: Document) -> Iterator[Pod]:
    kind, spec = each.get("kind", ""), each.get("spec") or {}
    if kind == "Pod":
        yield _pod(each, each, describe(each))
    elif kind == "CronJob":
        yield _pod(each, spec["jobTemplate"]["spec"]["template"], describe(each))
    elif kind == "ConfigMap":
        for name, text in (each.get("data") or {}).items():
            for template in _templates(name, text):
                yield _pod(each, template, f"{describe(each)}, {name}")
    elif kind == "PodTemplate":
        yield _pod(each, each["template"], describe(each))
    elif "template" in spec and (kind in SERVERS or kind == "Job"):
        yield _pod(each, spec["template"], describe(each))


def _templates(name: str, text: str) -> Sequence[Document]:
    if not name.endswith((".yaml", ".yml")):
        return ()
    return [document for document in parse(text) if document.get("kind") == "Pod"]


def _pod(owner: Document, template: Document, where: str) -> Pod:
    claims = (owner.get("spec") or {}).get("volumeClaimTemplates")
    return Pod(
        where=where,
        kind=owner["kind"],
        namespace=owner.get("metadata", {}).get("namespace", ""),
        metadata=template.get("metadata") or {},
        spec=template.get("spec") or {},
        claims=frozenset(claim["metadata"]["name"] for claim in claims or ()),
    )
