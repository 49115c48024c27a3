"""Who may do what: the Connect server with executors of its own, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.charts.library.conftest import Refuse, Render
    from tests.charts.rendering import Document

CLAIM = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.claimName"
# Recorded from Spark 3.5.8 and 4.1.1 before a server that answers as Kubernetes does.
PODS = {"create", "get", "list", "watch", "delete", "deletecollection", "patch"}
CONFIG_MAPS = {"create", "deletecollection"}
CLAIMS = {"create", "list", "deletecollection"}


def rights(objects: tuple[Document, ...]) -> dict[str, set[str]]:
    return {
        resource: set(rule["verbs"])
        for each in objects
        if each["kind"] == "Role"
        for rule in each["rules"]
        for resource in rule["resources"]
    }


def test_the_server_may_do_what_spark_asks_of_kubernetes_and_no_more(render: Render) -> None:
    assert rights(render("spark-4.1", {})) == {"pods": PODS, "configmaps": CONFIG_MAPS}


@pytest.mark.parametrize(("claim", "claims"), [("OnDemand", CLAIMS), ("mine", None)])
def test_claims_are_its_business_when_it_makes_them(render: Render, claim: str, claims: set[str] | None) -> None:
    objects = render("spark-4.1", {"sparkConf": {CLAIM: claim}})
    assert rights(objects).get("persistentvolumeclaims") == claims
    (config,) = (each for each in objects if "spark-defaults.conf" in each.get("data", {}))
    settings = config["data"]["spark-defaults.conf"].splitlines()
    assert ("spark.kubernetes.driver.reusePersistentVolumeClaim=false" in settings) is (claims is None)
    assert "spark.kubernetes.driver.service.deleteOnTermination=false" in settings


@pytest.mark.parametrize(
    "values",
    [
        {"connect": {"backendMode": "local"}},
        {"connect": {"backendMode": "standalone"}, "standalone": {"enabled": True}},
        {"connect": {"enabled": False}, "historyServer": {"enabled": True}},
        {"rbac": {"create": False}},
    ],
)
def test_without_executors_of_its_own_there_is_no_role(render: Render, values: Document) -> None:
    kinds = [each["kind"] for each in render("spark-4.1", values)]
    assert "ServiceAccount" in kinds
    assert not {"Role", "RoleBinding"} & set(kinds)


def test_no_account_gives_its_token_away(render: Render) -> None:
    (account,) = (each for each in render("spark-4.1", {}) if each["kind"] == "ServiceAccount")
    assert account["automountServiceAccountToken"] is False


def test_a_server_without_an_identity_is_refused(refuse: Refuse) -> None:
    assert "set serviceAccount.create, or serviceAccount.name" in refuse(
        "spark-4.1", {"serviceAccount": {"create": False}}
    )
