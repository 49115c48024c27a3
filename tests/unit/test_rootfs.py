"""Root file systems: the repository that mmdebstrap is given, and what is packed of what it made."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from buildgraph.adapters import rootfs
from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.rootfs import RootfsBuilder
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import BuildFailure, EnvironmentFault
from buildgraph.model import Artifact, Entry, EntryType, Kind, RootfsSpec
from tests.fakes.inputs import FolderFetcher, Inputs, make_layer
from tests.fakes.programs import write_program

STATUS = b"""\
Package: bash
Status: install ok installed
Version: 5.2
Description: a shell
 with more: text

Package: tini
Status: install ok installed
Version: 0.19

Package: gone
Status: deinstall ok config-files
Version: 1
"""
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")


class Bench:
    """A builder over a store, and a layer with one hook."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.debs = root / "debs"
        self.layer = root / "layers" / "sample"
        self.debs.mkdir()
        self.layer.mkdir(parents=True)
        self.store = LayoutStore(root / "store")
        self.builder = RootfsBuilder(self.store, FolderFetcher(self.debs), root / "layers", self.store.scratch)
        self.spec = RootfsSpec(suite="bookworm", hooks=("customize.sh",))
        self.inputs = Inputs(layer=make_layer(self.spec, Kind.ROOTFS), log=root / "log")

    def make_deb(self, name: str, version: str) -> Artifact:
        tree = self.root / f"tree-{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\nDescription: x\n"
        )
        path = self.debs / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, path], check=True, capture_output=True)
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        return Artifact(coordinate=f"deb:{name}={version}", file=path.name, sha256=sha256, size=len(data))

    def add_file(self, name: str) -> Artifact:
        """A package for whoever does not look into it."""
        (self.debs / name).write_bytes(b"deb")
        return Artifact(coordinate=f"deb:{name}=1", file=name, sha256=hashlib.sha256(b"deb").hexdigest(), size=3)

    def pack(self, *members: tuple[str, bytes, bytes | str, int]) -> dict[str, tuple[Entry, bytes]]:
        path = self.root / "root.tar"
        with tarfile.open(path, "w") as tar:
            for name, kind, content, mode in members:
                info = tarfile.TarInfo(name)
                info.type, info.mode, info.uname, info.mtime = kind, mode, "root", 5
                data = content if isinstance(content, bytes) else b""
                info.linkname, info.size = content if isinstance(content, str) else "", len(data)
                tar.addfile(info, io.BytesIO(data))
        blob = self.builder._pack(self.inputs, path, ("bash", "tini"))
        with open_layer(self.store, blob) as entries:
            return {entry.path: (entry, content.read() if content else b"") for entry, content in entries}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that come first for the builder, and for what it runs."""
    path = f"{tmp_path}/programs{os.pathsep}{os.defpath}"
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr("buildgraph.adapters.rootfs._PATH", path)
    return tmp_path / "programs"


FILE, FOLDER, SYMLINK, HARD, DEVICE = (
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
)
ROOT: tuple[tuple[str, bytes, bytes | str, int], ...] = (
    ("./", FOLDER, b"", 0o755),
    ("./var/lib/dpkg/", FOLDER, b"", 0o755),
    ("./var/lib/dpkg/status", FILE, STATUS, 0o644),
    ("./usr/bin/perl", FILE, b"perl", 0o755),
    ("./bin", SYMLINK, "usr/bin", 0o777),
)


def test_the_layer_is_sorted_and_begins_below_the_root(bench: Bench) -> None:
    found = bench.pack(*ROOT)
    assert list(found) == sorted(found)
    assert found["usr/bin/perl"][1] == b"perl"
    assert found["bin"][0].target == "usr/bin"


def test_of_two_names_of_a_file_the_first_in_order_is_the_file(bench: Bench) -> None:
    found = bench.pack(*ROOT, ("./usr/bin/a-perl", HARD, "./usr/bin/perl", 0o755))
    assert found["usr/bin/a-perl"] == (Entry("usr/bin/a-perl", EntryType.FILE, 0o755, size=4), b"perl")
    assert found["usr/bin/perl"][0].target == "usr/bin/a-perl"


def test_set_id_and_sticky_bits_stay(bench: Bench) -> None:
    found = bench.pack(*ROOT, ("./usr/bin/su", FILE, b"su", 0o4755), ("./tmp/", FOLDER, b"", 0o1777))
    assert found["usr/bin/su"][0].mode == 0o4755
    assert found["tmp"][0].mode == 0o1777


def test_what_names_this_machine_or_this_run_is_left_out(bench: Bench) -> None:
    left_out = (
        *("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "etc/apt/sources.list.d/0000local.list"),
        *("etc/passwd-", "var/lib/dpkg/status-old", "var/log/dpkg.log", "var/log/apt/term.log"),
        *("var/cache/ldconfig/aux-cache", "var/cache/apt/pkgcache.bin", "var/lib/apt/lists/lock", "tmp/x", "run/x"),
    )
    kept = ("etc/passwd", "etc/hosts", "var/lib/dpkg/info/bash.list", "var/cache/debconf/config.dat")
    found = bench.pack(
        *ROOT,
        *((f"./{path}", FILE, b"x", 0o644) for path in left_out + kept),
        ("./var/log/apt/", FOLDER, b"", 0o755),
        ("./dev/", FOLDER, b"", 0o755),
        ("./dev/null", DEVICE, b"", 0o666),
        ("./dev/fd", SYMLINK, "/proc/self/fd", 0o777),
        ("./dev/pts/", FOLDER, b"", 0o755),
    )
    assert not set(left_out) & set(found)
    assert {*kept, "var/log/apt", "dev"} <= set(found)
    assert not [path for path in found if path.startswith("dev/")]


@pytest.mark.parametrize("before", [(), (("./etc/machine-id", FILE, b"0123abcd\n", 0o444),)])
def test_the_machine_id_is_there_and_empty(
    bench: Bench, before: tuple[tuple[str, bytes, bytes | str, int], ...]
) -> None:
    entry, content = bench.pack(*ROOT, *before)["etc/machine-id"]
    assert (entry.mode, content) == (0o444, b"")


def test_a_device_outside_dev_is_refused(bench: Bench) -> None:
    with pytest.raises(BuildFailure, match="device"):
        bench.pack(*ROOT, ("./srv/null", DEVICE, b"", 0o666))


def test_a_root_that_does_not_hold_exactly_the_locked_packages_is_refused(bench: Bench) -> None:
    more = STATUS + b"\nPackage: extra\nStatus: install ok installed\nVersion: 1\n"
    less = STATUS.replace(b"tini\nStatus: install ok installed", b"tini\nStatus: install ok unpacked")
    for status, name in ((more, "extra"), (less, "tini")):
        with pytest.raises(BuildFailure, match=f"not what is locked: {name}"):
            bench.pack(*(m if m[0] != "./var/lib/dpkg/status" else (*m[:2], status, m[3]) for m in ROOT))


@needs_dpkg
def test_the_repository_holds_the_locked_packages_under_their_hashes(bench: Bench, tmp_path: Path) -> None:
    artifacts = (bench.make_deb("zoo", "1:2-3"), bench.make_deb("bash", "5.2"))
    names = bench.builder._make_repository(bench.inputs, bench.spec, artifacts, tmp_path)
    assert names == ("bash", "zoo")
    folder = tmp_path / "repository"
    text = (folder / "Packages").read_text()
    bash, zoo = text.split("\n\n")
    assert bash.startswith("Package: bash\n")
    assert f"Filename: ./{artifacts[0].sha256}.deb\nSize: {artifacts[0].size}\nSHA256: {artifacts[0].sha256}" in zoo
    assert hashlib.sha256(text.encode()).hexdigest() in (folder / "Release").read_text()
    assert (folder / f"{artifacts[1].sha256}.deb").read_bytes() == (bench.debs / artifacts[1].file).read_bytes()


@needs_dpkg
def test_two_versions_of_a_package_in_the_lock_are_refused(bench: Bench, tmp_path: Path) -> None:
    artifacts = (bench.make_deb("bash", "5.1"), bench.make_deb("bash", "5.2"))
    with pytest.raises(BuildFailure, match="two versions of bash"):
        bench.builder._make_repository(bench.inputs, bench.spec, artifacts, tmp_path)


def test_hooks_are_made_executable_and_must_be_files_of_the_layer(bench: Bench, tmp_path: Path) -> None:
    (bench.layer / "customize.sh").write_text("#!/bin/sh\n")
    (hook,) = bench.builder._copy_hooks(bench.inputs, bench.spec, tmp_path)
    assert hook.stat().st_mode & 0o777 == 0o755
    (bench.layer / "link.sh").symlink_to("/bin/sh")
    for number, name in enumerate(("absent.sh", "link.sh", "../sample/customize.sh")):
        place = tmp_path / str(number)
        place.mkdir()
        with pytest.raises(BuildFailure):
            bench.builder._copy_hooks(bench.inputs, replace(bench.spec, hooks=(name,)), place)


def test_mmdebstrap_gets_the_packages_and_a_quoted_hook(bench: Bench) -> None:
    argv = rootfs._command(bench.spec, ("bash", "tini"), (Path("/x y/hook.sh"),), "amd64")
    assert "--include=bash,tini" in argv
    assert "--customize-hook='/x y/hook.sh' \"$1\"" in argv
    assert "--architectures=amd64" in argv
    assert argv[-1] == "bookworm"


def test_the_environment_is_the_same_everywhere(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    env = rootfs._environment(bench.inputs, tmp_path)
    assert (env["TZ"], env["LC_ALL"], env["SOURCE_DATE_EPOCH"]) == ("UTC", "C.UTF-8", "1767225600")


def test_a_missing_program_is_said_with_what_to_do() -> None:
    with pytest.raises(EnvironmentFault, match="apt-get install no-such-program"):
        rootfs._require("no-such-program")


def test_a_layer_without_locked_packages_says_so(bench: Bench, programs: Path) -> None:
    write_program(programs, "mmdebstrap", "exit 0")
    with pytest.raises(BuildFailure, match="holds no packages"):
        bench.builder(bench.inputs)


def test_without_mmdebstrap_no_layer_is_begun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buildgraph.adapters.rootfs._PATH", str(bench.root))
    with pytest.raises(EnvironmentFault, match="mmdebstrap is missing, and rootfs layers are made by it"):
        bench.builder(bench.inputs)
    assert not bench.store.root.exists()


def test_a_package_that_does_not_say_its_name_is_refused_by_its_file(
    bench: Bench, programs: Path, tmp_path: Path
) -> None:
    write_program(programs, "dpkg-deb", 'echo "Version: 1"; echo "Description: of a Package: x"')
    with pytest.raises(BuildFailure, match=r"^bash\.deb: the package does not say its name$"):
        bench.builder._make_repository(bench.inputs, bench.spec, (bench.add_file("bash.deb"),), tmp_path)


@pytest.fixture
def inputs(bench: Bench, programs: Path) -> Inputs:
    """What a layer of one package is built from."""
    write_program(programs, "dpkg-deb", 'echo "Package: bash"')
    return replace(
        bench.inputs,
        layer=make_layer(replace(bench.spec, hooks=()), Kind.ROOTFS),
        artifacts={rootfs.PACKAGES: (bench.add_file("bash.deb"),)},
    )


def test_an_mmdebstrap_that_fails_is_told_by_its_last_words(bench: Bench, inputs: Inputs, programs: Path) -> None:
    write_program(programs, "mmdebstrap", 'echo "E: no space"; exit 25')
    with pytest.raises(BuildFailure, match=r"^mmdebstrap ended with exit code 25: E: no space$"):
        bench.builder(inputs)


@pytest.mark.skipif(os.geteuid() != 0, reason="without root mmdebstrap makes a namespace of its own")
def test_what_mmdebstrap_mounts_is_out_of_reach_of_the_clean_up(bench: Bench, inputs: Inputs, programs: Path) -> None:
    write_program(programs, "mmdebstrap", "readlink /proc/self/ns/mnt; exit 25")
    with pytest.raises(BuildFailure, match=r"^mmdebstrap ended with exit code 25: mnt:") as caught:
        bench.builder(inputs)
    assert str(Path("/proc/self/ns/mnt").readlink()) not in caught.value.what
