"""A secret in every place where a user keeps some, a whole build with tests and failures, and a search for all of them.

No engine is needed: the Docker API is a server on a socket, the CLI a script whose build steps print what they are
given. What a real build step does with a secret is in ``tests/e2e/test_attacks.py``.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.fakes.engineserver import EngineServer
from tests.fakes.sample import make_sample
from tests.fakes.webserver import Reply, WebServer
from tests.faults.searching import contains
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.sample import Sample

CHANNELS = (
    *("token", "password", "netrc", "pip_variable", "uv_variable", "pip_file", "maven", "go_proxy", "proxy", "aws"),
    *("secret_variable", "secret_file", "docker_config", "settings", "bad_settings", "query", "redirect", "error_body"),
    *("argument", "config"),
)
STORES = ("layers", "images", "records", "runs", "sources", "output", "lock", "reports")
MEANT: Mapping[str, frozenset[str]] = {
    # The user wrote it into a committed file that the lock repeats.
    "query": frozenset({"lock"}),
    # An image's environment is for whoever runs the image.
    "config": frozenset({"images"}),
}
"""Where a value belongs by its nature."""
CLI = """#!/bin/sh
for word in "$@"; do case "$word" in type=tar,dest=*) dest="${word#type=tar,dest=}";; esac; done
if [ "$2" = build ]; then
  for name in 0 1; do eval "printf '%s\\n' \\"\\$BUILDGRAPH_VALUE_$name\\""; done
  for name in 0 1; do eval "printf %s \\"\\$BUILDGRAPH_VALUE_$name\\" | base64 -w 0"; echo; done
  work=$(mktemp -d); mkdir "$work/opt"; echo made > "$work/opt/made"
  tar -C "$work" -cf "$dest" opt; rm -r "$work"
