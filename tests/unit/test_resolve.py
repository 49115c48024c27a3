from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.debian import Listed, first_complaint, parse_sources, parse_uris, to_artifact
from buildgraph.adapters.gomod import read_answer
from buildgraph.adapters.gomod import read_licence as read_module_licence
from buildgraph.adapters.maven import newest_version, parse_versions, read_pom
from buildgraph.adapters.pypi import Target, read_licence, supported_tags
from buildgraph.adapters.requirements import check_requirements, find_conclusion, parse_pins
from buildgraph.adapters.resolve import CoordinateResolver, open_registries
from buildgraph.adapters.settings import Settings
from buildgraph.adapters.web import Patience
from buildgraph.errors import IntegrityError, LockError, ManifestError, NetworkFault, UsageError
from buildgraph.model import (
    Artifact,
    Compression,
    FilesSpec,
    Kind,
    Layer,
    Location,
    PythonSpec,
    RootfsSpec,
    Source,
    Spec,
    Stage,
)
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACE = Location(file="manifests/layers/x.yaml", line=7, key="sources.x")
TARGET = Target(python="3.10", platform="x86_64-manylinux_2_28")
PYTHON = PythonSpec(prefix="/opt/python", version="3.10", platform="x86_64-manylinux_2_28")

URIS = """\
Reading package lists...
'http://mirror.test/debian-security/pool/updates/main/x/xz/liblzma5_5.4.1-1%2bdeb12u2_amd64.deb' \
liblzma5_5.4.1-1+deb12u2_amd64.deb 205796 SHA256:{a}
'http://mirror.test/debian/pool/main/s/shadow/login_4.13%2bdfsg1_amd64.deb' login_1%3a4.13+dfsg1_amd64.deb 617000 \
SHA256:{b}
'http://mirror.test/debian/pool/main/g/g/libstdc%2b%2b6_12.2_amd64.deb' libstdc++6_12.2_amd64.deb 613000
""".replace("{a}", "a" * 64).replace("{b}", "b" * 64)

SOURCES = """\
deb http://mirror.test/debian bookworm main
deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.test/debian/ bookworm-updates main
# deb http://elsewhere.test/debian sid main
deb http://mirror.test/debian-security bookworm-security main
"""

METADATA = """\
<metadata><groupId>g.h</groupId><artifactId>a</artifactId><versioning><latest>3.0-SNAPSHOT</latest><versions>
<version>42.6.9</version><version>42.7.2</version><version>42.7.10</version><version>42.7.11-rc1</version>
<version>42.70.1</version></versions></versioning></metadata>
"""

POM = """\
<project xmlns="urn:pom"><parent><groupId>g.h</groupId><artifactId>parent</artifactId>
<version>7</version></parent><artifactId>a</artifactId></project>
"""

PARENT_POM = """\
<project xmlns="urn:pom"><groupId>g.h</groupId><artifactId>parent</artifactId>
<licenses><license><name>Apache
 License 2.0</name></license><license><name>MIT</name></license></licenses></project>
"""


def make_layer(spec: Spec, kind: Kind) -> Layer:
    return Layer(
        name="x",
        layer="x",
        variant="",
        stage=Stage.BASE,
        kind=kind,
        description="",
        params={},
        parents=(),
        contexts=(),
        sources=(),
        spec=spec,
        env={},
        prepend={},
        test_on=(),
        tests=(),
        compression=Compression.ZSTD,
        budget=None,
        location=PLACE,
    )


FILES = make_layer(FilesSpec(operations=()), Kind.FILES)


def ask(resolver: CoordinateResolver, *request: str, layer: Layer = FILES, is_set: bool = False) -> Artifact:
    source = Source(name="x", request=request, is_set=is_set, location=PLACE)
    return resolver.resolve(layer, source, held={})[0]


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@pytest.fixture
def resolver(server: WebServer, tmp_path: Path) -> Iterator[CoordinateResolver]:
    cancel = threading.Event()
    settings = Settings(index=(server.url("/simple"),), maven=(server.url("/one"), server.url("/two")))
    patience = Patience(connect=2, read=2, retries=1, pause=0.01)
    registries = open_registries(tmp_path, settings, cancel=cancel, patience=patience)
    yield CoordinateResolver(registries, cancel=cancel)
    registries.web.session.close()


def serve_project(server: WebServer, name: str, *files: dict[str, object]) -> None:
    page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": list(files)}
    headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    server.serve(f"/simple/{name}/", Reply(body=json.dumps(page).encode(), headers=headers))


