"""What charts are written in: templates without dead names, values that schema and templates know, honest presets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.charts.combinations import (
    CHARTS,
    Combination,
    application_charts,
    charts_of,
    library_charts,
    load,
    load_chart,
    load_schema,
    load_values,
    preset_file,
    presets,
)
from tests.charts.gates import credentials, mistakes, templates, values
from tests.charts.gates.objects import strings
from tests.charts.problems import expect_none
from tests.charts.renders import CannotRenderError, Recipe, Renders, oldest_kubernetes
from tests.charts.unread import charts_with_own_templates, find_unread, templates_of
from tests.helm import RELEASES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.charts.gates.objects import Document

    Make = Callable[[Document], dict[str, object]]

pytestmark = pytest.mark.timeout(1200)
every_chart = pytest.mark.parametrize("chart", application_charts())
every_preset = pytest.mark.parametrize("preset", presets())
MAKERS = (mistakes.make_typos, mistakes.make_wrong_types, mistakes.make_wrong_choices, mistakes.make_mismatches)
REFUSALS: list[Document] = yaml.safe_load((CHARTS / "../tests/charts/refusals.yaml").read_text(encoding="utf-8"))


def refusals(chart: str) -> list[Document]:
    """The rows whose keys the chart's schema knows."""
    schema = load_schema(chart)
    return [row for row in REFUSALS if schema and not values.find_unknown(row["values"], schema)]


@every_chart
def test_every_name_that_is_included_is_defined_once(chart: str) -> None:
    expect_none([*templates.find_undefined(templates_of(chart)), *templates.find_twice(templates_of(chart))])


def test_every_template_is_reached_from_an_object() -> None:
    files = {f"{chart}/{name}": text for chart in application_charts() for name, text in templates_of(chart).items()}
    partials = {name: text for name, text in files.items() if name.rpartition("/")[2].startswith("_")}
    expect_none(templates.find_dead({name: text for name, text in files.items() if name not in partials}, partials))


def test_charts_with_facts_differ_in_nothing_else() -> None:
    folders = [
        CHARTS / chart / "templates" for chart in application_charts() if (CHARTS / chart / "facts.yaml").exists()
    ]
    trees = [
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for folder in folders
    ]
    assert all(tree == trees[0] for tree in trees)


@every_chart
def test_values_and_schema_name_the_same_keys(chart: str) -> None:
    dependencies = frozenset(each.get("alias", each["name"]) for each in load_chart(chart).get("dependencies", ()))
    # What is global comes to all charts below a parent, so one takes what only another one reads.
    shared = {path for other in application_charts() for path, _ in values.leaves(load_values(other))}
    handed = dependencies | {path for path in shared if path.startswith("global.")}
    expect_none(values.find_drift(load_values(chart), load_schema(chart), handed))


@every_chart
def test_the_schema_takes_no_unknown_key_but_a_parent_s(chart: str) -> None:
    expect_none([*values.find_open(load_schema(chart)), *values.find_missing_parents(load_schema(chart))])


@pytest.mark.parametrize("chart", charts_with_own_templates())
def test_every_value_is_read(renders: Renders, chart: str) -> None:
    expect_none(find_unread(chart, renders))


@pytest.mark.parametrize("helm", RELEASES)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@every_chart
def test_the_schema_refuses(renders: Renders, tmp_path: Path, chart: str, make: Make, helm: str) -> None:
    flat = make(load_schema(chart))
    assert flat
    said = _refusal(renders, chart, mistakes.nest(flat), helm, tmp_path)
    expect_none(mistakes.find_unrefused(flat, said))


