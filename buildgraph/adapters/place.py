"""What this machine can do that others cannot: part of a verdict's key, since a pass here says nothing there."""

from __future__ import annotations

from pathlib import Path

GPU_DEVICE = Path("/dev/nvidiactl")


def find_capabilities() -> tuple[str, ...]:
    """The capabilities that tests may depend on: ``gpu`` where an NVIDIA driver is loaded."""
    return ("gpu",) if GPU_DEVICE.exists() else ()
