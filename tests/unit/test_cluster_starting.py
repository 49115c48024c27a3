"""A node that does not come up: what is said then, phase by phase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster import inside, node
from buildgraph.adapters.cluster.api import Api
from buildgraph.adapters.cluster.programs import Programs
from buildgraph.adapters.cluster.record import Before, Process, Record
from buildgraph.adapters.process import Never
from buildgraph.adapters.settings import Settings
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.adapters.cluster.places import Places

HOLDER = Process(pid=1, started=1)


@pytest.fixture
def start(places: Places, tmp_path: Path) -> node._Start:
    """A start whose folders are there, and of whose programs none is."""
    places.logs.mkdir(parents=True)
    places.configuration.mkdir(parents=True)
    names = ("coredns", "pause", "policies")
    programs = Programs(kubernetes=tmp_path, **{name: tmp_path / name for name in names})
    return node._Start(
        places=places, environ={}, address="192.0.2.1", root=tmp_path, programs=programs, say=print, cancel=Never()
    )


def _make_record(**processes: Process) -> Record:
    return Record(boot="b", root="", programs="", before=Before(), processes=processes)


def test_a_machine_that_cannot_run_a_node_is_told_so_before_its_root_is_made(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)  # where that is all that is wrong, it is enough
    with pytest.raises(EnvironmentFault, match=f"a node .*{node.INSTEAD}"):
        node.up(places, {}, say=print, cancel=Never(), settings=Settings(offline=True))
    assert not places.cache.exists()


def test_a_root_that_cannot_be_mounted_is_told_with_the_reason(inner: Path, start: node._Start, tmp_path: Path) -> None:
    write_program(inner, "unshare", "echo 'mount: permission denied' >&2; exit 32")
    told = r"the node's root could not be mounted: mount: permission denied; see .*/holder\.log"
    with pytest.raises(EnvironmentFault, match=told):
        inside.enter(start.places, tmp_path, start.programs)


def test_without_certificates_nothing_is_configured(inner: Path, start: node._Start) -> None:
    write_program(inner, "openssl", "echo 'no entropy' >&2; exit 1")
    told = r"certificates could not be made: nsenter ended with exit code 1: no entropy; see .*/openssl\.log"
    with pytest.raises(EnvironmentFault, match=told):
        node._configure(start, HOLDER)
    assert [path.name for path in start.places.configuration.iterdir()] == ["openssl.cnf"]
    assert (start.places.logs / "openssl.log").read_text() == "no entropy\n"


def test_a_program_that_ended_is_told_with_its_last_line(start: node._Start, sleeper: Process) -> None:
    gone = replace(sleeper, started=sleeper.started - 1)
    (start.places.logs / "etcd.log").write_text("starting\nno space\n")
    with pytest.raises(EnvironmentFault, match=r"etcd did not come up: no space; see .*/etcd\.log"):
        node._wait(start, _make_record(holder=sleeper, etcd=gone), "the API", lambda: True)


def test_what_does_not_come_up_in_time_is_told(
    start: node._Start, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    node._wait(start, _make_record(holder=sleeper), "the API", lambda: True)
    monkeypatch.setattr("buildgraph.adapters.cluster.node.START_SECONDS", 0.0)
    with pytest.raises(EnvironmentFault, match=r"the API did not come up within 0 s; see .*/logs"):
        node._wait(start, _make_record(holder=sleeper), "the API", lambda: False)


def test_a_kernel_without_sets_of_addresses_has_a_node_that_enforces_no_policies(
    start: node._Start, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buildgraph.adapters.cluster.machine.has_sets", lambda _root: False)
    said: list[str] = []
    held = _make_record(holder=sleeper)
    assert node._enforce_policies(replace(start, say=said.append), held) == held
    assert said == ["this kernel has no sets of addresses (ip_set): NetworkPolicies are taken, and not enforced"]


def test_what_kubectl_complains_of_is_told(tmp_path: Path) -> None:
    kubectl = write_program(tmp_path, "kubectl", 'echo "$KUBECONFIG: no such host" >&2; exit 1')
    api = Api(kubectl=kubectl, kubeconfig="/a:/b", environ={})
    with pytest.raises(EnvironmentFault, match="kubectl ended with exit code 1: /a:/b: no such host"):
        api.call("get", "nodes", cancel=Never())
    assert not api.answers(cancel=Never())