fi
"""
MADE = """\
layer: made
kind: dockerfile
stage: intermediate
description: Made by steps that print what they are given
args: {MODE: ARGUMENT}
secrets: {one: "for the test", two: "for the test"}
test_on: [base]
"""
FETCHED = """\
layer: LAYER
kind: files
stage: intermediate
description: A download
sources: {dist: "url:URL"}
files: [{place: dist, to: /opt/LAYER}]
test_on: [base]
"""
TEST = "import os\n\ndef test_it():\n    print(dict(os.environ))\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The project, the value of each channel, and what the program has said."""

    sample: Sample
    values: Mapping[str, str]
    said: list[str]
    asked: list[str]

    def call(self, *words: str) -> int:
        """A command; what it says is kept."""
        done = self.sample.call(*words)
        self.said.extend((done.out, done.err))
        return done.code

    def gather(self) -> dict[str, bytes]:
        """All bytes of each of the ``STORES``."""
        store, project = self.sample.store, self.sample.folder
        blobs = _files(store / "blobs")
        apart = {"blobs", "runs", "sources"}
        return {
            "layers": b"".join(data for data in blobs if not data.startswith(b"{")),
            "images": b"".join(data for data in blobs if data.startswith(b"{")),
            "records": b"".join(_read(path) for path in sorted(store.iterdir()) if path.name not in apart),
            "runs": _read(store / "runs"),
            "sources": _read(store / "sources"),
            "output": "".join(self.said).encode(),
            "lock": _read(project / "manifests" / "buildgraph.lock") + _read(project / "manifests" / "ledger.json"),
            "reports": _read(project.parent / "reports"),
        }


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def _read(path: Path) -> bytes:
    """All files below a folder with their names, or one file."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return b"".join(str(file).encode() + b"\0" + file.read_bytes() for file in files if file.is_file())


def find_all(places: Mapping[str, bytes], values: Mapping[str, str]) -> list[str]:
    """``channel in store`` for every value that is where it does not belong."""
    return [
        f"{channel} in {store}"
        for store, data in places.items()
        for channel, value in values.items()
        if store not in MEANT.get(channel, ()) and contains(data, value)
    ]


def play(folder: Path, patch: pytest.MonkeyPatch) -> Scene:
    """Plant every value, then build, test, fail, report and ask."""
    values = {channel: f"c4n4ry/{channel}+{secrets.token_hex(8)}=" for channel in CHANNELS}
    scene = Scene(sample=make_sample(folder, patch), values=values, said=[], asked=[])
    (folder / "reports").mkdir()
    with WebServer() as web, EngineServer(folder / "engine") as engine:
        patch.setenv("DOCKER_HOST", engine.url)
        _plant_environment(folder, values, patch)
        _plant_files(folder, values, web.address)
        _plant_manifests(scene, web)
        _run(scene, web, patch)
        scene.asked.extend(f"{asked.path} {asked.headers.get('Authorization', '')}" for asked in web.asked)
    return scene


def _plant_environment(folder: Path, values: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    cli = folder / "bin" / "docker"
    cli.parent.mkdir()
    cli.write_text(CLI)
    cli.chmod(0o755)
    variables = {
        "PATH": f"{cli.parent}:/usr/local/bin:/usr/bin:/bin",
        "GITHUB_TOKEN": values["token"],
        "DB_PASSWORD": values["password"],
        "AWS_SECRET_ACCESS_KEY": values["aws"],
        "PIP_INDEX_URL": f"https://user:{quote(values['pip_variable'], safe='')}@index.example.com/simple",
        "UV_DEFAULT_INDEX": f"https://user:{quote(values['uv_variable'], safe='')}@uv.example.com/simple",
        "GOPROXY": f"https://user:{quote(values['go_proxy'], safe='')}@go.example.com",
        "https_proxy": f"http://user:{quote(values['proxy'], safe='')}@proxy.example.com:3128",
        "no_proxy": "127.0.0.1,localhost",
        "MIRROR_WORD": values["settings"],
        "BUILDGRAPH_SECRET_ONE": values["secret_variable"],
        "BUILDGRAPH_SETTINGS": str(folder / "settings.yaml"),
    }
    for name, value in variables.items():
        patch.setenv(name, value)


def _plant_files(folder: Path, values: Mapping[str, str], address: str) -> None:
    home = folder / "home"
    docker = {"auths": {"registry.example": {"auth": b64encode(f"u:{values['docker_config']}".encode()).decode()}}}
    maven = (
        "<settings><servers><server><id>m</id><username>u</username>"
        f"<password>{values['maven']}</password></server></servers>"
        "<mirrors><mirror><id>m</id><url>https://maven.example.com/all</url><mirrorOf>*</mirrorOf></mirror></mirrors>"
        "</settings>"
    )
    credential = {"username": "user", "password_env": "MIRROR_WORD"}
    files = {
        home / ".netrc": f"machine 127.0.0.1 login user password {values['netrc']}\n",
        home / ".config/pip/pip.conf": "[global]\nindex-url = https://user:"
        f"{quote(values['pip_file'], safe='').replace('%', '%%')}@index.example.com/simple\n",
        home / ".m2/settings.xml": maven,
        home / ".docker/config.json": json.dumps(docker),
        folder / "settings.yaml": json.dumps({"credentials": {f"{address}/denied": credential}}),
        folder / "bad-settings.yaml": json.dumps({"credentials": {"host": {"password": values["bad_settings"]}}}),
        folder / "two": values["secret_file"],
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)


def _plant_manifests(scene: Scene, web: WebServer) -> None:
    sample, values = scene.sample, scene.values
    query = quote(values["query"], safe="")
    goal = f"/goal?token={quote(values['redirect'], safe='')}"
    url = web.serve(f"/dist.txt?key={query}", Reply(status=302, headers={"Location": goal}))
    web.serve(goal, Reply(body=b"content"))
    web.serve("/denied/dist.txt", Reply(status=403, body=values["error_body"].encode()))
    sample.write("manifests/layers/fetched.yaml", FETCHED.replace("LAYER", "fetched").replace("URL", url))
    sample.write("manifests/layers/made.yaml", MADE.replace("ARGUMENT", json.dumps(values["argument"])))
    sample.write("layers/made/Dockerfile", "FROM scratch\n")
    sample.edit("manifests/images/app.yaml", "cmd: [", f"env: {{SETTING: {json.dumps(values['config'])}}}, cmd: [")
    for folder in ("base", "tool", "app", "made", "fetched"):
        sample.write(f"layers/{folder}/test_{folder}.py", TEST)


def _run(scene: Scene, web: WebServer, patch: pytest.MonkeyPatch) -> None:
    folder = scene.sample.folder.parent
    secret = f"two={folder / 'two'}"
    reports = ("--report", str(folder / "reports/run.html"), "--junit", str(folder / "reports/run.xml"))
    assert scene.call("lock") == 0, scene.said
    build = ("build", "app", "made", "fetched", "--secret", secret, "--progress", "plain", *reports)
    assert scene.call(*build) == 0, scene.said
    scene.sample.edit("layers/tool/files/tool.sh", "exec true", "exec false")
    scene.sample.write("layers/tool/test_tool.py", TEST + "    assert dict(os.environ) == {}\n")
    assert scene.call(*build, "--progress", "json") == 1, scene.said
    denied = FETCHED.replace("LAYER", "denied").replace("URL", web.url("/denied/dist.txt"))
    scene.sample.write("manifests/layers/denied.yaml", denied)
    scene.sample.write("layers/denied/test_denied.py", TEST)
    assert scene.call("lock") != 0
    for words in (("why", "tool"), ("logs", "made"), ("config", "show"), ("doctor",), ("verify",), ("list", "--json")):
        scene.call(*words)
    patch.setenv("BUILDGRAPH_SETTINGS", str(folder / "bad-settings.yaml"))
    assert scene.call("config", "show") == 2, scene.said


def run() -> Figure:
    """One scene."""
    with tempfile.TemporaryDirectory(prefix="buildgraph-canaries-") as scratch, pytest.MonkeyPatch.context() as patch:
        scene = play(Path(scratch) / "scene", patch)
        found = find_all(scene.gather(), scene.values)
    return Figure(
        name="secret canaries",
        how=f"{len(CHANNELS)} channels, {len(STORES)} stores, plain, base64, in addresses and packed",
        target="0 finds",
        result=f"{len(found)} finds{': ' + ', '.join(found) if found else ''}",
        ok=not found,
    )
