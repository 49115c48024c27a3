"""``push``: what may be pushed, where to, and what is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.pushing import Place, parse_place
from buildgraph.errors import UsageError
from tests.fakes.registry import FakeRegistry, sha256
from tests.fakes.webserver import Reply, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.sample import Sample

pytestmark = pytest.mark.usefixtures("no_docker_login")

RULES = """\
licences:
  - match: "url:*/driver.jar"
    licence: LicenseRef-Driver
    redistributable: false
    reason: its owner wants it so
    terms: https://example.org/terms
"""


@pytest.fixture
def tested(sample: Sample) -> Sample:
    sample.build("app", "plain")
    sample.plant_verdicts("app", "plain")
    return sample


def restrict(sample: Sample, url: str) -> None:
    """Let a layer of app be made with something that may not be passed on freely."""
    sample.edit("manifests/layers/tool.yaml", "files:", f"sources: {{driver: 'url:{url}'}}\nfiles:")
    sample.write("manifests/licences.yaml", RULES)
    assert sample.call("lock").code == 0


def plain(registry: FakeRegistry) -> tuple[str, ...]:
    return ("--registry", f"{registry.address}/team", "--plain-http")


def test_a_tested_image_is_pushed_and_named_by_its_digest(tested: Sample, registry: FakeRegistry) -> None:
    done = tested.call("push", "app", *plain(registry))
    assert done.code == 0, done.err
    digest = sha256(registry.manifests["team/sample/app", "1"])
    assert done.out == f"{registry.address}/team/sample/app@{digest}\n"
    assert [line.split()[0] for line in done.err.splitlines()] == ["sent", "sent"]


def test_the_document_has_references_tags_and_bytes(tested: Sample, registry: FakeRegistry) -> None:
    done = tested.call("push", "app", "plain", *plain(registry), "--json")
    app, second = json.loads(done.out)["pushed"]
    assert app["node"] == "app-1"
    assert app["tags"] == [f"{registry.address}/team/sample/app:1"]
    assert app["reference"].startswith(f"{registry.address}/team/sample/app@sha256:")
    assert app["sent"] > second["sent"] > 0
    assert sum(line.startswith("mounted") for line in done.err.splitlines()) == 1, "the base is theirs in common"
    assert {
        one["sent"] for one in json.loads(tested.call("push", "app", *plain(registry), "--json").out)["pushed"]
    } == {0}


def test_what_is_not_tested_is_not_pushed(sample: Sample, registry: FakeRegistry) -> None:
    sample.build("app")
    sample.plant_verdicts("app", without="app-1")
    done = sample.call("push", "app", *plain(registry))
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: not built and tested: app-1; run: buildgraph build app\n"
    assert registry.asked == []


def test_what_is_refused_is_told_last_and_keeps_nothing_else_back(tested: Sample, registry: FakeRegistry) -> None:
    tested.edit("manifests/layers/tool.yaml", "files:", "sources: {x: 'deb:bash'}\nfiles:")
    done = tested.call("push", "app", "plain", *plain(registry))
    assert done.code == 1
    assert done.out.startswith(f"{registry.address}/team/sample/plain@sha256:")
    assert [line.split()[0] for line in done.err.splitlines()] == ["sent", "sent", "unlocked:", "app-1:"]
    done = tested.call("push", "app", *plain(registry))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("unlocked: 1\n  app-1: source x of tool is not locked")


def test_a_layer_alone_is_not_pushed(tested: Sample, registry: FakeRegistry) -> None:
    done = tested.call("push", "tool", *plain(registry))
    assert done.code == 2
    assert done.err.startswith("error: there is no image among the targets; ")


def test_a_registry_that_is_gone_is_one_line(tested: Sample) -> None:
    with FakeRegistry() as gone:
        pass
    done = tested.call("push", "app", "--registry", gone.address, "--plain-http")
    assert done.code == 3
    assert done.err.count("\n") == 1


def test_offline_it_connects_to_nothing(tested: Sample, registry: FakeRegistry) -> None:
    done = tested.call("--offline", "push", "app", *plain(registry))
    assert (done.code, done.err) == (3, f"error: offline, and images are to be pushed to {registry.address}\n")
    assert registry.asked == []


@pytest.mark.parametrize("text", ["https://registry.example", "a b", "registry.example/Team", "../x"])
def test_what_is_no_registry_is_refused(tested: Sample, text: str) -> None:
    done = tested.call("push", "app", "--registry", text)
    assert done.code == 2
    assert f"{text!r} is not a registry" in done.err


def test_a_project_without_a_registry_wants_one_named(tested: Sample) -> None:
    tested.edit("manifests/project.yaml", "registry: registry.example\n", "")
    done = tested.call("push", "app")
    assert (done.code, done.err.partition(";")[0]) == (2, "error: no registry is named")


def test_a_place_is_a_host_and_perhaps_a_prefix() -> None:
    assert parse_place("registry.example:5000/team/x") == Place(host="registry.example:5000", prefix="team/x")
    assert parse_place("registry.example") == Place(host="registry.example")
    with pytest.raises(UsageError):
        parse_place("")


class TestTerms:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        with WebServer() as server:
            yield server.serve("/driver.jar", Reply(body=b"a driver"))

    @pytest.fixture
    def restricted(self, sample: Sample, url: str) -> Sample:
        restrict(sample, url)
        sample.build("app", "plain")
        sample.plant_verdicts("app", "plain")
        return sample

    def test_an_image_with_something_that_may_not_be_passed_on_freely_is_refused(
        self, restricted: Sample, registry: FakeRegistry, url: str
    ) -> None:
        done = restricted.call("push", "app", "plain", *plain(registry))
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"error: app-1: url:{url} may be passed on only under its terms: its owner wants it so; "
            "read https://example.org/terms, then push with --accept-licence\n"
        )
        assert registry.asked == []

    def test_it_is_pushed_when_the_terms_are_accepted(self, restricted: Sample, registry: FakeRegistry) -> None:
        assert restricted.call("push", "app", *plain(registry), "--accept-licence").code == 0
        assert ("team/sample/app", "1") in registry.manifests

    def test_another_image_needs_no_acceptance(self, restricted: Sample, registry: FakeRegistry) -> None:
        assert restricted.call("push", "plain", *plain(registry)).code == 0

    def test_the_lock_decides_even_when_no_rule_is_left(self, restricted: Sample, registry: FakeRegistry) -> None:
        (restricted.folder / "manifests/licences.yaml").unlink()
        done = restricted.call("push", "app", *plain(registry))
        assert done.code == 1
        assert "under its terms; read LicenseRef-Driver, then" in done.err
