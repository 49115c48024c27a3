"""Builds ``rootfs`` layers: mmdebstrap on the locked packages and nothing else, then packed anew."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import quote

from buildgraph.adapters import process
from buildgraph.adapters.debianroot import APART
from buildgraph.adapters.paths import matches_any, member_path
from buildgraph.adapters.repack import sort_members
from buildgraph.adapters.tarwriter import LayerWriter, cancelling
from buildgraph.errors import BuildFailure, EnvironmentFault
from buildgraph.model import Entry, EntryType, RootfsSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.adapters.disk import Scratch
    from buildgraph.model import Artifact, LayerBlob
    from buildgraph.ports import BlobStore, Fetcher, LayerInputs

PACKAGES = "packages"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_APT_OPTIONS = (
    'APT::Sandbox::User "root"',
    "APT::Install-Recommends false",
    "Acquire::Check-Valid-Until false",
    "Acquire::Languages none",
)
_DPKG_OPTIONS = (
    "force-unsafe-io",  # the root is packed at once; a crash means to start anew anyway
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
)
# Files (directories stay) that are the machine's identity, that only this build knew, or that programs write again.
_DROPPED = (
    "etc/hostname",
    "etc/resolv.conf",
    "etc/apt/sources.list",
    "etc/apt/sources.list.d/*",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/.pwd.lock",
    "etc/*-",
    "run/**",
    "tmp/**",
    "var/cache/apt/**",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/**",
    "var/lib/apt/**",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/*-old",
    "var/lib/dpkg/lock*",
    "var/lib/dpkg/triggers/Lock",
    "var/log/**",
    "var/tmp/**",
)
_MACHINE_ID = "etc/machine-id"
_STATUS = "var/lib/dpkg/status"
# Some packages' scripts write below it and fail where it is missing.
_MAN = "usr/share/man/man1"


class RootfsBuilder:
    """A ``ports.LayerBuilder`` for ``Kind.ROOTFS``; needs mmdebstrap, and root or user namespaces."""

    def __init__(self, blobs: BlobStore, fetcher: Fetcher, layers_dir: Path, scratch: Scratch) -> None:
        """``layers_dir`` is the project's ``layers`` folder: hooks lie there."""
        self._blobs = blobs
        self._fetcher = fetcher
        self._layers_dir = layers_dir
        self._scratch = scratch

    def __call__(self, inputs: LayerInputs) -> LayerBlob:
        """Install the locked packages into an empty root and pack it; ``EnvironmentFault`` without mmdebstrap."""
        _require("mmdebstrap")
        spec = inputs.layer.spec
        assert isinstance(spec, RootfsSpec)
        artifacts = inputs.artifacts.get(PACKAGES, ())
        if not artifacts:
            raise BuildFailure("the lock holds no packages for it", where=str(inputs.layer.location))
        with self._scratch("rootfs") as kept, _open_to_namespaces(kept) as work:
            names = self._make_repository(inputs, spec, artifacts, work)
            hooks = self._copy_hooks(inputs, spec, work)
            tar = kept / "root.tar"
            argv = (*_apart(), *_command(spec, names, hooks, _architecture(inputs)), str(tar), _mirror(work))
            process.check(
                argv,
                log=inputs.log,
                cancel=inputs.cancel,
                env=_environment(inputs, work),
                cwd=work,
                program="mmdebstrap",
            )
            return self._pack(inputs, tar, names)

    def _make_repository(
        self, inputs: LayerInputs, spec: RootfsSpec, artifacts: tuple[Artifact, ...], work: Path
    ) -> tuple[str, ...]:
        """Lay the packages out as an apt repository; the packages' names, sorted."""
        folder = work / "repository"
        folder.mkdir(mode=0o755)
        stanzas: dict[str, str] = {}
        for artifact in artifacts:
            path = self._fetcher.path(artifact)
            control = process.output(["dpkg-deb", "-f", str(path)], scratch=work, cancel=inputs.cancel)
            file = f"{artifact.sha256}.deb"
            _link_or_copy(path, folder / file)
            name = _package_name(control, artifact)
            if name in stanzas:
                raise BuildFailure(f"the lock holds two versions of {name}", hint="relock the layer")
            stanzas[name] = f"{control.strip()}\nFilename: ./{file}\nSize: {artifact.size}\nSHA256: {artifact.sha256}\n"
        text = "\n".join(stanzas[name] for name in sorted(stanzas)).encode()
        (folder / "Packages").write_bytes(text)
        (folder / "Release").write_text(_release(spec.suite, _architecture(inputs), text), encoding="utf-8")
        return tuple(sorted(stanzas))

    def _copy_hooks(self, inputs: LayerInputs, spec: RootfsSpec, work: Path) -> tuple[Path, ...]:
        """The layer's hooks where mmdebstrap may run them, executable."""
        folder = work / "hooks"
        folder.mkdir(mode=0o755)
        hooks = []
        for number, name in enumerate(spec.hooks):
            source = self._layers_dir / inputs.layer.layer / member_path(name)
            if source.is_symlink() or not source.is_file():
                raise BuildFailure(f"the hook {name} is no file of the layer", where=str(inputs.layer.location))
            hook = folder / f"{number}-{source.name}"
            shutil.copyfile(source, hook)
            hook.chmod(0o755)
            hooks.append(hook)
        return tuple(hooks)

    def _pack(self, inputs: LayerInputs, path: Path, names: tuple[str, ...]) -> LayerBlob:
        progress = cancelling(inputs.progress, inputs.cancel)
        compression = inputs.layer.compression
        with (
            tarfile.open(path, "r:", encoding="utf-8") as tar,
            LayerWriter(self._blobs, epoch=inputs.epoch, compression=compression, progress=progress) as writer,
        ):
            members = _read_members(tar)
            _check_installed(tar, members, names)
            for entry, info in sorted(_layer_entries(members), key=lambda pair: pair[0].path):
                content = tar.extractfile(info) if info and entry.type is EntryType.FILE else None
                writer.add(entry, cast("BinaryIO | None", content))
            return writer.finish()


