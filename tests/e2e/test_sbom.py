"""The SBOM of a real image says what is in its containers, and nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tests.e2e.test_build import docker

if TYPE_CHECKING:
    from tests.project import Project

pytestmark = pytest.mark.engine

NODE = "spark-4.1-gpu"
IMAGE = "spark-k8s/spark:4.1.1-gpu"
DISTRIBUTIONS = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"


@pytest.fixture(scope="module")
def document(built: Project) -> dict[str, Any]:
    done = built.run("sbom", NODE)
    assert done.returncode == 0, done.stderr
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(built: Project, *args: str) -> list[str]:
    program, *rest = args
    return docker(built, "run", "--rm", "--network", "none", "--entrypoint", program, IMAGE, *rest).splitlines()


def purls(document: dict[str, Any], kind: str) -> list[PackageURL]:
    found = [PackageURL.from_string(one["purl"]) for one in document["components"] if "purl" in one]
    return [purl for purl in found if purl.type == kind]


def places(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Path → the component that is there."""
    return {
        place["location"]: one
        for one in document["components"]
        for place in one.get("evidence", {}).get("occurrences", ())
    }


def test_its_debian_packages_are_those_of_dpkg(built: Project, document: dict[str, Any]) -> None:
    lines = run(built, "dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n")
    listed = {tuple(line.split()) for line in lines}
    named = {(purl.name, purl.version, dict(purl.qualifiers)["arch"]) for purl in purls(document, "deb")}
    from_elsewhere = {one for one in named if one[0].startswith("openjdk-17-")}
    assert len(from_elsewhere) == 2, "what jlink made the JDK of is in no package database"
    assert named - from_elsewhere == listed
    assert {dict(purl.qualifiers)["distro"] for purl in purls(document, "deb")} == {"debian-12"}


def test_its_python_distributions_are_those_that_python_finds(built: Project, document: dict[str, Any]) -> None:
    listed = {re.sub(r"[-_.]+", "-", line).lower() for line in run(built, "python3", "-c", DISTRIBUTIONS)}
    found = {
        re.sub(r"[-_.]+", "-", f"{one['name']} {one['version']}").lower()
        for path, one in places(document).items()
        if path.endswith(".dist-info") and "/_vendor/" not in path
    }
    assert found == listed


def test_its_jars_are_those_on_the_disk(built: Project, document: dict[str, Any]) -> None:
    on_disk = run(built, "find", "/opt", "-name", "*.jar", "-type", "f", "-not", "-path", "/opt/java/*")
    named = {path: one for path, one in places(document).items() if path.endswith(".jar")}
    assert set(named) == set(on_disk)
    assert len(on_disk) > 250
    drivers = [path for path in on_disk if path.startswith("/opt/jdbc/")]
    sums = run(built, "sha256sum", *drivers)
    assert [f"{named[path]['hashes'][0]['content']}  {path}" for path in drivers] == sums


def test_every_jar_has_maven_s_coordinates(document: dict[str, Any]) -> None:
    jars = [one for path, one in places(document).items() if path.endswith(".jar")]
    assert [one["name"] for one in jars if not one["purl"].startswith("pkg:maven/")] == []


def test_what_no_package_manager_knows_is_there_with_its_version(built: Project, document: dict[str, Any]) -> None:
    named = {one["name"]: one["version"] for one in document["components"] if "cpe" in one}
    assert named["python"] in run(built, "python3", "--version")[0]
    assert named["openssl"] in run(built, "python3", "-c", "import ssl; print(ssl.OPENSSL_VERSION)")[0]
    assert f'"{named["openjdk"]}"' in "\n".join(run(built, "java", "-version"))
    assert named["debian"] == "12"
    assert "go-embed-python" in {purl.name for purl in purls(document, "golang")}
    assert {"nvidia-cublas-cu12", "nvidia-cuda-runtime-cu12"} <= {purl.name for purl in purls(document, "pypi")}


def test_the_texts_of_licences_are_where_it_says(built: Project, document: dict[str, Any]) -> None:
    texts = [
        entry["value"].partition("!")[0]
        for one in document["components"]
        for entry in one.get("properties", ())
        if entry["name"] == "buildgraph:licence-text"
    ]
    assert len(texts) > 300
    assert run(built, "ls", "-d", *sorted(set(texts))) == sorted(set(texts))


def test_it_is_of_the_digest_that_list_shows_and_the_same_again(built: Project, document: dict[str, Any]) -> None:
    (node,) = built.json("list", NODE)["nodes"]
    assert document["metadata"]["component"]["version"] == node["digest"]
    assert json.loads(built.run("sbom", NODE).stdout) == document
