"""Manifests → catalogue: every key ends where the model says, once for each variant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ErrorGroup
from buildgraph.graph import check_graph
from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.model import (
    Compression,
    DockerfileSpec,
    FileAction,
    FileOp,
    FilesSpec,
    Image,
    ImageConfig,
    Kind,
    Layer,
    Location,
    ModeRule,
    Pin,
    PythonSpec,
    RootfsSpec,
    Source,
    Stage,
)
from tests.samples import IMAGE_FILE, IMAGE_TEXT, LAYER_FILE, LAYER_TEXT, PROJECT_TEXT, make_documents

if TYPE_CHECKING:
    from buildgraph.model import Catalogue, Node

FILES_TEXT = """\
layer: app
kind: files
stage: intermediate
description: App {{ version }}
variants:
  "1": {version: "1.0"}
  "2": {version: "2.0"}
sources:
  dist: url:https://example.org/app-{{ version }}.tar.gz
  driver: maven:org.example:driver:42.7.*
files:
  - unpack: dist
    strip: "app-{{ version }}"
    to: /opt/app
    include: ["bin/**", "lib/**"]
    exclude: ["**/*.bat"]
    gunzip: true
    modes: {"bin/*": "0755", "lib/*": "0600"}
    owner: "185:0"
  - {place: driver, to: /opt/app/lib/, link: driver.jar}
  - {copy: run.sh, to: /opt/app/run.sh, mode: "0755"}
  - {write: /opt/app/VERSION, text: "{{ name }} {{ variant }}"}
  - {link: /usr/bin/app, target: /opt/app/run.sh}
  - {directory: /opt/app/work, mode: "0775", owner: "185:0"}
env: {APP_HOME: /opt/app}
prepend: {PATH: [/opt/app/bin]}
test_on: [base]
test_with: ["db-{{ version }}", queue]
compression: none
budget: 1.5 MB
"""


def parse(**texts: str) -> Catalogue:
    """The catalogue of a project with layers by the names of the arguments (``image`` and ``extended``: images)."""
    images = {"image": IMAGE_FILE, "extended": "manifests/images/extended.yaml"}
    files: dict[str, str | None] = {LAYER_FILE: None, IMAGE_FILE: None}
    for name, text in texts.items():
        files[images.get(name, f"manifests/layers/{name}.yaml")] = text
    return parse_catalogue(make_documents(files))


def layer(node: Node) -> Layer:
    assert isinstance(node, Layer)
    return node


def image(node: Node) -> Image:
    assert isinstance(node, Image)
    return node


class TestFilesLayer:
    LAYER = layer(parse(app=FILES_TEXT).nodes["app-2"])

    def test_there_is_a_node_for_each_variant(self) -> None:
        nodes = parse(app=FILES_TEXT).nodes
        assert list(nodes) == ["app-1", "app-2"]
        assert [layer(node).variant for node in nodes.values()] == ["1", "2"]
        assert {layer(node).layer for node in nodes.values()} == {"app"}

    def test_some_of_its_test_files_may_be_for_its_variants(self) -> None:
        documents = make_documents({LAYER_FILE: FILES_TEXT + "tests: [test_b.py, test_a.py]\n", IMAGE_FILE: None})
        files = tuple(f"layers/app/test_{name}.py" for name in "abc")
        known = layer(parse_catalogue(replace(documents, tests={**documents.tests, "app": files})).nodes["app-1"])
        assert known.tests == ("layers/app/test_b.py", "layers/app/test_a.py")

    def test_its_parts_stand_where_the_model_says(self) -> None:
        known = self.LAYER
        assert (known.kind, known.stage, known.compression) == (Kind.FILES, Stage.INTERMEDIATE, Compression.NONE)
        assert known.description == "App 2.0"
        assert known.params == {"version": "2.0"}
        assert (known.parents, known.contexts, known.test_on) == ((), (), ("base",))
        assert known.test_with == ("db-2.0", "queue")
        assert known.tests == ("layers/app/test_app.py",)
        assert (known.env, known.prepend) == ({"APP_HOME": "/opt/app"}, {"PATH": ("/opt/app/bin",)})
        assert known.budget == 1_500_000
        assert str(known.location) == "manifests/layers/app.yaml:1 (layer)"

    def test_its_sources_are_coordinates_with_their_places(self) -> None:
        place = Location(file=LAYER_FILE, line=9, key="sources.dist")
        assert self.LAYER.sources == (
            Source(name="dist", request=("url:https://example.org/app-2.0.tar.gz",), location=place),
            Source(
                name="driver",
                request=("maven:org.example:driver:42.7.*",),
                location=Location(file=LAYER_FILE, line=10, key="sources.driver"),
            ),
        )

    def test_its_operations_are_those_written_in_their_order(self) -> None:
        assert isinstance(self.LAYER.spec, FilesSpec)
        unpack, place, copy, write, link, directory = self.LAYER.spec.operations
        assert unpack == FileOp(
            action=FileAction.UNPACK,
            subject="dist",
            to="/opt/app",
            strip="app-2.0",
            include=("bin/**", "lib/**"),
            exclude=("**/*.bat",),
            gunzip=True,
            modes=(ModeRule(glob="bin/*", mode=0o755), ModeRule(glob="lib/*", mode=0o600)),
            uid=185,
            location=Location(file=LAYER_FILE, line=12, key="files[0].unpack"),
        )
        assert (place.action, place.subject, place.to, place.link) == (
            FileAction.PLACE,
            "driver",
            "/opt/app/lib/",
            "driver.jar",
        )
        assert (copy.action, copy.subject, copy.to, copy.mode) == (FileAction.COPY, "run.sh", "/opt/app/run.sh", 0o755)
        assert (write.action, write.to, write.text) == (FileAction.WRITE, "/opt/app/VERSION", "app-2 2")
        assert (link.action, link.to, link.target) == (FileAction.LINK, "/usr/bin/app", "/opt/app/run.sh")
        assert (directory.action, directory.to, directory.mode) == (FileAction.DIRECTORY, "/opt/app/work", 0o775)
        assert (directory.uid, directory.gid) == (185, 0)


class TestOtherKinds:
    def test_a_root_asks_for_its_packages_as_a_sorted_set(self) -> None:
        text = """\
