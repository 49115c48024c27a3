"""The loop: schedule + ports → events and results."""

from buildgraph.execute.loop import execute
from buildgraph.execute.workbench import Ports, Workbench

__all__ = ["Ports", "Workbench", "execute"]
