"""What a bill is read from: dpkg's database, copyright files, metadata of Python, notes in jars, names of licences."""

from __future__ import annotations

import pytest
from packageurl import PackageURL

from buildgraph.bill import debian, jars, python
from buildgraph.bill.contents import MAX_ARCHIVE, MEMBERS, PATTERNS, is_archive, is_wanted
from buildgraph.bill.debian import Package
from buildgraph.bill.runtimes import find_runtimes
from buildgraph.bill.spdx import recognise, to_spdx

STATUS = """\
Package: bash
Status: install ok installed
Architecture: amd64
Source: bash (5.2.15-2)
Version: 5.2.15-2+b7
Description: shell
 Package: nothing

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9
"""
POM = "<project><name>x</name><licenses><license><name>{}</name></license></licenses></project>"


def properties(group: str, artifact: str, version: str) -> dict[str, str]:
    folder = f"META-INF/maven/{group}/{artifact}"
    return {f"{folder}/pom.properties": f"#x\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"}


class TestDebian:
    def test_what_is_installed_is_listed_with_its_source(self) -> None:
        assert list(debian.parse_status(STATUS)) == [
            Package(name="bash", version="5.2.15-2+b7", arch="amd64", source="bash", source_version="5.2.15-2"),
            Package(name="libc6", version="2.36-9", arch="amd64", source="glibc"),
        ]

    def test_its_purl_says_system_architecture_and_source(self) -> None:
        package = Package(name="libc6", version="1:2.36-9+deb12u1", arch="amd64", source="glibc", source_version="2.36")
        purl = PackageURL.from_string(debian.make_purl(package, "debian-12"))
        assert (purl.type, purl.namespace, purl.name, purl.version) == ("deb", "debian", "libc6", "1:2.36-9+deb12u1")
        assert purl.qualifiers == {"arch": "amd64", "distro": "debian-12", "upstream": "glibc@2.36"}

    def test_a_package_of_the_lock_alone_is_known_by_its_place_in_the_archive(self) -> None:
        path = "bookworm-security pool/updates/main/o/openjdk-17/openjdk-17-jdk-headless_17.0.1_amd64.deb"
        assert debian.package_of("openjdk-17-jdk-headless", "17.0.1", path) == Package(
            name="openjdk-17-jdk-headless", version="17.0.1", arch="amd64", source="openjdk-17"
        )

    def test_licences_are_those_that_a_copyright_file_names(self) -> None:
        text = "Format: https://x\n\nFiles: *\nLicense: GPL-2+\n text\n\nFiles: y\nLicense: Expat and BSD-3-clause\n"
        assert debian.find_licences(text) == ("BSD-3-Clause", "GPL-2.0-or-later", "MIT")

    def test_of_free_text_it_is_those_that_it_refers_to(self) -> None:
        text = "This is free. See /usr/share/common-licenses/LGPL-2.1, or /usr/share/common-licenses/GPL-3.\n"
        assert debian.find_licences(text) == ("GPL-3.0-only", "LGPL-2.1-only")
        assert debian.find_licences("") == ()

    def test_the_system_is_the_one_of_os_release(self) -> None:
        assert debian.parse_release('PRETTY_NAME="Debian 12"\nVERSION_ID="12"\nID=debian\n') == "debian-12"
        assert debian.parse_release("ID=debian\n") == ""


