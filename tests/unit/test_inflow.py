"""Each bound of what flows out of an archive, by itself."""

from __future__ import annotations

import io
import tarfile

import pytest

from buildgraph.adapters.inflow import HEADER_BYTES, Inflow, Limits
from buildgraph.errors import BuildFailure


def test_fault_33_no_more_than_the_limit_is_unpacked() -> None:
    inflow = Inflow(io.BytesIO(bytes(30)), 30, Limits(unpacked=20))
    with pytest.raises(BuildFailure, match="more than 20 bytes"):
        inflow.drain()


def test_fault_33_no_more_than_the_ratio_is_unpacked() -> None:
    inflow = Inflow(io.BytesIO(bytes(30)), 3, Limits(ratio=5, floor=10))
    with pytest.raises(BuildFailure, match="more than 5 times its size"):
        inflow.drain()


def test_fault_33_what_describes_a_member_is_bounded() -> None:
    inflow = Inflow(io.BytesIO(bytes(2 * HEADER_BYTES)), 2 * HEADER_BYTES, Limits())
    with inflow.reading_headers(), pytest.raises(BuildFailure, match="is described by more than"):
        inflow.read(HEADER_BYTES + 1)


def test_fault_33_nobody_reads_it_twice() -> None:
    inflow = Inflow(io.BytesIO(b"abc"), 3, Limits())
    inflow.drain()
    with pytest.raises(tarfile.StreamError):
        inflow.seek(1)
