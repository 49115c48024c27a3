from __future__ import annotations

import pytest

from buildgraph.errors import UsageError
from buildgraph.reference import Reference, expand_name, parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("spark:4.1", "docker.io/library/spark:4.1"),
        ("a/b:1", "docker.io/a/b:1"),
        ("localhost/b:1", "localhost/b:1"),
        ("host:5000/b:1", "host:5000/b:1"),
        ("registry.example/b:1", "registry.example/b:1"),
    ],
)
def test_short_names_are_expanded_as_docker_reads_them(short: str, full: str) -> None:
    assert expand_name(short) == full


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("busybox", ("docker.io", "library/busybox", "", "")),
        ("busybox:1.37", ("docker.io", "library/busybox", "1.37", "")),
        (f"a/b/c@{DIGEST}", ("docker.io", "a/b/c", "", DIGEST)),
        (f"Quay.io:443/a__b/c-d.e:V1_x@{DIGEST}", ("Quay.io:443", "a__b/c-d.e", "V1_x", DIGEST)),
        ("localhost:5000/x:latest", ("localhost:5000", "x", "latest", "")),
    ],
)
def test_a_reference_is_taken_apart(text: str, parts: tuple[str, str, str, str]) -> None:
    registry, repository, tag, digest = parts
    found = parse_reference(text)
    assert found == Reference(registry=registry, repository=repository, tag=tag, digest=digest)
    assert parse_reference(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/a/b:1",
        "registry.example//b:1",
        "registry.example/:1",
        "a/b:",
        "a/b@",
        f"a/b@{DIGEST}0",
        "a/b@md5:00",
        f"a/b@{DIGEST}@{DIGEST}",
        "a/b:1:2",
        "a/B:1",
        "https://registry.example/a:1",
        "a/b:$(TAG)",
        "a b:1",
        "a/b:1\n",
        "../b:1",
        "registry.example/a/../b:1",
        "-host.example/a:1",
        "host.example:port/a:1",
        "a/b:" + "x" * 129,
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a reference to an image"):
        parse_reference(text)
