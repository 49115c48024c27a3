"""What programs in containers say, as the engine frames it, and how a test that waits in vain fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
import requests

from buildgraph.adapters.fixtures import Container, Engine, Run, Serve, split_streams, wait_until

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container as DockerContainer


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


@dataclass
class FakeContainer:
    """A container of docker's client that never ends its program, but is gone after so many looks at it."""

    status: str = "running"
    looks: int = 2
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.said.append("started")

    def wait(self, *, timeout: float) -> dict[str, int]:
        raise requests.ReadTimeout(f"silent for {timeout} s")

    def logs(self, *, stdout: bool = True, stderr: bool = True) -> bytes:
        return b"out " * stdout + b"still at it" * stderr

    def reload(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            self.status = "exited"

    def remove(self, *, force: bool, v: bool) -> None:
        self.said.append(f"removed force={force} v={v}")


@dataclass
class FakeClient:
    """A client of docker with one container to give; it stands for all of its own parts."""

    container: FakeContainer
    created: list[str] = field(default_factory=list)

    @property
    def containers(self) -> FakeClient:
        return self

    def create(self, image: str, args: list[str], **_: object) -> FakeContainer:
        self.created.append(f"{image} {' '.join(args)}")
        return self.container


def make_engine(client: FakeClient) -> Engine:
    return Engine(client=cast("docker.DockerClient", client), image="image:1", run="run")


def watch(container: FakeContainer) -> Container:
    return Container(cast("DockerContainer", container))


def test_what_never_comes_true_fails_the_test_that_waits() -> None:
    answers = iter([False, True])
    with pytest.raises(pytest.fail.Exception, match=r"^the door did not come true within 0 s$"):
        wait_until(lambda: next(answers), 0, "the door")


def test_a_program_that_does_not_end_fails_the_test_and_is_removed() -> None:
    container = FakeContainer()
    run = Run(make_engine(FakeClient(container)))
    with pytest.raises(pytest.fail.Exception) as caught:
        run("sleep", "9", timeout=2)
    assert str(caught.value) == "sleep 9 did not end within 2 s (silent for 2 s): still at it"
    assert container.said == ["started", "removed force=True v=True"]


def test_a_container_that_ended_while_it_was_waited_for_fails_the_test_at_once() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"^the container ended while it was waited for: out still at it"):
        watch(FakeContainer(status="exited")).wait_for(log="ready", timeout=0)


def test_a_text_that_never_is_in_the_log_fails_the_test_with_what_is() -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        watch(FakeContainer()).wait_for(log="ready", timeout=0)
    missed = "'ready' in the log did not come true within 0 s"
    assert str(caught.value) == f"{missed}; its log ends: out still at it"


def test_an_image_that_is_no_service_of_the_tests_is_not_started() -> None:
    client = FakeClient(FakeContainer())
    serve = Serve(make_engine(client), {"s3": "s3:1", "db": "db:1"})
    with pytest.raises(pytest.fail.Exception, match=r"^hive is no service of these tests \(s3, db\); name it under"):
        serve("hive")
    assert client.created == []
    serve("db", "up")
    assert client.created == ["db:1 up"]
