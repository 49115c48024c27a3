"""BuildKit runs a layer's steps: what they can read, what they cannot reach, and how they end."""

from __future__ import annotations

import os
import tarfile
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import dockerd, engine
from buildgraph.adapters.address import default_state
from buildgraph.adapters.buildkit import BuildkitBuilder
from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.toolchain import find_toolchain, require_buildx
from buildgraph.errors import BuildFailure, Interrupted
from buildgraph.model import Compression
from tests.fakes.tiny import PLATFORM, compose, write_layer, write_shell_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.ports import Cancel

pytestmark = pytest.mark.engine

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nfor a test\n"
DEADLINE = 20.0


class Bench:
    """A builder, a store with a shell image called ``parent``, and a folder for one build."""

    def __init__(self, folder: Path) -> None:
        state = default_state()
        address = engine.require_engine(os.environ, state)
        environ = engine.make_environment(address, state, os.environ)
        buildx = require_buildx(find_toolchain(environ, dockerd.root_path(state), cancel=Never()))
        self.ca = folder / "ca.pem"
        self.ca.write_text(CERTIFICATE)
        self.store = LayoutStore(folder / "store")
        self.shell = write_shell_layer(self.store)
        self.sources = folder / "sources"
        self.sources.mkdir()
        self.context = folder / "context"
        self.context.mkdir()
        self.dockerfile, self.dest, self.log = folder / "Dockerfile", folder / "out.tar", folder / "log"
        self._builder = BuildkitBuilder(buildx=buildx, environ=environ, ca=self.ca)

    def address(self, digest: str) -> str:
        return f"oci-layout://{self.store.root}@{digest}"

    def build(
        self,
        dockerfile: str,
        *,
        named: Mapping[str, str] | None = None,
        args: Mapping[str, str] | None = None,
        network: bool = False,
        cancel: Cancel | None = None,
    ) -> dict[str, str]:
        """The exported files by path. Each build runs its steps: a nonce keeps BuildKit's cache out of it."""
        self.dockerfile.write_text(dockerfile)
        parent = self.address(compose(self.store, self.shell, write_layer(self.store, "nonce", _nonce())).digest)
        self._builder.export(
            dockerfile=self.dockerfile,
            context=self.context,
            named={"parent": parent, "sources": str(self.sources), **(named or {})},
            args=args or {},
            network=network,
            platform=PLATFORM,
            dest=self.dest,
            log=self.log,
            cancel=cancel or Never(),
        )
        return read_files(self.dest)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_step_reads_sources_files_and_arguments(bench: Bench) -> None:
    (bench.sources / "jdk").mkdir()
    (bench.sources / "jdk" / "a.deb").write_text("a source")
    (bench.context / "own").write_text("a file")
    files = bench.build(
        """\
FROM parent AS work
ARG SOURCE_DATE_EPOCH
COPY own /own
RUN --mount=type=bind,from=sources,target=/sources cat /sources/jdk/a.deb /own > /read
RUN <<END
echo $SOURCE_DATE_EPOCH > /epoch
END
FROM scratch
COPY --link --from=work /read /epoch /opt/
""",
        args={"SOURCE_DATE_EPOCH": "1767225600"},
    )
    assert files == {"opt/read": "a sourcea file", "opt/epoch": "1767225600\n"}


@pytest.mark.parametrize("compression", list(Compression))
def test_other_layers_are_contexts_by_their_node_names(bench: Bench, compression: Compression) -> None:
    layer = write_layer(bench.store, "python-3.10", {"opt/python": b"snake"}, compression=compression)
    address = bench.address(compose(bench.store, layer).digest)
    files = bench.build("FROM scratch\nCOPY --from=python-3.10 /opt/python /copied\n", named={"python-3.10": address})
    assert files == {"copied": "snake"}


def test_steps_have_no_network_unless_they_may(bench: Bench) -> None:
    dockerfile = "FROM parent AS work\nRUN cat /proc/net/dev > /dev.txt\nFROM scratch\nCOPY --from=work /dev.txt /\n"
    assert list_interfaces(bench.build(dockerfile)["dev.txt"]) == {"lo"}
    assert list_interfaces(bench.build(dockerfile, network=True)["dev.txt"]) > {"lo"}


def test_the_certificates_are_there_for_a_step_with_network_and_not_in_the_export(bench: Bench) -> None:
    path = "/etc/ssl/certs/ca-certificates.crt"
    step = f"RUN --mount=type=secret,id=ca,target={path} sh -c 'while read -r line; do seen=$line; done < {path}"
    files = bench.build(f"FROM parent\n{step}; echo saw ${{#seen}} > /saw'\n", network=True)
    assert files["saw"] == f"saw {len('for a test')}\n"
    assert not any("for a test" in text for text in files.values())


def test_the_certificates_are_not_offered_without_network(bench: Bench) -> None:
    step = "RUN --mount=type=secret,id=ca,required=true,target=/ca cat /ca"
    with pytest.raises(BuildFailure, match="ca"):
        bench.build(f"FROM parent\n{step}\n")


def test_a_failing_step_is_told_by_its_line_and_last_words(bench: Bench) -> None:
    with pytest.raises(BuildFailure) as caught:
        bench.build("FROM parent\nRUN echo one >&2; echo two words >&2; exit 3\n")
    assert str(caught.value) == (
        f"{bench.dockerfile}:2: RUN echo one >&2; echo two words >&2; exit 3 failed: two words"
    )
    assert "two words" in Path(caught.value.log).read_text()
    assert not bench.dest.exists()


def test_a_mistake_in_the_dockerfile_is_told_by_its_line(bench: Bench) -> None:
    with pytest.raises(BuildFailure, match=r"Dockerfile:2: .*unknown instruction: RAN"):
        bench.build("FROM parent\nRAN away\n")


def test_cancelling_stops_the_step_itself(bench: Bench) -> None:
    seconds = str(100_000 + uuid.uuid4().int % 1_000_000)
    cancel = threading.Event()

    def cancel_once_it_runs() -> None:
        if wait_for(lambda: is_running(seconds)):
            cancel.set()

    watcher = threading.Thread(target=cancel_once_it_runs)
    watcher.start()
    with pytest.raises(Interrupted):
        bench.build(f"FROM parent\nRUN sleep {seconds}\n", cancel=cancel)
    watcher.join()
    assert wait_for(lambda: not is_running(seconds))
    assert not bench.dest.exists()


def is_running(seconds: str) -> bool:
    """True while a ``sleep`` of that many seconds runs anywhere on this machine."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
        except OSError:
            continue  # it ended meanwhile
    return False


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def list_interfaces(text: str) -> set[str]:
    return {line.partition(":")[0].strip() for line in text.splitlines() if ":" in line}


def read_files(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.isfile()]
        return {
            member.name: archive.extractfile(member).read().decode(errors="replace")  # type: ignore[union-attr]
            for member in members
        }


def _nonce() -> dict[str, bytes]:
    return {"nonce": uuid.uuid4().bytes}
