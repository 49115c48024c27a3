"""The entry point's modes and what it does before them. Servers that must answer are tested with the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Host, Run

DEFAULTS = "/opt/spark/conf/spark-defaults.conf"
ENTRYPOINT = "/opt/spark/entrypoint.sh"
# Where Spark writes; unless it is told, that is its working directory or its home.
PLACES = (
    "spark.sql.warehouse.dir",
    "spark.driver.extraJavaOptions",
    "spark.jars.ivy",
    "spark.eventLog.dir",
    "spark.history.fs.logDirectory",
)
USAGE = 64
ANYONE = "1234567:0"
EXECUTOR = {
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@127.0.0.1:9",
    "SPARK_EXECUTOR_ID": "1",
    "SPARK_EXECUTOR_CORES": "1",
    "SPARK_EXECUTOR_MEMORY": "256m",
    "SPARK_APPLICATION_ID": "app",
    "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "pod",
    "SPARK_JAVA_OPT_0": "-Dspark.executor.note=two words",
    "SPARK_JAVA_OPT_1": "-Dspark.network.timeout=10s",
    "SPARK_JAVA_OPT_2": "-XshowSettings:properties",
}
BACKEND = (
    "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
    " --driver-url spark://CoarseGrainedScheduler@127.0.0.1:9 --executor-id 1 --cores 1 --app-id app"
    " --hostname 127.0.0.1 --resourceProfileId 0 --podName pod"
)
DRIVER = """
import os
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.range(10).write.mode("overwrite").option("compression", "none").saveAsTable("numbers")
print("driver", spark.table("numbers").selectExpr("sum(id)").first()[0], spark.conf.get("spark.driver.bindAddress"),
      spark.conf.get("spark.note"), spark.conf.get("spark.flavour"), spark.conf.get("spark.other"),
      spark.sparkContext.sparkUser(), os.getuid())
"""
PROPERTIES = """
spark.master=local[1]
spark.ui.enabled=false
spark.note=from the file
"""


@pytest.fixture(scope="module")
def anyone(run: Run) -> Completed:
    """The environment that a uid without a name gets, with a read-only root."""
    script = (
        'id; printf \'home %s \' "$HOME"; test -w "$HOME" && echo writable; java -XshowSettings:properties -version'
    )
    return run("bash", "-c", script, entrypoint=(ENTRYPOINT,), user=ANYONE, read_only=True, tmpfs=["/tmp"])


def test_it_is_executable_and_only_root_may_change_it(host: Host) -> None:
    script = host.file(ENTRYPOINT)
    assert (script.mode, script.uid, script.gid) == (0o755, 0, 0)


def test_what_is_no_mode_is_run_as_it_is(run: Run) -> None:
    assert run("echo", "two words", "-x", entrypoint=(ENTRYPOINT,), user="185:0").output == "two words -x"


def test_a_programs_exit_code_is_the_containers(run: Run) -> None:
    assert run("bash", "-c", "exit 7", entrypoint=(ENTRYPOINT,), user="185:0").code == 7


def test_a_program_that_is_not_there_is_an_error(run: Run) -> None:
    assert run("no-such-program", entrypoint=(ENTRYPOINT,), user="185:0").code == 127


def test_a_uid_without_a_name_gets_one(anyone: Completed) -> None:
    assert "uid=1234567(spark) gid=0(root)" in anyone.output
    assert "user.name = spark" in anyone.stderr


def test_a_uid_without_a_name_gets_a_home(anyone: Completed) -> None:
    assert "writable" in anyone.output
    home = anyone.output.split("home ", 1)[1].split()[0]
    assert f"user.home = {home}" in anyone.stderr


def test_a_noexec_tmp_is_pointed_out(anyone: Completed) -> None:
    assert "entrypoint: /tmp is mounted noexec" in anyone.stderr


def test_the_user_spark_is_left_alone(run: Run) -> None:
    done = run("bash", "-c", "id -un; echo $HOME${LD_PRELOAD-}", entrypoint=(ENTRYPOINT,), user="185:0")
    assert done.output.split() == ["spark", "/home/spark"]
    assert done.stderr == ""


def test_service_links_do_not_pass_for_ports(run: Run) -> None:
    env = {"SPARK_MASTER_PORT": "tcp://10.0.0.1:7077", "SPARK_WORKER_PORT": "7078"}
    done = run("bash", "-c", "env | grep PORT", entrypoint=(ENTRYPOINT,), user="185:0", env=env)
    assert done.output == "SPARK_WORKER_PORT=7078"


def test_a_worker_without_a_master_is_refused(run: Run) -> None:
    done = run("worker", entrypoint=(ENTRYPOINT,), user="185:0")
    assert done.code == USAGE
    assert "SPARK_MASTER_URL" in done.stderr


def test_an_executor_without_its_driver_is_refused(run: Run) -> None:
    done = run("executor", entrypoint=(ENTRYPOINT,), user="185:0")
    assert done.code == USAGE
    assert "SPARK_EXECUTOR_MEMORY is not set" in done.stderr


@pytest.mark.inherited
def test_an_executor_starts_with_the_words_of_the_kubernetes_backend(run: Run) -> None:
    """The variables are those that Spark's backend sets in a pod, the words those that its executors read."""
    done = run("executor", entrypoint=(ENTRYPOINT,), user=ANYONE, env=EXECUTOR)
    assert done.code != 0
    (command,) = (line for line in done.stderr.splitlines() if "sun.java.command = " in line)
    assert command.partition(" = ")[2] == BACKEND
    assert "spark.executor.note = two words" in done.stderr
    assert "java.class.path=/opt/spark/conf/opt/spark/jars/" in "".join(done.stderr.split())
    assert "Failed to connect to /127.0.0.1:9" in done.stdout + done.stderr


def test_a_driver_runs_its_job_as_anyone_with_the_configuration_of_its_flavours(run: Run) -> None:
    files = {
        "/opt/job/driver.py": DRIVER,
        "/opt/job/spark.properties": PROPERTIES,
        "/opt/job/flavour.conf": "# a note\nspark.flavour   two words\n",
        "/opt/job/other.conf": "spark.other   from the other\n",
    }
    done = run(
        "driver",
        "--properties-file",
        "/opt/job/spark.properties",
        "/opt/job/driver.py",
        entrypoint=(ENTRYPOINT,),
        user=ANYONE,
        env={
            "SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1",
            "SPARK_FLAVOUR_CONF": "/opt/job/other.conf:/opt/job/flavour.conf",
        },
        files=files,
    )
    assert "driver 45 127.0.0.1 from the file two words from the other spark 1234567" in done.output


def test_a_missing_flavour_configuration_is_an_error(run: Run) -> None:
    done = run("true", entrypoint=(ENTRYPOINT,), user="185:0", env={"SPARK_FLAVOUR_CONF": f"{DEFAULTS}:/opt/none.conf"})
    assert done.code == USAGE
    assert "/opt/none.conf cannot be read" in done.stderr


def test_the_default_configuration_keeps_everything_in_tmp(host: Host) -> None:
    text = host.file(DEFAULTS).content_string
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    settings = dict(line.split(maxsplit=1) for line in lines)
    assert all("/tmp/" in settings[name] for name in PLACES)
    assert all("/tmp/" in word for value in settings.values() for word in value.split() if "/" in word)
