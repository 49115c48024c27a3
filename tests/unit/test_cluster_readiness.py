"""Whether what a release made is up, as far as its objects tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.checks import parse_look
from tests.cluster.client import make_program, read_answer
from tests.cluster.readiness import find_hopeless, is_ready, require_ready
from tests.cluster.waits import HopelessError, NotYetError


def make_deployment(*, ready: int = 2, updated: int = 2, replicas: int = 2, generation: int = 3) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "a", "generation": 3},
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": ready,
        },
    }


def make_job(**conditions: str) -> dict[str, Any]:
    return {
        "kind": "Job",
        "metadata": {"name": "b"},
        "status": {"conditions": [{"type": name, "status": value} for name, value in conditions.items()]},
    }


def make_pod(*, reason: str = "", restarts: int = 0, ready: str = "True", **metadata: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": "why"}} if reason else {"running": {}}
    return {
        "metadata": {"name": "p", **metadata},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "c", "state": state, "restartCount": restarts}],
        },
    }


def test_all_that_is_up_is_ready() -> None:
    require_ready([make_deployment()], [make_job(Complete="True")], [make_pod()])


@pytest.mark.parametrize(
    "deployment",
    [
        make_deployment(ready=1),
        make_deployment(updated=1),
        make_deployment(replicas=3),
        make_deployment(generation=2),
        {**make_deployment(), "status": {}},
    ],
)
def test_a_roll_that_is_under_way_is_waited_for(deployment: dict[str, Any]) -> None:
    with pytest.raises(NotYetError, match="Deployment a has"):
        require_ready([deployment], [], [])


def test_a_job_is_waited_for_until_it_is_complete() -> None:
    with pytest.raises(NotYetError, match="Job b has not ended"):
        require_ready([], [make_job()], [])
    with pytest.raises(HopelessError, match="Job b failed"):
        require_ready([], [make_job(Failed="True")], [])


def test_nothing_at_all_is_never_ready() -> None:
    with pytest.raises(AssertionError, match="there is nothing"):
        require_ready([], [], [])


def test_a_pod_that_cannot_start_ends_the_wait_with_its_reason() -> None:
    with pytest.raises(HopelessError, match="p, c: ErrImagePull: why"):
        require_ready([make_deployment(ready=0)], [], [make_pod(reason="ErrImagePull")])
    assert find_hopeless(make_pod(reason="ContainerCreating", restarts=2)) == []
    assert find_hopeless(make_pod(restarts=99)) == ["p, c: started 99 times anew"]


def test_a_pod_on_its_way_out_is_not_ready() -> None:
    assert is_ready(make_pod())
    assert not is_ready(make_pod(ready="False"))
    assert not is_ready(make_pod(deletionTimestamp="now"))


def test_a_look_into_a_container_is_a_mapping() -> None:
    look = parse_look("Name:\tbash\nUid:\t185\t185\t185\t185\nCapEff:\t00\nWritten: /\nWritten: /opt\n")
    assert look["Uid"] == ["185"] * 4
    assert look["Written"] == ["/", "/opt"]


def test_a_program_gets_its_arguments_and_its_answer_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    text = make_program("answer = [arguments['a'], 'b\\'c']", {"a": 'it\'s "so"'}, has_session=False)
    exec(compile(text, "program", "exec"), {})
    assert read_answer(f"noise\n{capsys.readouterr().out}") == ['it\'s "so"', "b'c"]
    with pytest.raises(AssertionError, match="no answer in: Traceback"):
        read_answer("Traceback")