def entry(server: WebServer, filename: str, **more: object) -> dict[str, object]:
    sha256 = hashlib.sha256(filename.encode()).hexdigest()
    url = server.url(f"/files/{filename}")
    return {"filename": filename, "url": url, "hashes": {"sha256": sha256}, "size": 100, **more}


def test_the_best_wheel_for_the_target_is_chosen(resolver: CoordinateResolver, server: WebServer) -> None:
    names = [
        "pkg-1.0-py3-none-any.whl",
        "pkg-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "pkg-1.0-cp310-cp310-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "pkg-1.0-cp310-cp310-manylinux_2_34_x86_64.whl",
        "pkg-1.0-cp310-cp310-musllinux_1_2_x86_64.whl",
        "pkg-1.0-cp310-cp310-manylinux_2_28_aarch64.whl",
        "pkg-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "pkg-2.0-cp310-cp310-manylinux_2_28_x86_64.whl",
        "pkg-1.0.tar.gz",
    ]
    serve_project(server, "pkg", *(entry(server, name) for name in names))
    server.serve(f"/files/{names[2]}.metadata", Reply(body=b"Metadata-Version: 2.4\nLicense-Expression: MIT\n"))
    found = ask(resolver, "pypi:PKG==1.0!wheel")
    assert found == Artifact(
        coordinate="pypi:pkg==1.0",
        file=names[2],
        sha256=hashlib.sha256(names[2].encode()).hexdigest(),
        size=100,
        licence="MIT",
    )
    assert list(resolver.locate(found)) == [server.url(f"/files/{names[2]}")]


def test_a_wheel_tells_its_licence_itself_where_the_index_does_not(
    resolver: CoordinateResolver, server: WebServer
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pkg/data", bytes(200_000))
        archive.writestr("pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nLicense: 3-Clause BSD License\n")
    wheel = "pkg-1.0-py3-none-any.whl"
    serve_project(server, "pkg", entry(server, wheel, size=len(buffer.getvalue())))
    server.serve(f"/files/{wheel}", Reply(body=buffer.getvalue(), ranges=True))
    assert ask(resolver, "pypi:pkg==1.0!wheel").licence == "3-Clause BSD License"
    assert all("Range" in asked.headers for asked in server.asked if asked.path == f"/files/{wheel}")


def test_an_sdist_is_described_by_the_metadata_inside(resolver: CoordinateResolver, server: WebServer) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        text = b"Metadata-Version: 2.1\nName: pkg\nLicense: Apache-2.0\n\nLicense: no header\n"
        member = tarfile.TarInfo("pkg-1.0/PKG-INFO")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    serve_project(server, "pkg", entry(server, "pkg-1.0.tar.gz"), entry(server, "pkg-1.0-py3-none-any.whl"))
    server.serve("/files/pkg-1.0.tar.gz", Reply(body=buffer.getvalue()))
    found = ask(resolver, "pypi:pkg==1.0!sdist")
    assert (found.file, found.licence) == ("pkg-1.0.tar.gz", "Apache-2.0")


def test_a_size_that_the_index_does_not_tell_is_asked_of_the_file(
    resolver: CoordinateResolver, server: WebServer
) -> None:
    serve_project(server, "pkg", entry(server, "pkg-1.0-py3-none-any.whl", size=None))
    server.serve("/files/pkg-1.0-py3-none-any.whl", Reply(body=b"12345"))
    assert ask(resolver, "pypi:pkg==1.0!wheel").size == 5
    assert server.methods("/files/pkg-1.0-py3-none-any.whl")[0] == "HEAD"


def test_a_version_that_the_index_lacks_is_named_with_its_place(
    resolver: CoordinateResolver, server: WebServer
) -> None:
    serve_project(server, "pkg", entry(server, "pkg-1.0.tar.gz"))
    with pytest.raises(NetworkFault, match=r"^manifests/layers/x.yaml:7 \(sources.x\): pypi:pkg==1.1!sdist: the index"):
        ask(resolver, "pypi:pkg==1.1!sdist")
    with pytest.raises(NetworkFault, match="no such project"):
        ask(resolver, "pypi:other==1.1!sdist")


def test_a_set_takes_only_wheels_that_were_resolved(resolver: CoordinateResolver, server: WebServer) -> None:
    best, good = "pkg-1.0-cp310-cp310-manylinux_2_28_x86_64.whl", "pkg-1.0-py3-none-any.whl"
    serve_project(server, "pkg", entry(server, best), entry(server, good))
    index = resolver._registries.index
    hashes = frozenset({hashlib.sha256(good.encode()).hexdigest()})
    assert index.wheel("pkg", "1.0", TARGET, hashes=hashes).file == good


def test_tags_go_from_the_newest_glibc_to_the_oldest() -> None:
    tags = [str(tag) for tag in supported_tags(TARGET)]
    assert tags[0] == "cp310-cp310-manylinux_2_28_x86_64"
    assert tags.index("cp310-cp310-manylinux_2_17_x86_64") < tags.index("cp310-cp310-manylinux2014_x86_64")
    assert "py3-none-manylinux1_x86_64" in tags
    assert "cp39-abi3-manylinux2014_x86_64" in tags
    assert tags[-1].endswith("-none-any")
    with pytest.raises(UsageError, match="no platform"):
        supported_tags(Target(python="3.10", platform="win32"))


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: BSD-3-Clause\nLicense: BSD\n", "BSD-3-Clause"),
        ("License: MIT\n", "MIT"),
        (f"License: {'long ' * 40}\nClassifier: License :: OSI Approved :: BSD License\n", "BSD License"),
        ("License: UNKNOWN\nClassifier: Topic :: X\n", ""),
        ("Name: x\n\nLicense: in the description\n", ""),
    ],
)
def test_the_licence_is_read_where_it_is_most_exact(metadata: str, licence: str) -> None:
    assert read_licence(metadata) == licence


