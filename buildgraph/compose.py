"""Layers + runtime config → image manifest and config, and the conflicts between layers. No layer is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from buildgraph.errors import Conflict
from buildgraph.model import MEDIA_CONFIG, MEDIA_MANIFEST, Composition, EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.model import Entry, FileIndex, ImageConfig, NamedLayer

DEFAULT_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
MAX_LINKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two layers that disagree about ``path`` (canonical, absolute)."""

    path: str
    lower: str
    upper: str
    reason: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: {self.upper} {self.reason} of {self.lower}"


def compose_image(layers: Sequence[NamedLayer], config: ImageConfig, *, platform: str, epoch: int) -> Composition:
    """The image of ``layers`` (lowest first) with ``config``. The same layers and config give the same bytes.

    Raises:
        Conflict: when two layers set the same variable differently.
    """
    config_bytes = _encode(_config_document(layers, config, platform, epoch))
    config_digest = _digest(config_bytes)
    manifest_bytes = _encode(
        {
            "schemaVersion": 2,
            "mediaType": MEDIA_MANIFEST,
            "config": {"mediaType": MEDIA_CONFIG, "digest": config_digest, "size": len(config_bytes)},
            "layers": [
                {"mediaType": layer.blob.media_type, "digest": layer.blob.digest, "size": layer.blob.size}
                for layer in layers
            ],
        }
    )
    return Composition(
        digest=_digest(manifest_bytes),
        manifest=manifest_bytes,
        config_digest=config_digest,
        config=config_bytes,
        layers=tuple(layer.blob for layer in layers),
    )


def merge_environment(layers: Sequence[NamedLayer], config: ImageConfig) -> Mapping[str, str]:
    """The environment of an image, sorted by name.

    Scalars: the image's config wins over its layers; two layers must agree. PATH-like variables: each layer's
    entries go before those of the layers below it; PATH ends in the system's directories.
    """
    scalars: dict[str, tuple[str, str]] = {}
    lists: dict[str, tuple[str, ...]] = {"PATH": DEFAULT_PATH}
    paths = {"PATH", *(name for layer in layers for name in layer.prepend)}
    for layer in layers:
        for name, value in layer.env.items():
            if name in paths and name not in config.env:
                what = f"{layer.node} sets {name}={value}, to which layers prepend"
                raise Conflict(what, hint=f"write it under prepend, or set {name} in the image's config.env")
            known, by = scalars.setdefault(name, (value, layer.node))
            if known != value and name not in config.env:
                what = f"{by} sets {name}={known}, {layer.node} sets {name}={value}"
                raise Conflict(what, hint=f"set {name} in the image's config.env")
        for name, values in layer.prepend.items():
            lists[name] = tuple(dict.fromkeys((*values, *lists.get(name, ()))))
    merged = {name: value for name, (value, _) in scalars.items()}
    merged.update({name: ":".join(values) for name, values in lists.items()})
    merged.update(config.env)
    return dict(sorted(merged.items()))


def find_clashes(layers: Sequence[tuple[str, FileIndex]], overrides: Mapping[str, str]) -> Iterator[Clash]:
    """Every path on which an upper layer disagrees with a lower one, unless it is listed in ``overrides``."""
    view = _View()
    for node, index in layers:
        for entry in index:
            clash = view.compare(node, entry)
            if clash is not None and clash.path not in overrides:
                yield clash
        view.add(node, index)


class _View:
    """What the layers so far show: canonical path → entry and its layer."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Entry, str]] = {}
        self._folders: dict[str, str] = {"": ""}

    def compare(self, node: str, entry: Entry) -> Clash | None:
        path = self._canonical(entry.path)
        # A lower symlink must be met under its own name: a directory over it would hide what it leads to.
        lower = self._entries.get(path)
        if lower is None:
            return None
        known, by = lower
        reason = _disagreement(known, entry)
        return Clash(path=f"/{path}", lower=by, upper=node, reason=reason) if reason else None

    def add(self, node: str, index: FileIndex) -> None:
        placed = [(self._canonical(entry.path), entry) for entry in index]
        self._entries.update({path: (entry, node) for path, entry in placed})
        # New symlinks may lead elsewhere; what was worked out before them no longer holds.
        self._folders = {"": ""}

    def _canonical(self, path: str) -> str:
        """The path with the symlinks of its folders followed; its own name is kept."""
        folder, _, name = path.rpartition("/")
        return join(self._resolve(folder), name) if folder else name

    def _resolve(self, folder: str, depth: int = 0) -> str:
        if folder in self._folders:
            return self._folders[folder]
        parent, _, name = folder.rpartition("/")
        here = join(self._resolve(parent, depth), name) if parent else name
        known = self._entries.get(here)
        if known is not None and known[0].type is EntryType.SYMLINK and depth < MAX_LINKS:
            target = normpath(join("/", dirname(here), known[0].target)).lstrip("/")
            here = self._resolve(target, depth + 1)
        self._folders[folder] = here
        return here


def _disagreement(lower: Entry, upper: Entry) -> str:
    """How the upper entry differs from the lower one, in words that read before "of <layer>"; empty: it does not."""
    if lower.type is not upper.type:
        return f"puts a {upper.type.name.lower()} over a {lower.type.name.lower()}"
    if (lower.mode, lower.uid, lower.gid) != (upper.mode, upper.uid, upper.gid):
        was, now = (f"{e.mode:04o} {e.uid}:{e.gid}" for e in (lower, upper))
        return f"has mode and owner {now} where it is {was} in that"
    if lower.target != upper.target:
        return f"links to {upper.target} instead of {lower.target} as in that"
    if lower.type is EntryType.FILE and lower.sha256 != upper.sha256:
        return "has other content than that"
    return ""


def _config_document(layers: Sequence[NamedLayer], config: ImageConfig, platform: str, epoch: int) -> dict[str, object]:
    system, architecture = platform.split("/")
    created = datetime.fromtimestamp(epoch, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    runtime: dict[str, object] = {
        "User": config.user,
        "WorkingDir": config.workdir,
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.cmd),
        "Env": [f"{name}={value}" for name, value in merge_environment(layers, config).items()],
        "Labels": dict(config.labels),
        "ExposedPorts": {f"{port}/tcp": {} for port in config.ports},
        "StopSignal": config.stop_signal,
    }
    return {
        "architecture": architecture,
        "os": system,
        "created": created,
        "config": {name: value for name, value in runtime.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [layer.blob.diff_id for layer in layers]},
        "history": [
            {"created": created, "created_by": f"buildgraph {layer.node} {layer.blob.digest}"} for layer in layers
        ],
    }


def _encode(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
