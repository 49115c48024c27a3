"""What a shell completes: callbacks for the options and arguments that take names of a catalogue.

They run at each press of a key: they read manifests only, and give nothing where something is wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    from buildgraph.manifest.names import Named


def complete_target(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Images, aliases, groups and layers."""
    from buildgraph.manifest.names import Named

    return _complete(context, incomplete, (Named.IMAGE, Named.ALIAS, Named.GROUP, Named.LAYER))


def complete_node(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Images, aliases and layers."""
    from buildgraph.manifest.names import Named

    return _complete(context, incomplete, (Named.IMAGE, Named.ALIAS, Named.LAYER))


def complete_locked(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Layers, and sources of layers."""
    from buildgraph.manifest.names import Named

    return _complete(context, incomplete, (Named.LAYER, Named.SOURCE))


def complete_chart(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Folders of charts."""
    from click.shell_completion import CompletionItem

    from buildgraph.adapters.charts import CHARTS_FOLDER, find_charts
    from buildgraph.adapters.workspace import find_root
    from buildgraph.errors import BuildgraphError

    try:
        names = find_charts(find_root(_folder(context)) / CHARTS_FOLDER)
    except (BuildgraphError, OSError, RuntimeError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _folder(context: click.Context) -> Path:
    """The project's folder as typed: the shell hands over words as they are."""
    return Path(context.find_root().params.get("directory") or ".").expanduser()


def _complete(context: click.Context, incomplete: str, wanted: tuple[Named, ...]) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from buildgraph.adapters.workspace import Workspace, find_root
    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.names import find_names

    try:
        found = find_names(Workspace(find_root(_folder(context))).read_manifests(), wanted)
    except (BuildgraphError, OSError, RuntimeError):  # the last: nobody has the home that ~NAME asks for
        return []
    return [CompletionItem(name, help=kind.value) for name, kind in found.items() if name.startswith(incomplete)]
