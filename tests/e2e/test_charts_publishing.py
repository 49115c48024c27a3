"""Charts go to a real registry, are signed there by digest, and come back through Helm as they were packaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.cosign import SIGN, VERIFY, ensure_cosign
from tests.fakes.charts import write_charts
from tests.helm import RELEASES, ensure_helm
from tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.registry import Server

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NAME, VERSION, TAG = "shop", "1.2.3+build.4", "1.2.3_build.4"
PASSWORD = "of the key"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of two small charts and of nothing that would have to be built."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "manifests").mkdir()
    text = "project: charts\nepoch: 1767225600\nplatform: linux/amd64\n"
    (folder / "manifests/project.yaml").write_text(text, encoding="utf-8")
    write_charts(folder / "charts")
    home = folder / "home"
    home.mkdir()
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "COSIGN_PASSWORD": PASSWORD}
    project = Project(folder=folder, environ=environ)
    assert project.run("charts", "vendor").returncode == 0
    return project


@pytest.fixture(scope="module")
def pushed(project: Project, server: Server) -> Mapping[str, Any]:
    """What the program says of a chart that it pushed."""
    place = ("--registry", f"{server.address}/team", "--plain-http")
    (one,) = project.json("charts", "push", NAME, *place)["pushed"]
    return one


@pytest.fixture(params=RELEASES)
def helm(request: pytest.FixtureRequest) -> Path:
    return ensure_helm(request.param)


@pytest.fixture(scope="module")
def cosign() -> Path:
    return ensure_cosign()


def run(project: Project, program: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *words], env=project.environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


def get(server: Server, repository: str, kind: str, reference: str) -> dict[str, Any]:
    url = f"http://{server.address}/v2/{repository}/{kind}/{reference}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": MANIFEST})) as response:
        document: dict[str, Any] = json.load(response)
    return document


@pytest.fixture(scope="module")
def keys(project: Project, cosign: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pairs of keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "others"):
        words = ("generate-key-pair", "--output-key-prefix", name)
        done = run(project, cosign, *words, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def signed(project: Project, pushed: Mapping[str, Any], cosign: Path, keys: Path) -> str:
    """The reference of the chart, signed."""
    reference = str(pushed["reference"])
    done = run(project, cosign, "sign", "--key", str(keys / "ours.key"), *SIGN, reference)
    assert done.returncode == 0, done.stderr
    return reference


def test_it_is_there_by_digest_and_by_version(server: Server, pushed: Mapping[str, Any]) -> None:
    assert pushed["reference"] == f"{server.address}/team/shop@{pushed['digest']}"
    assert {server.digest("team/shop", name) for name in (pushed["digest"], TAG)} == {pushed["digest"]}


def test_pushing_again_sends_nothing_and_gives_the_same_digest(
    project: Project, server: Server, pushed: Mapping[str, Any]
) -> None:
    before = server.blobs()
    place = ("--registry", f"{server.address}/team", "--plain-http")
    (again,) = project.json("charts", "push", NAME, *place)["pushed"]
    assert again == {**pushed, "sent": 0}
    assert server.blobs() == before


def test_helm_pulls_the_bytes_that_were_packaged(
    project: Project, server: Server, pushed: Mapping[str, Any], helm: Path, tmp_path: Path
) -> None:
    (packaged,) = project.json("charts", "package", NAME, "--output", str(tmp_path / "out"))["packages"]
    source = f"oci://{server.address}/team/shop"
    done = run(project, helm, "pull", source, "--version", VERSION, "--plain-http", "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert pushed["digest"] in done.stdout + done.stderr
    (pulled,) = tmp_path.glob("*.tgz")
    assert pulled.read_bytes() == (tmp_path / "out" / f"shop-{VERSION}.tgz").read_bytes()
    assert packaged["file"] == str(tmp_path / "out" / f"shop-{VERSION}.tgz")


def test_helm_installs_it_by_digest(project: Project, pushed: Mapping[str, Any], helm: Path) -> None:
    done = run(project, helm, "template", "demo", f"oci://{pushed['reference']}", "--plain-http")
    assert done.returncode == 0, done.stderr
    assert "name: demo-shop" in done.stdout


def test_helm_would_have_pushed_the_same(
    project: Project, server: Server, pushed: Mapping[str, Any], helm: Path, tmp_path: Path
) -> None:
    (packaged,) = project.json("charts", "package", NAME, "--output", str(tmp_path))["packages"]
    place = f"oci://{server.address}/theirs/{helm.name}"
    done = run(project, helm, "push", packaged["file"], place, "--plain-http")
    assert done.returncode == 0, done.stderr
    ours = get(server, "team/shop", "manifests", pushed["digest"])
    theirs = get(server, f"theirs/{helm.name}/shop", "manifests", TAG)
    for one in (ours, theirs):
        del one["annotations"]["org.opencontainers.image.created"]
    assert ours["annotations"] == theirs["annotations"]
    assert ours["layers"] == theirs["layers"]
    assert ours["config"]["mediaType"] == theirs["config"]["mediaType"]
    documents = [
        get(server, repository, "blobs", one["config"]["digest"])
        for repository, one in (("team/shop", ours), (f"theirs/{helm.name}/shop", theirs))
    ]
    assert documents[0] == documents[1]


def test_a_signature_is_verified_by_digest_and_by_version(
    project: Project, server: Server, cosign: Path, keys: Path, signed: str
) -> None:
    for reference in (signed, f"{server.address}/team/shop:{TAG}"):
        done = run(project, cosign, "verify", "--key", str(keys / "ours.pub"), *VERIFY, reference)
        assert done.returncode == 0, done.stderr
        (claim,) = json.loads(done.stdout)
        assert claim["critical"]["image"]["docker-manifest-digest"] == signed.partition("@")[2]


def test_the_key_of_somebody_else_does_not_verify_it(project: Project, cosign: Path, keys: Path, signed: str) -> None:
    done = run(project, cosign, "verify", "--key", str(keys / "others.pub"), *VERIFY, signed)
    assert done.returncode != 0
    assert "no matching signatures" in done.stderr


def test_another_chart_under_the_same_version_is_not_verified(
    project: Project, server: Server, cosign: Path, keys: Path, signed: str, tmp_path: Path
) -> None:
    """Somebody changes a value and pushes over the tag: the digest is another, and nobody signed it."""
    for name in ("manifests", "charts"):
        shutil.copytree(project.folder / name, tmp_path / name)
    other = Project(folder=tmp_path, environ=project.environ)
    values = other.folder / "charts/shop/values.yaml"
    values.write_text(values.read_text(encoding="utf-8").replace("spark: true", "spark: false"), encoding="utf-8")
    place = ("--registry", f"{server.address}/evil", "--plain-http")
    (pushed,) = other.json("charts", "push", NAME, *place)["pushed"]
    assert pushed["digest"] != signed.partition("@")[2]
    done = run(project, cosign, "verify", "--key", str(keys / "ours.pub"), *VERIFY, pushed["tag"])
    assert done.returncode != 0
    assert "no signatures found" in done.stderr


def test_the_chart_still_comes_back_through_helm(project: Project, signed: str, helm: Path, tmp_path: Path) -> None:
    words = ("pull", f"oci://{signed}", "--plain-http", "--destination", str(tmp_path))
    done = run(project, helm, *words)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.tgz"))) == 1