@pytest.mark.parametrize("helm", RELEASES)
@pytest.mark.parametrize(
    ("chart", "row"),
    [(chart, row) for chart in application_charts() for row in refusals(chart)],
    ids=lambda each: (
        each if isinstance(each, str) else ",".join(path for path, _ in values.leaves(each["values"]))[:80]
    ),
)
def test_what_does_not_fit_together_is_refused(
    renders: Renders, tmp_path: Path, chart: str, row: Document, helm: str
) -> None:
    said = _refusal(renders, chart, row["values"], helm, tmp_path)
    expect_none([f"Helm does not say: {part}" for part in row["says"] if part not in said], said)


@pytest.mark.parametrize("helm", RELEASES)
@every_chart
def test_a_parent_chart_may_hand_down_what_is_its_own(renders: Renders, tmp_path: Path, chart: str, helm: str) -> None:
    handed = {"enabled": True, "global": {"imageRegistry": "mirror.example", "other": {"deep": 1}}}
    assert renders.render_again(Recipe(combination=_overlaid(chart, handed, tmp_path), helm=helm))


@pytest.mark.parametrize("helm", RELEASES)
@every_chart
def test_a_kubernetes_that_is_too_old_is_refused_and_a_provider_s_taken(
    renders: Renders, chart: str, helm: str
) -> None:
    oldest = oldest_kubernetes(chart)
    major, minor, _ = oldest.split(".")
    defaults = Combination(chart=chart, name="defaults")
    assert renders.render_again(Recipe(combination=defaults, helm=helm, kubernetes=f"{oldest}-gke.1"))
    with pytest.raises(CannotRenderError, match="kubeVersion"):
        renders.render_again(Recipe(combination=defaults, helm=helm, kubernetes=f"{major}.{int(minor) - 1}.9"))


@every_chart
def test_every_chart_has_refusals_to_prove(chart: str) -> None:
    assert refusals(chart)


@every_preset
def test_a_preset_says_what_it_is_for(preset: str) -> None:
    assert preset_file(preset).read_text(encoding="utf-8").startswith("# ")


@every_preset
def test_a_preset_fits_a_chart_and_sets_only_its_keys(preset: str) -> None:
    charts = charts_of(preset)
    assert charts, f"no chart has all keys of {preset}"
    for chart in charts:
        expect_none(values.find_unknown(load(preset_file(preset)), load_schema(chart)), chart)


def test_no_credential_is_in_values_presets_or_chart_files() -> None:
    files = [file for file in CHARTS.rglob("*.yaml") if "templates" not in file.parts]
    expect_none(
        [
            f"{file.relative_to(CHARTS)}: {problem}"
            for file in files
            for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
            if isinstance(document, dict)
            for problem in credentials.find_in_values(document)
        ]
    )


def test_no_credential_is_in_a_template() -> None:
    names = (*application_charts(), *library_charts())
    files = [file for name in names for file in (CHARTS / name / "templates").rglob("*") if file.is_file()]
    found = {file: credentials.KNOWN.findall(file.read_text(encoding="utf-8")) for file in files}
    expect_none([f"{file.relative_to(CHARTS)}: {words}" for file, words in found.items() if words])


@every_chart
def test_a_chart_says_what_a_catalogue_wants_to_know(chart: str) -> None:
    metadata = load_chart(chart)
    assert str(metadata["kubeVersion"]).endswith("-0"), "the suffix lets in versions of providers"
    assert {"description", "home", "icon", "appVersion"} <= metadata.keys()
    assert "artifacthub.io/images" in metadata["annotations"]
    assert not [text for _, text in strings(metadata) if "latest" in text.split(":")]


def _refusal(renders: Renders, chart: str, overlay: Document, helm: str, scratch: Path) -> str:
    with pytest.raises(CannotRenderError) as refused:
        renders.render_again(Recipe(combination=_overlaid(chart, overlay, scratch), helm=helm))
    return str(refused.value)


def _overlaid(chart: str, overlay: Document, scratch: Path) -> Combination:
    file = scratch / "values.yaml"
    file.write_text(yaml.safe_dump(dict(overlay)), encoding="utf-8")
    return Combination(chart=chart, name="overlaid", files=(file,))
