"""spark-infra: servers or those of others, jobs that follow, and what its notes tell the Spark charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.rendering import containers

if TYPE_CHECKING:
    from tests.charts.library.conftest import Refuse, Render
    from tests.charts.rendering import Document

CHART = "spark-infra"
OTHERS: Document = {
    "global": {"s3": {"endpoint": "https://s3.example/", "region": "eu-1", "existingSecret": "theirs"}},
    "s3": {"enabled": False},
    "postgresql": {"enabled": False, "host": "db.example", "existingSecret": "theirs"},
}


def jobs(objects: tuple[Document, ...]) -> dict[str, Document]:
    found = [each for each in objects if each["kind"] == "Job"]
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in found}


def environment(job: Document) -> dict[str, str]:
    (container,) = containers(job["spec"]["template"])
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def test_servers_of_others_leave_the_jobs(render: Render) -> None:
    objects = render(CHART, OTHERS)
    assert {each["kind"] for each in objects} == {"Job"}
    found = jobs(objects)
    assert environment(found["buckets"]) == {"S3_ENDPOINT": "https://s3.example", "S3_REGION": "eu-1"}
    assert environment(found["databases"])["PGHOST"] == "db.example"


def test_a_job_has_the_name_of_what_it_does(render: Render) -> None:
    buckets = [{"name": "one", "prefixes": ["a/b"]}]
    first, same, other = (
        jobs(render(CHART, values))
        for values in ({}, {"s3": {"persistence": {"size": "1Gi"}}}, {"buckets": {"items": buckets}})
    )
    names = [{kind: job["metadata"]["name"] for kind, job in found.items()} for found in (first, same, other)]
    assert names[0] == names[1]
    assert names[0]["buckets"] != names[2]["buckets"]
    assert names[0]["databases"] == names[2]["databases"]
    (container,) = containers(other["buckets"]["spec"]["template"])
    assert container["args"][1:] == ["buckets", "one", "one/a/b"]


@pytest.mark.parametrize("key", ["buckets", "databases"])
def test_without_anything_to_make_there_is_no_job(render: Render, key: str) -> None:
    assert key not in jobs(render(CHART, {key: {"items": []}}))
    assert key not in jobs(render(CHART, {key: {"enabled": False}}))


def test_a_user_of_two_databases_has_one_password(render: Render) -> None:
    pod = jobs(render(CHART, {}))["databases"]["spec"]["template"]["spec"]
    (passwords,) = (each["projected"]["sources"] for each in pod["volumes"] if "projected" in each)
    assert [each["secret"]["items"] for each in passwords] == [[{"key": "password", "path": "hive"}]]


def test_data_outlive_the_release(render: Render) -> None:
    claims = [each for each in render(CHART, {}) if each["kind"] == "PersistentVolumeClaim"]
    assert len(claims) == 2
    assert all(each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for each in claims)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"s3": {"enabled": False}}, "buckets.enabled needs a store: set s3.enabled, or global.s3.endpoint"),
        ({"postgresql": {"enabled": False}}, "databases.enabled needs a server: set postgresql.enabled"),
        ({"global": {"s3": {"existingSecret": ""}}}, "global.s3.existingSecret is empty"),
        ({"postgresql": {"existingSecret": ""}}, "postgresql.existingSecret is empty"),
        (
            {
                "databases": {
                    "items": [
                        {"name": "a", "user": "hive", "existingSecret": "one"},
                        {"name": "b", "user": "hive", "existingSecret": "two"},
                    ]
                }
            },
            "the user hive has the Secrets one and two",
        ),
    ],
)
def test_what_cannot_work_is_refused(refuse: Refuse, values: Document, said: str) -> None:
    assert said in refuse(CHART, values)
