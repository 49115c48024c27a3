"""The node's programs: compiled once from Go modules that are pinned here, kept by a key of all that shapes them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock

from buildgraph.adapters import process
from buildgraph.adapters.gomod import GO_HINT, list_go
from buildgraph.errors import BuildFailure, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.adapters.settings import Settings
    from buildgraph.ports import Cancel

SOURCES = Path(__file__).parent / "go"
KUBERNETES_MODULE = "k8s.io/kubernetes"
COMPONENTS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
"""The names that the one Kubernetes program goes by."""
BUILD = ("build", "-mod=readonly", "-trimpath", "-buildvcs=false")
_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """``kubernetes``: a folder with all of ``COMPONENTS``; the others are programs."""

    kubernetes: Path
    coredns: Path
    pause: Path
    policies: Path

    @property
    def kubectl(self) -> Path:
        """The client."""
        return self.kubernetes / "kubectl"


def ensure_programs(
    cache: Path, environ: Mapping[str, str], *, say: Callable[[str], None], cancel: Cancel, settings: Settings
) -> Programs:
    """All programs, compiled where the cache lacks them; ``EnvironmentFault`` when they cannot be."""
    environ = make_environment(environ, settings)
    go, go_version = find_compiler(environ, cancel=cancel)

    def ensure(name: str, links: tuple[str, ...] = ()) -> Path:
        folder = cache / f"{name}-{compute_key(SOURCES / name, go_version)}"
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{name}.lock"):
            if not folder.is_dir():
                _compile(go, name, folder, environ, links=links, say=say, cancel=cancel)
        return folder

    # Smallest first: what is wrong with the compiler or the network shows at once.
    pause = ensure("pause")
    kubernetes = ensure("kubernetes", links=COMPONENTS)
    return Programs(
        kubernetes=kubernetes,
        coredns=ensure("coredns") / "coredns",
        pause=pause / "pause",
        policies=ensure("policies") / "policies",
    )


def find_kubectl(cache: Path) -> Path | None:
    """A kubectl that was compiled before, whichever; None when there is none."""
    found = sorted(cache.glob("kubernetes-*/kubectl"), key=lambda path: path.lstat().st_mtime)
    return found[-1] if found else None


def make_environment(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """``environ`` for the compiler: this machine's Go, the user's proxies for modules, static programs."""
    result = {**settings.trust(environ), "CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    if settings.offline:
        result["GOPROXY"] = "off"
    elif settings.go:
        result["GOPROXY"] = "|".join(settings.with_credentials(url) for url in settings.go)
    return result


def compute_key(folder: Path, go_version: str) -> str:
    """A name for what a module's sources become with this compiler and these flags."""
    digest = hashlib.sha256(f"1 {go_version} {BUILD}\n".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()[:_KEY_LENGTH]


def read_version(text: str, module: str) -> str:
    """The version at which a ``go.mod`` asks for a module."""
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", text, re.MULTILINE)
    assert found is not None, f"go.mod does not name {module}"
    return found[1]


def kubernetes_version() -> str:
    """The version that is compiled, as ``v1.2.3``."""
    return read_version((SOURCES / "kubernetes/go.mod").read_text("utf-8"), KUBERNETES_MODULE)


def linker_flags(name: str) -> str:
    """Kubernetes' programs say what version they are only if the linker tells them."""
    if name != "kubernetes":
        return "-s -w"
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".", maxsplit=2)
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    told = [f"-X {package}.{key}={value}" for package in _VERSION_PACKAGES for key, value in values.items()]
    return " ".join(("-s -w", *told))


def find_compiler(environ: Mapping[str, str], *, cancel: Cancel) -> tuple[str, str]:
    """A go that all modules can be compiled with, and what it says of itself."""
    needed = max(_count(_read_go((path / "go.mod").read_text("utf-8"))) for path in SOURCES.iterdir())
    old = []
    for go in list_go():
        version = _ask_version(go, environ, cancel=cancel)
        if _count(version) >= needed:
            return go, version
        old.append(f"{go} is {version.split()[0]}")
    release = ".".join(map(str, needed))
    raise EnvironmentFault(f"Go {release} or newer is needed; {', '.join(old)}", hint=f"install it, or {GO_HINT}")


def _read_go(text: str) -> str:
    """The version of Go that a ``go.mod`` asks for."""
    found = re.search(r"^go (\S+)", text, re.MULTILINE)
    assert found is not None, "go.mod names no version of Go"
    return found[1]


def _count(version: str) -> tuple[int, ...]:
    """The numbers of ``1.25.0``, and of ``go1.26.8 linux amd64``, as far as they tell releases apart."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split(maxsplit=1)[0])[:2])


def _ask_version(go: str, environ: Mapping[str, str], *, cancel: Cancel) -> str:
    with TemporaryDirectory() as scratch:
        argv = [go, "env", "GOVERSION", "GOOS", "GOARCH"]
        try:
            return " ".join(process.output(argv, scratch=Path(scratch), cancel=cancel, env=environ).split())
        except BuildFailure as failure:
            raise EnvironmentFault(failure.what) from failure


def _compile(
    go: str,
    name: str,
    folder: Path,
    environ: Mapping[str, str],
    *,
    links: tuple[str, ...],
    say: Callable[[str], None],
    cancel: Cancel,
) -> None:
    what = f"Kubernetes {kubernetes_version()}; the first time takes some 8 minutes" if links else name
    say(f"compiling {what}")
    log = folder.parent / f"{name}.log"
    log.unlink(missing_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="new-") as scratch:
        new = Path(scratch, "programs")
        new.mkdir(mode=0o755)
        argv = [go, *BUILD, f"-ldflags={linker_flags(name)}", "-o", str(new / name), "."]
        try:
            process.check(argv, log=log, cancel=cancel, env=environ, cwd=SOURCES / name)
        except BuildFailure as failure:
            raise EnvironmentFault(f"{name} could not be compiled: {failure.what}", hint=f"see {log}") from failure
        for link in links:
            (new / link).symlink_to(name)
        new.rename(folder)
