"""Shows a run on standard error: a live table on a terminal, lines elsewhere. Data never goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from buildgraph.adapters.console.color import wants_color
from buildgraph.adapters.console.lines import GithubView, JsonView, PlainView, is_github

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from buildgraph.events import Event


class View(Protocol):
    """Something that shows events; ``close`` leaves the terminal as it was."""

    def emit(self, event: Event) -> None:
        """Show the event."""
        ...

    def close(self) -> None:
        """Stop showing."""
        ...


class QuietView:
    """Shows nothing; failures are reported by the command itself."""

    def emit(self, event: Event) -> None:
        """Ignore the event."""

    def close(self) -> None:
        """Nothing to do."""


def make_view(mode: str, stream: TextIO, environ: Mapping[str, str], *, color: str = "auto") -> View:
    """The view for ``auto``, ``rich``, ``plain``, ``quiet`` or ``json``.

    ``auto`` is the live table on a terminal that can move its cursor, outside CI; else plain. ``color`` is ``auto``,
    ``always`` or ``never``.
    """
    is_terminal = stream.isatty()
    if mode == "quiet":
        return QuietView()
    if mode == "json":
        return JsonView(stream)
    is_colored = wants_color(color, environ, is_terminal=is_terminal)
    can_draw = is_terminal and environ.get("TERM") != "dumb" and not environ.get("CI")
    if mode == "rich" or (mode == "auto" and can_draw):
        from buildgraph.adapters.console.live import LiveView  # rich is slower to import than a whole no-op

        return LiveView(stream, is_colored=is_colored)
    kind = GithubView if is_github(environ) else PlainView
    return kind(stream, is_colored=is_colored)
