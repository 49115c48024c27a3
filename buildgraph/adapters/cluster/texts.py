"""What the node's programs are told: their configuration files and their arguments. Pure."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from buildgraph.adapters.cluster.places import CONFIGURATION, NODE, REGISTRIES, VOLUMES
from buildgraph.errors import UsageError, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PODS = IPv4Network("10.244.0.0/24")
SERVICES = IPv4Network("10.96.0.0/16")
SERVICE_ADDRESS = str(SERVICES[1])
DNS_ADDRESS = str(SERVICES[10])
DOMAIN = "cluster.local"
BRIDGE = "cni0"
API_PORT = 6443
NODE_PORTS = {"the API": API_PORT, "the kubelet": 10250}
"""On the node's address."""
LOOPBACK_PORTS = {
    "the kubelet's health": 10248,
    "the proxy's metrics": 10249,
    "the proxy's health": 10256,
    "the controllers": 10257,
    "the scheduler": 10259,
}
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
ETCD_SOCKET = "unix:///run/etcd.sock"
ETCD_PEER_SOCKET = "unix:///run/etcd-peer.sock"
ETCD_NOWHERE = "http://localhost:1"
"""What it tells others of itself must have a port; there are no others."""
VOLUME_COUNT = 40
VOLUME_SIZE = "100Gi"
STORAGE_CLASS = "local"
ALL_REGISTRIES = "_default"
_KUBELET = "kubelet.config.k8s.io/v1beta1"
_PROXY = "kubeproxy.config.k8s.io/v1alpha1"


def containerd_text(pause: str) -> str:
    """The configuration of containerd; ``pause`` is the image of each pod's first process."""
    return f"""\
version = 2
oom_score = 0
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE no score can be lowered; with it, pods are as good without.
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{REGISTRIES}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def network_text() -> str:
    """CNI: all pods on one bridge. What leaves it is masked by a rule of ours, one for all pods."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": str(PODS)}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True, "ipam": ipam}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return _dump({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]})


def kubelet_text(address: str) -> str:
    """The kubelet's configuration."""
    document = {
        "apiVersion": _KUBELET,
        "kind": "KubeletConfiguration",
        "address": address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{CONFIGURATION}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{CONFIGURATION}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{CONFIGURATION}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": "",  # pods see the cluster's names, on every machine the same
        # Images that were loaded cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        # The default is shares of the disk, and a disk may be full with other things.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"},
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "volumePluginDir": "/var/lib/kubelet/plugins-exec",
    }
    return _dump(document)


def proxy_text() -> str:
    """kube-proxy's configuration; zeros leave the machine's connection tracking as it is."""
    document = {
        "apiVersion": _PROXY,
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{CONFIGURATION}/proxy.conf"},
        "mode": "nftables",
        "clusterCIDR": str(PODS),
        "hostnameOverride": NODE,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }
    return _dump(document)


def etcd_arguments() -> tuple[str, ...]:
    """Sockets in the node's own /run: nobody else on the machine reaches the database."""
    return (
        "--name=node",
        "--data-dir=/var/lib/etcd",
        f"--listen-client-urls={ETCD_SOCKET}",
        f"--advertise-client-urls={ETCD_NOWHERE}",
        f"--listen-peer-urls={ETCD_PEER_SOCKET}",
        f"--initial-advertise-peer-urls={ETCD_NOWHERE}",
        f"--initial-cluster=node={ETCD_NOWHERE}",
        "--unsafe-no-fsync",  # its data does not outlive the node
        "--log-level=warn",
    )


def apiserver_arguments(address: str) -> tuple[str, ...]:
    """kube-apiserver's."""
    return (
        f"--etcd-servers={ETCD_SOCKET}",
        f"--advertise-address={address}",
        f"--bind-address={address}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={SERVICES}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={CONFIGURATION}/ca.crt",
        f"--tls-cert-file={CONFIGURATION}/apiserver.crt",
        f"--tls-private-key-file={CONFIGURATION}/apiserver.key",
        f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
        f"--service-account-key-file={CONFIGURATION}/service-accounts.pub",
        f"--service-account-signing-key-file={CONFIGURATION}/service-accounts.key",
        f"--kubelet-client-certificate={CONFIGURATION}/apiserver-client.crt",
        f"--kubelet-client-key={CONFIGURATION}/apiserver-client.key",
        f"--kubelet-certificate-authority={CONFIGURATION}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "--profiling=false",
    )


def controllers_arguments() -> tuple[str, ...]:
    """kube-controller-manager's."""
    return (
        *_client_arguments("controllers"),
        f"--service-account-private-key-file={CONFIGURATION}/service-accounts.key",
        f"--root-ca-file={CONFIGURATION}/ca.crt",
        "--use-service-account-credentials=true",
        f"--cluster-signing-cert-file={CONFIGURATION}/ca.crt",
        f"--cluster-signing-key-file={CONFIGURATION}/ca.key",
        "--flex-volume-plugin-dir=/var/lib/kubelet/plugins-exec",
    )


def scheduler_arguments() -> tuple[str, ...]:
    """kube-scheduler's."""
    return _client_arguments("scheduler")


def kubelet_arguments(address: str) -> tuple[str, ...]:
    """The kubelet's."""
    return (
        f"--config={CONFIGURATION}/kubelet.json",
        f"--kubeconfig={CONFIGURATION}/kubelet.conf",
        f"--hostname-override={NODE}",
        f"--node-ip={address}",
        "--cert-dir=/var/lib/kubelet/pki",
    )


def proxy_arguments() -> tuple[str, ...]:
    """kube-proxy's."""
    return (f"--config={CONFIGURATION}/proxy.json",)


def policies_arguments() -> tuple[str, ...]:
    """Those of the program that enforces network policies."""
    return (
        f"--kubeconfig={CONFIGURATION}/policies.conf",
        f"--hostname-override={NODE}",
        f"--service-cluster-ip-range={SERVICES}",
    )


def dns_manifest(template: str, image: str) -> str:
    """The cluster's name service: what the template says, with this image."""
    return Template(template).substitute(image=image, address=DNS_ADDRESS, domain=DOMAIN)


def volume_names() -> tuple[str, ...]:
    """The PersistentVolumes, each with a folder of its name."""
    return tuple(f"{STORAGE_CLASS}-{number:02}" for number in range(1, VOLUME_COUNT + 1))


def storage_manifest() -> str:
    """The default StorageClass and its volumes."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
    }
    items = [storage_class, *(_make_volume(name) for name in volume_names())]
    return _dump({"apiVersion": "v1", "kind": "List", "items": items})


def _make_volume(name: str) -> dict[str, object]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": VOLUME_SIZE},
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
            "local": {"path": f"{VOLUMES}/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def mirror_text(url: str) -> str:
    """``hosts.toml`` of all registries: this one is asked first. A path in ``url`` stands before repositories there."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise UsageError(f"{quote(url)} is not the address of a registry", hint="write it like http://127.0.0.1:5000")
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    # containerd itself puts /v2 before a repository, unless it is told that the path is whole.
    host, override = (f"{base}/v2{path}", "  override_path = true\n") if path else (base, "")
    return f'[host."{host}"]\n  capabilities = ["pull", "resolve"]\n{override}'


def containerd_environment(environ: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The machine's proxies: only containerd talks to servers outside."""
    return {name: environ[name] for name in names if name in environ}


def _client_arguments(name: str) -> tuple[str, ...]:
    config = f"{CONFIGURATION}/{name}.conf"
    return (
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    )


def _dump(document: object) -> str:
    return json.dumps(document, indent=1)
