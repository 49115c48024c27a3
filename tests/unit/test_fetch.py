from __future__ import annotations

import errno
import hashlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.download import _naming_a_full_disk
from buildgraph.adapters.fetch import SourceFetcher
from buildgraph.adapters.web import Patience, Web, check_redirect, redact
from buildgraph.errors import EnvironmentFault, ErrorGroup, IntegrityError, Interrupted, LockError, NetworkFault
from tests.fakes.fetcher import make_artifact
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.adapters.download import Candidate
    from buildgraph.model import Artifact

CONTENT = bytes(range(256)) * 4096
HALF = len(CONTENT) // 2
JAR = make_artifact("maven:g:a:1", CONTENT, file="a-1.jar")
QUICK = Patience(connect=2.0, read=0.4, retries=3, pause=0.01, longest=0.05)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web(QUICK)
    yield made
    made.session.close()


class Bench:
    """A fetcher over a folder; every artifact has the given places."""

    def __init__(self, folder: Path, web: Web) -> None:
        self.places: tuple[Candidate, ...] = ()
        self.notices: list[str] = []
        self.sources = folder / "sources"
        self.fetcher = SourceFetcher(self.sources, lambda _artifact: self.places, web=web, notice=self.notices.append)

    def fetch(self, *artifacts: Artifact, cancel: threading.Event | None = None) -> list[int]:
        seen: list[int] = []
        self.fetcher.fetch(
            artifacts or (JAR,),
            progress=lambda done, _total: seen.append(done),
            cancel=cancel or threading.Event(),
        )
        return seen

    @property
    def partial(self) -> Path:
        return self.sources / JAR.sha256 / ".part"


@pytest.fixture
def bench(tmp_path: Path, web: Web) -> Bench:
    return Bench(tmp_path, web)


def test_a_broken_body_is_taken_up_where_it_broke(bench: Bench, server: WebServer) -> None:
    whole = Reply(body=CONTENT, headers={"ETag": '"1"'}, ranges=True)
    bench.places = (server.serve("/a", replace(whole, cut=HALF), whole),)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    assert server.asked[1].headers["If-Range"] == '"1"'
    assert 0 < int(server.asked[1].headers["Range"].removeprefix("bytes=").removesuffix("-")) <= HALF


def test_a_reset_connection_is_no_failure(bench: Bench, server: WebServer) -> None:
    whole = Reply(body=CONTENT, headers={"ETag": '"1"'}, ranges=True)
    bench.places = (server.serve("/a", replace(whole, cut=HALF, reset=True), whole),)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT


def test_a_stalled_body_is_given_up_and_asked_for_again(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(body=CONTENT, cut=HALF, stall=True), Reply(body=CONTENT)),)
    bench.fetch()
    assert bench.fetcher.has(JAR)
    assert len(server.asked) == 2


def test_a_body_that_always_breaks_ends_after_three_retries_and_is_never_seen(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(body=CONTENT, cut=HALF)),)
    with pytest.raises(NetworkFault, match=r"4 attempts"):
        bench.fetch()
    assert len(server.asked) == 4
    assert not bench.fetcher.path(JAR).exists()


def test_a_body_shorter_than_it_could_be_without_a_length_is_retried(bench: Bench, server: WebServer) -> None:
    unmeasured = {"Content-Length": "", "Connection": "close"}
    bench.places = (
        server.serve("/a", Reply(body=CONTENT[:HALF], headers=unmeasured), Reply(body=CONTENT, headers=unmeasured)),
    )
    bench.fetch()
    assert bench.fetcher.has(JAR)


def test_another_length_than_the_locks_is_refused_unread(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(body=CONTENT + b"x")),)
    with pytest.raises(IntegrityError, match=f"{len(CONTENT) + 1} bytes where {len(CONTENT)} bytes") as caught:
        bench.fetch()
    assert JAR.sha256 in str(caught.value)
    assert len(server.asked) == 1