class TestJars:
    def test_maven_s_own_notes_say_what_it_is_and_the_rest_is_packed_into_it(self) -> None:
        members = {**properties("org.x", "a", "1.0"), **properties("com.google.code.gson", "gson", "2.8")}
        found = jars.describe_jar("opt/a-1.0.jar", members)
        assert (found.group, found.name, found.version, found.path) == ("org.x", "a", "1.0", "/opt/a-1.0.jar")
        assert [part.purl for part in found.parts] == ["pkg:maven/com.google.code.gson/gson@2.8"]

    def test_a_classifier_is_what_the_file_s_name_has_more(self) -> None:
        found = jars.describe_jar("j/netty-4.2.Final-linux-x86_64.jar", properties("io.netty", "netty", "4.2.Final"))
        assert found.purl == "pkg:maven/io.netty/netty@4.2.Final?classifier=linux-x86_64"

    def test_notes_of_others_alone_do_not_name_it(self) -> None:
        found = jars.describe_jar("x/vertica-jdbc-25.3.0-0.jar", properties("com.google.code.gson", "gson", "2.8"))
        assert (found.name, found.version, found.purl) == (
            "vertica-jdbc",
            "25.3.0-0",
            "pkg:generic/vertica-jdbc@25.3.0-0",
        )
        assert [part.name for part in found.parts] == ["gson"]

    @pytest.mark.parametrize(
        ("stem", "manifest", "purl"),
        [
            ("derby-10.16.1.1", "", "pkg:maven/org.apache.derby/derby@10.16.1.1"),
            ("fansi_2.13-0.5.1", "", "pkg:maven/com.lihaoyi/fansi_2.13@0.5.1"),
            ("ammonite-repl-2.13.17_2.13.17-3.0.3", "", "pkg:maven/com.lihaoyi/ammonite-repl_2.13.17@3.0.3"),
            ("thing-1.2-jre8", "Implementation-Vendor-Id: org.thing\n", "pkg:maven/org.thing/thing@1.2-jre8"),
            ("thing-1.2", "Implementation-Vendor-Id: The Thing Inc\n", "pkg:generic/thing@1.2"),
            ("core-1.2", "Bundle-SymbolicName: org.thing.c\n ore;x=y\n", "pkg:maven/org.thing/core@1.2"),
            ("nameless", "Implementation-Version: 7\n", "pkg:generic/nameless@7"),
            ("nothing", "", "pkg:generic/nothing"),
        ],
    )
    def test_without_notes_manifest_and_name_have_to_do(self, stem: str, manifest: str, purl: str) -> None:
        assert jars.describe_jar(f"opt/{stem}.jar", {"META-INF/MANIFEST.MF": manifest}).purl == purl

    @pytest.mark.parametrize("line", ["version=${revision}", "groupId=x", ""])
    def test_notes_without_a_version_are_none(self, line: str) -> None:
        members = {"META-INF/maven/org.x/a/pom.properties": f"{line}\n"}
        assert jars.describe_jar("a-3.jar", members).purl == "pkg:generic/a@3"

    def test_its_licence_is_the_one_of_its_own_pom(self) -> None:
        members = {
            **properties("org.x", "a", "1"),
            "META-INF/maven/org.x/a/pom.xml": POM.format("The Apache License, Version 2.0"),
            "META-INF/maven/org.y/b/pom.xml": POM.format("MIT"),
            "META-INF/LICENSE": "Permission is hereby granted, free of charge, to any person obtaining a copy",
        }
        found = jars.describe_jar("a-1.jar", members)
        assert (found.licences, found.text) == (("Apache-2.0",), "/a-1.jar!META-INF/LICENSE")

    def test_else_the_one_whose_text_it_holds_or_whose_address_it_gives(self) -> None:
        text = {"META-INF/LICENSE.txt": "Apache License\n   Version 2.0, January 2004"}
        assert jars.describe_jar("a-1.jar", text).licences == ("Apache-2.0",)
        bundle = {"META-INF/MANIFEST.MF": "Bundle-License: https://www.apache.org/licenses/LICENSE-2.0.txt\n"}
        assert jars.describe_jar("a-1.jar", bundle).licences == ("Apache-2.0",)
        assert jars.describe_jar("a-1.jar", {}).licences == ()


class TestPython:
    def test_a_distribution_is_named_as_the_index_compares_names(self) -> None:
        found = python.describe_distribution(
            "l/Foo_Bar-1.dist-info", "Name: Foo_Bar\nVersion: 1\nLicense: MIT License\n\n"
        )
        assert found is not None
        assert (found.purl, found.licences, found.path) == ("pkg:pypi/foo-bar@1", ("MIT",), "/l/Foo_Bar-1.dist-info")

    @pytest.mark.parametrize(
        ("metadata", "licences"),
        [
            ("License-Expression: MIT AND PSF-2.0\nLicense: x\n", ("MIT AND PSF-2.0",)),
            (f"License: {'a whole text ' * 9}\n", ()),
            ("License: UNKNOWN\n", ()),
            ("", ()),
        ],
    )
    def test_its_licence_is_what_it_declares_and_no_whole_text(self, metadata: str, licences: tuple[str, ...]) -> None:
        found = python.describe_distribution("x", f"Name: x\nVersion: 1\n{metadata}")
        assert found is not None
        assert found.licences == licences

    def test_metadata_without_a_name_or_version_is_no_distribution(self) -> None:
        assert python.describe_distribution("x", "Version: 1\n") is None
        assert python.describe_distribution("x", "Name: x\n") is None

    def test_its_text_stands_beside_it(self) -> None:
        beside = ("METADATA", "licenses/AUTHORS", "licenses/LICENSE", "x")
        paths = ("b.dist-info/COPYING", *(f"a.dist-info/{name}" for name in beside))
        assert python.find_text("a.dist-info", paths) == "/a.dist-info/licenses/LICENSE"
        assert python.find_text("b.dist-info", paths) == "/b.dist-info/COPYING"
        assert python.find_text("c.dist-info", paths) == ""


