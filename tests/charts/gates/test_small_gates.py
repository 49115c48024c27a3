"""The checks of determinism, references, sizes and schemas see what they are for."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.charts.gates.determinism import find_complaints, find_differences, find_disagreements
from tests.charts.gates.objects import find_pods, parse, strings
from tests.charts.gates.references import find_missing
from tests.charts.gates.release_size import MOST_BYTES, find_too_big, measure_release
from tests.charts.gates.samples import good, spoiled
from tests.charts.gates.schemas import file_name, find_invalid, load_schemas, versions
from tests.charts.schemas import strict_schemas

if TYPE_CHECKING:
    from pathlib import Path

SPEC = "spec/template/spec"
ACCOUNT = "{{kind: ServiceAccount, name: {}}}"


def test_two_renders_that_differ_are_seen() -> None:
    assert find_differences("a\nb\n", "a\nb\n") == []
    assert find_differences("a\nb\n", "a\nc\n")[-2:] == ["-b", "+c"]


def test_two_helms_that_differ_are_seen() -> None:
    assert find_disagreements(good(), reversed(good())) == []
    assert find_disagreements(good(), good()[1:]) == ["apps/v1 Deployment demo-connect is rendered by one only"]
    assert find_disagreements(good(), spoiled("Service", "spec/type", "NodePort")) != []


def test_lint_s_complaints_are_seen() -> None:
    output = (
        "==> Linting x\n[INFO] Chart.yaml: icon is recommended\n[WARNING] templates/: bad\n\nError: 1 chart(s) failed\n"
    )
    assert find_complaints(output) == ["[WARNING] templates/: bad", "Error: 1 chart(s) failed"]
    assert find_complaints("1 chart(s) linted, 0 chart(s) failed") == []


def test_a_key_that_is_there_twice_is_seen() -> None:
    with pytest.raises(yaml.YAMLError, match="a is there twice"):
        parse("a: 1\nb: {}\na: 2\n")
    assert parse("a: {b: 1}\nb: 2\n---\n---\n") == ({"a": {"b": 1}, "b": 2},)


def test_strings_are_found_with_their_paths() -> None:
    assert list(strings({"a": [{"b": "x"}, 1], "c": "y"})) == [("a[0].b", "x"), ("c", "y")]


@pytest.mark.parametrize(
    ("kind", "path", "value", "problem"),
    [
        ("Deployment", f"{SPEC}/serviceAccountName", "gone", "there is no ServiceAccount gone"),
        ("Deployment", f"{SPEC}/volumes/1/configMap/name", "gone", "there is no ConfigMap gone"),
        ("Deployment", f"{SPEC}/volumes/1/configMap/items/0/key", "gone", "ConfigMap demo-connect has no key gone"),
        (
            "Deployment",
            f"{SPEC}/volumes/0",
            {"name": "tmp", "persistentVolumeClaim": {"claimName": "gone"}},
            "there is no PersistentVolumeClaim gone",
        ),
        (
            "Deployment",
            f"{SPEC}/containers/0/env",
            [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "demo-connect", "key": "gone"}}}],
            "ConfigMap demo-connect has no key gone",
        ),
        (
            "Deployment",
            f"{SPEC}/containers/0/envFrom",
            [{"configMapRef": {"name": "gone"}}],
            "there is no ConfigMap gone",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_seen(kind: str, path: str, value: object, problem: str) -> None:
    assert find_missing(good()) == []
    assert find_missing(spoiled(kind, path, value)) == [f"Deployment demo-connect: {problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: StatefulSet\nspec: {serviceName: gone}", "StatefulSet ?: there is no Service gone"),
        ("kind: RoleBinding\nroleRef: {kind: Role, name: gone}", "RoleBinding ?: there is no Role gone"),
        (
            f"kind: RoleBinding\nroleRef: {ACCOUNT.format('demo')}\nsubjects: [{ACCOUNT.format('gone')}]",
            "RoleBinding ?: there is no ServiceAccount gone",
        ),
    ],
)
def test_a_binding_that_leads_nowhere_is_seen(text: str, problem: str) -> None:
    assert find_missing((*good(), *parse(text))) == [problem]


def test_what_the_user_brings_may_be_named() -> None:
    objects = spoiled("Deployment", f"{SPEC}/volumes/1/configMap/name", "mine")
    assert find_missing(objects, frozenset({"mine"})) == []


def test_a_release_that_is_too_big_is_seen() -> None:
    noise = {"files/noise": bytes(range(256)) * 8}
    small = measure_release("kind: Pod", {"name": "x"}, noise, {})
    assert 0 < small < measure_release("kind: Pod", {"name": "x"}, {**noise, "b": b"other" * 99}, {}) < MOST_BYTES
    assert find_too_big(MOST_BYTES - 1) == []
    assert find_too_big(MOST_BYTES) == [f"the release has {MOST_BYTES} bytes, more than {MOST_BYTES}"]


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "Pod", "pod-v1.json"),
        ("apps/v1", "Deployment", "deployment-apps-v1.json"),
        ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicy-networking-v1.json"),
        ("rbac.authorization.k8s.io/v1", "Role", "role-rbac-v1.json"),
        ("monitoring.coreos.com/v1", "PodMonitor", "podmonitor-monitoring-v1.json"),
    ],
)
def test_a_schema_is_found_by_kind_group_and_version(api_version: str, kind: str, name: str) -> None:
    assert file_name(api_version, kind) == name


def test_an_object_that_its_schema_refuses_is_seen(tmp_path: Path) -> None:
    archive = _archive(tmp_path)
    assert versions(archive) == ["1.9.0", "1.10.0"]
    find = load_schemas(archive, "1.10.0", tmp_path)
    fine = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}}
    assert find_invalid([fine], find) == []
    assert find_invalid([{**fine, "spec": {"container": 1}}], find) == [
        "Pod x: spec: Additional properties are not allowed ('container' was unexpected)"
    ]
    assert find_invalid([{"apiVersion": "v2", "kind": "Pod"}], find) == ["Pod ?: there is no schema of Pod in v2"]
    (tmp_path / "thing-x-v1.json").write_text(json.dumps({"required": ["spec"]}), encoding="utf-8")
    (problem,) = find_invalid([{"apiVersion": "x.y/v1", "kind": "Thing"}], find)
    assert '"spec" is a required property' in problem


def test_a_pod_inside_a_config_map_is_checked_too(tmp_path: Path) -> None:
    config_map = parse(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {e.yaml: "kind: Pod\\nspec: {y: 1}"}'
    )
    assert len(find_pods(config_map)) == 1
    problems = find_invalid(config_map, load_schemas(_archive(tmp_path), "1.10.0", tmp_path))
    assert problems[-1].startswith("ConfigMap x, e.yaml: spec: Additional properties are not allowed")


def _archive(folder: Path) -> Path:
    closed = {"type": "object", "additionalProperties": False, "properties": {"containers": {"type": "array"}}}
    pod = {"properties": {"spec": {"$ref": "/api/_definitions.json#/definitions/spec"}}}
    archive = folder / "schemas.whl"
    with zipfile.ZipFile(archive, "w") as members:
        for version in ("1.10.0", "1.9.0"):
            root = f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict"
            members.writestr(f"{root}/_definitions.json", json.dumps({"definitions": {"spec": closed}}))
            members.writestr(f"{root}/pod-v1.json", json.dumps(pod))
    return archive


META = {"metadata": {"name": "x", "labels": {"a": "b"}}}
OTHERS = [
    (
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        {"selector": {"matchLabels": {"a": "b"}}, "endpoints": [{"port": "x"}]},
    ),
    ("monitoring.coreos.com/v1", "PodMonitor", {"selector": {}, "podMetricsEndpoints": [{"port": "x", "path": "/m"}]}),
    (
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "for": "5m", "labels": {"s": "w"}}]}]},
    ),
    (
        "route.openshift.io/v1",
        "Route",
        {"to": {"kind": "Service", "name": "x"}, "port": {"targetPort": "ui"}, "tls": {"termination": "edge"}},
    ),
    (
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        {
            "parentRefs": [{"name": "g"}],
            "hostnames": ["a.example"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": "x", "port": 80}],
                }
            ],
        },
    ),
    ("gateway.networking.k8s.io/v1", "GRPCRoute", {"rules": [{"backendRefs": [{"name": "x", "port": 80}]}]}),
]


@pytest.mark.parametrize(("api_version", "kind", "spec"), OTHERS, ids=[kind for _, kind, _ in OTHERS])
def test_kinds_of_others_have_strict_schemas(
    tmp_path: Path, api_version: str, kind: str, spec: dict[str, object]
) -> None:
    find = load_schemas(_archive(tmp_path), "1.10.0")
    good_one = {"apiVersion": api_version, "kind": kind, **META, "spec": spec}
    assert find_invalid([good_one], find) == []
    for bad in ({**good_one, "spec": {**spec, "typo": 1}}, {**good_one, "typo": 1}, {**good_one, "spec": "x"}):
        assert find_invalid([bad], find) != []
    first, value = next(iter(spec.items()))
    assert find_invalid([{**good_one, "spec": {**spec, first: 1}}], find) != []
    assert value != 1


def test_a_definition_becomes_a_strict_schema() -> None:
    structural = {
        "type": "object",
        "description": "x",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {}},
                },
                "oneOf": [{"required": ["port"], "properties": {"port": {}}}],
            }
        },
    }
    version = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": structural}}
    old = {"name": "v0", "served": False, "schema": {"openAPIV3Schema": structural}}
    definition = {"spec": {"group": "x.y", "names": {"kind": "Thing"}, "versions": [old, version]}}
    ((api_version, kind, schema),) = strict_schemas(definition, "here")
    assert (api_version, kind, schema["$comment"]) == ("x.y/v1", "Thing", "here")
    spec = schema["properties"]["spec"]
    assert spec["additionalProperties"] is False
    assert spec["properties"]["port"] == {"type": ["integer", "string"]}
    assert "additionalProperties" not in spec["properties"]["free"]
    assert spec["oneOf"][0]["additionalProperties"] is True
