"""The check of the Pod Security Standards sees every control, in every kind of container."""

from __future__ import annotations

import pytest

from tests.charts.gates.objects import Document, find_pods, parse
from tests.charts.gates.pod_security import BASELINE, RESTRICTED, find_violations
from tests.charts.gates.samples import good, spoiled

SPEC = "spec/template/spec"
OWN = f"{SPEC}/containers/0/securityContext"
CASES: list[tuple[str, object, str]] = [
    (f"{SPEC}/hostNetwork", True, "host namespaces: hostNetwork"),
    (f"{SPEC}/hostPID", True, "host namespaces: hostPID"),
    (f"{SPEC}/hostIPC", True, "host namespaces: hostIPC"),
    (f"{SPEC}/securityContext/windowsOptions", {"hostProcess": True}, "HostProcess: pod"),
    (f"{OWN}/windowsOptions", {"hostProcess": True}, "HostProcess: connect"),
    (f"{OWN}/privileged", True, "privileged: connect"),
    (f"{OWN}/capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}, "capabilities beyond baseline: connect"),
    (f"{SPEC}/volumes/0", {"name": "tmp", "hostPath": {"path": "/"}}, "hostPath: tmp"),
    (f"{SPEC}/containers/0/ports/0/hostPort", 80, "hostPort: connect 80"),
    (f"{SPEC}/containers/0/livenessProbe", {"httpGet": {"host": "x"}}, "host of a probe or hook: connect"),
    (f"{SPEC}/containers/0/lifecycle", {"preStop": {"tcpSocket": {"host": "x"}}}, "host of a probe or hook: connect"),
    (f"{OWN}/appArmorProfile", {"type": "Unconfined"}, "AppArmor: connect"),
    (f"{SPEC}/securityContext/appArmorProfile", {"type": "Unconfined"}, "AppArmor: pod"),
    (
        "spec/template/metadata/annotations",
        {"container.apparmor.security.beta.kubernetes.io/connect": "unconfined"},
        "AppArmor: container.apparmor.security.beta.kubernetes.io/connect: unconfined",
    ),
    (f"{OWN}/seLinuxOptions", {"type": "spc_t"}, "SELinux: connect"),
    (f"{SPEC}/securityContext/seLinuxOptions", {"user": "system_u"}, "SELinux: pod"),
    (f"{OWN}/seLinuxOptions", {"role": "system_r"}, "SELinux: connect"),
    (f"{OWN}/procMount", "Unmasked", "procMount: connect"),
    (f"{SPEC}/securityContext/seccompProfile", {"type": "Unconfined"}, "seccomp is Unconfined: pod"),
    (f"{OWN}/seccompProfile", {"type": "Unconfined"}, "seccomp is Unconfined: connect"),
    (f"{SPEC}/securityContext/sysctls", [{"name": "kernel.msgmax", "value": "1"}], "sysctls: kernel.msgmax"),
    (f"{SPEC}/volumes/0", {"name": "tmp", "nfs": {"path": "/", "server": "x"}}, "volume types: tmp"),
    (f"{OWN}/allowPrivilegeEscalation", ..., "allowPrivilegeEscalation: connect"),
    (f"{OWN}/allowPrivilegeEscalation", True, "allowPrivilegeEscalation: connect"),
    (f"{SPEC}/securityContext/runAsNonRoot", ..., "runAsNonRoot: connect"),
    (f"{OWN}/runAsNonRoot", False, "runAsNonRoot: connect"),
    (f"{SPEC}/securityContext/runAsUser", 0, "runAsUser 0: pod"),
    (f"{OWN}/runAsUser", 0, "runAsUser 0: connect"),
    (f"{SPEC}/securityContext/seccompProfile", ..., "seccomp: connect"),
    (f"{OWN}/capabilities", ..., "capabilities not dropped: connect"),
    (f"{OWN}/capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}, "capabilities added: connect"),
]


def test_a_good_pod_passes() -> None:
    assert find_violations(find_pods(good())) == []


@pytest.mark.parametrize(("path", "value", "finding"), CASES, ids=[f"{path}-{value}" for path, value, _ in CASES])
def test_a_control_sees_its_violation(path: str, value: object, finding: str) -> None:
    found = find_violations(find_pods(spoiled("Deployment", path, value)))
    assert f"Deployment demo-connect: {finding}" in found


def test_every_control_has_a_violation() -> None:
    seen = {finding.split(": ")[0] for _, _, finding in CASES}
    assert {control.name for control in (*BASELINE, *RESTRICTED)} == seen


@pytest.mark.parametrize("group", ["initContainers", "ephemeralContainers"])
def test_no_kind_of_container_is_forgotten(group: str) -> None:
    bad = [{"name": "bad", "securityContext": {"privileged": True}}]
    found = find_violations(find_pods(spoiled("Deployment", f"{SPEC}/{group}", bad)))
    assert "Deployment demo-connect: privileged: bad" in found
    assert "Deployment demo-connect: capabilities not dropped: bad" in found


BARE = "spec: {containers: [{name: c}]}"
KINDS = {
    "pod": f"kind: Pod\nmetadata: {{name: x}}\n{BARE}",
    "hook": f"kind: Job\nmetadata: {{annotations: {{helm.sh/hook: pre-install}}}}\nspec: {{template: {{{BARE}}}}}",
    "cronjob": f"kind: CronJob\nspec: {{jobTemplate: {{spec: {{template: {{{BARE}}}}}}}}}",
    "statefulset": f"kind: StatefulSet\nspec: {{template: {{{BARE}}}}}",
    "template": f"kind: PodTemplate\ntemplate: {{{BARE}}}",
    "executor": f'kind: ConfigMap\ndata: {{e.yaml: "kind: Pod\\n{BARE}"}}',
    "list": f"kind: List\nitems: [{{kind: DaemonSet, spec: {{template: {{{BARE}}}}}}}]",
}


@pytest.mark.parametrize("text", KINDS.values(), ids=KINDS)
def test_no_kind_of_pod_is_forgotten(text: str) -> None:
    assert len(find_violations(find_pods(parse(text)))) == 4


def test_baseline_lets_root_in() -> None:
    objects: tuple[Document, ...] = parse("kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c}]}")
    assert find_violations(find_pods(objects), "baseline") == []
    assert find_violations(find_pods(spoiled("Deployment", f"{SPEC}/hostPID", True)), "baseline") != []


def test_a_container_may_say_itself_what_the_pod_does_not() -> None:
    pod = """
kind: Pod
metadata: {name: x}
spec:
  containers:
    - name: c
      securityContext:
        runAsNonRoot: true
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        seccompProfile: {type: Localhost}
"""
    assert find_violations(find_pods(parse(pod))) == []
