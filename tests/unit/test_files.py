"""Files layers: what each operation puts where, and what stops one."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.files import FilesBuilder
from buildgraph.adapters.process import Never
from buildgraph.errors import BuildFailure, Interrupted
from buildgraph.model import (
    Artifact,
    Compression,
    Entry,
    EntryType,
    FileAction,
    FileOp,
    FilesSpec,
    Kind,
    LayerBlob,
    Location,
    ModeRule,
)
from tests.fakes.inputs import FolderFetcher, Inputs, make_layer
from tests.fakes.store import MemoryBlobs, digest_of

if TYPE_CHECKING:
    from pathlib import Path

HERE = Location(file="manifests/layers/sample.yaml", line=12, key="files[0]")
FILE, DIRECTORY, SYMLINK, HARDLINK = EntryType.FILE, EntryType.DIRECTORY, EntryType.SYMLINK, EntryType.HARDLINK


class Bench:
    """A project's ``layers`` folder, a folder of downloads and a store."""

    def __init__(self, root: Path) -> None:
        self.downloads = root / "downloads"
        self.files = root / "layers" / "sample" / "files"
        self.downloads.mkdir()
        self.files.mkdir(parents=True)
        self.blobs = MemoryBlobs()
        self.inputs = Inputs(layer=make_layer(FilesSpec(operations=()), Kind.FILES), log=root / "log")

    def add_source(self, name: str, file: str, data: bytes) -> None:
        (self.downloads / file).write_bytes(data)
        sha256 = digest_of(data).removeprefix("sha256:")
        artifact = Artifact(coordinate=f"url:{file}", file=file, sha256=sha256, size=len(data))
        held = self.inputs.artifacts.get(name, ())
        self.inputs = replace(self.inputs, artifacts={**self.inputs.artifacts, name: (*held, artifact)})

    def build_blob(self, *operations: FileOp, compression: Compression = Compression.ZSTD) -> LayerBlob:
        layer = make_layer(FilesSpec(operations=operations), Kind.FILES, compression=compression)
        builder = FilesBuilder(self.blobs, FolderFetcher(self.downloads), self.files.parents[1])
        return builder(replace(self.inputs, layer=layer))

    def build(self, *operations: FileOp) -> dict[str, tuple[Entry, bytes]]:
        """Path → entry and content, as read back from the layer."""
        layer = self.build_blob(*operations)
        index = {entry.path: entry for entry in self.blobs.files[layer.digest]}
        with open_layer(self.blobs, layer) as members:
            return {entry.path: (index[entry.path], content.read() if content else b"") for entry, content in members}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def unpack(
    to: str = "/opt",
    *,
    strip: str = "",
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    gunzip: bool = False,
    modes: tuple[ModeRule, ...] = (),
) -> FileOp:
    return FileOp(
        action=FileAction.UNPACK,
        subject="dist",
        to=to,
        strip=strip,
        include=include,
        exclude=exclude,
        gunzip=gunzip,
        modes=modes,
        location=HERE,
    )


def place(to: str, *, link: str = "") -> FileOp:
    return FileOp(action=FileAction.PLACE, subject="dist", to=to, link=link, location=HERE)


def copy(subject: str, to: str, mode: int | None = None) -> FileOp:
    return FileOp(action=FileAction.COPY, subject=subject, to=to, mode=mode, location=HERE)


def write(to: str, text: str = "text\n") -> FileOp:
    return FileOp(action=FileAction.WRITE, to=to, text=text, location=HERE)


def link(to: str, target: str) -> FileOp:
    return FileOp(action=FileAction.LINK, to=to, target=target, location=HERE)


def directory(to: str, mode: int | None = None, uid: int = 0) -> FileOp:
    return FileOp(action=FileAction.DIRECTORY, to=to, mode=mode, uid=uid, location=HERE)


