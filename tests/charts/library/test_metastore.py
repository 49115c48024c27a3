"""The Hive metastore: its clients, its schema, and a password that only a file holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.charts.rendering import containers, environment, find, find_pod, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render
    from tests.charts.rendering import Document

DATABASE: Document = {"host": "db", "port": 5433, "name": "meta", "user": "me", "existingSecret": "db-password"}
OWN: Document = {
    "hiveMetastore": {"enabled": True, "warehouse": "s3a://tables/w", "database": DATABASE},
    "global": {"s3": {"endpoint": "http://s3:9000", "existingSecret": "keys"}},
    "sparkConf": {"spark.hadoop.fs.s3a.agent": "a & b"},
}


def test_spark_uses_the_metastore_of_the_release(render: Render) -> None:
    objects = render("spark-4.1", OWN)
    assert (
        settings(objects).items()
        >= {
            "spark.sql.catalogImplementation": "hive",
            "spark.hadoop.hive.metastore.uris": "thrift://demo-spark-4-1-metastore.default.svc:9083",
            "spark.sql.warehouse.dir": "s3a://tables/w",
        }.items()
    )


def test_spark_uses_the_metastore_of_others(render: Render) -> None:
    objects = render("spark-4.1", {"hiveMetastore": {"externalUri": "thrift://theirs:9083"}})
    assert settings(objects)["spark.hadoop.hive.metastore.uris"] == "thrift://theirs:9083"
    assert "Deployment" in {each["kind"] for each in objects}
    assert not [each for each in objects if each["metadata"]["name"].endswith("-metastore")]


def test_the_schema_is_made_before_the_server_starts(render: Render) -> None:
    schema, server = containers(find_pod(render("spark-4.1", OWN), "metastore"))
    assert [schema["args"], server["args"]] == [["schema"], ["metastore"]]
    assert environment(schema) == environment(server)
    assert (
        environment(server).items()
        >= {
            "METASTORE_DB_HOST": "db",
            "METASTORE_DB_PORT": "5433",
            "METASTORE_DB_NAME": "meta",
            "METASTORE_DB_USER": "me",
            "METASTORE_WAREHOUSE_DIR": "s3a://tables/w",
        }.items()
    )


def test_the_password_is_a_file_of_the_secret_and_nowhere_else(render: Render) -> None:
    objects = render("spark-4.1", OWN)
    pod = find_pod(objects, "metastore")
    for container in containers(pod):
        directory, _, file = environment(container)["METASTORE_DB_PASSWORD_FILE"].rpartition("/")
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        secret = {"secretName": "db-password", "items": [{"key": "password", "path": file}]}
        assert {"name": mounts[directory], "secret": secret} in pod["spec"]["volumes"]
        assert not [each for each in container["env"] if "PASSWORD" in each["name"] and "valueFrom" in each]
    maps = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    assert "password" not in json.dumps(maps).lower()


def test_the_metastore_reaches_s3_as_spark_does(render: Render) -> None:
    text = find(render("spark-4.1", OWN), "ConfigMap", "metastore")["data"]["s3.xml"]
    properties = {each.findtext("name"): each.findtext("value") for each in ET.fromstring(text)}
    assert properties["fs.s3a.endpoint"] == "http://s3:9000"
    assert properties["fs.s3a.agent"] == "a & b"
