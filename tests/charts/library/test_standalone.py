"""A master that comes back, and workers that find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.charts.rendering import containers, environment, find, find_pod, settings

if TYPE_CHECKING:
    from tests.charts.library.conftest import Render


def test_workers_find_the_master_and_offer_what_they_have(render: Render) -> None:
    master = {"service": {"rpcPort": 17077}, "memory": "2g"}
    worker = {"replicas": 3, "cores": 4, "memory": "8g", "localDirSize": "20Gi"}
    objects = render("spark-4.1", {"standalone": {"enabled": True, "master": master, "worker": worker}})
    assert find(objects, "Deployment", "worker")["spec"]["replicas"] == 3
    pod = find_pod(objects, "worker")
    (container,) = containers(pod)
    assert (
        environment(container).items()
        >= {
            "SPARK_MASTER_URL": "spark://demo-spark-4-1-master.default.svc:17077",
            "SPARK_WORKER_CORES": "4",
            "SPARK_WORKER_MEMORY": "8g",
        }.items()
    )
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    local = mounts[settings(objects, "worker")["spark.local.dir"]]
    assert {"name": local, "emptyDir": {"sizeLimit": "20Gi"}} in pod["spec"]["volumes"]
    (container,) = containers(find_pod(objects, "master"))
    assert environment(container)["SPARK_DAEMON_MEMORY"] == "2g"


def test_a_master_remembers_on_a_volume_and_takes_no_programs_by_rest(render: Render) -> None:
    recovery = {"size": "3Gi", "storageClassName": "fast"}
    objects = render("spark-4.1", {"standalone": {"enabled": True, "master": {"recovery": recovery}}})
    conf = settings(objects, "master")
    assert conf["spark.master.rest.enabled"] == "false"
    assert conf["spark.deploy.recoveryMode"] == "FILESYSTEM"
    claim = find(objects, "PersistentVolumeClaim", "master")
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    pod = find_pod(objects, "master")
    (volume,) = (each for each in pod["spec"]["volumes"] if "persistentVolumeClaim" in each)
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    mounts = {each["name"]: each["mountPath"] for each in containers(pod)[0]["volumeMounts"]}
    # What one version of Spark has written, another cannot read.
    assert conf["spark.deploy.recoveryDirectory"] == f"{mounts[volume['name']]}/4.1.1"


def test_a_master_without_memory_needs_no_volume(render: Render) -> None:
    objects = render("spark-4.1", {"standalone": {"enabled": True, "master": {"recovery": {"enabled": False}}}})
    assert not [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    assert not [key for key in settings(objects, "master") if key.startswith("spark.deploy")]


def test_settings_of_applications_are_not_the_daemons(render: Render) -> None:
    user = {
        "spark.sql.ansi.enabled": True,
        "spark.driver.memory": "2g",
        "spark.kubernetes.namespace": "x",
        "spark.network.timeout": "200s",
    }
    objects = render("spark-4.1", {"standalone": {"enabled": True}, "sparkConf": user})
    for component in ("master", "worker"):
        assert settings(objects, component).keys() & user.keys() == {"spark.network.timeout"}