layer: base
kind: rootfs
stage: os
description: A root
suite: bookworm
packages: [tini, bash]
hooks: [customize.sh, late/hook.sh]
"""
        known = layer(parse(base=text).nodes["base"])
        assert known.spec == RootfsSpec(suite="bookworm", hooks=("customize.sh", "late/hook.sh"))
        (source,) = known.sources
        assert (source.name, source.request, source.is_set) == ("packages", ("bash", "tini"), True)
        assert (known.variant, known.name, known.params) == ("", "base", {})

    def test_a_python_layer_asks_for_its_requirements_as_a_sorted_set(self) -> None:
        text = """\
layer: lib
kind: python
stage: base
description: Libraries
parents: [app-1]
prefix: /opt/python
python: "3.10"
manylinux: x86_64-manylinux_2_28
requirements: ["pandas==2.3.3", "numpy==2.2.6"]
bases: [other, another]
without: [numpy]
exclude: ["**/tests/**"]
"""
        known = layer(parse(lib=text).nodes["lib"])
        assert known.spec == PythonSpec(
            prefix="/opt/python",
            version="3.10",
            platform="x86_64-manylinux_2_28",
            bases=("other", "another"),
            without=("numpy",),
            exclude=("**/tests/**",),
        )
        assert known.sources[0].request == ("numpy==2.2.6", "pandas==2.3.3")
        assert known.reads == ("app-1",)

    def test_a_dockerfile_layer_names_its_parents_contexts_and_arguments(self) -> None:
        text = """\
layer: top
kind: dockerfile
stage: helper
description: A step
parents: [base]
contexts: [app-1]
sources: {jdk: deb:openjdk-17-jdk-headless}
args: {MODULES: "java.base"}
network: it asks its own mirror
"""
        known = layer(parse(top=text).nodes["top"])
        assert known.spec == DockerfileSpec(args={"MODULES": "java.base"}, network="it asks its own mirror")
        assert (known.parents, known.contexts) == (("base",), ("app-1",))
        assert known.sources[0].request == ("deb:openjdk-17-jdk-headless",)
        assert known.compression is Compression.ZSTD
        assert known.budget is None


class TestImage:
    TEXT = """\