def make_tar(*members: tuple[str, bytes | str, int]) -> bytes:
    """Bytes are a file's content, text is a link's target (after ``=`` a hard link's); a slash ends directories."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content, mode in members:
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.uname = mode, 1000, "somebody"
            if isinstance(content, str):
                info.type = tarfile.LNKTYPE if content.startswith("=") else tarfile.SYMTYPE
                info.linkname = content.removeprefix("=")
                tar.addfile(info)
            elif name.endswith("/"):
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


SPARK = make_tar(
    ("spark/", b"", 0o775),
    ("spark/setup.py", b"no", 0o644),
    ("spark/deps/", b"", 0o700),
    ("spark/deps/bin/", b"", 0o777),
    ("spark/deps/bin/run", b"run", 0o4775),
    ("spark/deps/bin/again", "=spark/deps/bin/run", 0o755),
    ("spark/deps/jars/", b"", 0o755),
    ("spark/deps/jars/a.jar", b"a", 0o664),
    ("spark/deps/jars/sub/b.jar", b"b", 0o600),
    ("spark/deps/jars/c.jar", "a.jar", 0o777),
    ("spark/deps/examples/", b"", 0o755),
    ("spark/deps/examples/x.txt", b"x", 0o644),
)


def test_unpack_strips_filters_and_makes_modes_plain(bench: Bench) -> None:
    bench.add_source("dist", "spark.tar", SPARK)
    found = bench.build(unpack("/opt/spark", strip="spark/deps", exclude=("examples/**",)))
    assert list(found) == [
        "opt",
        "opt/spark",
        "opt/spark/bin",
        "opt/spark/bin/run",
        "opt/spark/bin/again",
        "opt/spark/jars",
        "opt/spark/jars/a.jar",
        "opt/spark/jars/sub",
        "opt/spark/jars/sub/b.jar",
        "opt/spark/jars/c.jar",
    ]
    assert {entry.mode for entry, _ in found.values() if entry.type is DIRECTORY} == {0o755}
    assert {(entry.uid, entry.gid) for entry, _ in found.values()} == {(0, 0)}
    assert found["opt/spark/bin/run"][0].mode == 0o755
    assert found["opt/spark/bin/again"][0].target == "opt/spark/bin/run"
    assert found["opt/spark/jars/a.jar"][0].mode == 0o644
    assert found["opt/spark/jars/sub/b.jar"] == (
        Entry("opt/spark/jars/sub/b.jar", FILE, 0o644, size=1, sha256=digest_of(b"b")[7:]),
        b"b",
    )
    assert found["opt/spark/jars/c.jar"][0].target == "a.jar"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (("jars/**",), {"jars/a.jar", "jars/sub/b.jar", "jars/c.jar"}),
        (("jars/*",), {"jars/a.jar", "jars/c.jar"}),
        (("**/*.jar",), {"jars/a.jar", "jars/sub/b.jar", "jars/c.jar"}),
        (("**/b.jar",), {"jars/sub/b.jar"}),
        (("jars/?.jar", "examples/**"), {"jars/a.jar", "jars/c.jar", "examples/x.txt"}),
        (("bin/run",), {"bin/run"}),
    ],
)
def test_globs_stay_within_a_folder_unless_they_say_otherwise(
    bench: Bench, include: tuple[str, ...], expected: set[str]
) -> None:
    bench.add_source("dist", "spark.tar", SPARK)
    found = bench.build(unpack("/", strip="spark/deps/", include=include))
    assert {path for path, (entry, _) in found.items() if entry.type is not DIRECTORY} == expected


def test_unpack_decompresses_and_gives_modes_where_the_archive_has_none(bench: Bench) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("py/bin/python3.10.gz", gzip.compress(b"\x7fELF" * 1000))
        archive.writestr("py/bin/plain", b"plain")
        archive.writestr("py/lib/x.so.gz", gzip.compress(b"lib"))
    bench.add_source("dist", "py.zip", buffer.getvalue())
    rule = ModeRule(glob="bin/*", mode=0o755)
    found = bench.build(unpack("/opt/python", strip="py", gunzip=True, modes=(rule,)))
    assert found["opt/python/bin/python3.10"][1] == b"\x7fELF" * 1000
    assert found["opt/python/bin/python3.10"][0].mode == 0o755
    assert found["opt/python/bin/plain"][0].mode == 0o755
    assert found["opt/python/lib/x.so"] == (
        Entry("opt/python/lib/x.so", FILE, 0o644, size=3, sha256=digest_of(b"lib")[7:]),
        b"lib",
    )


def test_fault_33_a_gz_member_that_is_none_or_a_bomb_is_refused(bench: Bench) -> None:
    bench.add_source("dist", "a.tar", make_tar(("a.gz", b"no gzip at all", 0o644)))
    with pytest.raises(BuildFailure, match=r"a\.gz is not what gzip wrote"):
        bench.build(unpack(gunzip=True))
    bench.inputs = replace(bench.inputs, artifacts={})
    bench.add_source("dist", "b.tar", make_tar(("b.gz", gzip.compress(bytes(70 << 20)), 0o644)))
    with pytest.raises(BuildFailure, match="unpacks to more"):
        bench.build(unpack(gunzip=True))


def test_place_puts_a_source_under_its_name_with_a_stable_link(bench: Bench) -> None:
    bench.add_source("dist", "postgresql-42.7.14.jar", b"jar")
    found = bench.build(place("/opt/jdbc/", link="postgresql.jar"))
    assert found["opt/jdbc/postgresql-42.7.14.jar"][1] == b"jar"
    assert found["opt/jdbc/postgresql-42.7.14.jar"][0].mode == 0o644
    assert found["opt/jdbc/postgresql.jar"][0].target == "postgresql-42.7.14.jar"
    assert bench.build(place("/opt/driver.jar"))["opt/driver.jar"][1] == b"jar"


def test_place_puts_every_file_of_a_set(bench: Bench) -> None:
    bench.add_source("dist", "a.jar", b"a")
    bench.add_source("dist", "b.jar", b"b")
    assert set(bench.build(place("/jars/"))) == {"jars", "jars/a.jar", "jars/b.jar"}
    with pytest.raises(BuildFailure, match="more than one file"):
        bench.build(place("/jars/x.jar"))


def test_place_refuses_a_file_that_is_not_what_the_lock_says(bench: Bench) -> None:
    bench.add_source("dist", "a.jar", b"good")
    (bench.downloads / "a.jar").write_bytes(b"evil")
    with pytest.raises(BuildFailure, match="changed"):
        bench.build(place("/jars/"))


def test_copy_takes_files_and_folders_whatever_the_umask_was(bench: Bench) -> None:
    (bench.files / "conf" / "sub").mkdir(parents=True, mode=0o700)
    for name, mode in {"run.sh": 0o711, "conf/b": 0o600, "conf/a": 0o664, "conf/sub/c": 0o700}.items():
        (bench.files / name).write_text(name)
        (bench.files / name).chmod(mode)
    found = bench.build(copy("run.sh", "/opt/run.sh"), copy("run.sh", "/srv/"), copy("conf", "/etc/spark"))
    assert list(found) == [
        *("opt", "opt/run.sh", "srv", "srv/run.sh", "etc", "etc/spark"),
        *("etc/spark/a", "etc/spark/b", "etc/spark/sub", "etc/spark/sub/c"),
    ]
    assert [found[path][0].mode for path in ("opt/run.sh", "etc/spark", "etc/spark/a", "etc/spark/sub/c")] == [
        0o755,
        0o755,
        0o644,
        0o755,
    ]
    assert bench.build(copy("conf", "/etc/spark", 0o640))["etc/spark/a"][0].mode == 0o640


def test_fault_34_a_link_in_the_sources_is_kept_as_a_link(bench: Bench) -> None:
    (bench.files / "conf").mkdir()
    (bench.files / "conf" / "shadow").symlink_to("/etc/shadow")
    (bench.files / "single").symlink_to("/etc/shadow")
    found = bench.build(copy("conf", "/etc/spark"), copy("single", "/single"))
    assert found["etc/spark/shadow"] == (Entry("etc/spark/shadow", SYMLINK, 0o777, target="/etc/shadow"), b"")
    assert found["single"][0].target == "/etc/shadow"


def test_fault_34_nothing_is_copied_from_behind_a_link(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (bench.files / "door").symlink_to(tmp_path / "outside")
    with pytest.raises(BuildFailure, match="behind the symlink door"):
        bench.build(copy("door/secret", "/x"))


@pytest.mark.parametrize("subject", ["../sample/files/x", "/etc/passwd", "absent", "a/../../x"])
def test_copy_stays_below_the_layers_files(bench: Bench, subject: str) -> None:
    with pytest.raises(BuildFailure):
        bench.build(copy(subject, "/x"))


def test_copy_refuses_a_pipe(bench: Bench) -> None:
    os.mkfifo(bench.files / "pipe")
    with pytest.raises(BuildFailure, match="a pipe"):
        bench.build(copy("pipe", "/x"))


def test_write_link_and_directory(bench: Bench) -> None:
    found = bench.build(
        write("/opt/spark/RELEASE", "Spark\n"), link("/opt/bin/python", "python3"), directory("/srv/work", 0o1777, 185)
    )
    assert found["opt/spark/RELEASE"][1] == b"Spark\n"
    assert found["opt/bin/python"][0].target == "python3"
    assert found["srv/work"][0] == Entry("srv/work", DIRECTORY, 0o1777, 185, 0)


def test_a_directory_has_what_its_operation_says_wherever_it_stands(bench: Bench) -> None:
    bench.add_source("dist", "spark.tar", SPARK)
    found = bench.build(unpack("/opt/spark", strip="spark/deps"), directory("/opt/spark/jars", 0o775, 185))
    assert found["opt/spark/jars"][0] == Entry("opt/spark/jars", DIRECTORY, 0o775, 185, 0)


def test_the_owner_reaches_folders_of_the_operation_and_not_those_above(bench: Bench) -> None:
    bench.add_source("dist", "spark.tar", SPARK)
    found = bench.build(replace(unpack("/opt/spark", strip="spark/deps", include=("jars/sub/*",)), uid=185))
    assert {path: entry.uid for path, (entry, _) in found.items()} == {
        "opt": 0,
        "opt/spark": 185,
        "opt/spark/jars": 185,
        "opt/spark/jars/sub": 185,
        "opt/spark/jars/sub/b.jar": 185,
    }


@pytest.mark.parametrize(
    "operation",
    [unpack(strip="absent"), unpack(include=("*.nothing",)), unpack(exclude=("**",))],
)
def test_an_operation_that_matches_nothing_is_an_error_at_its_line(bench: Bench, operation: FileOp) -> None:
    bench.add_source("dist", "spark.tar", SPARK)
    with pytest.raises(BuildFailure, match=r"nothing in spark\.tar matches") as caught:
        bench.build(operation)
    assert caught.value.where == "manifests/layers/sample.yaml:12 (files[0])"


def test_a_source_without_a_locked_file_is_an_error(bench: Bench) -> None:
    with pytest.raises(BuildFailure, match="dist has no locked file"):
        bench.build(unpack())


def test_a_path_that_two_operations_write_is_an_error(bench: Bench) -> None:
    with pytest.raises(BuildFailure, match="/a/b is there twice"):
        bench.build(write("/a/b"), write("/a/b"))
    assert not bench.blobs.blobs


@pytest.mark.parametrize("to", ["relative", "/../x", "/a/../b", "/a\nb", "/"])
def test_a_place_that_is_no_path_of_an_image_is_an_error(bench: Bench, to: str) -> None:
    with pytest.raises(BuildFailure):
        bench.build(write(to))


def test_fault_33_a_bad_archive_names_itself_and_the_line(bench: Bench) -> None:
    bench.add_source("dist", "bad.tar", make_tar(("../evil", b"", 0o644)))
    with pytest.raises(BuildFailure, match=r"sample\.yaml:12 .*bad\.tar: '\.\./evil'"):
        bench.build(unpack())


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name, umask in (("one", 0o022), ("two", 0o077)):
        old = os.umask(umask)
        try:
            (tmp_path / name).mkdir()
            bench = Bench(tmp_path / name)
            (bench.files / "run.sh").write_text("run")
            bench.add_source("dist", "spark.tar.gz", gzip.compress(SPARK))
            digests.add(bench.build_blob(unpack(), copy("run.sh", "/run.sh"), directory("/w", 0o775)).digest)
        finally:
            os.umask(old)
    assert len(digests) == 1


def test_the_layers_compression_is_used(bench: Bench) -> None:
    plain = bench.build_blob(write("/a"), compression=Compression.NONE)
    assert plain.digest == plain.diff_id == bench.build_blob(write("/a")).diff_id


def test_a_cancelled_build_leaves_nothing(bench: Bench) -> None:
    class Set(Never):
        def is_set(self) -> bool:
            return True

    bench.inputs = replace(bench.inputs, cancel=Set())
    with pytest.raises(Interrupted):
        bench.build(write("/a"))
    assert not bench.blobs.blobs
