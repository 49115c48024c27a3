from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.pinning import Change, check_pins, find_pin_changes, write_changes
from buildgraph.errors import BuildFailure, LockError, ManifestError, Stale, UsageError
from buildgraph.ledger import parse_ledger
from buildgraph.pin import read_pin

if TYPE_CHECKING:
    from tests.fakes.sample import Sample

LEDGER = "manifests/ledger.json"
VALUES = "charts/app/values.yaml"
CHART = """\
name: app
version: 0.1.0
annotations:
  artifacthub.io/images: |
    - name: app
      image: registry.example/sample/app:0
"""


def pin(sample: Sample) -> tuple[str, ...]:
    """Write what has to be written; the files."""
    changes = find_pin_changes(sample.session())
    write_changes(sample.session(), changes)
    return tuple(change.file for change in changes)


def make(sample: Sample, *targets: str) -> None:
    sample.build(*targets)
    sample.plant_verdicts(*targets)


def digest_of(sample: Sample, node: str) -> str:
    text = (sample.folder / LEDGER).read_text()
    return parse_ledger(text, LEDGER).entries[node].digest


def test_the_digest_of_a_tested_image_is_written_and_no_other_byte_changes(sample: Sample) -> None:
    make(sample, "app")
    before = (sample.folder / VALUES).read_text()
    assert set(pin(sample)) == {VALUES, LEDGER}
    after = (sample.folder / VALUES).read_text()
    digest = digest_of(sample, "app-1")
    assert read_pin(after, "image", file=VALUES).digest == digest
    assert after == before.replace('tag: "0"', 'tag: "1"').replace("sha256:" + "0" * 64, digest)


def test_the_ledger_holds_the_image_and_all_that_it_is_made_of(sample: Sample) -> None:
    make(sample, "all")
    pin(sample)
    entries = parse_ledger((sample.folder / LEDGER).read_text(), LEDGER).entries
    assert set(entries) == {"base", "tool", "app-1"}
    assert entries["app-1"].tags == ("1",)
    assert entries["tool"].tags == ()


def test_the_second_time_nothing_is_written(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    assert pin(sample) == ()
    check_pins(sample.session())


@pytest.mark.parametrize("without", ["base", "tool", "app-1"])
def test_nothing_is_pinned_when_anything_of_an_image_is_not_tested(sample: Sample, without: str) -> None:
    sample.build("app")
    sample.plant_verdicts("app", without=without)
    with pytest.raises(BuildFailure, match=f"nothing is pinned: {without} is not tested; run: buildgraph build"):
        pin(sample)


def test_nothing_is_pinned_when_anything_of_an_image_is_not_built(sample: Sample) -> None:
    with pytest.raises(BuildFailure) as caught:
        pin(sample)
    assert caught.value.what.startswith("nothing is pinned: base is not built; tool is not built;")


def test_an_image_that_has_not_moved_needs_no_store(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    shutil.rmtree(sample.store)
    assert pin(sample) == ()
    check_pins(sample.session())
    assert not sample.store.exists()


def test_a_values_file_that_somebody_edited_is_put_right_from_the_ledger(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    digest = digest_of(sample, "app-1")
    sample.edit(VALUES, digest, "sha256:" + "f" * 64)
    with pytest.raises(Stale, match=r"charts/app/values.yaml: out of date; run: buildgraph pin") as caught:
        check_pins(sample.session())
    assert f"+  digest: {digest}" in caught.value.diff
    shutil.rmtree(sample.store)
    assert pin(sample) == (VALUES,)
    check_pins(sample.session())


def test_a_changed_image_is_stale_by_its_key_before_it_is_built(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    sample.edit("manifests/images/app.yaml", "[/opt/tool.sh]", "[/opt/tool.sh, again]")
    with pytest.raises(Stale) as caught:
        check_pins(sample.session())
    assert caught.value.diff == "- app-1: pinned with another key than its manifests now give"


def test_what_only_describes_an_image_is_not_stale(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    sample.edit("manifests/images/app.yaml", "The application", "An application")
    check_pins(sample.session())


def test_one_moved_image_does_not_move_the_pin_of_another(sample: Sample) -> None:
    sample.write("charts/plain/values.yaml", (sample.folder / VALUES).read_text().replace("sample/app", "sample/plain"))
    sample.edit(
        "manifests/pins.yaml",
        "    path: image\n",
        "    path: image\n  - {image: plain, file: charts/plain/values.yaml, path: image}\n",
    )
    make(sample, "all")
    pin(sample)
    kept = digest_of(sample, "app-1")
    sample.edit("layers/extra/files/conf/extra.conf", "size = 1", "size = 2")
    make(sample, "plain")
    assert set(pin(sample)) == {"charts/plain/values.yaml", LEDGER}
    assert digest_of(sample, "app-1") == kept


def test_the_annotation_of_the_chart_names_the_same_image(sample: Sample) -> None:
    sample.write("charts/app/Chart.yaml", CHART)
    make(sample, "app")
    assert set(pin(sample)) == {VALUES, "charts/app/Chart.yaml", LEDGER}
    digest = digest_of(sample, "app-1")
    assert f"image: registry.example/sample/app:1@{digest}" in (sample.folder / "charts/app/Chart.yaml").read_text()
    check_pins(sample.session())


def test_two_pins_of_one_file_are_written_together(sample: Sample) -> None:
    block = (sample.folder / VALUES).read_text().partition("image:\n")[2].partition("replicas")[0]
    sample.write(VALUES, f"one:\n{block}two:\n{block}")
    sample.write(
        "manifests/pins.yaml",
        "pins:\n" + "".join(f"  - {{image: app, file: {VALUES}, path: {name}}}\n" for name in ("one", "two")),
    )
    make(sample, "app")
    pin(sample)
    text = (sample.folder / VALUES).read_text()
    digests = {read_pin(text, name, file=VALUES).digest for name in ("one", "two")}
    assert digests == {digest_of(sample, "app-1")}


def test_a_pin_into_a_file_that_is_not_there_is_told_with_its_place(sample: Sample) -> None:
    make(sample, "app")
    (sample.folder / VALUES).unlink()
    with pytest.raises(UsageError, match=r"manifests/pins.yaml:2.*there is no file charts/app/values.yaml"):
        pin(sample)


def test_an_unlocked_image_cannot_be_checked(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
    with pytest.raises(LockError, match="app-1 is not locked: tool: jar; run: buildgraph lock"):
        check_pins(sample.session())


def test_a_ledger_that_is_none_is_told_with_its_place(sample: Sample) -> None:
    sample.write(LEDGER, "{")
    with pytest.raises(ManifestError, match=r"manifests/ledger.json:1"):
        check_pins(sample.session())


def test_the_ledger_is_written_last(sample: Sample) -> None:
    (sample.folder / "charts/link").symlink_to("app")
    changes = (
        Change(file=LEDGER, old="", new="new"),
        Change(file="charts/link/values.yaml", old="", new="new"),
    )
    with pytest.raises(UsageError, match="symlink"):
        write_changes(sample.session(), changes)
    assert not (sample.folder / LEDGER).exists()


def test_a_damaged_build_is_not_pinned(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    sample.edit("layers/tool/files/tool.sh", "true", "false")
    make(sample, "app")
    layer = max((sample.store / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    layer.unlink()
    with pytest.raises(BuildFailure, match="is not built"):
        pin(sample)