def test_a_login_page_instead_of_the_file_is_named_as_one(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(body=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"})),)
    with pytest.raises(IntegrityError, match="an HTML page"):
        bench.fetch()
    assert not bench.fetcher.has(JAR)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(bench: Bench, server: WebServer, status: int) -> None:
    bench.places = (server.serve("/a", Reply(status=status), Reply(body=CONTENT)),)
    bench.fetch()
    assert bench.fetcher.has(JAR)


def test_the_servers_wish_to_wait_is_honoured_within_bounds(tmp_path: Path, server: WebServer) -> None:
    patient = Web(replace(QUICK, pause=30.0, longest=30.0))
    bench = Bench(tmp_path, patient)
    bench.places = (server.serve("/a", Reply(status=429, headers={"Retry-After": "0"}), Reply(body=CONTENT)),)
    begun = time.monotonic()
    bench.fetch()
    assert time.monotonic() - begun < 10
    patient.session.close()


def test_an_endless_wish_to_wait_is_cut_short(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(status=503, headers={"Retry-After": "3600"}), Reply(body=CONTENT)),)
    begun = time.monotonic()
    bench.fetch()
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_a_refusal_is_not_repeated(bench: Bench, server: WebServer, status: int) -> None:
    bench.places = (server.serve("/a", Reply(status=status)),)
    with pytest.raises(NetworkFault, match=str(status)):
        bench.fetch()
    assert len(server.asked) == 1
    assert not bench.fetcher.path(JAR).parent.exists()


def test_wrong_bytes_of_the_right_size_are_refused_and_not_kept(bench: Bench, server: WebServer) -> None:
    wrong = CONTENT[::-1]
    bench.places = (server.serve("/a", Reply(body=wrong)),)
    with pytest.raises(IntegrityError) as caught:
        bench.fetch()
    assert JAR.sha256 in str(caught.value)
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert not bench.fetcher.path(JAR).exists()
    assert not bench.partial.exists()
    assert len(server.asked) == 1


def test_a_poisoned_mirror_is_named_and_the_next_one_used(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/bad", Reply(body=CONTENT[::-1])), server.serve("/good", Reply(body=CONTENT)))
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    assert len(bench.notices) == 1
    assert "/bad" in bench.notices[0]


def test_all_failing_places_are_named_and_wrong_bytes_weigh_most(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/bad", Reply(body=CONTENT[::-1])), server.serve("/gone", Reply(status=404)))
    with pytest.raises(IntegrityError, match=r"/bad.*/gone"):
        bench.fetch()


def test_a_file_that_changed_under_its_etag_is_started_anew(bench: Bench, server: WebServer) -> None:
    old = Reply(body=CONTENT[::-1], headers={"ETag": '"old"'}, ranges=True, cut=HALF)
    new = Reply(body=CONTENT, headers={"ETag": '"new"'}, ranges=True)
    bench.places = (server.serve("/a", old, new),)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_file_that_changed_unannounced_is_never_spliced(bench: Bench, server: WebServer) -> None:
    old = Reply(body=CONTENT[::-1], cut=HALF)
    new = Reply(body=CONTENT, ranges=True)
    bench.places = (server.serve("/a", old, new),)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    assert "Range" not in server.asked[-1].headers


def test_fault_26_another_part_than_was_asked_for_is_not_taken(bench: Bench, server: WebServer) -> None:
    whole = Reply(body=CONTENT, headers={"ETag": '"1"'}, ranges=True)
    end = f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"
    other = Reply(status=206, body=CONTENT[::-1], headers={"ETag": '"1"', "Content-Range": end})
    bench.places = (server.serve("/a", replace(whole, cut=HALF), other, whole),)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://169.254.169.254/latest"])
def test_a_redirect_to_where_no_registry_leads_is_refused(bench: Bench, server: WebServer, target: str) -> None:
    bench.places = (server.serve("/a", Reply(status=302, headers={"Location": target})),)
    with pytest.raises(NetworkFault, match="is refused"):
        bench.fetch()
    assert len(server.asked) == 1


def test_a_plain_redirect_is_followed(bench: Bench, server: WebServer) -> None:
    place = server.serve("/b", Reply(body=CONTENT))
    bench.places = (server.serve("/a", Reply(status=302, headers={"Location": place})),)
    bench.fetch()
    assert bench.fetcher.has(JAR)


ADDRESSES = {"public": ("93.184.215.14",), "other": ("151.101.0.1",), "inside": ("10.0.0.7",), "here": ("127.0.0.1",)}


@pytest.mark.parametrize(
    ("origin", "target", "refused"),
    [
        ("https://public/a", "http://public/a", "drops encryption"),
        ("https://public/a", "https://inside/a", "local network"),
        ("http://public/a", "http://here/a", "local network"),
        ("https://public/a", "https://other/a", ""),
        ("http://public/a", "https://public/a", ""),
        ("https://inside/a", "https://here/a", ""),
        ("https://unknown/a", "https://other/a", ""),
    ],
)
def test_a_redirect_may_lead_from_outside_only_to_outside(origin: str, target: str, refused: str) -> None:
    def addresses(host: str) -> tuple[str, ...]:
        return ADDRESSES.get(host, ())

    if not refused:
        check_redirect(origin, target, addresses=addresses)
        return
    with pytest.raises(NetworkFault, match=refused):
        check_redirect(origin, target, addresses=addresses)


def test_cancelling_a_stalled_download_is_quick_and_keeps_what_came(tmp_path: Path, server: WebServer) -> None:
    patient = Web(replace(QUICK, read=60.0))
    bench = Bench(tmp_path, patient)
    whole = Reply(body=CONTENT, headers={"ETag": '"1"'}, ranges=True)
    bench.places = (server.serve("/a", replace(whole, cut=HALF, stall=True), whole),)
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        bench.fetch(cancel=cancel)
    assert time.monotonic() - begun < 4
    assert not bench.fetcher.has(JAR)
    bench.fetch()
    assert bench.fetcher.path(JAR).read_bytes() == CONTENT
    patient.session.close()


def test_what_came_before_a_cancel_is_not_asked_for_again(tmp_path: Path, server: WebServer) -> None:
    big = CONTENT * 4
    artifact = make_artifact("maven:g:big:1", big, file="big.jar")
    patient = Web(replace(QUICK, read=60.0))
    bench = Bench(tmp_path, patient)
    whole = Reply(body=big, headers={"ETag": '"1"'}, ranges=True)
    bench.places = (server.serve("/a", replace(whole, cut=3 * len(CONTENT), stall=True), whole),)
    cancel = threading.Event()

    def progress(done: int, _total: int | None) -> None:
        if done >= 2 * len(CONTENT):
            cancel.set()

    with pytest.raises(Interrupted):
        bench.fetcher.fetch([artifact], progress=progress, cancel=cancel)
    bench.fetch(artifact)
    assert bench.fetcher.path(artifact).read_bytes() == big
    assert int(server.asked[1].headers["Range"].removeprefix("bytes=").removesuffix("-")) >= 2 * len(CONTENT)
    patient.session.close()


def test_cancelling_before_the_first_byte_is_quick(tmp_path: Path, server: WebServer) -> None:
    patient = Web(replace(QUICK, read=60.0))
    bench = Bench(tmp_path, patient)
    bench.places = (server.serve("/a", Reply(stall=True)),)
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        bench.fetch(cancel=cancel)
    assert time.monotonic() - begun < 4
    server.released.set()


def test_small_files_come_four_at_a_time(bench: Bench, server: WebServer) -> None:
    meet = threading.Barrier(4)
    artifacts = [make_artifact(f"maven:g:a:{n}", str(n).encode(), file=f"a-{n}.jar") for n in range(8)]
    for artifact in artifacts:
        server.serve(f"/{artifact.file}", Reply(body=artifact.coordinate.rpartition(":")[2].encode(), meet=meet))
    fetcher = SourceFetcher(
        bench.sources, lambda artifact: (server.url(f"/{artifact.file}"),), web=Web(replace(QUICK, read=10.0))
    )
    fetcher.fetch(artifacts, progress=lambda _done, _total: None, cancel=threading.Event())
    assert all(fetcher.has(artifact) for artifact in artifacts)


def test_two_who_want_the_same_download_it_once(bench: Bench, server: WebServer) -> None:
    meet = threading.Barrier(2)
    url = server.serve("/a", Reply(body=CONTENT))

    def locate(_artifact: Artifact) -> tuple[Candidate, ...]:
        return (url,)

    def want() -> None:
        fetcher = SourceFetcher(bench.sources, locate, web=Web(replace(QUICK, read=10.0)))
        meet.wait(10)
        fetcher.fetch([JAR], progress=lambda _done, _total: None, cancel=threading.Event())

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bench.fetcher.has(JAR)
    assert len(server.asked) == 1


def test_fault_07_a_download_that_was_damaged_since_is_fetched_again(bench: Bench, server: WebServer, web: Web) -> None:
    bench.places = (server.serve("/a", Reply(body=CONTENT), Reply(body=CONTENT)),)
    bench.fetch()
    bench.fetch()
    assert len(server.asked) == 1
    path = bench.fetcher.path(JAR)
    path.write_bytes(CONTENT[:-1] + b"?")

    later = SourceFetcher(bench.sources, lambda _artifact: bench.places, web=web, notice=bench.notices.append)
    later.fetch([JAR], progress=lambda _done, _total: None, cancel=threading.Event())
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 2
    assert bench.notices == [f"{path} was damaged and is fetched again"]


def test_a_file_that_is_given_away_is_moved(bench: Bench, tmp_path: Path) -> None:
    given = tmp_path / "given.zip"
    given.write_bytes(CONTENT)
    bench.places = (given,)
    bench.fetch()
    assert bench.fetcher.has(JAR)
    assert not given.exists()


def test_a_given_file_with_other_bytes_is_refused_and_removed(bench: Bench, tmp_path: Path) -> None:
    given = tmp_path / "given.zip"
    given.write_bytes(b"other")
    bench.places = (given,)
    with pytest.raises(IntegrityError, match="expected"):
        bench.fetch()
    assert not given.exists()
    assert not bench.fetcher.has(JAR)


def test_credentials_never_reach_a_message(bench: Bench, server: WebServer) -> None:
    server.serve("/a?token=s3cret", Reply(status=403))
    bench.places = (f"http://user:hunter2@{server.address}/a?token=s3cret",)
    with pytest.raises(NetworkFault, match="403") as caught:
        bench.fetch()
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert redact("GET https://user:hunter2@host/x failed") == "GET https://***@host/x failed"


@pytest.mark.parametrize("name", ["", ".part", "-rf", "a/b", "..", "x" * 201, "a\nb", "a\\b"])
def test_a_name_that_is_no_file_name_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(LockError, match="cannot be stored"):
        bench.fetcher.path(replace(JAR, file=name))


def test_a_digest_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(LockError, match="cannot be stored"):
        bench.fetcher.has(replace(JAR, sha256="../../x"))


def test_vanished_debian_packages_are_named_in_one_line(bench: Bench, server: WebServer) -> None:
    bench.places = (server.url("/nowhere.deb"),)
    packages = [make_artifact(f"deb:{n}=1", n.encode(), file=f"{n}_1.deb") for n in ("tini", "bash")]
    with pytest.raises(NetworkFault, match=r"no longer has bash=1, tini=1; .*buildgraph lock --update"):
        bench.fetch(*packages)


def test_one_failure_does_not_keep_the_others_from_coming(bench: Bench, server: WebServer) -> None:
    bench.places = (server.serve("/a", Reply(body=CONTENT)),)
    lost = [make_artifact(f"maven:g:b:{n}", bytes(n), file=f"b-{n}.jar") for n in (1, 2)]
    with pytest.raises(ErrorGroup, match=r"maven:g:b:1: (.|\n)*maven:g:b:2: "):
        bench.fetch(lost[0], JAR, lost[1])
    assert bench.fetcher.has(JAR)


def test_a_full_disk_names_the_folder_and_the_need(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=rf"no space left in .*: a-1.jar needs {len(CONTENT)} bytes"):  # noqa: SIM117 - two contexts, two things
        with _naming_a_full_disk(tmp_path / "x", JAR):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_an_empty_file_can_be_fetched(bench: Bench, server: WebServer) -> None:
    empty = make_artifact("maven:g:e:1", b"", file="e.jar")
    bench.places = (server.serve("/e", Reply()),)
    bench.fetch(empty)
    assert bench.fetcher.has(empty)


def test_a_server_that_could_not_say_where_is_passed_over_and_told(bench: Bench, server: WebServer) -> None:
    bench.places = (NetworkFault("the index is down"), server.serve("/a", Reply(body=CONTENT)))
    bench.fetch()
    assert bench.notices == ["the index is down; taken from the next place"]
    bench.fetcher.drop(JAR)
    bench.places = (NetworkFault("the index is down"),)
    with pytest.raises(NetworkFault, match="the index is down"):
        bench.fetch()
