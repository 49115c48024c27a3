"""What the node of ``buildgraph cluster`` is told, and what clusters are called: all that needs no node."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from buildgraph.adapters.cluster import api, certificates, node, storage, texts
from buildgraph.app import clusters
from buildgraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from buildgraph.adapters.cluster.places import Places
    from tests.fakes.sample import Sample

# Configuration


def test_containerd_has_the_pause_image_and_the_folder_of_registries() -> None:
    cri = tomllib.loads(texts.containerd_text("localhost/pause:1"))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "localhost/pause:1"
    assert cri["registry"]["config_path"] == "/etc/containerd/certs.d"


def test_the_kubelet_keeps_images_and_refuses_strangers() -> None:
    document = json.loads(texts.kubelet_text("192.0.2.1"))
    assert document["imageGCHighThresholdPercent"] == 100
    assert document["authentication"]["anonymous"] == {"enabled": False}
    assert document["address"] == "192.0.2.1"


def test_nothing_of_the_node_is_told_a_path_of_this_machine(places: Places) -> None:
    told = (
        texts.network_text(),
        texts.kubelet_text("192.0.2.1"),
        texts.proxy_text(),
        texts.containerd_text("a"),
        storage.KEEP,
    )
    arguments = (*texts.etcd_arguments(), *texts.apiserver_arguments("192.0.2.1"), *texts.controllers_arguments())
    assert all("/root" not in text and str(places.state) not in text for text in (*told, *arguments))


def test_the_database_listens_on_no_port() -> None:
    listening = [word for word in texts.etcd_arguments() if word.startswith("--listen")]
    assert listening
    assert all("=unix:///run/" in word for word in listening)


def test_volumes_are_of_the_default_class_and_wait_for_their_first_pod() -> None:
    first, *volumes = json.loads(texts.storage_manifest())["items"]
    assert first["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert first["volumeBindingMode"] == "WaitForFirstConsumer"
    assert len(volumes) == texts.VOLUME_COUNT
    assert {volume["spec"]["storageClassName"] for volume in volumes} == {first["metadata"]["name"]}
    paths = [volume["spec"]["local"]["path"] for volume in volumes]
    assert paths == [f"/srv/volumes/{name}" for name in texts.volume_names()]


def test_any_user_may_write_to_a_volume(places: Places) -> None:
    places.volumes.mkdir(parents=True)
    storage.make_folders(places)
    assert {path.name: path.stat().st_mode & 0o7777 for path in places.volumes.iterdir()} == dict.fromkeys(
        texts.volume_names(), 0o2777
    )


def test_what_empties_volumes_is_a_shell_script() -> None:
    subprocess.run(["sh", "-n", "-c", storage.KEEP], check=True)


def test_the_name_service_has_its_image_and_its_address() -> None:
    template = Path(node.__file__).with_name("coredns.yaml").read_text()
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(texts.dns_manifest(template, "localhost/coredns:1")))
    by_kind = {document["kind"]: document for document in documents}
    assert by_kind["Service"]["spec"]["clusterIP"] == "10.96.0.10"
    assert by_kind["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] == "localhost/coredns:1"
    assert "kubernetes cluster.local " in by_kind["ConfigMap"]["data"]["Corefile"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:5000", {"http://127.0.0.1:5000": {"capabilities": ["pull", "resolve"]}}),
        (
            "http://127.0.0.1:5000/team/",
            {"http://127.0.0.1:5000/v2/team": {"capabilities": ["pull", "resolve"], "override_path": True}},
        ),
    ],
)
def test_a_mirror_is_asked_first_below_its_path(url: str, host: dict[str, object]) -> None:
    assert tomllib.loads(texts.mirror_text(url)) == {"host": host}


@pytest.mark.parametrize("url", ["127.0.0.1:5000", "ftp://a/b", "http://", "http://ada:secret@a", 'http://a?"'])
def test_what_is_no_address_of_a_registry_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a registry"):
        texts.mirror_text(url)


def test_only_containerd_is_told_of_proxies() -> None:
    environ = {"HTTPS_PROXY": "http://proxy", "SECRET": "x"}
    assert texts.containerd_environment(environ, ("HTTP_PROXY", "HTTPS_PROXY")) == {"HTTPS_PROXY": "http://proxy"}


# Certificates


def test_each_certificate_is_for_one_purpose() -> None:
    for certificate in certificates.list_certificates("192.0.2.1"):
        words = certificates.command(certificate)
        usage = "serverAuth" if certificate.names else "clientAuth"
        assert f"extendedKeyUsage={usage}" in words
        assert "basicConstraints=critical,CA:FALSE" in words


def test_the_api_serves_under_the_address_that_pods_know_it_by() -> None:
    (apiserver,) = (one for one in certificates.list_certificates("192.0.2.1") if one.name == "apiserver")
    assert {"IP:192.0.2.1", "IP:10.96.0.1", "DNS:kubernetes.default.svc"} <= set(apiserver.names)


def test_a_kubeconfig_leads_to_the_api_and_holds_its_keys() -> None:
    text = certificates.make_kubeconfig("192.0.2.1", {"authority": b"a", "certificate": b"c", "key": b"k"})
    document = json.loads(text)
    assert document["clusters"][0]["cluster"] == {
        "server": "https://192.0.2.1:6443",
        "certificate-authority-data": "YQ==",
    }
    assert document["users"][0]["user"] == {"client-certificate-data": "Yw==", "client-key-data": "aw=="}


# Clusters of others


def test_images_for_another_cluster_go_by_a_registry(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/elsewhere")
    done = sample.call("cluster", "load", "app")
    assert done.code == ExitCode.USAGE
    assert done.err == (
        "error: KUBECONFIG is /elsewhere: images go there by a registry that it pulls from;"
        " buildgraph push app --registry HOST\n"
    )


def test_images_are_not_loaded_where_no_node_runs(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(sample.folder / "data"))
    done = sample.call("cluster", "load", "app")
    assert done.code == ExitCode.ENVIRONMENT
    assert done.err == "error: no node runs here; bring one up with: buildgraph cluster up\n"


def test_status_without_a_cluster_is_a_document_and_exit_code_3(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(sample.folder / "data"))
    done = sample.call("cluster", "status", "--json")
    assert done.code == ExitCode.ENVIRONMENT
    document = json.loads(done.out)
    assert (document["running"], document["ours"], document["kubeconfig"]) == (False, False, "")
    assert document["node"] == {"name": "", "version": "", "ready": False}


def test_kubeconfig_is_another_cluster_unless_it_is_our_own_file(places: Places) -> None:
    assert clusters.find_chosen({}, places) == ""
    assert clusters.find_chosen({"KUBECONFIG": ""}, places) == ""
    assert clusters.find_chosen({"KUBECONFIG": str(places.kubeconfig)}, places) == ""
    assert clusters.find_chosen({"KUBECONFIG": "/elsewhere"}, places) == "/elsewhere"


def test_a_node_is_told_by_its_name_its_version_and_whether_it_is_ready() -> None:
    status = {"nodeInfo": {"kubeletVersion": "v1.35.4"}, "conditions": [{"type": "Ready", "status": "True"}]}
    item = {"metadata": {"name": "n"}, "status": status}
    assert api.read_node([item]) == api.Node(name="n", version="v1.35.4", ready=True)
    assert api.read_node([{"metadata": {"name": "n"}, "status": {}}]) == api.Node(name="n")
    assert api.read_node([]) == api.Node()
