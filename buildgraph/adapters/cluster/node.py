"""The node: brought up once, told about, taken down without a trace."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from buildgraph.adapters import debianroot, process
from buildgraph.adapters.cluster import api, certificates, daemons, images, inside, machine, storage, texts
from buildgraph.adapters.cluster.api import Api
from buildgraph.adapters.cluster.places import NODE
from buildgraph.adapters.cluster.programs import Programs, ensure_programs
from buildgraph.adapters.cluster.record import Record, find_boot, read_record, write_record
from buildgraph.adapters.cluster.root import ensure_root
from buildgraph.adapters.disk import make_folder
from buildgraph.adapters.dockerd import PROXIES
from buildgraph.errors import BuildFailure, EnvironmentFault, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from buildgraph.adapters.cluster.places import Places
    from buildgraph.adapters.cluster.record import Process
    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

UP_HINT = "bring one up with: buildgraph cluster up"
INSTEAD = "set KUBECONFIG to use a cluster elsewhere"
START_SECONDS = 300.0
POLL_SECONDS = 0.2
DNS = "coredns"
DNS_USER = "65532"
LAST = ("etcd", "containerd")
"""They write what others tell them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What all phases of a start share."""

    places: Places
    environ: Mapping[str, str]
    address: str
    root: Path
    programs: Programs
    say: Callable[[str], None]
    cancel: Cancel

    @property
    def api(self) -> Api:
        """As the administrator."""
        return open_api(self.places, self.programs.kubectl, self.environ)


def open_api(places: Places, kubectl: Path, environ: Mapping[str, str]) -> Api:
    """The API of the node of these places."""
    return Api(kubectl=kubectl, kubeconfig=str(places.kubeconfig), environ=environ)


def find_running(places: Places) -> Record | None:
    """The record of a node whose programs all run, or None."""
    record = read_record(places)
    if record is None or not record.ready or not all(found.alive for found in record.processes.values()):
        return None
    return record


def up(
    places: Places,
    environ: Mapping[str, str],
    *,
    mirror: str = "",
    say: Callable[[str], None],
    cancel: Cancel,
    settings: Settings,
) -> None:
    """Make the node run; on one that runs only ``mirror`` is set.

    ``mirror``: the address of a registry that is asked first for each image. Raises ``EnvironmentFault`` when this
    machine cannot run a node, or it does not come up; then nothing of it stays.
    """
    mirrored = texts.mirror_text(mirror) if mirror else ""
    make_folder(places.state)
    with FileLock(places.lock):
        if find_running(places) is None:
            _bring_up(places, environ, say=say, cancel=cancel, settings=settings)
        else:
            say(f"the node {NODE} runs already")
        if mirrored:
            _write_mirror(places, mirrored)
            say(f"it asks {mirror} first for images that it lacks")


def down(places: Places, *, say: Callable[[str], None]) -> bool:
    """End the node and put the machine back as it was; False when there was nothing to do. Its images stay."""
    if not places.state.exists():
        say("no node was brought up here")
        return False
    with FileLock(places.lock):
        done = _clear(places)
    say("the node is down" if done else "no node was brought up here")
    return done


@contextmanager
def hold(places: Places) -> Iterator[Process]:
    """Nobody takes the node down meanwhile; the process by which its namespace is entered.

    ``EnvironmentFault`` when no node runs.
    """
    if places.state.exists():
        with FileLock(places.lock):
            record = find_running(places)
            if record is not None:
                yield holder_of(record)
                return
    raise EnvironmentFault("no node runs here", hint=UP_HINT)


def holder_of(record: Record) -> Process:
    """The process by which the namespace of a running node is entered."""
    return record.processes[inside.HOLDER]


def _bring_up(
    places: Places, environ: Mapping[str, str], *, say: Callable[[str], None], cancel: Cancel, settings: Settings
) -> None:
    debianroot.check_machine(environ, "a node", instead=INSTEAD)
    root = ensure_root(places.cache, say=say, cancel=cancel, settings=settings)
    _clear(places)  # what a node that died has left
    address = machine.find_free_address()
    programs = ensure_programs(places.cache, environ, say=say, cancel=cancel, settings=settings)
    start = _Start(
        places=places, environ=environ, address=address, root=root, programs=programs, say=say, cancel=cancel
    )
    say(f"starting the node {NODE}; its logs are in {places.logs}")
    try:
        _start(start)
    except BaseException:
        _clear(places)
        raise
    say(f"the node {NODE} is ready; KUBECONFIG is {places.kubeconfig}")


def _start(start: _Start) -> None:
    before = machine.take_down_notes(start.root)
    record = Record(boot=find_boot(), root=str(start.root), programs=str(start.programs.kubernetes), before=before)
    write_record(start.places, record)
    inside.make_folders(start.places, start.environ)
    storage.make_folders(start.places)
    holder = inside.enter(start.places, start.root, start.programs)
    record = _note(start, record, inside.HOLDER, holder)
    _configure(start, holder)
    machine.prepare(start.root)
    record = _launch(start, record, "etcd", *texts.etcd_arguments())
    proxies = texts.containerd_environment(start.environ, PROXIES)
    record = _launch(start, record, "containerd", environ=proxies)
    record = _launch(start, record, "kube-apiserver", *texts.apiserver_arguments(start.address))
    record = _fill_containerd(start, record, holder, proxies)
    _wait(start, record, "the API", lambda: start.api.answers(cancel=start.cancel))
    record = _launch(start, record, "kube-controller-manager", *texts.controllers_arguments())
    record = _launch(start, record, "kube-scheduler", *texts.scheduler_arguments())
    record = _launch(start, record, "kubelet", *texts.kubelet_arguments(start.address))
    record = _launch(start, record, "kube-proxy", *texts.proxy_arguments())
    start.api.apply(texts.storage_manifest(), cancel=start.cancel)
    record = _launch(start, record, storage.KEEPER, *storage.keeper_arguments(), program="sh")
    start.api.apply(_dns_manifest(start), cancel=start.cancel)
    _wait(start, record, "the node", lambda: _is_ready(start))
    record = _enforce_policies(start, record)
    _wait(start, record, "the name service", lambda: _has_names(start))
    write_record(start.places, replace(record, ready=True))


def _note(start: _Start, record: Record, name: str, program: Process) -> Record:
    return write_record(start.places, replace(record, processes={**record.processes, name: program}))


def _launch(
    start: _Start,
    record: Record,
    name: str,
    *arguments: str,
    program: str = "",
    environ: Mapping[str, str] | None = None,
) -> Record:
    """``program``: what is run, where that is not the name by which it is noted."""
    log = start.places.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    argv = inside.wrap(holder_of(record), [program or name, *arguments])
    started = daemons.start(argv, log=log, environ=inside.environment(environ), state=start.places.state)
    return _note(start, record, name, started)


def _configure(start: _Start, holder: Process) -> None:
    """Certificates first: the rest tells where they are."""
    folder = start.places.configuration
    _make_certificates(start, holder)
    for client in certificates.CLIENTS:
        pems = {
            "authority": (certificates.AUTHORITY, "crt"),
            "certificate": (client.name, "crt"),
            "key": (client.name, "key"),
        }
        held = {name: (folder / f"{stem}.{suffix}").read_bytes() for name, (stem, suffix) in pems.items()}
        _write_private(folder / f"{client.name}.conf", certificates.make_kubeconfig(start.address, held))
    _write_private(start.places.kubeconfig, (folder / f"{certificates.ADMIN}.conf").read_text("utf-8"))
    _write_private(folder / "kubelet.json", texts.kubelet_text(start.address))
    _write_private(folder / "proxy.json", texts.proxy_text())
    inner = Path(f"/proc/{holder.pid}/root")
    (inner / "etc/cni/net.d/10-pods.conflist").write_text(texts.network_text(), "utf-8")
    (inner / "etc/containerd/config.toml").write_text(texts.containerd_text(_name_image(start.programs.pause)), "utf-8")


def _make_certificates(start: _Start, holder: Process) -> None:
    _write_private(start.places.configuration / "openssl.cnf", certificates.CONFIG)
    log = start.places.logs / "openssl.log"
    listed = certificates.list_certificates(start.address)
    for argv in (
        certificates.authority_command(),
        *certificates.token_key_commands(),
        *(certificates.command(certificate) for certificate in listed),
    ):
        try:
            process.check(inside.wrap(holder, argv), log=log, cancel=start.cancel, env=inside.environment())
        except BuildFailure as failure:
            what = f"the node's certificates could not be made: {failure.what}"
            raise EnvironmentFault(what, hint=f"see {log}") from failure


def _write_private(path: Path, text: str) -> None:
    """Replace a file that may hold a key."""
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _write_mirror(places: Places, text: str) -> None:
    """Read anew at each pull."""
    folder = places.registries / texts.ALL_REGISTRIES
    folder.mkdir(exist_ok=True)
    _write_private(folder / "hosts.toml", text)


def _fill_containerd(start: _Start, record: Record, holder: Process, proxies: Mapping[str, str]) -> Record:
    """The images that the node itself needs; containers of an earlier start go."""

    def answers() -> bool:
        return (
            process.run(
                images.command(holder, "version"),
                log=start.places.logs / "ctr.log",
                cancel=start.cancel,
                env=inside.environment(),
            )
            == 0
        )

    _wait(start, record, "containerd", answers)
    stale = images.ask(holder, "containers", "ls", "--quiet", cancel=start.cancel)
    if stale:
        images.ask(holder, "containers", "delete", *stale, cancel=start.cancel)
        # CRI has read the list when it started.
        daemons.end(record.processes["containerd"])
        record = _launch(start, record, "containerd", environ=proxies)
        _wait(start, record, "containerd", answers)
    pause, dns = start.programs.pause, start.programs.coredns
    images.load_program(holder, _name_image(pause), pause, user="65535", cancel=start.cancel)
    images.load_program(holder, _name_image(dns), dns, user=DNS_USER, cancel=start.cancel)
    return record


def _name_image(program: Path) -> str:
    """Tagged with the key of the program, so that a new one is another image."""
    return f"localhost/buildgraph/{program.name}:{program.parent.name.rpartition('-')[2]}"


def _enforce_policies(start: _Start, record: Record) -> Record:
    """The program asks for the node, which has to be there; pods that started before it are seen as well."""
    if not machine.has_sets(start.root):
        start.say("this kernel has no sets of addresses (ip_set): NetworkPolicies are taken, and not enforced")
        return record
    start.api.apply(_read_manifest("policies.yaml"), cancel=start.cancel)
    record = _launch(start, record, "policies", *texts.policies_arguments())
    _wait(start, record, "the enforcement of network policies", lambda: machine.has_policies(start.root))
    return record


def _dns_manifest(start: _Start) -> str:
    return texts.dns_manifest(_read_manifest("coredns.yaml"), _name_image(start.programs.coredns))


def _read_manifest(name: str) -> str:
    return (resources.files("buildgraph.adapters.cluster") / name).read_text("utf-8")


def _is_ready(start: _Start) -> bool:
    return api.read_node(start.api.read("nodes", cancel=start.cancel)).ready


def _has_names(start: _Start) -> bool:
    words = ("get", "deployment", DNS, "--namespace=kube-system", "--output=jsonpath={.status.availableReplicas}")
    return start.api.call(*words, cancel=start.cancel) == "1"


def _wait(start: _Start, record: Record, what: str, is_there: Callable[[], bool]) -> None:
    """Until it is there; no longer when a program ended, or when that takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if start.cancel.is_set():
            raise Interrupted("bringing the node up was stopped")
        ended = [name for name, program in record.processes.items() if not program.alive]
        if ended:
            log = start.places.logs / f"{ended[0]}.log"
            raise EnvironmentFault(f"{ended[0]} did not come up: {process.last_line(log)}", hint=f"see {log}")
        if is_there():
            return
        time.sleep(POLL_SECONDS)
    raise EnvironmentFault(f"{what} did not come up within {START_SECONDS:.0f} s", hint=f"see {start.places.logs}")


def _clear(places: Places) -> bool:
    """End what runs, put back what was changed, whatever part of it is left; False when nothing was."""
    record = read_record(places)
    # What an earlier start of the machine had is gone, and who has pods now is another.
    ours = record if record and record.boot == find_boot() else None
    if ours is not None:
        machine.require_root(Path(ours.root))
    programs = ours.processes if ours else {}
    gently = [programs[name] for name in LAST if name in programs]
    ended = daemons.end_all(places.state, gently=gently, pods=ours is not None)
    if ours is not None:
        machine.put_back(Path(ours.root), ours.before)
    shutil.rmtree(places.run, ignore_errors=True)
    for path in (places.kubeconfig, places.record):
        path.unlink(missing_ok=True)
    return ended or ours is not None
