"""The Debian root: user, certificates, locale, init, and what must not be in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run, Start

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LARGEST_ROOT_MB = 200


def test_it_is_debian_12_with_a_glibc_that_wheels_accept(host: Host) -> None:
    assert (host.system_info.distribution, host.system_info.release.split(".")[0]) == ("debian", "12")
    version = host.check_output("ldd --version | head -n 1").rsplit(" ", 1)[-1]
    assert tuple(map(int, version.split("."))) >= (2, 28)


@pytest.mark.parametrize(
    "name", ["bash", "curl", "kinit", "ps", "tini", "openssl", "find", "sed", "awk", "tar", "getent"]
)
def test_program_is_on_the_path(host: Host, name: str) -> None:
    assert host.exists(name)


def test_the_spark_user_is_185_in_group_0(host: Host) -> None:
    user = host.user("spark")
    assert (user.uid, user.gid, user.home, user.shell) == (185, 0, "/home/spark", "/bin/bash")
    home = host.file("/home/spark")
    assert (home.uid, home.gid, home.mode) == (185, 0, 0o775)


@pytest.mark.parametrize("user", ["185:0", "1000680000:0"])
def test_any_user_of_group_0_writes_to_the_home(run: Run, user: str) -> None:
    assert run("sh", "-c", "echo seen > /home/spark/file && cat /home/spark/file", user=user).output == "seen"


def test_an_unknown_uid_gets_a_name_by_nss_wrapper(run: Run) -> None:
    env = {
        "LD_PRELOAD": "libnss_wrapper.so",
        "NSS_WRAPPER_PASSWD": "/home/spark/passwd",
        "NSS_WRAPPER_GROUP": "/etc/group",
    }
    line = "somebody:x:4711:0::/home/spark:/bin/bash\n"
    assert run("id", "-un", user="4711:0", env=env, files={"/home/spark/passwd": line}).output == "somebody"


def test_it_runs_with_a_read_only_root(run: Run) -> None:
    assert run("sh", "-c", "echo seen > /mnt/file && cat /mnt/file", read_only=True, tmpfs=["/mnt"]).output == "seen"


def test_the_locale_is_utf_8(run: Run) -> None:
    assert run("bash", "-c", "x=äöü; locale charmap; echo ${#x}").output.split() == ["UTF-8", "3"]


def test_every_certificate_of_the_bundle_is_readable(host: Host) -> None:
    count = int(host.check_output(f"grep -c 'BEGIN CERTIFICATE' {BUNDLE}"))
    parsed = host.check_output(f"openssl storeutl -noout -certs {BUNDLE}")
    assert count > 100
    assert parsed.endswith(f"Total found: {count}")


def test_a_certificate_authority_is_found_by_its_hash(host: Host) -> None:
    root = "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt"
    assert (
        host.run(f"openssl verify -no-CAfile -no-CAstore -CApath /etc/ssl/certs {root}").stdout.strip().endswith("OK")
    )


def test_tini_as_pid_1_forwards_the_signal_that_stops_it(container: Start) -> None:
    script = "trap 'echo stopped; exit 7' TERM; echo ready; while :; do sleep 0.1; done"
    started = container("bash", "-c", script, entrypoint=("/usr/bin/tini", "--"))
    started.wait_for(log="ready")
    assert started.exec("cat", "/proc/1/comm").output == "tini"
    assert started.stop() == 7
    assert "stopped" in started.logs()


def test_tini_reaps_orphans(run: Run) -> None:
    # The inner shell ends at once; its child becomes an orphan of PID 1 and must not stay as a zombie.
    script = (
        "sh -c 'sleep 0.1 & echo $!' > /tmp/pid; while test -e /proc/$(cat /tmp/pid); do sleep 0.1; done; echo reaped"
    )
    assert run("sh", "-c", script, entrypoint=("/usr/bin/tini", "--"), timeout=30).output == "reaped"


def test_no_program_changes_identity(host: Host) -> None:
    assert host.check_output("find / -xdev -type f -perm /6000") == ""


def test_temporary_directories_are_open_to_all(host: Host) -> None:
    assert host.check_output("stat -c %a /tmp /var/tmp").split() == ["1777", "1777"]


def test_every_package_shows_its_copyright(host: Host) -> None:
    script = "dpkg-query -W -f '${Package}\\n' | while read p; do test -e /usr/share/doc/$p/copyright || echo $p; done"
    assert host.check_output(script) == ""


def test_there_is_no_other_documentation(host: Host) -> None:
    assert host.check_output("find -L /usr/share/doc -type f ! -name copyright") == ""
    assert host.check_output("find /usr/share -type f -path '/usr/share/[mi][an]*/man[1-9]/*'") == ""


def test_java_packages_find_the_directory_of_man_pages(host: Host) -> None:
    assert host.file("/usr/share/man/man1").is_directory


def test_nothing_of_the_machine_that_built_it_is_left(host: Host) -> None:
    assert host.check_output("find /var/lib/apt/lists /var/cache/apt /var/log -type f") == ""
    assert host.file("/etc/machine-id").size == 0
    assert not host.file("/etc/apt/sources.list").exists


def test_every_file_carries_the_one_time_stamp(host: Host) -> None:
    stamps = host.check_output("find /usr /opt /home -xdev -printf '%Ts\\n' | sort -u")
    assert len(stamps.split()) == 1


def test_it_is_small(host: Host) -> None:
    assert int(host.check_output("du -smx / | cut -f 1")) <= LARGEST_ROOT_MB
