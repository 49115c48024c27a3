"""The probes of ``doctor``: each looks at one thing and judges it."""

from __future__ import annotations

import os
import platform
import shutil
import ssl
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph import __version__, key
from buildgraph.adapters import layout, process
from buildgraph.adapters.address import data_path, default_state, is_own
from buildgraph.adapters.helm import find_helm
from buildgraph.adapters.store import check_place
from buildgraph.app.diagnosis import Check, Status, fail, judge_space, judge_staleness, judge_version
from buildgraph.app.locking import check_lock
from buildgraph.app.pinning import check_pins
from buildgraph.app.session import find_store, open_session
from buildgraph.errors import BuildgraphError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.app.session import Session

PROGRAM_SECONDS = 2
SPACE = 10_000_000_000
MEMORY = 4_000_000_000
DOCKER_FLOOR = (23, 0)
BUILDX_FLOOR = (0, 12)
BUILDKIT_FLOOR = (0, 28, 1)
HELM_FLOOR = (3, 17)
_PYTHON_FLOOR = (3, 11)
_FAR = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "vboxsf", "fuse.sshfs", "virtiofs"})
_PLENTY = "free some space, for example with: buildgraph gc"
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def list_probes(
    directory: Path, *, store: Path | None, lock_file: str | None, environ: Mapping[str, str]
) -> dict[str, Callable[[], Check]]:
    """Everything that is looked at, in the order of the report. ``directory`` may lie outside any project."""
    place = store or find_store(environ)
    probes: dict[str, Callable[[], Check]] = {
        "python": _check_python,
        "libraries": _check_libraries,
        "memory": _check_memory,
        "certificates": partial(_check_certificates, environ),
        "store": partial(_check_store, place),
        "store disk": partial(_check_disk, "store disk", place),
        "engine": partial(_check_engine, environ),
        "engine disk": partial(_check_engine_disk, environ),
        "docker": partial(_check_docker, environ),
        "buildx": partial(_check_buildx, environ),
        "buildkit": partial(_check_buildkit, environ),
        "mmdebstrap": partial(
            _check_program, environ, "mmdebstrap", "--version", "rootfs layers need it: install mmdebstrap"
        ),
        "go": partial(_check_program, environ, "go", "version", "sources from Go modules need it: install go"),
        "helm": partial(_check_helm, environ),
    }
    probes.update(_list_project_probes(directory, lock_file=lock_file, environ=environ))
    return probes


def _list_project_probes(
    directory: Path, *, lock_file: str | None, environ: Mapping[str, str]
) -> dict[str, Callable[[], Check]]:
    try:
        session = open_session(directory, store=None, lock_file=lock_file, environ=environ)
    except UsageError as error:
        problem = error
        if not any((folder / "manifests/project.yaml").is_file() for folder in _upwards(directory)):
            text = f"none at {directory.absolute()}; nothing of a project was checked"
            return {"project": lambda: Check(name="project", status=Status.OK, text=text)}
        return {"project": lambda: _describe_project_fault(problem)}
    return {
        "project": partial(_check_project, session),
        "clock": partial(_check_clock, session.catalogue.project.epoch),
        "lock": partial(judge_staleness, "lock", partial(check_lock, session)),
        "pins": partial(judge_staleness, "pins", partial(check_pins, session)),
    }


def _upwards(directory: Path) -> tuple[Path, ...]:
    start = directory.absolute()
    return (start, *start.parents)


def _describe_project_fault(error: BuildgraphError) -> Check:
    first = str(error).partition("\n")[0]
    return Check(name="project", status=Status.FAIL, text=first, hint="run: buildgraph list, and correct what it names")


def _check_project(session: Session) -> Check:
    text = f"{session.workspace.root}: {len(session.catalogue.nodes)} nodes"
    return Check(name="project", status=Status.OK, text=text)


def _check_python() -> Check:
    text = f"buildgraph {__version__}, Python {platform.python_version()}"
    if sys.version_info[:2] < _PYTHON_FLOOR:
        return Check(name="python", status=Status.FAIL, text=text, hint="use Python 3.11 or newer")
    return Check(name="python", status=Status.OK, text=text)


def _check_libraries() -> Check:
    """The versions that are part of keys: with others, layers would not be what their keys stand for."""
    wanted = {
        "zstandard": key.ZSTANDARD,
        "installer": key.INSTALLER,
        "pytest": key.PYTEST,
        "pytest-testinfra": key.TESTINFRA,
    }
    others = []
    for name, expected in wanted.items():
        found = _find_version(name)
        if found != expected:
            others.append(f"{name} {found} instead of {expected}")
    if others:
        return Check(name="libraries", status=Status.FAIL, text="; ".join(others), hint="run: make setup")
    text = ", ".join(f"{name} {expected}" for name, expected in wanted.items())
    return Check(name="libraries", status=Status.OK, text=text)


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(missing)"