def test_pins_and_hashes_are_read_from_compiled_requirements() -> None:
    text = f"Foo_Bar==1.0 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\nbaz==2\n"
    assert parse_pins(text) == {("foo-bar", "1.0"): frozenset({"a" * 64, "b" * 64}), ("baz", "2"): frozenset()}


@pytest.mark.parametrize("line", ["--index-url=https://x.test", "-r other.txt", "./local", "a @ https://x.test/a.whl"])
def test_a_line_that_is_no_requirement_is_a_mistake_in_the_manifest(line: str) -> None:
    with pytest.raises(ManifestError):
        check_requirements([line])


def test_the_newest_matching_release_is_taken_with_its_parents_licence(
    resolver: CoordinateResolver, server: WebServer
) -> None:
    server.serve("/one/g/h/a/maven-metadata.xml", Reply(body=METADATA.encode()))
    base = server.url("/two/g/h/a/42.7.10/a-42.7.10.jar").removeprefix(server.url(""))
    server.serve(base, Reply(body=b"jar"))
    server.serve(f"{base}.sha256", Reply(body=b"A" * 64 + b"  a.jar\n"))
    server.serve(base.replace(".jar", ".pom"), Reply(body=POM.encode()))
    server.serve("/one/g/h/parent/7/parent-7.pom", Reply(body=PARENT_POM.encode()))
    found = ask(resolver, "maven:g.h:a:42.7.*")
    assert found == Artifact(
        coordinate="maven:g.h:a:42.7.10",
        file="a-42.7.10.jar",
        sha256="a" * 64,
        size=3,
        licence="Apache License 2.0; MIT",
    )
    assert server.methods(base) == ["HEAD"]
    assert resolver.locate(found) == (server.url(f"{base.replace('two', 'one')}"), server.url(base))


def test_without_a_published_sha256_the_file_is_hashed_and_its_sha1_compared(
    resolver: CoordinateResolver, server: WebServer
) -> None:
    path = "/one/g/a/1.0/a-1.0-linux.tar.gz"
    server.serve(path, Reply(body=b"jar"))
    server.serve(f"{path}.sha1", Reply(body=hashlib.sha1(b"jar").hexdigest().encode()))
    found = ask(resolver, "maven:g:a:1.0:linux@tar.gz")
    assert (found.sha256, found.size) == (hashlib.sha256(b"jar").hexdigest(), 3)
    server.serve(f"{path}.sha1", Reply(body=hashlib.sha1(b"other").hexdigest().encode()))
    with pytest.raises(IntegrityError, match="the repository's checksum"):
        ask(resolver, "maven:g:a:1.0:linux@tar.gz")


def test_an_artifact_that_no_repository_has_is_a_fault(resolver: CoordinateResolver) -> None:
    with pytest.raises(NetworkFault, match="the repositories do not have it"):
        ask(resolver, "maven:g:a:1.0")
    with pytest.raises(NetworkFault, match="no release that matches"):
        ask(resolver, "maven:g:a:1.*")


