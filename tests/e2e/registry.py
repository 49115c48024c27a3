"""A real registry for tests, Debian's, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "docker-registry"
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


@dataclass(frozen=True)
class Server:
    """A registry that runs on this machine."""

    address: str
    folder: Path

    def digest(self, repository: str, reference: str) -> str:
        """The digest that it gives for a name."""
        url = f"http://{self.address}/v2/{repository}/manifests/{reference}"
        asked = urllib.request.Request(url, headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(asked) as response:
            return str(response.headers["Docker-Content-Digest"])

    def blobs(self) -> int:
        """How many blobs it keeps, once each."""
        return len(list(self.folder.glob("docker/registry/v2/blobs/sha256/*/*/data")))


def find_program(folder: Path) -> Path:
    """The program as installed, else from Debian's package, unpacked and not installed: nothing of it is started."""
    if found := shutil.which(PACKAGE):
        return Path(found)
    if shutil.which("apt-get") is None:
        pytest.skip(f"there is no {PACKAGE} here, and no Debian to take it from")
    fetched = subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, text=True, check=False)
    packages = list(folder.glob("*.deb"))
    if fetched.returncode or not packages:
        pytest.skip(f"{PACKAGE} cannot be fetched: {fetched.stderr.strip().splitlines()[-1:]}")
    subprocess.run(["dpkg-deb", "--extract", packages[0], folder], check=True)
    return folder / "usr" / "bin" / PACKAGE


@contextmanager
def run_registry(folder: Path) -> Iterator[Server]:
    """Serves while the context is open; keeps what it has below the folder."""
    program = find_program(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(CONFIG.format(folder=folder / "data", address=address))
    with subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://{address}/v2/")
            yield Server(address=address, folder=folder / "data")
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer")