def _check_memory() -> Check:
    table = Path("/proc/meminfo")
    if not table.is_file():
        return Check(name="memory", status=Status.OK, text="this system does not tell")
    values = dict(line.split(":") for line in table.read_text(encoding="ascii").splitlines())
    free = int(values["MemAvailable"].split()[0]) * 1024
    return judge_space("memory", free, least=MEMORY, hint="build with fewer workers: --jobs 1")


def _check_certificates(environ: Mapping[str, str]) -> Check:
    from buildgraph.adapters.toolchain import ca_bundle

    name = "certificates"
    for variable in _CA_VARIABLES:
        named = environ.get(variable)
        if named and not Path(named).exists():
            text = f"{variable} names {named}, which is not there"
            return Check(name=name, status=Status.FAIL, text=text, hint=f"correct or unset {variable}")
    bundle = ca_bundle(environ)
    if bundle is None:
        text = "no bundle of certificate authorities was found"
        return Check(name=name, status=Status.WARN, text=text, hint="install ca-certificates, or set SSL_CERT_FILE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(bundle)
    except ssl.SSLError:
        return Check(name=name, status=Status.FAIL, text=f"{bundle} is no PEM file", hint="name one in SSL_CERT_FILE")
    ends = [ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs()]
    expired = sum(end < time.time() for end in ends)
    text = f"{bundle}: {len(ends)} authorities"
    if expired == len(ends):
        return Check(name=name, status=Status.FAIL, text=f"{text}, none of them valid now", hint="check the clock")
    more = f", {expired} of them expired" if expired else ""
    return Check(name=name, status=Status.OK, text=text + more)


def _check_store(place: Path) -> Check:
    name = "store"
    if place.is_symlink():
        return Check(
            name=name, status=Status.FAIL, text=f"{place} is a symlink", hint="name the real directory with --store"
        )
    try:
        check_place(place)
    except UsageError as error:
        return fail(name, error)
    nearest = _find_existing(place)
    if not os.access(nearest, os.W_OK | os.X_OK):
        text = f"{nearest} cannot be written"
        return Check(name=name, status=Status.FAIL, text=text, hint="choose another --store, or get the right to write")
    if not place.is_dir():
        return Check(name=name, status=Status.OK, text=f"{place} is made by the first build")
    return _check_held_store(place)


def _check_held_store(place: Path) -> Check:
    name, hint = "store", "run: buildgraph verify --repair"
    system = _find_file_system(place)
    try:
        found = layout.read_format((place / layout.STORE_FILE).read_bytes())
    except FileNotFoundError:
        return Check(name=name, status=Status.WARN, text=f"{place} has no {layout.STORE_FILE}", hint=hint)
    try:
        layout.check_format(found, place)
    except BuildgraphError as error:
        return fail(name, error)
    if found is None:
        return Check(name=name, status=Status.WARN, text=f"{layout.STORE_FILE} in {place} is damaged", hint=hint)
    if place.stat().st_mode & 0o077:
        text = f"other users may look into {place}"
        return Check(name=name, status=Status.WARN, text=text, hint=f"run: chmod 700 {place}")
    if system in _FAR:
        text = f"{place} lies on {system}, whose locks may not hold between machines"
        return Check(name=name, status=Status.WARN, text=text, hint="keep the store on a local disk")
    return Check(name=name, status=Status.OK, text=f"{place}, format {found}, on {system}")


def _find_file_system(place: Path) -> str:
    """The type of the file system that holds ``place``, or ``unknown``."""
    mounts = Path("/proc/self/mounts")
    best, kind = "", "unknown"
    for line in mounts.read_text(encoding="utf-8").splitlines() if mounts.is_file() else ():
        _device, point, system, *_ = line.split()
        if place.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, system
    return kind


def _check_disk(name: str, place: Path) -> Check:
    return judge_space(name, shutil.disk_usage(_find_existing(place)).free, least=SPACE, hint=_PLENTY)


def _find_existing(place: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(folder for folder in (place, *place.parents) if folder.exists())


def _check_clock(epoch: int) -> Check:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    if now < epoch:
        text = f"{shown}, which is before the project's epoch"
        return Check(name="clock", status=Status.WARN, text=text, hint="set the clock, or connections will be refused")
    return Check(name="clock", status=Status.OK, text=shown)


def _read_engine(environ: Mapping[str, str]) -> dict[str, object]:
    from buildgraph.adapters import engine

    address = engine.require_engine(environ, default_state())
    with closing(engine.connect({**environ, "DOCKER_HOST": address.url}, timeout=PROGRAM_SECONDS)) as client:
        return {**client.info(), "address": address.url}


def _check_engine(environ: Mapping[str, str]) -> Check:
    from buildgraph.adapters.engine import has_containerd_store

    info = _read_engine(environ)
    hint = f"install Docker {DOCKER_FLOOR[0]} or newer"
    judged = judge_version("engine", str(info["ServerVersion"]), floor=DOCKER_FLOOR, hint=hint, below=Status.FAIL)
    kind = "containerd image store" if has_containerd_store(info) else "classic image store"
    text = f"{judged.text} at {info['address']}, {info['Driver']}, {kind}"
    return Check(name="engine", status=judged.status, text=text, hint=judged.hint)


def _check_engine_disk(environ: Mapping[str, str]) -> Check:
    name = "engine disk"
    try:
        info = _read_engine(environ)
    except BuildgraphError:
        return Check(name=name, status=Status.OK, text="not known while no engine answers")
    root = _find_engine_root(info)
    if not str(info["address"]).startswith("unix://") or not root.is_dir():
        return Check(name=name, status=Status.OK, text=f"{root} is not on this machine, or not to be seen")
    return _check_disk(name, root)


def _find_engine_root(info: Mapping[str, object]) -> Path:
    """Where the engine keeps its images; our own sees its folder under another name than we do."""
    state = default_state()
    if is_own(str(info["address"]), state):
        return data_path(state)
    return Path(str(info.get("DockerRootDir") or "/nonexistent"))


def _check_docker(environ: Mapping[str, str]) -> Check:
    from buildgraph.adapters import dockerd, toolchain

    docker = toolchain.find_docker(environ, dockerd.root_path(default_state()))
    hint = "dockerfile layers and tests need the docker command: install docker-cli"
    if docker is None:
        return Check(name="docker", status=Status.WARN, text="there is no docker command", hint=hint)
    text = _output([str(docker), "--version"], environ)
    return judge_version("docker", text, floor=DOCKER_FLOOR, hint="install a newer docker command")


def _find_buildx(environ: Mapping[str, str]) -> tuple[str, ...]:
    from buildgraph.adapters import dockerd, toolchain

    root = dockerd.root_path(default_state())
    return toolchain.require_buildx(toolchain.find_toolchain(environ, root, cancel=process.Never()))


def _check_buildx(environ: Mapping[str, str]) -> Check:
    try:
        words = _find_buildx(environ)
    except BuildgraphError as error:
        return Check(name="buildx", status=Status.WARN, text=error.what, hint=error.hint)
    hint = "install a newer docker-buildx: older ones do not read OCI layouts well"
    return judge_version("buildx", _output([*words, "version"], environ), floor=BUILDX_FLOOR, hint=hint)


def _check_buildkit(environ: Mapping[str, str]) -> Check:
    """Engines of distributions do not say which BuildKit is inside; then only Docker's own version counts."""
    from buildgraph.adapters import engine

    hint = f"keep Docker up to date: BuildKit below {'.'.join(map(str, BUILDKIT_FLOOR))} has known holes"
    try:
        words = _find_buildx(environ)
        address = engine.require_engine(environ, default_state())
        text = _output([*words, "inspect"], {**environ, "DOCKER_HOST": address.url})
    except BuildgraphError:
        return Check(name="buildkit", status=Status.WARN, text="its version is not known", hint=hint)
    # Debian's engine says "v0.0.0+unknown".
    line = next((line for line in text.splitlines() if line.lower().startswith("buildkit") and "0.0.0" not in line), "")
    return judge_version("buildkit", line, floor=BUILDKIT_FLOOR, hint=hint)


def _check_program(environ: Mapping[str, str], name: str, option: str, hint: str) -> Check:
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path is None:
        return Check(name=name, status=Status.WARN, text="it is not installed", hint=hint)
    return Check(name=name, status=Status.OK, text=_output([path, option], environ).partition("\n")[0])


def _check_helm(environ: Mapping[str, str]) -> Check:
    path = find_helm(environ)
    if path is None:
        hint = "to install and test the charts, install Helm"
        return Check(name="helm", status=Status.WARN, text="it is not installed", hint=hint)
    hint = "install Helm 3.17 or newer"
    return judge_version("helm", _output([str(path), "version", "--short"], environ), floor=HELM_FLOOR, hint=hint)


def _output(argv: list[str], environ: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        return process.output(
            argv, scratch=Path(scratch), cancel=process.Never(), env=environ, timeout=PROGRAM_SECONDS
        ).strip()