image: shop
stage: final
description: Shop {{ version }}
variants:
  "1-plain": {version: "1.0", extra: ""}
  "1-gpu": {version: "1.0", extra: cuda}
layers: [base, "app-{{ version }}", "{{ extra }}"]
config:
  user: "185:0"
  workdir: /srv
  entrypoint: [/usr/bin/tini, --, /srv/run]
  cmd: [serve]
  env: {HOME: /srv}
  labels: {org.opencontainers.image.title: "Shop {{ version }}"}
  ports: [8080, 8443]
  stop_signal: SIGTERM
repository: sample/shop
tags: ["{{ version }}", "{{ variant }}"]
aliases: {shop-latest: "1-plain", shop-gpu: "1-gpu"}
overrides: {/etc/motd: the shop greets for itself}
budget: 1 GB
"""

    def test_its_parts_stand_where_the_model_says(self) -> None:
        known = image(parse(image=self.TEXT).nodes["shop-1-gpu"])
        assert (known.image, known.variant, known.stage) == ("shop", "1-gpu", Stage.FINAL)
        assert known.layers == ("base", "app-1.0", "cuda")
        assert known.repository == "sample/shop"
        assert known.tags == ("1.0", "1-gpu")
        assert known.overrides == {"/etc/motd": "the shop greets for itself"}
        assert known.tests == ("layers/shop/test_shop.py",)
        assert known.budget == 10**9
        assert known.config == ImageConfig(
            user="185:0",
            workdir="/srv",
            entrypoint=("/usr/bin/tini", "--", "/srv/run"),
            cmd=("serve",),
            env={"HOME": "/srv"},
            labels={"org.opencontainers.image.title": "Shop 1.0"},
            ports=(8080, 8443),
            stop_signal="SIGTERM",
        )

    def test_a_layer_whose_expression_gives_nothing_is_left_out(self) -> None:
        assert image(parse(image=self.TEXT).nodes["shop-1-plain"]).layers == ("base", "app-1.0")

    def test_its_aliases_name_its_variants(self) -> None:
        assert parse(image=self.TEXT).aliases == {"shop-latest": "shop-1-plain", "shop-gpu": "shop-1-gpu"}

    def test_what_is_not_said_is_empty(self) -> None:
        known = image(parse(image=IMAGE_TEXT).nodes["shop"])
        assert (known.config, known.overrides, known.budget) == (ImageConfig(), {}, None)
        assert known.test_with == ()

    def test_what_it_is_tested_with_may_hang_on_the_variant(self) -> None:
        text = self.TEXT + 'test_with: ["db-{{ version }}", queue]\n'
        assert image(parse(image=text).nodes["shop-1-gpu"]).test_with == ("db-1.0", "queue")

    def test_what_only_tests_start_is_a_service(self) -> None:
        text = IMAGE_TEXT.replace("stage: final", "stage: service")
        assert parse(image=text).nodes["shop"].stage is Stage.SERVICE


class TestExtendedImage:
    BASE = TestImage.TEXT + "test_with: [db-1.0]\n"
    TEXT = """\
image: top
stage: final
description: A laboratory
variants:
  "1": {base: shop-1-plain}
  "2": {base: ""}
extends: "{{ base }}"
layers: [lab, tools]
config:
  cmd: [lab]
  env: {LAB: "1", HOME: /lab}
  labels: {org.opencontainers.image.title: Laboratory, org.example.room: lab}
  ports: [8888, 8080]