class TestRuntimes:
    def test_a_jdk_says_its_version_and_keeps_its_terms(self) -> None:
        texts = {"opt/java/release": 'JAVA_VERSION="17.0.9"\n', "opt/other/release": 'JAVA_VERSION="11"\n'}
        paths = frozenset(("opt/java/release", "opt/java/lib/modules", "opt/java/legal/java.base/LICENSE"))
        (jdk,) = find_runtimes(texts, paths)
        assert (jdk.name, jdk.version, jdk.text) == ("openjdk", "17.0.9", "/opt/java/legal")
        assert jdk.cpe == "cpe:2.3:a:oracle:openjdk:17.0.9:*:*:*:*:*:*:*"

    def test_what_is_linked_into_python_is_named_too(self) -> None:
        library = "opt/python/lib/libpython3.10.so.1.0"
        texts = {f"{library}!openssl": "3.0.15", f"{library}!python": "3.10.16"}
        paths = frozenset((library, "opt/python/lib/python3.10/LICENSE.txt"))
        assert [(one.name, one.version, one.text) for one in find_runtimes(texts, paths)] == [
            ("openssl", "3.0.15", ""),
            ("python", "3.10.16", "/opt/python/lib/python3.10/LICENSE.txt"),
        ]

    def test_versions_are_found_in_the_binary(self) -> None:
        (forms,) = PATTERNS.values()
        data = b"x\x003.0.15\x00OpenSSL 3.0.15 3 Sep 2024\x003.2.0\x003.10.16\x00"
        assert {name: match[1] for name, form in forms.items() if (match := form.search(data))} == {
            "python": b"3.10.16",
            "openssl": b"3.0.15",
        }


class TestInterest:
    @pytest.mark.parametrize(
        "path",
        [
            "var/lib/dpkg/status",
            "usr/share/doc/bash/copyright",
            "usr/lib/os-release",
            "opt/p/x-1.dist-info/METADATA",
            "opt/java/release",
        ],
    )
    def test_what_names_the_contents_is_wanted(self, path: str) -> None:
        assert is_wanted(path)

    def test_nothing_else_is(self) -> None:
        assert not any(map(is_wanted, ("etc/passwd", "usr/share/doc/bash/README", "x.dist-info/RECORD", "release")))

    def test_jars_are_looked_into_up_to_a_size(self) -> None:
        assert is_archive("a.jar", MAX_ARCHIVE)
        assert not is_archive("a.jar", MAX_ARCHIVE + 1)
        assert not is_archive("a.zip", 1)

    def test_of_a_jar_only_notes_and_licences_are_read(self) -> None:
        wanted = ("META-INF/MANIFEST.MF", "META-INF/maven/g/a/pom.xml", "META-INF/license.txt", "LICENSE")
        assert all(map(MEMBERS.fullmatch, wanted))
        assert not any(map(MEMBERS.fullmatch, ("a/B.class", "META-INF/maven/g/a/b/pom.xml", "x/LICENSE")))


@pytest.mark.parametrize(
    ("name", "spdx"),
    [
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ("Apache-2.0", "Apache-2.0"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"),
        ("BSD License", "BSD License"),
        (" odd\n words ", "odd words"),
    ],
)
def test_names_become_spdx_where_they_are_known(name: str, spdx: str) -> None:
    assert to_spdx(name) == spdx


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache License\n    Version 2.0, January 2004", "Apache-2.0"),
        ("Neither the name of X nor\nits may be used to endorse", "BSD-3-Clause"),
        ("Redistributions in binary form must reproduce", "BSD-2-Clause"),
        ("All rights reserved.", ""),
    ],
)
def test_common_texts_are_recognised(text: str, name: str) -> None:
    assert recognise(text) == name
