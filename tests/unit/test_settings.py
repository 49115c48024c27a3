from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.clients import (
    find_apt_credentials,
    find_ca,
    find_index,
    find_mirror,
    mirror_repositories,
    parse_auth,
    read_maven,
)
from buildgraph.adapters.debian import DebianArchive, apt_options, mirror_lines
from buildgraph.adapters.settings import Credential, Settings, find_credential, split_userinfo
from buildgraph.adapters.web import Patience, Web
from buildgraph.app.settings import is_offline, load_settings, settings_path
from buildgraph.errors import BuildgraphError, EnvironmentFault, NetworkFault, UsageError
from buildgraph.model import Artifact
from tests.fakes.authority import make_authority
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.sample import Sample

SECRET = "pa$$:w@rd/ü"
QUOTED = "pa%24%24%3Aw%40rd%2F%C3%BC"
WHOLE = """\
ca: ca.pem
mirrors:
  pypi: ["https://mirror.example.com/pypi/simple"]
  maven: ["https://mirror.example.com/maven/", "https://other.example.com/maven"]
  go: ["https://mirror.example.com/go"]
  debian:
    bookworm: https://mirror.example.com/debian/
    bookworm-security: http://mirror.example.com/debian-security
  url:
    "https://downloads.example.com/": ["https://mirror.example.com/raw/"]
credentials:
  mirror.example.com: {username: reader, password_env: MIRROR_PASSWORD}
  other.example.com/maven: {username_env: OTHER_USER, password_file: other.password}
"""
SETTINGS_XML = """\
<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">
  <mirrors>
    <mirror><id>all</id><url>https://user:inline@maven.example.com/all/</url><mirrorOf>*,!direct</mirrorOf></mirror>
    <mirror><id>exact</id><url>https://maven.example.com/central</url><mirrorOf>central</mirrorOf></mirror>
  </mirrors>
  <servers>
    <server><id>exact</id><username>reader</username><password>${env.MAVEN_PASSWORD}</password></server>
    <server><id>locked</id><username>reader</username><password>{c2VjcmV0}</password></server>
  </servers>
</settings>
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who told no client anything."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("NETRC", raising=False)


def write(tmp_path: Path, text: str, **environ: str) -> dict[str, str]:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return {"BUILDGRAPH_SETTINGS": str(path), **environ}


def write_whole(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "ca.pem").write_text("certificates")
    (tmp_path / "other.password").write_text("from a file\n")
    return write(tmp_path, WHOLE, MIRROR_PASSWORD=SECRET, OTHER_USER="someone")


def test_all_that_the_file_says_is_in_force(tmp_path: Path) -> None:
    settings = load_settings(write_whole(tmp_path)).settings
    assert settings.index == ("https://mirror.example.com/pypi/simple",)
    assert settings.maven == ("https://mirror.example.com/maven", "https://other.example.com/maven")
    assert settings.go == ("https://mirror.example.com/go",)
    assert settings.debian["bookworm"] == "https://mirror.example.com/debian"
    assert settings.rewrite("https://downloads.example.com/a/b") == ("https://mirror.example.com/raw/a/b",)
    assert settings.rewrite("https://elsewhere.example.com/a") == ("https://elsewhere.example.com/a",)
    assert settings.ca == tmp_path / "ca.pem"
    ours = find_credential(settings.credentials, "https://mirror.example.com:8443/x")
    assert ours == Credential(place="mirror.example.com", username="reader", password=SECRET)
    other = find_credential(settings.credentials, "https://other.example.com/maven/g/a")
    assert (other and other.username, other and other.password) == ("someone", "from a file")
    assert find_credential(settings.credentials, "https://other.example.com/mavenx") is None
    assert find_credential(settings.credentials, "https://mirror.example.com.evil.example/x") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mirror: {}\n", r"settings.yaml:1 \(mirror\): unknown key 'mirror'; did you mean mirrors\?"),
        ("mirrors: {pypi: https://a.example}\n", r":1 \(mirrors.pypi\): a list is wanted here"),
        ("mirrors:\n  maven: [ftp://a.example]\n", r":2 \(mirrors.maven\): not an address; write it like https://"),
        ("mirrors: {pypi: []}\n", r"\(mirrors.pypi\): the list is empty"),
        ("mirrors:\n  go: ['https://u:hunter2@a.example']\n", r":2 \(mirrors.go\): an address with a user in it"),
        (
            "mirrors:\n  url: {'https://u:hunter2@a.example/': [https://b.example/]}\n",
            r"\(mirrors.url\): an address with",
        ),
        ("credentials:\n  a.example: {username: u, password: hunter2}\n", r":2 .*does not stand in this file"),
        ("credentials: {a.example: {username: u}}\n", r"'password_env' is missing"),
        ("credentials: {a.example: {username: u, password_env: NOT_SET}}\n", r"the variable NOT_SET is not set"),
        ("credentials: {a.example: {username: u, password_file: none}}\n", r"none cannot be read: No such file"),
        ("credentials: {'https://a.example': {username: u, password_env: A}}\n", r"is not a host; write it like"),
        ("offline: maybe\n", r"true or false"),
        ("ca: nowhere.pem\n", r"settings.yaml: no file with certificates: .*nowhere.pem"),
        ("a: [\n", r"settings.yaml:\d: not valid YAML"),
    ],
)
def test_a_mistake_is_told_by_its_place_and_without_what_may_be_a_password(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(BuildgraphError) as caught:
        load_settings(write(tmp_path, text))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == (3 if "certificates" in message else 2)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no file"):
        load_settings({"BUILDGRAPH_SETTINGS": str(tmp_path / "none.yaml")})
    assert settings_path({}) == tmp_path / "home/.config/buildgraph/settings.yaml"


@pytest.mark.parametrize(("word", "offline"), [("1", True), ("yes", True), ("0", False), ("", False), ("false", False)])
def test_the_environment_decides_before_the_file_whether_this_is_offline(
    tmp_path: Path, word: str, *, offline: bool
) -> None:
    environ = write(tmp_path, f"offline: {str(not offline).lower()}\n")
    assert is_offline(environ) is not offline
    assert is_offline({**environ, "BUILDGRAPH_OFFLINE": word}) is offline


def test_the_index_of_pip_or_uv_is_asked_where_ours_says_nothing(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nindex-url = https://me:{QUOTED}@index.example/%2f/simple\ncert = /ca.pem\n")
    environ = {"PIP_CONFIG_FILE": str(conf)}
    found, credential = find_index(environ)
    assert found is not None
    assert (found.value, found.origin) == ("https://index.example/%2f/simple", str(conf))
    assert credential == Credential(place="index.example", username="me", password=SECRET)
    first, none = find_index({**environ, "UV_INDEX_URL": "https://b.example", "PIP_INDEX_URL": "https://a.example"})
    assert (first and first.value, first and first.origin, none) == ("https://a.example", "PIP_INDEX_URL", None)
    cert = find_ca(environ)
    assert cert
    assert cert.value == "/ca.pem"
    named = find_ca({**environ, "SSL_CERT_FILE": "/s.pem", "PIP_CERT": "/p.pem"})
    assert named
    assert named.value == "/p.pem"


def test_a_broken_pip_configuration_is_told_without_its_text(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("index-url = https://u:hunter2@index.example\n")
    with pytest.raises(UsageError, match=r"pip\.conf: pip's configuration cannot be read") as caught:
        find_index({"PIP_CONFIG_FILE": str(conf)})
    assert "hunter2" not in str(caught.value)


def test_mavens_mirrors_and_servers_are_honoured(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(SETTINGS_XML)
    settings = read_maven({"MAVEN_PASSWORD": SECRET}, path)
    repositories = {
        "central": "https://central.example/maven2",
        "other": "https://other.example/m",
        "direct": "https://direct.example/m/",
    }
    found, credentials = mirror_repositories(repositories, settings)
    assert [(one.value, one.origin) for one in found] == [
        ("https://maven.example.com/central", str(path)),
        ("https://maven.example.com/all", str(path)),
        ("https://direct.example/m", "jgo"),
    ]
    by_url = [find_credential(credentials, f"{one.value}/g/a") for one in found]
    assert [credential and credential.password for credential in by_url] == [SECRET, "inline", None]


@pytest.mark.parametrize(
    ("patterns", "name", "url", "mirrored"),
    [
        ("*", "x", "https://a.example", True),
        ("external:*", "x", "https://a.example", True),
        ("external:*", "x", "http://localhost:8081/m", False),
        ("external:*", "x", "file:///m", False),
        ("external:http:*", "x", "http://a.example", True),
        ("external:http:*", "x", "https://a.example", False),
        ("a,x", "x", "https://a.example", True),
        ("*, !x", "x", "https://a.example", False),
        ("a,b", "x", "https://a.example", False),
    ],
)
def test_which_repositories_a_mirror_stands_for(
    tmp_path: Path, patterns: str, name: str, url: str, *, mirrored: bool
) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(
        f"<settings><mirrors><mirror><id>m</id><url>https://m.example</url><mirrorOf>{patterns}</mirrorOf></mirror>"
        "</mirrors></settings>"
    )
    assert (find_mirror(name, url, read_maven({}, path)) is not None) is mirrored


def test_an_encrypted_maven_password_is_refused_and_unread_ones_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(SETTINGS_XML)
    settings = read_maven({}, path)
    assert (
        mirror_repositories({"central": "https://central.example"}, settings)[1][0].password == "${env.MAVEN_PASSWORD}"
    )
    path.write_text(
        SETTINGS_XML.replace("<id>exact</id><username>", "<id>unused</id><username>").replace("locked", "exact")
    )
    with pytest.raises(UsageError, match=r"settings.xml: the password of server exact is encrypted"):
        mirror_repositories({"central": "https://central.example"}, read_maven({}, path))
    path.write_text("<settings>")
    with pytest.raises(UsageError, match=r"settings.xml:1: not valid XML"):
        read_maven({}, path)
    assert read_maven({}, tmp_path / "none.xml") is None


def test_apts_credentials_are_read_and_given_to_apt_in_a_private_file(tmp_path: Path) -> None:
    (tmp_path / "auth.conf.d").mkdir()
    (tmp_path / "auth.conf.d/one.conf").write_text(
        "# ours\nmachine http://deb.example/debian login me password s3cret\nmachine half.example login me\n"
    )
    credentials = find_apt_credentials((str(tmp_path / "auth.conf"), str(tmp_path / "auth.conf.d")))
    assert credentials == (Credential(place="deb.example/debian", username="me", password="s3cret"),)
    settings = Settings(
        debian={"bookworm": "http://deb.example/debian", "trixie": "https://deb.example/debian"},
        credentials=credentials,
        ca=tmp_path / "ca.pem",
    )
    auth = tmp_path / "auth"
    options = apt_options(settings, "bookworm", auth)
    assert options == [
        f'--aptopt=Acquire::https::CAInfo "{tmp_path / "ca.pem"}"',
        f'--aptopt=Dir::Etc::netrc "{auth}"',
    ]
    assert auth.read_text() == "machine http://deb.example/debian login me password s3cret\n"
    assert auth.stat().st_mode & 0o777 == 0o600
    assert mirror_lines(settings, "bookworm") == ["deb http://deb.example/debian bookworm main"]
    assert mirror_lines(Settings(), "bookworm") == []
    odd = (Credential(place="deb.example", username="a b", password="c"),)
    spaced = Settings(debian=settings.debian, credentials=odd)
    with pytest.raises(UsageError, match="no white space"):
        apt_options(spaced, "bookworm", tmp_path / "again")
    assert list(parse_auth("machine a.example")) == []


def test_a_locked_debian_package_is_looked_for_on_the_users_mirror(tmp_path: Path) -> None:
    settings = Settings(debian={"bookworm": "https://m.example/debian", "bookworm-security": "https://m.example/sec"})
    archive = DebianArchive(tmp_path, cancel=threading.Event(), settings=settings)
    artifact = Artifact(
        coordinate="deb:a=1", file="a.deb", sha256="0" * 64, size=1, path="bookworm-security pool/a.deb"
    )
    assert archive.locate(artifact) == ("https://m.example/sec/pool/a.deb",)
    assert list(tmp_path.iterdir()) == [], "nothing was run to find that out"


def test_user_and_password_leave_an_address_and_come_back_only_for_children() -> None:
    clean, credential = split_userinfo(f"https://me:{QUOTED}@a.example:8443/x")
    assert clean == "https://a.example:8443/x"
    assert credential == Credential(place="a.example:8443", username="me", password=SECRET)
    assert SECRET not in repr(credential)
    settings = Settings(credentials=(credential,))
    assert settings.with_credentials(clean) == f"https://me:{QUOTED}@a.example:8443/x"
    assert settings.with_credentials("https://b.example/x") == "https://b.example/x"
    assert "SSL_CERT_FILE" not in settings.trust({})
    assert Settings(ca=Path("/ca.pem")).trust({"A": "1"}) == {"A": "1", "SSL_CERT_FILE": "/ca.pem"}


QUICK = Patience(connect=2.0, read=2.0, retries=0, pause=0.01)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


def authorization(web: Web, server: WebServer, url: str, path: str) -> str | None:
    with web.open(url):
        return next(asked for asked in reversed(server.asked) if asked.path == path).headers.get("Authorization")


def test_credentials_go_to_their_server_and_to_no_other(server: WebServer) -> None:
    with WebServer() as other:
        goal = other.serve("/goal", Reply(body=b"x"))
        url = server.serve("/a", Reply(status=302, headers={"Location": goal}))
        plain = server.serve("/plain", Reply(body=b"x"))
        web = Web(QUICK, settings=Settings(credentials=(Credential(place=server.address, username="ü", password="p"),)))
        assert authorization(web, server, plain, "/plain") == "Basic w7w6cA=="
        assert authorization(web, other, url, "/goal") is None
        both = (*web.session._credentials, Credential(place=other.address, username="o", password="p"))  # type: ignore[attr-defined]
        second = Web(QUICK, settings=Settings(credentials=both))
        assert authorization(second, other, url, "/goal") == "Basic bzpw"
        for used in (web, second):
            used.session.close()


def test_netrc_serves_where_the_settings_know_nothing(
    server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login n password p\n")
    monkeypatch.setenv("NETRC", str(netrc))
    url = server.serve("/a", Reply(body=b"x"))
    web = Web(QUICK)
    assert authorization(web, server, url, "/a") == "Basic bjpw"
    web.session.close()


def test_the_certificates_of_the_settings_win_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = make_authority(tmp_path / "right", "127.0.0.1"), make_authority(tmp_path / "wrong", "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(wrong.ca))
    with WebServer(tls=right.tls) as server:
        url = server.serve("/a", Reply(body=b"x"))
        web = Web(QUICK, settings=Settings(ca=right.ca))
        web.open(url).close()
        stranger = Web(QUICK, settings=Settings(ca=wrong.ca))
        with pytest.raises(NetworkFault, match="if a proxy re-signs connections"):
            stranger.open(url)
        for used in (web, stranger):
            used.session.close()


def test_certificates_that_are_not_there_are_told_with_who_named_them() -> None:
    with pytest.raises(EnvironmentFault, match=r"PIP_CERT: no file with certificates: /nowhere.pem"):
        load_settings({"PIP_CERT": "/nowhere.pem"})


def test_config_show_hides_all_secrets_and_says_where_values_come_from(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in write_whole(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_INDEX_URL", f"https://me:{QUOTED}@index.example/simple")
    monkeypatch.setenv("http_proxy", f"http://me:{QUOTED}@proxy.example:3128")
    shown = sample.call("config", "show", "--origin")
    assert shown.code == 0, shown.err
    assert "http://***@proxy.example:3128  # environment" in shown.out
    assert re.search(rf"^credentials.mirror.example.com +\*\*\*  # {tmp_path}/settings.yaml$", shown.out, re.MULTILINE)
    assert "credentials.index.example" in shown.out
    document = json.loads(sample.call("config", "show", "--json").out)
    assert {"name": "ca", "value": str(tmp_path / "ca.pem"), "origin": str(tmp_path / "settings.yaml")} in document
    for secret in (SECRET, QUOTED, "from a file", "reader", "someone"):
        assert secret not in shown.out + shown.err + json.dumps(document)


def test_a_mistake_in_the_settings_ends_with_exit_code_2(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILDGRAPH_SETTINGS", write(tmp_path, "mirror: {}\n")["BUILDGRAPH_SETTINGS"])
    ended = sample.call("build", "app", "--no-test", "--no-load", "--progress", "quiet")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "settings.yaml:1" in ended.err
