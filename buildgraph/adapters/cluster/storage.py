"""Volumes for claims: folders of this machine, made before they are asked for, made new when they were released."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from buildgraph.adapters.cluster import texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from buildgraph.adapters.cluster.api import Api
    from buildgraph.adapters.cluster.places import Places
    from buildgraph.ports import Cancel

MODE = 0o2777
"""Any user of a pod may write, and shares what is written with the group."""


def manifest() -> str:
    """The class and all volumes."""
    return texts.storage_manifest(texts.volume_names())


def make_folders(places: Places, names: Iterable[str] | None = None) -> None:
    """Empty folders for these volumes; all by default."""
    for name in texts.volume_names() if names is None else names:
        folder = places.volumes / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.chmod(MODE)


def find_released(volumes: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Of what the API lists, our volumes whose claims are gone."""
    known = set(texts.volume_names())
    names = (volume["metadata"]["name"] for volume in volumes if volume["status"].get("phase") == "Released")
    return tuple(name for name in names if name in known)


def renew(api: Api, places: Places, *, cancel: Cancel) -> None:
    """Make released volumes free again, without what was in them."""
    released = find_released(api.read("persistentvolumes", cancel=cancel))
    if released:
        api.call("delete", "persistentvolumes", *released, "--wait=true", cancel=cancel)
        make_folders(places, released)
        api.apply(texts.storage_manifest(released), cancel=cancel)
