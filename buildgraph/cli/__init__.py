"""click commands: parse, call one use case, print, map errors to exit codes. The only place that exits."""

from buildgraph.cli.main import main

__all__ = ["main"]
