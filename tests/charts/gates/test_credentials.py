"""The scan sees credentials by name, by word, by shape and by chance of letters, and leaves references alone."""

from __future__ import annotations

import pytest

from tests.charts.gates.credentials import entropy, find_in_objects, find_in_text, find_in_values
from tests.charts.gates.objects import parse
from tests.charts.gates.samples import DIGEST, good, spoiled

ENV = "spec/template/spec/containers/0/env"


def _random(length: int) -> str:
    """Letters that look as if chance had made them; no literal that a scanner of this repository would stumble on."""
    letters = "aZ3kQ9xT7mB1wR5vN2yC8pL4sD6fG0hJ"
    return (letters * 3)[:length]


def test_good_objects_pass() -> None:
    assert find_in_objects(good()) == []


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "abc"},
        {"name": "POSTGRES_PASSWORD", "value": "abc"},
        {"name": "JUPYTER_TOKEN", "value": "abc"},
        {"name": "FERNET_KEY", "value": "abc"},
    ],
    ids=lambda variable: str(variable["name"]),
)
def test_a_variable_with_a_credential_is_seen(variable: dict[str, str]) -> None:
    found = find_in_objects(spoiled("Deployment", ENV, [variable]))
    assert f"Deployment demo-connect: {variable['name']} has a value of its own" in found


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "s3", "key": "secret-key"}}},
        {"name": "POSTGRES_PASSWORD_FILE", "value": "/run/secrets/password"},
        {"name": "TOKEN", "value": "$(OTHER)"},
        {"name": "SPARK_CONF_DIR", "value": "/opt/spark/conf"},
    ],
    ids=lambda variable: str(variable["name"]),
)
def test_a_variable_that_refers_is_left_alone(variable: dict[str, object]) -> None:
    assert find_in_objects(spoiled("Deployment", ENV, [variable])) == []


def test_a_secret_with_data_is_seen() -> None:
    secret = "kind: Secret\nmetadata: {name: s}\nstringData: {x: y}"
    assert find_in_objects(parse(secret)) == ["Secret s holds its data in the release"]
    assert find_in_objects(parse("kind: Secret\nmetadata: {name: s}")) == []


@pytest.mark.parametrize(
    "values",
    [
        {"postgresql": {"password": "abc"}},
        {"s3": {"accessKey": "abc"}},
        {"s3": {"secretKey": "abc"}},
        {"jupyter": {"token": "abc"}},
        {"iceberg": {"restCatalogToken": "abc"}},
        {"airflow": {"fernetKey": "abc"}},
        {"minio": {"rootUser": "minioadmin"}},
        {"x": "password: abc"},
        {"x": "jdbc:postgresql://host/db?user=a&password=abc"},
        {"x": "postgresql://user:abc@host/db"},
        {"x": "AKIA" + "ABCDEFGHIJKLMNOP"},
        {"x": "-----BEGIN RSA " + "PRIVATE KEY-----"},
        {"x": "ghp_" + "a" * 20},
        {"x": ".".join(["eyJ" + "a" * 12, "eyJ" + "b" * 12, "c"])},
        {"x": _random(43) + "="},
        {"x": _random(40)},
        {"x": ["fine", {"deep": "spark123"}]},
    ],
    ids=str,
)
def test_a_credential_in_values_is_seen(values: dict[str, object]) -> None:
    assert find_in_values(values) != []


@pytest.mark.parametrize(
    "values",
    [
        {"s3": {"existingSecret": "s3-keys"}},
        {"imagePullSecrets": ["pull"]},
        {"tls": [{"secretName": "tls"}]},
        {"database": {"passwordKey": "password"}},
        {"keys": {"accessKey": "access-key", "secretKey": "secret-key"}},
        {"automountServiceAccountToken": "false"},
        {"token": ""},
        {"image": {"digest": DIGEST}},
        {"checksum/config": "0123456789abcdef" * 4},
        {"x": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"},
        {"x": "http://infra-spark-infra-s3:7070"},
        {"x": "password=$(POSTGRES_PASSWORD)"},
        {"x": "kubectl create secret generic s3 --from-file=access-key=FILE"},
    ],
    ids=str,
)
def test_a_reference_in_values_is_left_alone(values: dict[str, object]) -> None:
    assert find_in_values(values) == []


def test_the_text_of_a_credential_is_not_repeated() -> None:
    secret = _random(40)
    assert not any(secret in problem for problem in find_in_text(secret))


def test_chance_has_more_bits_than_words() -> None:
    assert entropy(_random(32)) == 5
    assert entropy("aaaa") == 0
