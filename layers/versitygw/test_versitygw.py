"""The S3 server as tests start it: its account comes from the environment, signatures are checked, objects last."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Completed, Container, Run, Start

ACCESS = "proof-user"
SECRET = "proof/secret+key"  # noqa: S105 - of this test's own server
ANYONE = "1234567:0"
START_SECONDS = 120
KEYS = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}


@pytest.fixture(scope="module")
def server(session_container: Start) -> Container:
    """A server as OpenShift would run it, with a bucket."""
    started = session_container(user=ANYONE, env=KEYS, network="bridge")
    started.wait_for(port=7070, timeout=START_SECONDS)
    return started


def ask(
    run: Run,
    server: Container,
    path: str,
    *words: str,
    access: str = ACCESS,
    secret: str = SECRET,
    body: str = "",
    digest: str = "UNSIGNED-PAYLOAD",
) -> Completed:
    """What curl says that signs its request, in a container of its own: the body, then the status."""
    settings = [f'user = "{access}:{secret}"', 'aws-sigv4 = "aws:amz:us-east-1:s3"'] if access else []
    settings.append(f'header = "x-amz-content-sha256: {digest}"')
    return run(
        *("--silent", "--show-error", "--config", "/run/settings", "--write-out", "\n%{http_code}", *words),
        f"http://{server.address}:7070{path}",
        entrypoint=("curl",),
        files={"/run/settings": "\n".join(settings), "/run/body": body},
        network="bridge",
    )


def put(run: Run, server: Container, path: str, body: str = "") -> str:
    return ask(run, server, path, "--upload-file", "/run/body", body=body).output


def test_it_says_that_it_is_well(run: Run, server: Container) -> None:
    assert ask(run, server, "/health", access="").output.endswith("200")


def test_an_object_is_put_got_listed_and_deleted(run: Run, server: Container) -> None:
    assert ask(run, server, "/proof", "--request", "PUT").output.endswith("200")
    assert put(run, server, "/proof/folder/object", "what was put").endswith("200")
    assert ask(run, server, "/proof/folder/object").output == "what was put\n200"
    assert "<Key>folder/object</Key>" in ask(run, server, "/proof?list-type=2").output
    assert ask(run, server, "/proof/folder/object", "--request", "DELETE").output.endswith("204")
    assert ask(run, server, "/proof/folder/object").output.endswith("404")


@pytest.mark.parametrize(
    ("access", "secret", "reason", "status"),
    [
        (ACCESS, "another", "SignatureDoesNotMatch", "403"),
        ("somebody", SECRET, "XAdminUserNotFound", "404"),
        ("", "", "AccessDenied", "403"),
    ],
)
def test_a_wrong_key_is_refused(
    run: Run, server: Container, access: str, secret: str, reason: str, status: str
) -> None:
    said = ask(run, server, "/", access=access, secret=secret).output
    assert f"<Code>{reason}</Code>" in said
    assert said.endswith(status)


def test_a_body_that_is_not_what_was_signed_is_refused(run: Run, server: Container) -> None:
    assert ask(run, server, "/bodies", "--request", "PUT").output.endswith("200")
    for body, status in (("what was signed", "200"), ("something else", "400")):
        digest = sha256(b"what was signed").hexdigest()
        said = ask(run, server, "/bodies/object", "--upload-file", "/run/body", body=body, digest=digest)
        assert said.output.endswith(status)


def test_its_keys_are_in_no_argument_and_no_log(server: Container) -> None:
    assert SECRET not in server.exec("bash", "-c", "cat /proc/[0-9]*/cmdline").stdout
    assert SECRET not in server.logs()


def test_it_stops_cleanly_and_a_restart_finds_its_objects(volume: str, container: Start, run: Run) -> None:
    def start() -> Container:
        started = container(env=KEYS, network="bridge", volumes={volume: "/srv/s3"}, read_only=True, tmpfs=["/tmp"])
        started.wait_for(port=7070, timeout=START_SECONDS)
        return started

    first = start()
    assert ask(run, first, "/proof", "--request", "PUT").output.endswith("200")
    assert put(run, first, "/proof/object", "what was put").endswith("200")
    assert first.stop(timeout=30) == 0
    assert ask(run, start(), "/proof/object").output == "what was put\n200"


def test_without_keys_it_does_not_start(run: Run) -> None:
    done = run()
    assert done.code == 1
    assert "root" in done.stderr.lower()
