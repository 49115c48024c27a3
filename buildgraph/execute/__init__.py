"""The loop: schedule + ports → events and results."""

from buildgraph.execute.loading import load_image
from buildgraph.execute.loop import execute
from buildgraph.execute.workbench import Ports, Workbench

__all__ = ["Ports", "Workbench", "execute", "load_image"]
