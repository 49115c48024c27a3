"""What programs in containers say, as the engine frames it."""

from __future__ import annotations

import pytest

from buildgraph.adapters.fixtures import split_streams


class Trickle:
    """Gives at most two bytes at a time, as a connection may."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, /) -> bytes:
        part, self.data = self.data[: min(size, 2)], self.data[min(size, 2) :]
        return part


def frame(stream: int, text: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


def test_streams_are_told_apart_however_they_arrive() -> None:
    answer = frame(1, b"one ") + frame(2, b"error") + frame(1, b"") + frame(1, bytes(300))
    assert split_streams(Trickle(answer)) == (b"one " + bytes(300), b"error")


def test_a_program_may_say_nothing() -> None:
    assert split_streams(Trickle(b"")) == (b"", b"")


@pytest.mark.parametrize("cut", [3, 10])
def test_an_answer_that_is_cut_is_an_error(cut: int) -> None:
    with pytest.raises(EOFError, match="ends after"):
        split_streams(Trickle(frame(1, b"four")[:cut]))
