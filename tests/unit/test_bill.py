"""Bills: what is in a node, as a CycloneDX document that validates, as a table, and from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from buildgraph.app.billing import _is_part
from buildgraph.bill import Bill, LayerContents, make_bill
from buildgraph.bill.assemble import find_distro
from buildgraph.bill.cyclonedx import format_cyclonedx
from buildgraph.bill.table import describe_licences, format_licences
from buildgraph.model import Artifact, ImageConfig, LicenceRule
from tests.samples import NOWHERE, file_entry, link_entry, make_image, make_layer, make_named, sha256

if TYPE_CHECKING:
    from tests.fakes.sample import Sample

JAR = sha256("driver.jar")
DRIVER = Artifact(
    coordinate="maven:org.example:driver:1.5",
    file="driver-1.5.jar",
    sha256=JAR,
    size=7,
    licence="LicenseRef-Driver",
    redistributable=False,
)
RULE = LicenceRule(
    match="maven:org.example:*",
    licence="LicenseRef-Driver",
    redistributable=False,
    reason="its terms",
    terms="https://example.org/terms",
    location=NOWHERE,
)
BASH = Artifact(coordinate="deb:bash=5.2", file="bash.deb", sha256=sha256("bash"), size=3, path="bookworm pool/b.deb")
GONE = Artifact(coordinate="deb:gone=1", file="gone.deb", sha256=sha256("gone"), size=3, path="bookworm pool/g.deb")
NUMPY = Artifact(coordinate="pypi:numpy==2.2.6", file="n.whl", sha256=sha256("n"), size=9, licence="BSD-3-Clause")
DIST = Artifact(coordinate="go:example.org/a/dist@v1.0.0", file="v1.zip", sha256=sha256("go"), size=5)
FILE = Artifact(coordinate="url:https://example.org/tool.tar.gz", file="tool.tar.gz", sha256=sha256("u"), size=5)
STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n"
SITE = "opt/p/site-packages"
ROOT = LayerContents(
    layer=make_named("os"),
    index=(
        link_entry("usr/share/doc/bash", "bash-doc"),
        file_entry("usr/share/doc/bash-doc/copyright"),
    ),
    sources={"packages": (BASH, GONE)},
    texts={
        "var/lib/dpkg/status": STATUS,
        "usr/lib/os-release": "ID=debian\nVERSION_ID=12\n",
        "usr/share/doc/bash-doc/copyright": "Format: x\nLicense: GPL-3+\n\nLicense: odd words\n",
    },
    is_rootfs=True,
)
TOP = LayerContents(
    layer=make_named("top"),
    index=(
        replace(file_entry("opt/driver.jar"), sha256=JAR, size=7),
        file_entry("opt/other-2.0.jar"),
        file_entry("opt/licenses/dist/LICENSE"),
        file_entry(f"{SITE}/numpy-2.2.6.dist-info/LICENSE.txt"),
    ),
    sources={"driver": (DRIVER,), "requirements": (NUMPY,), "dist": (DIST,), "tool": (FILE,)},
    texts={
        "opt/driver.jar!META-INF/maven/g.x/inner/pom.properties": "groupId=g.x\nartifactId=inner\nversion=3\n",
        f"{SITE}/numpy-2.2.6.dist-info/METADATA": "Name: numpy\nVersion: 2.2.6\nLicense: BSD\n\n",
        f"{SITE}/tool/_vendor/numpy-2.2.6.dist-info/METADATA": "Name: numpy\nVersion: 2.2.6\n\n",
    },
)
LABEL = {"org.opencontainers.image.licenses": "Apache-2.0 AND LicenseRef-Driver"}
IMAGE = make_image("shop", ("os", "top"), config=ImageConfig(labels=LABEL))
DIGEST = f"sha256:{sha256('image')}"


def bill_of_image() -> Bill:
    return make_bill(IMAGE, DIGEST, (ROOT, TOP), (RULE,), registry="registry.example", distro="debian-12")


def bill_of_layer(contents: LayerContents) -> Bill:
    node = make_layer(contents.layer.node)
    return make_bill(node, contents.layer.blob.digest, (contents,), (RULE,), registry="", distro="debian-12")


def document_of(bill: Bill) -> dict[str, Any]:
    text = format_cyclonedx(bill, version="1")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


def by_purl(bill: Bill) -> dict[str, dict[str, Any]]:
    return {one["bom-ref"]: one for one in document_of(bill)["components"]}


class TestContents:
    def test_everything_that_a_layer_holds_is_there_once(self) -> None:
        assert [(one.purl, one.path) for one in bill_of_image().components] == [
            ("pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12", ""),
            ("pkg:generic/debian@12", ""),
            ("pkg:generic/other@2.0", "/opt/other-2.0.jar"),
            (f"pkg:generic/tool.tar.gz?checksum=sha256:{FILE.sha256}&download_url=https://example.org/tool.tar.gz", ""),
            ("pkg:golang/example.org/a/dist@v1.0.0", ""),
            ("pkg:maven/org.example/driver@1.5", "/opt/driver.jar"),
            ("pkg:pypi/numpy@2.2.6", f"/{SITE}/numpy-2.2.6.dist-info"),
            ("pkg:pypi/numpy@2.2.6", f"/{SITE}/tool/_vendor/numpy-2.2.6.dist-info"),
        ]

    def test_a_package_that_dpkg_does_not_know_is_not_in_a_root(self) -> None:
        assert "gone" not in {one.name for one in bill_of_layer(ROOT).components}
        plain = replace(ROOT, is_rootfs=False)
        assert "gone" in {one.name for one in bill_of_layer(plain).components}

    def test_the_lock_says_what_was_published(self) -> None:
        found = {one.path or one.name: one for one in bill_of_image().components}
        numpy = found[f"/{SITE}/numpy-2.2.6.dist-info"]
        assert (numpy.sha256, numpy.size, numpy.coordinate) == (NUMPY.sha256, 9, "pypi:numpy==2.2.6")
        assert numpy.licences == ("BSD-3-Clause",)
        assert (found["bash"].sha256, found["bash"].size) == (BASH.sha256, 3)

    def test_what_another_distribution_carries_along_is_not_the_locked_one(self) -> None:
        found = {one.path: one for one in bill_of_image().components}
        assert found[f"/{SITE}/tool/_vendor/numpy-2.2.6.dist-info"].sha256 == ""

    def test_a_jar_is_known_by_its_hash_and_keeps_what_was_packed_into_it(self) -> None:
        (driver,) = (one for one in bill_of_image().components if one.name == "driver")
        assert (driver.coordinate, driver.redistributable, driver.terms) == (DRIVER.coordinate, False, RULE.terms)
        assert [part.purl for part in driver.parts] == ["pkg:maven/g.x/inner@3"]

    def test_a_licence_s_text_is_found_through_links_and_beside_what_was_unpacked(self) -> None:
        texts = {one.name: one.text for one in bill_of_layer(ROOT).components}
        assert texts["bash"] == "/usr/share/doc/bash-doc/copyright"
        (dist,) = (one for one in bill_of_layer(TOP).components if one.name == DIST.coordinate[3:-7])
        assert dist.text == "/opt/licenses/dist/LICENSE"

    def test_the_system_is_the_lowest_that_is_named(self) -> None:
        assert find_distro((TOP, ROOT)) == "debian-12"
        assert find_distro((TOP,)) == ""


class TestCycloneDx:
    def test_an_image_is_the_root_with_its_digest_and_place(self) -> None:
        root = document_of(bill_of_image())["metadata"]["component"]
        assert root["type"] == "container"
        assert root["version"] == DIGEST
        assert root["hashes"] == [{"alg": "SHA-256", "content": sha256("image")}]
        assert root["purl"].startswith("pkg:oci/shop@sha256")
        assert "repository_url=registry.example/sample/shop" in root["purl"]
        assert root["licenses"] == [{"expression": "Apache-2.0 AND LicenseRef-Driver"}]

    def test_layers_stand_between_the_image_and_what_is_in_them(self) -> None:
        needs = {one["ref"]: one.get("dependsOn", []) for one in document_of(bill_of_image())["dependencies"]}
        assert needs["shop"] == ["os", "top"]
        assert needs["os"] == ["os/pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12", "os/pkg:generic/debian@12"]
        assert len(needs["top"]) == 6

    def test_a_layer_is_the_root_of_its_own_bill(self) -> None:
        document = document_of(bill_of_layer(TOP))
        assert document["metadata"]["component"]["hashes"][0]["content"] == TOP.layer.blob.digest.removeprefix(
            "sha256:"
        )
        assert {one["name"] for one in document["components"]} >= {"numpy", "driver"}
        assert "top" not in {one["bom-ref"] for one in document["components"]}

    def test_licences_are_identifiers_expressions_or_names(self) -> None:
        found = by_purl(bill_of_image())
        assert found["top/pkg:pypi/numpy@2.2.6"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
        (bash,) = (one for one in found.values() if one["name"] == "bash")
        assert bash["licenses"] == [{"license": {"id": "GPL-3.0-or-later"}}, {"license": {"name": "odd words"}}]
        driver = found["top/pkg:maven/org.example/driver@1.5"]
        assert driver["licenses"] == [{"license": {"name": "LicenseRef-Driver", "url": "https://example.org/terms"}}]
        assert {"name": "buildgraph:redistributable", "value": "false"} in driver["properties"]

    def test_a_system_and_what_was_packed_are_said_as_scanners_read_them(self) -> None:
        found = by_purl(bill_of_image())
        system = found["os/pkg:generic/debian@12"]
        assert (system["type"], system["name"], system["version"]) == ("operating-system", "debian", "12")
        (part,) = found["top/pkg:maven/org.example/driver@1.5"]["components"]
        assert part["purl"] == "pkg:maven/g.x/inner@3"

    def test_the_same_bill_is_the_same_bytes_and_another_digest_another_serial_number(self) -> None:
        text = format_cyclonedx(bill_of_image(), version="1")
        assert text == format_cyclonedx(bill_of_image(), version="1")
        assert "timestamp" not in text
        other = document_of(replace(bill_of_image(), digest=f"sha256:{sha256('other')}"))
        assert other["serialNumber"] != json.loads(text)["serialNumber"]


class TestTable:
    def test_it_has_a_line_for_everything_and_the_terms_last(self) -> None:
        lines = format_licences(bill_of_image()).splitlines()
        assert lines[0].split() == ["COMPONENT", "VERSION", "LICENCE", "PASSED", "ON", "TEXT"]
        assert "os (2)" in lines
        assert "top (6)" in lines
        assert lines[-2:] == [
            "components: 8; layers: 2",
            "org.example:driver 1.5 (LicenseRef-Driver): its terms; terms: https://example.org/terms",
        ]

    def test_as_a_document_it_says_the_same(self) -> None:
        document = describe_licences(bill_of_image())
        components = document["components"]
        assert isinstance(components, list)
        assert len(components) == 8
        (driver,) = (one for one in components if not one["redistributable"])
        assert (driver["terms"], driver["layer"]) == ("https://example.org/terms", "top")


def test_a_helper_counts_where_a_layer_holds_more_of_it_than_a_text_in_common() -> None:
    helper = (file_entry("lib/a.so", "binary" * 1000), file_entry("lib/LICENSE", "text"), file_entry("x/__init__.py"))
    assert not _is_part(helper, {sha256("text"), sha256("")})
    assert _is_part(helper, {sha256("binary" * 1000)})
    assert not _is_part((), {sha256("text")})


class TestCommand:
    def test_a_built_node_has_an_sbom(self, sample: Sample) -> None:
        sample.build("app-1")
        done = sample.call("sbom", "app-1")
        assert (done.code, done.err) == (0, "")
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.out) is None
        assert sample.call("sbom", "app-1").out == done.out
        assert sample.call("sbom", "tool").code == 0

    def test_it_is_written_into_a_file(self, sample: Sample) -> None:
        sample.build("tool")
        done = sample.call("sbom", "tool", "--output", str(sample.folder / "x.json"))
        assert (done.code, done.out) == (0, "")
        assert (sample.folder / "x.json").read_text() == sample.call("sbom", "tool").out

    def test_licences_are_listed(self, sample: Sample) -> None:
        sample.build("app-1")
        assert "components: 0" in sample.call("licences", "app-1").out
        assert json.loads(sample.call("licences", "app-1", "--json").out)["node"] == "app-1"

    @pytest.mark.parametrize("command", ["sbom", "licences"])
    def test_what_is_not_built_has_none(self, sample: Sample, command: str) -> None:
        done = sample.call(command, "app-1")
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("error: not built: ")
        assert done.err.endswith("; run: buildgraph build app-1\n")

    def test_what_is_not_locked_has_none(self, sample: Sample) -> None:
        sample.edit("manifests/layers/tool.yaml", "files:", "sources: {x: 'deb:bash'}\nfiles:")
        done = sample.call("sbom", "tool")
        assert (done.code, done.err) == (2, "error: tool is not locked: tool: x; run: buildgraph lock\n")

    def test_a_glob_of_several_is_refused(self, sample: Sample) -> None:
        done = sample.call("sbom", "*")
        assert (done.code, done.err) == (2, "error: * is 5 nodes; name one\n")

    def test_a_layer_that_is_gone_is_one_line(self, sample: Sample) -> None:
        sample.build("tool")
        for path in (sample.store / "blobs" / "sha256").iterdir():
            path.unlink()
        assert sample.call("sbom", "tool").err.startswith("error: not built: ")
