"""Python layers: what is installed where, and that the bytes are the same every time."""

from __future__ import annotations

import io
import marshal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.archive import open_layer
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.adapters.wheels import PythonBuilder, _unpack
from buildgraph.errors import BuildFailure
from buildgraph.model import (
    Artifact,
    Compression,
    Entry,
    EntryType,
    Kind,
    LayerBlob,
    NamedLayer,
    PythonSpec,
)
from tests.fakes.inputs import EPOCH, FolderFetcher, Inputs, ignore_progress, make_layer
from tests.fakes.store import digest_of
from tests.fakes.tiny import write_layer
from tests.faults.packing import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"opt/python/lib/python{VERSION}/site-packages"
SPEC = PythonSpec(prefix="/opt/python", version=VERSION, platform="any")


class Bench:
    """A folder of wheels and a store that holds a layer with this machine's interpreter."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheels = root / "wheels"
        self.wheels.mkdir(parents=True)
        self.store = LayoutStore(root / "store")
        self.artifacts: tuple[Artifact, ...] = ()

    def add_wheel(self, name: str, files: dict[str, bytes], entry_points: str = "", *, executable: str = "") -> None:
        self.add_file(f"{name}-1.0-py3-none-any.whl", make_wheel(name, files, entry_points, executable=executable))

    def add_file(self, file: str, data: bytes) -> None:
        (self.wheels / file).write_bytes(data)
        sha256 = digest_of(data).removeprefix("sha256:")
        self.artifacts += (Artifact(coordinate=f"pypi:{file}", file=file, sha256=sha256, size=len(data)),)

    def make_interpreter(self) -> NamedLayer:
        script = f'#!/bin/sh\nexec {sys.executable} "$@"\n'.encode()
        with LayerWriter(self.store, epoch=EPOCH, compression=Compression.ZSTD, progress=ignore_progress) as writer:
            entry = Entry(f"opt/python/bin/python{VERSION}", EntryType.FILE, 0o755, size=len(script))
            writer.add(entry, io.BytesIO(script))
            writer.add(Entry("opt/python/bin/python3", EntryType.SYMLINK, 0o777, target=f"python{VERSION}"))
            return NamedLayer(node="python", blob=writer.finish())

    def build_blob(self, spec: PythonSpec = SPEC, *more: NamedLayer) -> LayerBlob:
        inputs = Inputs(
            layer=make_layer(spec, Kind.PYTHON),
            log=self.root / "log",
            artifacts={"requirements": self.artifacts},
            parents=(self.make_interpreter(), *more),
        )
        return PythonBuilder(self.store, FolderFetcher(self.wheels), self.store.scratch)(inputs)

    def build(self, spec: PythonSpec = SPEC) -> dict[str, tuple[Entry, bytes]]:
        with open_layer(self.store, self.build_blob(spec)) as members:
            return {entry.path: (entry, content.read() if content else b"") for entry, content in members}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_wheel_is_installed_at_its_final_paths(bench: Bench) -> None:
    bench.add_wheel(
        "demo",
        {
            "demo/__init__.py": b"value = 1\n",
            "demo/native.so": b"\x7fELF",
            "demo-1.0.data/scripts/tool": b"#!python\nprint(1)\n",
            "demo-1.0.data/data/share/demo/x.txt": b"x",
            "demo-1.0.data/headers/demo.h": b"h",
        },
        "[console_scripts]\ndemo = demo:main\n[other]\na = b:c\n",
        executable="demo/native.so",
    )
    found = bench.build()
    shebang = f"#!/opt/python/bin/python{VERSION}\n".encode()
    assert found["opt/python/bin/demo"][1].startswith(shebang)
    assert found["opt/python/bin/tool"][1] == shebang + b"print(1)\n"
    assert found["opt/python/bin/tool"][0].mode == found[f"{SITE}/demo/native.so"][0].mode == 0o755
    assert found["opt/python/share/demo/x.txt"][1] == b"x"
    assert found[f"opt/python/include/python{VERSION}/demo/demo.h"][0].mode == 0o644
    assert found[f"{SITE}/demo-1.0.dist-info/INSTALLER"][1] == b"buildgraph\n"
    record = found[f"{SITE}/demo-1.0.dist-info/RECORD"][1].decode()
    assert "../../../bin/demo,sha256=" in record
    assert "demo/__init__.py,sha256=" in record
    assert {(e.uid, e.gid) for e, _ in found.values()} == {(0, 0)}
    assert {e.mode for e, _ in found.values() if e.type is EntryType.DIRECTORY} == {0o755}
    assert f"opt/python/bin/python{VERSION}" not in found


def test_bytecode_names_the_images_path_and_needs_no_timestamp(bench: Bench) -> None:
    bench.add_wheel("demo", {"demo/__init__.py": b"def f():\n    return 1\n"})
    tag = sys.implementation.cache_tag
    pyc = bench.build()[f"{SITE}/demo/__pycache__/__init__.{tag}.pyc"][1]
    assert pyc[4:8] == b"\x01\0\0\0"  # checked by hash, and never checked
    assert marshal.loads(pyc[16:]).co_filename == f"/{SITE}/demo/__init__.py"


def test_a_file_that_is_no_python_of_this_version_has_no_bytecode(bench: Bench) -> None:
    bench.add_wheel("demo", {"demo/__init__.py": b"", "demo/template.py": b"print {{ x }} !\n"})
    found = bench.build()
    assert [path for path in found if path.endswith(".pyc")] == [
        f"{SITE}/demo/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    ]
    assert "not compiled: /" in (bench.root / "log").read_text()


def test_bytecode_that_a_wheel_brings_is_left_out(bench: Bench) -> None:
    bench.add_wheel("demo", {"demo/__init__.py": b"", "demo/__pycache__/old.cpython-27.pyc": b"old"})
    assert not [path for path in bench.build() if "old" in path]


def test_the_same_wheels_give_the_same_bytes(tmp_path: Path) -> None:
    source = b"A = {'x', 'y', 'z'}\ndef f(a):\n    return a in {'p', 'q', 'r'}\n"
    digests = set()
    for name in ("one", "two"):
        bench = Bench(tmp_path / name)
        bench.add_wheel("b", {f"b/m{number}.py": source for number in range(20)})
        bench.add_wheel("a", {"a.py": source}, "[console_scripts]\na = a:f\n")
        digests.add(bench.build_blob().digest)
    assert len(digests) == 1


def test_excluded_paths_are_neither_there_nor_in_the_record(bench: Bench) -> None:
    bench.add_wheel(
        "demo", {"demo/__init__.py": b"", "demo/tests/test_x.py": b""}, "[console_scripts]\ndemo = demo:main\n"
    )
    found = bench.build(replace(SPEC, exclude=("**/tests/**", "bin/*")))
    assert not [path for path in found if "tests" in path or path.startswith("opt/python/bin")]
    record = found[f"{SITE}/demo-1.0.dist-info/RECORD"][1].decode()
    assert "tests" not in record
    assert "bin/demo" not in record


def test_two_distributions_may_hold_the_same_file_and_not_different_ones(bench: Bench) -> None:
    bench.add_wheel("one", {"shared/__init__.py": b"same", "one.py": b""})
    bench.add_wheel("two", {"shared/__init__.py": b"same", "two.py": b""})
    assert bench.build()[f"{SITE}/shared/__init__.py"][1] == b"same"
    bench.add_wheel("zoo", {"shared/__init__.py": b"other"})
    with pytest.raises(BuildFailure, match=r"one and zoo hold different files at lib/.*shared/__init__\.py"):
        bench.build()


@pytest.mark.parametrize(
    ("file", "data", "reason"),
    [
        ("demo-1.0.tar.gz", b"", "it is not a wheel"),
        ("demo-1.0-py3-none-any.whl", b"<html>please log in</html>", "the archive is damaged"),
        ("other-1.0-py3-none-any.whl", make_wheel("demo", {}), "the wheel cannot be installed"),
    ],
)
def test_what_is_no_wheel_is_refused_by_name(bench: Bench, file: str, data: bytes, reason: str) -> None:
    bench.add_file(file, data)
    with pytest.raises(BuildFailure, match=reason) as caught:
        bench.build()
    assert caught.value.where == file


def test_a_layer_whose_parents_hold_no_interpreter_says_so(bench: Bench) -> None:
    with pytest.raises(BuildFailure, match=r"no parent holds /opt/python/bin/python2\.7"):
        bench.build(replace(SPEC, version="2.7"))


def test_an_interpreter_whose_files_lie_behind_another_layers_symlink_is_refused(bench: Bench) -> None:
    outside = bench.root / "outside"
    outside.mkdir()
    with LayerWriter(bench.store, epoch=EPOCH, compression=Compression.ZSTD, progress=ignore_progress) as writer:
        writer.add(Entry("opt/python/lib", EntryType.SYMLINK, 0o777, target=str(outside)))
        link = NamedLayer(node="link", blob=writer.finish())
    behind = write_layer(bench.store, "behind", {"opt/python/lib/evil.py": b"import this\n"})
    with pytest.raises(BuildFailure, match=r"^/opt/python/lib/evil\.py lies behind a symlink of another layer$"):
        bench.build_blob(SPEC, link, behind)
    assert not list(outside.iterdir())


def test_no_folder_is_made_behind_a_symlink(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside):
        folder.mkdir()
    (root / "lib").symlink_to(outside)
    with pytest.raises(BuildFailure, match="lies behind a symlink"):
        _unpack(root, Entry("lib/deep/evil.py", EntryType.FILE, 0o644, size=1), io.BytesIO(b"1"))
    assert not list(outside.iterdir())
