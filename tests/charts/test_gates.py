"""Gates over everything that a chart renders: defaults, presets and scenarios, by both Helms, on two Kuberneteses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.charts.combinations import (
    CHARTS,
    Combination,
    application_charts,
    combinations,
    load,
    load_chart,
    load_values,
)
from tests.charts.documented_keys import read_lists
from tests.charts.gates import (
    credentials,
    determinism,
    hardening,
    identity,
    images,
    pod_security,
    ports,
    references,
    release_size,
    schemas,
    selectors,
    spark_conf,
)
from tests.charts.gates.objects import Document, find_pods, strings
from tests.charts.known_images import known_images, unbuildable_images
from tests.charts.renders import NEW_HELM, OLD_HELM, CannotRenderError, Recipe, Renders, recipes_of
from tests.kubernetes import ensure_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from tests.charts.problems import expect_none

pytestmark = pytest.mark.timeout(1200)
every_combination = pytest.mark.parametrize("combination", combinations(), ids=str)
every_chart = pytest.mark.parametrize("chart", application_charts())

NOT_RESTRICTED: Mapping[str, str] = {}
"""Pods that the profile restricted would not let in, by the end of ``where``, each with its reason."""


@pytest.fixture
def objects(renders: Renders, combination: Combination) -> Sequence[Document]:
    try:
        return renders.objects(Recipe(combination=combination))
    except CannotRenderError:
        pytest.fail("does not render: see test_it_renders", pytrace=False)


@every_combination
def test_it_renders(renders: Renders, combination: Combination) -> None:
    problems = []
    for recipe in recipes_of(combination):
        try:
            renders.text(recipe)
        except CannotRenderError as error:
            problems.append(f"{error} (Kubernetes {recipe.kubernetes})")
    expect_none(problems)


@every_combination
def test_the_same_values_render_the_same(
    renders: Renders, combination: Combination, objects: Sequence[Document]
) -> None:
    assert objects
    recipe = Recipe(combination=combination)
    expect_none(determinism.find_differences(renders.text(recipe), renders.render_again(recipe)))


@every_combination
def test_both_helms_render_the_same_objects_on_every_kubernetes(
    renders: Renders, combination: Combination, objects: Sequence[Document]
) -> None:
    for recipe in recipes_of(combination):
        expect_none(determinism.find_disagreements(objects, renders.objects(recipe)), str(recipe))


@every_combination
def test_lint_has_no_complaints(renders: Renders, combination: Combination) -> None:
    helms = (NEW_HELM,) if combination.files else (OLD_HELM, NEW_HELM)
    for helm in helms:
        expect_none(determinism.find_complaints(renders.lint(Recipe(combination=combination, helm=helm))))


@every_combination
def test_every_object_is_valid_on_the_oldest_and_the_newest_kubernetes(
    renders: Renders, combination: Combination, objects: Sequence[Document]
) -> None:
    assert objects
    for recipe in recipes_of(combination)[:2]:
        find = _schemas(recipe.kubernetes)
        expect_none(schemas.find_invalid(renders.objects(recipe), find), f"Kubernetes {recipe.kubernetes}")


@every_combination
def test_every_pod_meets_its_standard(combination: Combination, objects: Sequence[Document]) -> None:
    profile: pod_security.Profile = "baseline" if combination.name.endswith("pss-baseline") else "restricted"
    pods = [pod for pod in find_pods(objects) if not pod.where.endswith(tuple(NOT_RESTRICTED) or ("\0",))]
    expect_none(pod_security.find_violations(pods, profile))


@every_combination
def test_root_file_systems_are_sealed(combination: Combination, objects: Sequence[Document]) -> None:
    if not combination.name.endswith("pss-baseline"):
        expect_none(hardening.find_unsealed(find_pods(objects)))


@every_combination
def test_every_container_has_requests_and_a_limit_of_memory(objects: Sequence[Document]) -> None:
    expect_none(hardening.find_unlimited(find_pods(objects)))


@every_combination
def test_every_server_is_probed(objects: Sequence[Document]) -> None:
    expect_none(hardening.find_unprobed(find_pods(objects)))


@every_combination
def test_every_pod_says_whether_it_gets_a_token(objects: Sequence[Document]) -> None:
    expect_none(hardening.find_stray_tokens(find_pods(objects)))


@every_combination
def test_selectors_match_their_own_component_and_something(objects: Sequence[Document]) -> None:
    expect_none(selectors.find_strangers({"demo": objects}))
    expect_none(selectors.find_idle(objects))
    expect_none(selectors.find_twins({"demo": objects}))


@every_combination
def test_selectors_use_what_no_upgrade_changes(
    renders: Renders, combination: Combination, objects: Sequence[Document]
) -> None:
    expect_none(selectors.find_unstable(objects))
    defaults = Recipe(combination=Combination(chart=combination.chart, name="defaults"))
    expect_none(selectors.find_moved(renders.objects(defaults), objects))


@every_combination
def test_ports_agree_by_name(objects: Sequence[Document]) -> None:
    expect_none(ports.find_disagreements(objects))


@every_combination
def test_what_objects_name_is_there(combination: Combination, objects: Sequence[Document]) -> None:
    given = [text for file in combination.files for _, text in strings(load(file))]
    expect_none(references.find_missing(objects, frozenset(given)))


@every_combination
def test_spark_reads_its_settings_as_they_are_meant(combination: Combination, objects: Sequence[Document]) -> None:
    expect_none(spark_conf.find_mistakes(objects, _documented(combination.chart)))


@every_combination
def test_no_credential_is_written_down(objects: Sequence[Document]) -> None:
    expect_none(credentials.find_in_objects(objects))


@every_combination
def test_every_image_is_pinned_and_known(objects: Sequence[Document]) -> None:
    expect_none(images.find_unpinned(objects, unbuildable_images()))
    expect_none(images.find_foreign(objects, known_images()))


@every_combination
def test_names_and_labels_are_valid(objects: Sequence[Document]) -> None:
    expect_none(identity.find_bad_names(objects))
    expect_none(identity.find_bad_labels(objects))


@every_combination
def test_a_release_fits_into_its_secret(
    renders: Renders, combination: Combination, objects: Sequence[Document]
) -> None:
    assert objects
    chart = CHARTS / combination.chart
    files = {str(file.relative_to(chart)): file.read_bytes() for file in chart.rglob("*") if file.is_file()}
    manifest = renders.text(Recipe(combination=combination))
    size = release_size.measure_release(manifest, load_chart(combination.chart), files, load_values(combination.chart))
    expect_none(release_size.find_too_big(size))


@cache
def _schemas(version: str) -> schemas.Find:
    return schemas.load_schemas(ensure_schemas(), version)


@cache
def _documented(chart: str) -> spark_conf.Documented:
    line = ".".join(str(load_chart(chart).get("appVersion", "")).split(".")[:2])
    return spark_conf.read_documented(read_lists(line))
