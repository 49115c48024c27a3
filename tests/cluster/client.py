"""Clients of Spark Connect, inside the cluster: programs that a pod of the release's own image runs."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.charts.gates.images import parse_reference
from tests.charts.gates.objects import COMPONENT, find_pods

if TYPE_CHECKING:
    from tests.cluster.charts import Release
    from tests.cluster.kubectl import Kubectl, Object, Running

ENTRYPOINT = "/opt/spark/entrypoint.sh"
"""What gives a program a home and a name, whoever it runs as."""
MARK = "ANSWER "
SECONDS = 300.0
_BEGIN = """
import json, os, socket, sys, time
arguments = json.loads({arguments!r})
"""
_SESSION = """
from pyspark.sql import SparkSession, functions
spark = SparkSession.builder.remote(os.environ["CONNECT_URL"]).getOrCreate()
"""
_END = f"""
print()
# Spark 3.5 counts in numbers of NumPy.
print({MARK!r} + json.dumps(answer, default=lambda number: number.item()))
"""
_ASK = """
import urllib.error, urllib.request
request = urllib.request.Request(arguments["url"], headers=arguments["headers"])
try:
    with urllib.request.urlopen(request, timeout=20) as reply:
        answer = [reply.status, reply.read().decode()]
except urllib.error.HTTPError as error:
    answer = [error.code, error.read().decode()]
except OSError as error:
    answer = [0, str(error)]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program that runs beside the test."""

    running: Running

    def wait(self, seconds: float = SECONDS) -> Any:
        """What it answered."""
        return read_answer(self.running.wait(seconds))

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.running.has_ended

    def stop(self) -> None:
        """End it, if it still runs."""
        self.running.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A pod, and the server that its programs speak to."""

    kubectl: Kubectl
    pod: str
    remote: str
    release: Release

    def run(self, program: str, *, seconds: float = SECONDS, **arguments: object) -> Any:
        """The value of ``answer`` at the end of a program that has a session in ``spark``."""
        return read_answer(self._exec(make_program(program, arguments), seconds))

    def start(self, program: str, **arguments: object) -> Job:
        """Start such a program."""
        text = make_program(program, arguments)
        return Job(running=self.kubectl.start_exec(self.pod, *self._argv(), text=text))

    def ask(self, url: str, **headers: str) -> tuple[int, str]:
        """Status and text of an answer; status 0 and the reason where there is none."""
        text = make_program(_ASK, {"url": url, "headers": headers}, has_session=False)
        status, body = read_answer(self._exec(text, SECONDS))
        return int(status), str(body)

    def ask_json(self, url: str) -> Any:
        """The document at an address."""
        status, text = self.ask(url)
        assert status == 200, f"{url}: {status} {text[:300]}"
        return json.loads(text)

    def _exec(self, text: str, seconds: float) -> str:
        return self.kubectl.exec(self.pod, *self._argv(), text=text, seconds=seconds)

    def _argv(self) -> tuple[str, ...]:
        return ("env", f"CONNECT_URL={self.remote}", ENTRYPOINT, "python3", "-")


def make_program(program: str, arguments: dict[str, object], *, has_session: bool = True) -> str:
    """A whole program: what it is given before it, its answer printed after it."""
    begin = _BEGIN.format(arguments=json.dumps(arguments))
    session, end = (_SESSION, "spark.stop()\n") if has_session else ("", "")
    return begin + session + textwrap.dedent(program) + _END + end


def read_answer(printed: str) -> Any:
    """The answer among what a program printed."""
    found = [line for line in printed.splitlines() if line.startswith(MARK)]
    assert found, f"no answer in: {printed[-2000:]}"
    return json.loads(found[-1].removeprefix(MARK))


def make_client_pod(release: Release, name: str) -> Object:
    """A pod as the release's own are, which waits; network policies know it as a client."""
    server = next(
        pod
        for pod in find_pods(release.render())
        if pod.is_server and pod.labels.get(COMPONENT) in {"connect", "history", "master"}
    )
    container = server.spec["containers"][0]
    assert parse_reference(container["image"]), container["image"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {f"{release.fullname}-client": "true"}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": server.spec["securityContext"],
            "containers": [
                {
                    "name": "client",
                    "image": container["image"],
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": container["securityContext"],
                    "args": ["sleep", "infinity"],
                    "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }
