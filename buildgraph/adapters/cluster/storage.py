"""Volumes for claims: folders of this machine, made before they are asked for, and emptied when they are released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.adapters.cluster import texts
from buildgraph.adapters.cluster.places import CONFIGURATION, VOLUMES

if TYPE_CHECKING:
    from buildgraph.adapters.cluster.places import Places

KEEPER = "volumes"
"""The name of the process that empties volumes."""
MODE = "2777"
"""Any user of a pod may write; what is written has the folder's group."""
_FREE = '[{"op": "remove", "path": "/spec/claimRef"}]'
_LIST = r'jsonpath={.metadata.name} {.status.phase}{"\n"}'
_RELEASED = "jsonpath={.status.phase}:{.spec.claimRef.uid}"
KEEP = f"""\
export KUBECONFIG={CONFIGURATION}/admin.conf
while sleep 1; do
  kubectl get persistentvolumes --watch --output='{_LIST}' | while read -r name phase; do
    case $phase:$name in Released:{texts.STORAGE_CLASS}-*) ;; *) continue ;; esac
    case $(kubectl get persistentvolume "$name" --output='{_RELEASED}') in Released:?*) ;; *) continue ;; esac
    rm -rf "{VOLUMES}/$name"
    mkdir -m {MODE} "{VOLUMES}/$name"
    kubectl patch persistentvolume "$name" --type=json --patch='{_FREE}'
  done
done
"""
"""A change may be told late or twice, so each volume is asked: while it names a claim that is gone, nobody has it.

kubectl ends now and then; what was released meanwhile is in the list that it begins with.
"""


def keeper_arguments() -> tuple[str, ...]:
    """Of the shell that empties volumes."""
    return ("-c", KEEP, KEEPER)


def make_folders(places: Places) -> None:
    """An empty folder for each volume."""
    for name in texts.volume_names():
        folder = places.volumes / name
        folder.mkdir()
        folder.chmod(int(MODE, 8))
