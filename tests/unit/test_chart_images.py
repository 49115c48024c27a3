"""Images in rendered objects, and where they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.chart import Origin, find_origin, find_uses
from buildgraph.errors import BuildFailure, UsageError
from buildgraph.ledger import Ledger, LedgerEntry
from buildgraph.model import Catalogue, ForeignImage, Pin
from buildgraph.reference import parse_reference
from tests.samples import NOWHERE, make_catalogue, make_image, make_layer

if TYPE_CHECKING:
    from buildgraph.model import Node

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def found(text: str) -> list[tuple[str, str]]:
    return [(str(use), use.text) for use in find_uses(text)]


def config_map(part: str, text: str) -> str:
    body = "".join(f"    {line}\n" for line in text.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  {part}: |\n{body}"


@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_every_container_counts_however_deep_its_pod_is(kind: str, depth: int) -> None:
    spec = f"{{{kind}: [{{name: a, image: x:1}}, {{name: b, image: y:2}}]}}"
    for _ in range(depth):
        spec = f"{{template: {{metadata: {{image: none}}, spec: {spec}}}}}"
    text = f"kind: Thing\nmetadata: {{name: t, annotations: {{image: none}}}}\nspec: {spec}\n"
    assert found(text) == [("Thing/t a", "x:1"), ("Thing/t b", "y:2")]


def test_a_container_without_an_image_is_told_by_its_empty_text() -> None:
    assert found("kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}, {image: ~}]}\n") == [
        ("Pod/p a", ""),
        ("Pod/p containers", ""),
    ]


def test_objects_in_lists_are_objects() -> None:
    text = "kind: PodList\nitems:\n- kind: Pod\n  metadata: {name: p}\n  spec: {containers: [{name: a, image: x:1}]}\n"
    assert found(f"{text}---\n---\nnot an object\n---\n- neither\n") == [("Pod/p a", "x:1")]


def test_images_of_resources_that_make_pods_their_own_way_count() -> None:
    text = "kind: SparkApplication\nmetadata: {name: s}\nspec: {image: x:1, driver: {image: y:2, name: d}}\n"
    assert found(text) == [("SparkApplication/s spec", "x:1"), ("SparkApplication/s d", "y:2")]


def test_a_volume_that_is_an_image_counts() -> None:
    text = "kind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: v, image: {reference: x:1, pullPolicy: Always}}]}\n"
    assert found(text) == [("Pod/p v", "x:1")]


@pytest.mark.parametrize("part", ["executor.yaml", "executor.yml", "pod.json"])
def test_a_pod_that_is_a_text_counts(part: str) -> None:
    pod = '{"spec": {"initContainers": [{"name": "a", "image": "x:1"}], "containers": [{"name": "b", "image": "y:2"}]}}'
    assert found(config_map(part, pod)) == [(f"ConfigMap/c {part} a", "x:1"), (f"ConfigMap/c {part} b", "y:2")]


def test_a_text_of_several_pods_counts_whole() -> None:
    text = "spec: {containers: [{name: a, image: x:1}]}\n---\nspec: {containers: [{name: b, image: y:2}]}"
    assert [image for _, image in found(config_map("pods.yaml", text))] == ["x:1", "y:2"]


def test_other_texts_that_speak_of_images_do_not_count() -> None:
    assert found(config_map("dashboard.json", '{"image": "logo.png", "rows": [{"image": "x"}]}')) == []
    assert found(config_map("notes.txt", "containers: [{name: a, image: x:1}]")) == []


def test_a_text_that_cannot_be_read_is_refused_when_it_speaks_of_images() -> None:
    assert found(config_map("page.yaml", "{{ neither }}: [")) == []
    with pytest.raises(BuildFailure, match=r"page.yaml in ConfigMap/c is not YAML"):
        find_uses(config_map("page.yaml", "image: [{{ x }}"))


@pytest.mark.parametrize("text", ["a: [", "a: *b", "a: \x00", "[" * 5000])
def test_what_is_not_yaml_is_refused(text: str) -> None:
    with pytest.raises(BuildFailure, match=r"^what Helm renders is not YAML"):
        find_uses(text)


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("spark.kubernetes.container.image=x:1", "x:1"),
        ("spark.kubernetes.container.image x:1", "x:1"),
        ("spark.kubernetes.driver.container.image : x:1", "x:1"),
        ("  spark.kubernetes.executor.container.image\tx:1  ", "x:1"),
        ("--conf 'spark.kubernetes.container.image=x:1' --conf a=b", "x:1"),
        ('{"spark.kubernetes.container.image": "x:1", "a": "b"}', "x:1"),
        ("spark.kubernetes.container.image=", ""),
        ("spark.kubernetes.container.image=$(IMAGE)", "$(IMAGE)"),
    ],
)
def test_settings_of_spark_count_wherever_they_stand(line: str, image: str) -> None:
    assert [text for _, text in found(config_map("spark-defaults.conf", line))] == [image]
    argument = line.strip().replace("'", "''")
    pod = f"kind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, image: y:2, args: ['{argument}']}}]}}\n"
    assert [text for _, text in found(pod)] == ["y:2", image]


@pytest.mark.parametrize(
    "line",
    [
        "# spark.kubernetes.container.image=x:1",
        "  ! spark.kubernetes.container.image=x:1",
        "spark.kubernetes.container.image.pullPolicy=Always",
        "spark.kubernetes.container.image.pullSecrets=a,b",
        "spark.kubernetes.driver.pod.container.image=x:1",
    ],
)
def test_other_settings_do_not_count(line: str) -> None:
    assert found(config_map("spark-defaults.conf", line)) == []


def test_settings_as_keys_of_an_object_count() -> None:
    text = "kind: SparkApplication\nmetadata: {name: s}\nspec: {sparkConf: {spark.kubernetes.container.image: x:1}}\n"
    assert found(text) == [("SparkApplication/s spark.kubernetes.container.image", "x:1")]


def test_aliases_that_multiply_cost_nothing() -> None:
    lines = ["a0: &a0 [x, {name: n, image: x:1}]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    assert found("kind: Odd\nmetadata: {name: o}\n" + "\n".join(lines)) == [("Odd/o n", "x:1")]


class TestOrigins:
    @pytest.fixture
    def catalogue(self) -> Catalogue:
        images: list[Node] = [make_layer("os"), make_image("shop", ("os",)), make_image("small", ("os",))]
        pin = Pin(image="little", file="charts/a/values.yaml", path="image", location=NOWHERE)
        listed = ForeignImage(
            name="box", reference=f"quay.io/team/box:1@{TWO}", licence="MIT", source="x", location=NOWHERE
        )
        return replace(
            make_catalogue(images, aliases={"little": "small"}, pins=(pin,)),
            foreign=(listed,),
        )

    LEDGER = Ledger(entries={"shop": LedgerEntry(key="k", digest=ONE, tags=("1.0",))})

    @pytest.mark.parametrize(
        ("text", "origin"),
        [
            (f"docker.io/sample/shop:1.0@{ONE}", Origin(image="shop")),
            (f"sample/shop@{ONE}", Origin(image="shop")),
            (f"mirror.example:5000/a/b/sample/shop:1.0@{ONE}", Origin(image="shop")),
            ("sample/small:1.0", Origin(image="small")),
            (f"quay.io/team/box:1@{TWO}", Origin(foreign="box")),
            (f"mirror.example/quay/team/box@{TWO}", Origin(foreign="box")),
        ],
    )
    def test_ours_and_those_of_the_list_are_known_wherever_they_are_mirrored(
        self, catalogue: Catalogue, text: str, origin: Origin
    ) -> None:
        assert find_origin(parse_reference(text), catalogue, self.LEDGER) == origin

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("sample/shop:1.0", "is shop, without the digest that it is pinned by; run: buildgraph pin"),
            (f"sample/shop:1.0@{TWO}", "has another digest than the ledger gives shop; run: buildgraph pin"),
            (f"sample/small:1.0@{ONE}", "has another digest than the ledger gives small"),
            (f"sample/shop:2.0@{ONE}", "is neither an image of the catalogue nor listed in manifests/third-party"),
            ("sample/small:2.0", "is neither an image of the catalogue nor listed"),
            ("sample/small", "is neither an image of the catalogue nor listed"),
            (f"othersample/shop:1.0@{ONE}", "is neither an image of the catalogue nor listed"),
            (f"sample/shop/x:1.0@{ONE}", "is neither an image of the catalogue nor listed"),
            (f"quay.io/team/box:1@{ONE}", f"is not quay.io/team/box:1@{TWO}; name the one that manifests/third-party"),
            ("quay.io/team/box:1", f"is not quay.io/team/box:1@{TWO}"),
            (f"busybox@{TWO}", "is neither an image of the catalogue nor listed"),
        ],
    )
    def test_anything_else_is_refused(self, catalogue: Catalogue, text: str, message: str) -> None:
        reference = parse_reference(text)
        with pytest.raises(UsageError) as caught:
            find_origin(reference, catalogue, self.LEDGER)
        assert str(caught.value).startswith(f"{reference} {message}")

    def test_an_image_that_is_not_pinned_needs_its_digest_in_the_ledger(self, catalogue: Catalogue) -> None:
        with pytest.raises(UsageError, match="is small, without the digest"):
            find_origin(parse_reference("sample/small:1.0"), replace(catalogue, pins=()), self.LEDGER)