repository: sample/lab
tags: ["{{ variant }}"]
test_with: [shop-1-gpu, db-1.0, queue]
overrides: {/etc/lab: the laboratory knows better}
"""
    NODES = parse(image=BASE, extended=TEXT).nodes
    EXTENDED = image(NODES["top-1"])

    def test_its_layers_come_after_those_of_the_image_that_it_extends(self) -> None:
        assert self.EXTENDED.layers == ("base", "app-1.0", "lab", "tools")

    def test_what_it_does_not_say_is_as_it_is_there_and_what_it_says_wins(self) -> None:
        assert self.EXTENDED.config == ImageConfig(
            user="185:0",
            workdir="/srv",
            entrypoint=("/usr/bin/tini", "--", "/srv/run"),
            cmd=("lab",),
            env={"HOME": "/lab", "LAB": "1"},
            labels={"org.opencontainers.image.title": "Laboratory", "org.example.room": "lab"},
            ports=(8080, 8443, 8888),
            stop_signal="SIGTERM",
        )
        assert self.EXTENDED.overrides == {
            "/etc/motd": "the shop greets for itself",
            "/etc/lab": "the laboratory knows better",
        }

    def test_its_tests_find_what_those_of_its_layers_need_and_what_it_names(self) -> None:
        assert self.EXTENDED.test_with == ("db-1.0", "shop-1-gpu", "queue")

    def test_its_name_place_and_budget_are_its_own(self) -> None:
        extended = self.EXTENDED
        assert (extended.image, extended.variant, extended.description) == ("top", "1", "A laboratory")
        assert (extended.repository, extended.tags, extended.budget) == ("sample/lab", ("1",), None)
        assert extended.tests == ("layers/top/test_top.py",)

    def test_an_expression_that_gives_nothing_extends_nothing(self) -> None:
        assert image(self.NODES["top-2"]).layers == ("lab", "tools")

    def test_the_order_of_nodes_and_what_is_extended_stay_as_they_are(self) -> None:
        assert list(self.NODES) == ["top-1", "top-2", "shop-1-plain", "shop-1-gpu"]
        assert self.NODES["shop-1-plain"] == parse(image=self.BASE).nodes["shop-1-plain"]

    def test_images_may_extend_each_other_for_ten_steps(self) -> None:
        row = ", ".join(f"v{step}: {{base: top-v{step - 1}}}" for step in range(1, 11))
        head, tail = self.TEXT.split("variants:")
        text = f'{head}variants: {{v0: {{base: ""}}, {row}}}\n{tail[tail.index("extends") :]}'
        assert image(parse(image=text).nodes["top-v10"]).layers == ("lab", "tools") * 11


class TestProject:
    def test_it_holds_what_is_so_for_all(self) -> None:
        text = PROJECT_TEXT + 'registry: registry.example\ngroups: {all: ["*"], some: [app, "s*"]}\n'
        catalogue = parse_catalogue(make_documents({"manifests/project.yaml": text}))
        project = catalogue.project
        assert (project.name, project.epoch, project.platform) == ("sample", 1767225600, "linux/amd64")
        assert project.registry == "registry.example"
        assert catalogue.groups == {"all": ("*",), "some": ("app", "s*")}

    def test_pins_are_read_with_their_places(self) -> None:
        text = "pins:\n  - {image: shop, file: charts/shop/values.yaml, path: gpu.image}\n"
        catalogue = parse_catalogue(make_documents({"manifests/pins.yaml": text}))
        place = Location(file="manifests/pins.yaml", line=2, key="pins[0]")
        assert catalogue.pins == (Pin(image="shop", file="charts/shop/values.yaml", path="gpu.image", location=place),)
        assert check_graph(catalogue) == []

    def test_nodes_come_in_the_order_of_files_and_the_order_of_texts_does_not_count(self) -> None:
        documents = make_documents({"manifests/layers/base.yaml": LAYER_TEXT.replace("app", "base")})
        backwards = Documents(texts=dict(reversed(list(documents.texts.items()))), tests=documents.tests)
        assert list(parse_catalogue(documents).nodes) == ["shop", "app", "base"]
        assert parse_catalogue(backwards) == parse_catalogue(documents)

    def test_comments_and_white_space_change_nothing_but_lines(self) -> None:
        plain = layer(parse(app=FILES_TEXT).nodes["app-1"])
        text = "\n".join(f"{line}   # why" if line.endswith("]") else line for line in FILES_TEXT.splitlines())
        assert layer(parse(app=text + "\n").nodes["app-1"]) == plain

    def test_nothing_of_a_project_with_a_mistake_comes_out(self) -> None:
        with pytest.raises(ErrorGroup) as caught:
            parse(app=FILES_TEXT.replace("kind: files", "kind: files\ncolour: red\nshape: round"))
        assert len(caught.value.errors) == 2
