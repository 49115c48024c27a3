"""The program: one file that needs no library, of the version asked for, with the notices that it owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

PROGRAM = "/usr/local/bin/versitygw"
NOTICES = "/usr/share/doc/versitygw"


def test_it_starts_and_says_its_version(run: Run) -> None:
    assert "v1.8.0" in run(PROGRAM, "--version").output


def test_it_needs_no_library(run: Run) -> None:
    assert "not a dynamic executable" in run("ldd", PROGRAM).stderr


def test_nothing_of_the_place_where_it_was_compiled_is_in_it(host: Host) -> None:
    assert host.run(f"grep --text --count /build/ {PROGRAM}").stdout.strip() == "0"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("LICENSE", "Apache License"),
        ("NOTICE", "Versity"),
        ("github.com/valyala/fasthttp/LICENSE", "Permission is hereby granted"),
        ("github.com/aws/aws-sdk-go-v2/NOTICE.txt", "Amazon"),
        ("golang.org/x/crypto/LICENSE", "Redistribution and use"),
    ],
)
def test_the_licences_are_there(host: Host, file: str, text: str) -> None:
    assert host.file(f"{NOTICES}/{file}").contains(text)


def test_objects_may_be_put_down_by_any_user_of_group_0(host: Host) -> None:
    place = host.file("/srv/s3")
    assert (place.uid, place.gid, place.mode) == (185, 0, 0o775)