@pytest.mark.parametrize(
    ("versions", "pattern", "newest"),
    [
        (["1.2", "1.10", "1.9"], "1.*", "1.10"),
        (["13.4.0.jre8", "13.4.0.jre11", "13.5.0-preview"], "13.*", "13.4.0.jre11"),
        (["2.0-alpha-1", "2.0-M3", "2.0b1", "2.0.RC2", "2.0-SNAPSHOT", "2.0.CR1"], "2.*", None),
        (["25.3.0-0", "25.3.0-1"], "25.3.*", "25.3.0-1"),
        (["42.7", "42.70.1"], "42.7.*", "42.7"),
        (["1.0.0.Final", "2.0-jre"], "1.*", "1.0.0.Final"),
    ],
)
def test_versions_are_ordered_naturally_without_pre_releases(
    versions: list[str], pattern: str, newest: str | None
) -> None:
    assert newest_version(versions, pattern) == newest


def test_maven_documents_are_read_and_broken_ones_say_nothing() -> None:
    assert parse_versions(METADATA)[-1] == "42.70.1"
    assert parse_versions("<html>") == []
    assert read_pom(POM) == ([], ("g.h", "parent", "7"))
    assert read_pom(PARENT_POM) == (["Apache License 2.0", "MIT"], None)
    assert read_pom("not xml") == ([], None)


def test_apts_plan_is_read_with_escapes_undone() -> None:
    first, second, third = parse_uris(URIS)
    assert (first.name, first.version, first.size, first.sha256) == ("liblzma5", "5.4.1-1+deb12u2", 205796, "a" * 64)
    assert (second.name, second.version) == ("login", "1:4.13+dfsg1")
    assert (third.name, third.sha256) == ("libstdc++6", "")


def test_a_package_is_locked_with_its_suite_and_pool_path() -> None:
    bases = parse_sources(SOURCES)
    assert bases == {
        "bookworm": "http://mirror.test/debian",
        "bookworm-updates": "http://mirror.test/debian",
        "bookworm-security": "http://mirror.test/debian-security",
    }
    artifact = to_artifact(parse_uris(URIS)[0], bases)
    assert artifact.coordinate == "deb:liblzma5=5.4.1-1+deb12u2"
    assert artifact.file == "liblzma5_5.4.1-1+deb12u2_amd64.deb"
    assert artifact.path == "bookworm-security pool/updates/main/x/xz/liblzma5_5.4.1-1+deb12u2_amd64.deb"


def test_a_package_without_a_hash_is_never_locked() -> None:
    listed = Listed(uri="http://mirror.test/debian/pool/x.deb", name="x", version="1", size=1, sha256="")
    with pytest.raises(NetworkFault, match="no sha256"):
        to_artifact(listed, parse_sources(SOURCES))


def test_apts_complaint_is_found_among_its_chatter() -> None:
    assert first_complaint("I: x\nW: y\nE: Unable to locate package z\nE: more\n") == "Unable to locate package z"


def test_a_set_without_an_answer_is_told_with_the_end_of_the_argument() -> None:
    steps = "".join(f"Because boto3=={step} depends on botocore>={step}, and so on.\n" for step in range(500))
    said = find_conclusion(f"{steps}  we can conclude that\nyour requirements are unsatisfiable.\n")
    assert said.endswith("and so on. we can conclude that your requirements are unsatisfiable.")
    assert (said.startswith("… "), len(said) <= 602, "\n" in said) == (True, True, False)
    assert find_conclusion(" no\n solution ") == "no solution"


