"""The cluster that KUBECONFIG names, as far as its kubectl tells; images for a node that runs."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster.places import default_places
from buildgraph.adapters.cluster.record import Before, Record, find_boot, write_record
from buildgraph.adapters.process import Never
from buildgraph.app import clusters
from buildgraph.errors import BuildFailure, EnvironmentFault, UsageError
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.fakes.sample import Sample

THEIRS = "/their/kubeconfig"
SILENT = "exit 1"
ANSWERING = """case "$KUBECONFIG $*" in
"/their/kubeconfig get --raw /readyz"*) echo ok;;
"/their/kubeconfig get nodes"*) echo '{"items": [{"metadata": {"name": "one"}, "status": {}}]}';;
*) exit 1;;
esac"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user without settings and clusters."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def make_environ(home: Path, kubectl: str) -> Mapping[str, str]:
    """KUBECONFIG names the cluster of others; ``kubectl`` is the script of the one on PATH."""
    folder = write_program(home / "programs", "kubectl", kubectl).parent
    return {"KUBECONFIG": THEIRS, "PATH": f"{folder}{os.pathsep}{os.defpath}", "HOME": str(home)}


def bring_up(environ: Mapping[str, str], *, mirror: str = "") -> list[str]:
    said: list[str] = []
    clusters.bring_up(environ, mirror=mirror, say=said.append, cancel=Never())
    return said


def test_a_cluster_that_answers_is_used(home: Path) -> None:
    assert bring_up(make_environ(home, ANSWERING)) == [f"KUBECONFIG is set: using the cluster of {THEIRS}"]


def test_a_cluster_that_does_not_answer_is_not_used(home: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        bring_up(make_environ(home, SILENT))
    assert str(caught.value) == f"nothing answers at KUBECONFIG={THEIRS}; start that cluster, or unset KUBECONFIG"


def test_a_mirror_for_the_cluster_of_others_is_refused(home: Path) -> None:
    what = f"KUBECONFIG is {THEIRS}: where that cluster pulls from is its own matter"
    with pytest.raises(UsageError, match=what):
        bring_up(make_environ(home, ANSWERING), mirror="http://127.0.0.1:5000")


def test_a_shell_is_led_to_the_cluster_that_answers(home: Path) -> None:
    lines = clusters.export_lines(make_environ(home, ANSWERING), cancel=Never())
    assert lines == (f"export KUBECONFIG={shlex.quote(THEIRS)}",)


def test_a_shell_is_not_led_to_a_cluster_that_does_not_answer(home: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no cluster answers; bring one up with: buildgraph cluster up"):
        clusters.export_lines(make_environ(home, SILENT), cancel=Never())


@pytest.fixture
def running(sample: Sample) -> Sample:
    """The sample, and a node without programs, of which none has ended."""
    sample.monkeypatch.delenv("KUBECONFIG", raising=False)
    record = Record(boot=find_boot(), root="/", programs="/", before=Before(), ready=True)
    write_record(default_places(), record)
    return sample


def test_images_that_are_not_tested_are_not_loaded_into_the_node(running: Sample) -> None:
    running.build("app")
    running.plant_verdicts("app", without="app-1")
    with pytest.raises(BuildFailure) as caught:
        clusters.plan_load(running.session(), ["app"])
    assert str(caught.value) == "not built and tested: app-1; run: buildgraph build app"


def test_images_that_are_built_and_tested_can_be_loaded_into_the_node(running: Sample) -> None:
    running.build("app")
    running.plant_verdicts("app")
    assert clusters.plan_load(running.session(), ["app"]).plan.targets == ("app-1",)
