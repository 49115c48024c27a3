"""The programs and what they need: nothing is missing, and nothing is there that another build would make otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

BIN = "/usr/lib/postgresql/15/bin"


def test_the_programs_are_of_version_15(run: Run) -> None:
    assert run("postgres", "--version").output.startswith("postgres (PostgreSQL) 15.")
    assert run("psql", "--version").output.startswith("psql (PostgreSQL) 15.")


def test_every_program_and_extension_finds_its_libraries(host: Host) -> None:
    lacking = f"ldd {BIN}/* /usr/lib/postgresql/15/lib/*.so 2>/dev/null | grep 'not found'"
    assert host.run(lacking).stdout == ""


@pytest.mark.parametrize(
    "path", ["/etc/ssl/private", "/etc/postgresql", "/var/lib/postgresql/15", "/etc/postgresql-common"]
)
def test_no_cluster_and_no_certificate_were_made(host: Host, path: str) -> None:
    assert host.run(f"find {path} -type f 2>/dev/null").stdout == ""


def test_data_may_be_put_down_by_any_user_of_group_0(host: Host) -> None:
    place = host.file("/var/lib/postgresql")
    assert (place.uid, place.gid, place.mode) == (185, 0, 0o775)
    assert host.check_output("ls -A /var/lib/postgresql") == ""


@pytest.mark.parametrize(
    "package", ["postgresql-15", "postgresql-client-15", "libpq5", "libicu72", "libreadline8", "libxml2"]
)
def test_the_licence_is_there(host: Host, package: str) -> None:
    assert host.file(f"/usr/share/doc/{package}/copyright").size