def test_a_modules_licence_is_known_by_its_text(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("example.org/m@v1.0.0/sub/LICENSE", "Apache License Version 2.0")
        archive.writestr("example.org/m@v1.0.0/LICENSE", "Permission is hereby granted, free of charge, to any")
    assert read_module_licence(path) == "MIT"


def test_what_the_go_client_prints_is_read() -> None:
    assert read_answer('{"Path": "m", "Zip": "/x.zip", "Reuse": true}') == {"Path": "m", "Zip": "/x.zip"}
    assert read_answer("") == {}


def test_a_plain_file_is_measured(resolver: CoordinateResolver, server: WebServer) -> None:
    url = server.serve("/dir/tool%20x.bin", Reply(body=b"tool"))
    found = ask(resolver, f"url:{url}")
    assert found == Artifact(
        coordinate=f"url:{url}", file="tool x.bin", sha256=hashlib.sha256(b"tool").hexdigest(), size=4
    )
    assert resolver.locate(found) == (url,)


@pytest.mark.parametrize("text", ["npm:x@1", "maven:g:a", "pypi:x", "deb:-x"])
def test_a_bad_coordinate_is_a_manifest_error_at_its_place(resolver: CoordinateResolver, text: str) -> None:
    with pytest.raises(ManifestError, match=r"^manifests/layers/x.yaml:7 \(sources.x\): '"):
        ask(resolver, text)


def test_sets_belong_to_the_kinds_that_take_them(resolver: CoordinateResolver) -> None:
    with pytest.raises(ManifestError, match="takes no set"):
        ask(resolver, "tini", is_set=True)
    with pytest.raises(ManifestError, match="is no name"):
        ask(resolver, "?all", layer=make_layer(RootfsSpec(suite="bookworm"), Kind.ROOTFS), is_set=True)
    with pytest.raises(ManifestError, match="no Python requirement"):
        ask(resolver, "--pre", layer=make_layer(PYTHON, Kind.PYTHON), is_set=True)


def test_a_bad_coordinate_in_the_lock_is_the_locks_fault(resolver: CoordinateResolver) -> None:
    with pytest.raises(LockError, match="is no coordinate"):
        resolver.locate(Artifact(coordinate="x", file="x", sha256="0" * 64, size=0))


def serve_index(server: WebServer, tmp_path: Path, *names: str) -> CoordinateResolver:
    """A resolver with these indexes of the server, in this order."""
    cancel = threading.Event()
    settings = Settings(index=tuple(server.url(f"/{name}/simple") for name in names))
    patience = Patience(connect=2, read=2, retries=0, pause=0.01)
    return CoordinateResolver(open_registries(tmp_path, settings, cancel=cancel, patience=patience), cancel=cancel)


def serve_wheel(server: WebServer, index: str, wheel: str) -> None:
    page = {"meta": {"api-version": "1.1"}, "name": "pkg", "versions": [], "files": [entry(server, wheel)]}
    headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    server.serve(f"/{index}/simple/pkg/", Reply(body=json.dumps(page).encode(), headers=headers))


def test_the_first_index_that_has_a_project_decides_on_its_versions(server: WebServer, tmp_path: Path) -> None:
    resolver = serve_index(server, tmp_path, "none", "ours", "public")
    serve_wheel(server, "ours", "pkg-1.0-py3-none-any.whl")
    serve_wheel(server, "public", "pkg-9.0-py3-none-any.whl")
    assert ask(resolver, "pypi:pkg==1.0").file == "pkg-1.0-py3-none-any.whl"
    with pytest.raises(NetworkFault, match="has no wheel"):
        ask(resolver, "pypi:pkg==9.0")


def test_an_index_that_fails_is_passed_over_for_a_locked_file_and_told(server: WebServer, tmp_path: Path) -> None:
    resolver = serve_index(server, tmp_path, "broken", "good")
    server.serve("/broken/simple/pkg/", Reply(status=500))
    serve_wheel(server, "good", "pkg-1.0-py3-none-any.whl")
    locked = Artifact(coordinate="pypi:pkg==1.0", file="pkg-1.0-py3-none-any.whl", sha256="0" * 64, size=1)
    fault, url = resolver.locate(locked)
    assert isinstance(fault, NetworkFault)
    assert "HTTP 500" in fault.what
    assert url == server.url("/files/pkg-1.0-py3-none-any.whl")
    with pytest.raises(NetworkFault, match="500"):
        ask(resolver, "pypi:pkg==1.0")


def test_a_plain_file_is_measured_where_its_address_leads_to(server: WebServer, tmp_path: Path) -> None:
    cancel = threading.Event()
    gone, there = server.url("/gone/"), server.url("/there/")
    settings = Settings(rewrites={"https://downloads.example.com/": (gone, there)})
    patience = Patience(connect=2, read=2, retries=0, pause=0.01)
    resolver = CoordinateResolver(open_registries(tmp_path, settings, cancel=cancel, patience=patience), cancel=cancel)
    server.serve("/there/a.bin", Reply(body=b"tool"))
    found = ask(resolver, "url:https://downloads.example.com/a.bin")
    assert (found.coordinate, found.size) == ("url:https://downloads.example.com/a.bin", 4)
    assert resolver.locate(found) == (f"{gone}a.bin", f"{there}a.bin")
