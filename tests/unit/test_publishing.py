"""``charts push``: what a registry gets is what Helm would send, and the same each time."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.charts import package_chart
from buildgraph.chart import compose_chart, make_tag, parse_chart
from tests.fakes.charts import CHART, write_charts
from tests.fakes.registry import PASSWORD, USER, FakeRegistry, sha256

if TYPE_CHECKING:
    from tests.fakes.sample import Ended, Sample

pytestmark = pytest.mark.usefixtures("no_docker_login")

EPOCH = 1767225600
TAG = "1.2.3_build.4"


@pytest.fixture
def shop(sample: Sample) -> Sample:
    write_charts(sample.folder / "charts")
    assert sample.call("charts", "vendor").code == 0
    return sample


def push(sample: Sample, registry: FakeRegistry, *words: str) -> Ended:
    return sample.call("charts", "push", "shop", "--registry", f"{registry.address}/team", "--plain-http", *words)


def test_a_chart_is_there_by_digest_and_under_its_version(shop: Sample, registry: FakeRegistry) -> None:
    done = push(shop, registry)
    assert done.code == 0, done.err
    digest = sha256(registry.manifests["team/shop", TAG])
    assert done.out == f"{registry.address}/team/shop@{digest}\n"
    assert ("team/shop", digest) in registry.manifests
    put = [path for method, path in registry.asked if method == "PUT" and "/manifests/" in path]
    assert put == [f"/v2/team/shop/manifests/{digest}", f"/v2/team/shop/manifests/{TAG}"]


def test_the_manifest_is_what_helm_would_send(shop: Sample, registry: FakeRegistry) -> None:
    push(shop, registry)
    manifest = json.loads(registry.manifests["team/shop", TAG])
    (layer,) = manifest["layers"]
    package = package_chart(shop.folder / "charts", "shop", epoch=EPOCH)
    assert layer == {
        "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "digest": f"sha256:{package.sha256}",
        "size": len(package.data),
    }
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
    assert registry.blobs["team/shop", layer["digest"]] == package.data
    config = json.loads(registry.blobs["team/shop", manifest["config"]["digest"]])
    assert (config["name"], config["version"], config["appVersion"]) == ("shop", "1.2.3+build.4", "1")
    assert manifest["annotations"] == {
        "artifacthub.io/license": "MIT",
        "org.opencontainers.image.authors": "Somebody (somebody@example.org), Nobody",
        "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
        "org.opencontainers.image.description": "A shop",
        "org.opencontainers.image.source": "https://example.org/source",
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.url": "https://example.org",
        "org.opencontainers.image.version": "1.2.3+build.4",
    }


def test_the_second_time_nothing_is_sent_and_the_digest_is_the_same(shop: Sample, registry: FakeRegistry) -> None:
    first = json.loads(push(shop, registry, "--json").out)["pushed"]
    again = json.loads(push(shop, registry, "--json").out)["pushed"]
    assert [one["sent"] > 0 for one in first] == [True]
    assert again == [{**first[0], "sent": 0}]
    assert first[0]["tag"] == f"{registry.address}/team/shop:{TAG}"
    assert first[0]["reference"] == f"{registry.address}/team/shop@{first[0]['digest']}"


def test_a_chart_that_is_not_sound_is_not_pushed(shop: Sample, registry: FakeRegistry) -> None:
    shop.edit("charts/shop/Chart.lock", "0.2.0", "0.1.0")
    done = push(shop, registry)
    assert (done.code, done.out, registry.asked) == (2, "", [])


@pytest.mark.parametrize("place", ["https://registry.example", "../x", "registry.example/Team", "oci://host/x"])
def test_what_is_no_registry_is_refused(shop: Sample, place: str) -> None:
    done = shop.call("charts", "push", "--registry", place)
    assert (done.code, f"{place!r} is not a registry" in done.err) == (2, True)


def test_it_is_not_pushed_anywhere_by_itself(shop: Sample) -> None:
    assert shop.call("charts", "push").code == 2


def test_offline_it_connects_to_nothing(shop: Sample, registry: FakeRegistry) -> None:
    done = shop.call("--offline", "charts", "push", "--registry", registry.address, "--plain-http")
    assert (done.code, done.err) == (3, f"error: offline, and charts are to be pushed to {registry.address}\n")
    assert registry.asked == []


def test_a_registry_that_gives_a_list_of_images_is_refused(shop: Sample, registry: FakeRegistry) -> None:
    one = {"platform": {"os": "linux", "architecture": "amd64"}}
    document = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [one]}
    registry.faults.tampered = json.dumps(document).encode()
    done = push(shop, registry)
    assert (done.code, "the registry gives another manifest than sha256:" in done.err) == (1, True)


def test_a_registry_that_wants_a_password_is_told_the_one_of_docker(
    shop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeRegistry(auth="basic") as server:
        shop.write("docker/config.json", json.dumps({"auths": {server.address: {"auth": _basic()}}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(shop.folder / "docker"))
        assert push(shop, server).code == 0
        assert ("team/shop", TAG) in server.manifests


def test_the_version_of_a_chart_may_not_be_that_of_an_annotation() -> None:
    text = CHART.replace("license: MIT", "license: MIT\n  org.opencontainers.image.version: other")
    composition = compose_chart(parse_chart(text, "Chart.yaml", folder="shop"), b"x", epoch=0)
    assert json.loads(composition.manifest)["annotations"]["org.opencontainers.image.version"] == "1.2.3+build.4"


def test_no_tag_has_a_plus() -> None:
    assert (make_tag("1.2.3+a.4"), make_tag("1.2.3-rc.1")) == ("1.2.3_a.4", "1.2.3-rc.1")


def _basic() -> str:
    return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
