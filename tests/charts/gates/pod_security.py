"""The Pod Security Standards, all controls of the profiles baseline and restricted as Kubernetes 1.37 has them.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.charts.gates.objects import Document, Pod, containers

if TYPE_CHECKING:
    from collections.abc import Mapping

Profile: TypeAlias = Literal["baseline", "restricted"]
Finding: TypeAlias = Callable[[Pod], Iterable[str]]

BASELINE_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
)
CONFINED = frozenset({"RuntimeDefault", "Localhost"})
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control of a profile; ``find`` says where a pod breaks it."""

    name: str
    find: Finding


def find_violations(pods: Iterable[Pod], profile: Profile = "restricted") -> list[str]:
    """Pods that the profile would not let in: where, which control, which part."""
    controls = BASELINE if profile == "baseline" else (*BASELINE, *RESTRICTED)
    return [
        f"{pod.where}: {control.name}: {finding}"
        for pod in pods
        for control in controls
        for finding in control.find(pod)
    ]


def _contexts(pod: Pod) -> Iterator[tuple[str, Document]]:
    """Every security context with the name of what has it; the pod's comes first."""
    yield "pod", pod.spec.get("securityContext") or {}
    for container in containers(pod):
        yield container["name"], container.get("securityContext") or {}


def _container_contexts(pod: Pod) -> Iterator[tuple[str, Document]]:
    yield from list(_contexts(pod))[1:]


def _in_contexts(is_wrong: Callable[[Document], bool]) -> Finding:
    return lambda pod: [name for name, context in _contexts(pod) if is_wrong(context)]


def _in_containers(is_wrong: Callable[[Document], bool]) -> Finding:
    return lambda pod: [name for name, context in _container_contexts(pod) if is_wrong(context)]


def _host_namespaces(pod: Pod) -> Iterable[str]:
    return [name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(name)]


def _host_paths(pod: Pod) -> Iterable[str]:
    return [volume["name"] for volume in pod.spec.get("volumes") or () if "hostPath" in volume]


def _host_ports(pod: Pod) -> Iterable[str]:
    return [
        f"{container['name']} {port['hostPort']}"
        for container in containers(pod)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


def _hosts_of_handlers(pod: Pod) -> Iterable[str]:
    for container in containers(pod):
        hooks = (container.get("lifecycle") or {}).values()
        for handler in (*(container.get(name) or {} for name in HANDLERS), *hooks):
            if any((handler.get(kind) or {}).get("host") for kind in ("httpGet", "tcpSocket")):
                yield container["name"]


def _apparmor_annotations(pod: Pod) -> Iterable[str]:
    annotations: Mapping[str, str] = pod.metadata.get("annotations") or {}
    for name, value in annotations.items():
        if name.startswith(APPARMOR) and value != "runtime/default" and not value.startswith("localhost/"):
            yield f"{name}: {value}"


def _sysctls(pod: Pod) -> Iterable[str]:
    asked = (pod.spec.get("securityContext") or {}).get("sysctls") or ()
    return [sysctl["name"] for sysctl in asked if sysctl["name"] not in SAFE_SYSCTLS]


def _volumes(pod: Pod) -> Iterable[str]:
    volumes = pod.spec.get("volumes") or ()
    return [volume["name"] for volume in volumes if not VOLUMES & volume.keys()]


def _may_be_root(pod: Pod) -> Iterable[str]:
    shared = (pod.spec.get("securityContext") or {}).get("runAsNonRoot")
    return [name for name, own in _container_contexts(pod) if own.get("runAsNonRoot", shared) is not True]


def _no_seccomp(pod: Pod) -> Iterable[str]:
    shared = _seccomp(pod.spec.get("securityContext") or {})
    return [name for name, own in _container_contexts(pod) if (_seccomp(own) or shared) not in CONFINED]


def _seccomp(context: Document) -> str:
    return str((context.get("seccompProfile") or {}).get("type", ""))


def _apparmor(context: Document) -> str:
    return str((context.get("appArmorProfile") or {}).get("type", ""))


def _capabilities(context: Document, which: str) -> frozenset[str]:
    return frozenset((context.get("capabilities") or {}).get(which) or ())


def _selinux(context: Document) -> bool:
    options = context.get("seLinuxOptions") or {}
    return bool(options.get("type", "") not in SELINUX_TYPES or options.get("user") or options.get("role"))


def _host_process(context: Document) -> bool:
    return bool((context.get("windowsOptions") or {}).get("hostProcess"))


BASELINE = (
    Control(name="HostProcess", find=_in_contexts(_host_process)),
    Control(name="host namespaces", find=_host_namespaces),
    Control(name="privileged", find=_in_containers(lambda own: bool(own.get("privileged")))),
    Control(
        name="capabilities beyond baseline",
        find=_in_containers(lambda own: bool(_capabilities(own, "add") - BASELINE_CAPABILITIES)),
    ),
    Control(name="hostPath", find=_host_paths),
    Control(name="hostPort", find=_host_ports),
    Control(name="host of a probe or hook", find=_hosts_of_handlers),
    Control(name="AppArmor", find=_apparmor_annotations),
    Control(name="AppArmor", find=_in_contexts(lambda own: _apparmor(own) not in {"", *CONFINED})),
    Control(name="SELinux", find=_in_contexts(_selinux)),
    Control(name="procMount", find=_in_containers(lambda own: own.get("procMount", "Default") != "Default")),
    Control(name="seccomp is Unconfined", find=_in_contexts(lambda own: _seccomp(own) not in {"", *CONFINED})),
    Control(name="sysctls", find=_sysctls),
)
RESTRICTED = (
    Control(name="volume types", find=_volumes),
    Control(
        name="allowPrivilegeEscalation",
        find=_in_containers(lambda own: own.get("allowPrivilegeEscalation") is not False),
    ),
    Control(name="runAsNonRoot", find=_may_be_root),
    Control(name="runAsUser 0", find=_in_contexts(lambda own: own.get("runAsUser") == 0)),
    Control(name="seccomp", find=_no_seccomp),
    Control(name="capabilities not dropped", find=_in_containers(lambda own: "ALL" not in _capabilities(own, "drop"))),
    Control(
        name="capabilities added",
        find=_in_containers(lambda own: bool(_capabilities(own, "add") - {"NET_BIND_SERVICE"})),
    ),
)
