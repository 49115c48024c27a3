"""What the layer is for, proven in a container. The fixtures are those of buildgraph (docs/layer-tests.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run


def test_it_is_debian_12(host: Host) -> None:
    assert (host.system_info.distribution, host.system_info.release.split(".")[0]) == ("debian", "12")


def test_it_trusts_certificate_authorities(host: Host) -> None:
    assert host.file("/etc/ssl/certs/ca-certificates.crt").size > 0


def test_init_runs_a_program(run: Run) -> None:
    assert run("/usr/bin/tini", "--", "echo", "seen").output == "seen"