def _require(program: str) -> None:
    if shutil.which(program, path=_PATH) is None:
        raise EnvironmentFault(
            f"{program} is missing, and rootfs layers are made by it",
            hint=f"on Debian: apt-get install {program}; elsewhere take the layer from a shared store (see README)",
        )


@contextmanager
def _open_to_namespaces(kept: Path) -> Iterator[Path]:
    """Where mmdebstrap works: ``kept`` itself as root; else a place that the user namespace's other users may enter."""
    if os.geteuid() == 0:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="buildgraph-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        # Another file system.
        shutil.copyfile(source, target)


def _package_name(control: str, artifact: Artifact) -> str:
    for line in control.splitlines():
        key, _, value = line.partition(":")
        if key.lower() == "package":
            return value.strip()
    raise BuildFailure("the package does not say its name", where=artifact.file)


def _architecture(inputs: LayerInputs) -> str:
    return inputs.platform.partition("/")[2]


def _release(suite: str, architecture: str, packages: bytes) -> str:
    """What lets apt find the suite's essential packages in a repository without a signature."""
    return (
        f"Suite: {suite}\nCodename: {suite}\nArchitectures: {architecture} all\n"
        f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
    )


def _apart() -> tuple[str, ...]:
    """As root, mounts of its own: what an interrupted mmdebstrap leaves must not be in reach of the clean-up."""
    return APART if os.geteuid() == 0 else ()


def _command(spec: RootfsSpec, names: tuple[str, ...], hooks: tuple[Path, ...], architecture: str) -> tuple[str, ...]:
    return (
        "mmdebstrap",
        "--variant=essential",
        "--format=tar",
        f"--architectures={architecture}",
        f"--include={','.join(names)}",
        *(f"--aptopt={option}" for option in _APT_OPTIONS),
        *(f"--dpkgopt={option}" for option in _DPKG_OPTIONS),
        f'--setup-hook=mkdir -p "$1/{_MAN}"',
        *(f'--customize-hook={shlex.quote(str(hook))} "$1"' for hook in hooks),
        spec.suite,
    )


def _mirror(work: Path) -> str:
    return f"deb [trusted=yes] copy:{quote(str(work))}/repository ./"


def _environment(inputs: LayerInputs, work: Path) -> dict[str, str]:
    return {
        "PATH": _PATH,
        "HOME": str(work),
        "TMPDIR": str(work),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "DEBIAN_FRONTEND": "noninteractive",
        "SOURCE_DATE_EPOCH": str(inputs.epoch),
    }


def _read_members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """The root's members by path, without what a layer must not hold."""
    members = {member_path(info.name): info for info in tar}
    return {path: info for path, info in members.items() if path and _is_kept(path, info)}


def _is_kept(path: str, info: tarfile.TarInfo) -> bool:
    # What runs the image mounts its own devices.
    return not path.startswith("dev/") and (info.isdir() or not matches_any(_DROPPED, path))


def _check_installed(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], names: tuple[str, ...]) -> None:
    """Refuse a root that does not hold exactly the locked packages, all configured."""
    status = tar.extractfile(members[_STATUS]) if _STATUS in members else None
    text = status.read().decode() if status else ""
    stanzas = [
        dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" "))
        for stanza in text.split("\n\n")
        if stanza.strip()
    ]
    installed = {stanza.get("Package") for stanza in stanzas if stanza.get("Status") == "install ok installed"}
    wrong = sorted(str(name) for name in installed.symmetric_difference(names))
    if wrong:
        raise BuildFailure(f"what is installed is not what is locked: {', '.join(wrong)}", hint="relock the layer")


def _layer_entries(members: dict[str, tarfile.TarInfo]) -> Iterator[tuple[Entry, tarfile.TarInfo | None]]:
    """Entries by path with the members that hold their content; the machine id is always there and always empty."""
    for entry, info in sort_members(members):
        yield (replace(entry, size=0), None) if entry.path == _MACHINE_ID else (entry, info)
    if _MACHINE_ID not in members:
        yield Entry(_MACHINE_ID, EntryType.FILE, 0o444), None
