from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.documenting import check_pages
from buildgraph.app.pinning import Change, check_pins, find_pin_changes, write_changes
from buildgraph.errors import BuildFailure, LockError, ManifestError, Stale, UsageError
from buildgraph.ledger import format_ledger, parse_ledger
from buildgraph.pin import PIN_KEYS, read_pin

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


def test_an_image_is_pinned_by_itself_while_others_stay_at_what_they_were(sample: Sample) -> None:
    sample.write("charts/plain/values.yaml", (sample.folder / VALUES).read_text().replace("sample/app", "sample/plain"))
    sample.edit(
        "manifests/pins.yaml",
        "    path: image\n",
        "    path: image\n  - {image: plain, file: charts/plain/values.yaml, path: image}\n",
    )
    make(sample, "all")
    pin(sample)
    before = {name: digest_of(sample, name) for name in ("app-1", "plain")}
    sample.edit("manifests/images/app.yaml", "[/opt/tool.sh]", "[/opt/tool.sh, again]")
    plain = (sample.folder / "manifests/images/plain.yaml").read_text()
    sample.write("manifests/images/plain.yaml", f"{plain}config: {{cmd: [again]}}\n")
    make(sample, "app")
    with pytest.raises(BuildFailure, match="nothing is pinned: plain is not built"):
        find_pin_changes(sample.session())
    changes = find_pin_changes(sample.session(), ["app"])
    write_changes(sample.session(), changes)
    assert {change.file for change in changes} == {VALUES, LEDGER}
    assert digest_of(sample, "app-1") != before["app-1"]
    assert digest_of(sample, "plain") == before["plain"]
    with pytest.raises(Stale) as caught:
        check_pins(sample.session())
    assert caught.value.diff == "- plain: pinned with another key than its manifests now give"


def test_an_image_that_is_pinned_nowhere_cannot_be_chosen(sample: Sample) -> None:
    make(sample, "app")
    with pytest.raises(UsageError, match="plain names no image that is pinned"):
        find_pin_changes(sample.session(), ["plain"])


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


def test_versions_of_images_are_written_as_strings(sample: Sample) -> None:
    sample.write("charts/app/Chart.yaml", f"{CHART}appVersion: 0  # the application's\n")
    sample.write("charts/other/values.yaml", "app:\n  version: 'none'\n")
    sample.write(
        "manifests/pins.yaml",
        f"pins:\n  - {{image: app, file: {VALUES}, path: image}}\nversions:\n"
        "  - {image: app, parameter: version, file: charts/app/Chart.yaml, path: appVersion}\n"
        "  - {image: app-1, parameter: version, file: charts/other/values.yaml, path: app.version}\n",
    )
    make(sample, "app")
    assert set(pin(sample)) == {VALUES, "charts/app/Chart.yaml", "charts/other/values.yaml", LEDGER}
    chart = (sample.folder / "charts/app/Chart.yaml").read_text()
    assert chart.endswith('appVersion: "1"  # the application\'s\n')
    assert digest_of(sample, "app-1") in chart
    assert (sample.folder / "charts/other/values.yaml").read_text() == "app:\n  version: '1'\n"
    assert pin(sample) == ()
    check_pins(sample.session())
    sample.edit("charts/app/Chart.yaml", 'appVersion: "1"', 'appVersion: "2"')
    with pytest.raises(Stale, match=r"charts/app/Chart.yaml: out of date"):
        check_pins(sample.session())


def test_a_version_that_has_no_place_is_told_with_its_line(sample: Sample) -> None:
    sample.write("charts/app/Chart.yaml", CHART)
    text = "versions:\n  - {image: app, parameter: version, file: charts/app/Chart.yaml, path: appVersion}\n"
    sample.write("manifests/pins.yaml", text)
    with pytest.raises(ManifestError, match=r"charts/app/Chart.yaml:1: there is no appVersion"):
        pin(sample)


def test_what_is_written_from_the_charts_follows_the_pins(sample: Sample) -> None:
    image = "description: An image., properties: {" + ", ".join(f"{key}: {{description: A.}}" for key in PIN_KEYS) + "}"
    schema = f"properties: {{image: {{{image}}}, replicas: {{description: Many.}}}}\n"
    sample.write("charts/app/values.schema.yaml", schema)
    sample.write("charts/app/README.md", "<!-- values -->\n<!-- /values -->\n")
    sample.write("charts/app/Chart.yaml", f"apiVersion: v2\n{CHART}")
    sample.write("charts/presets/version/1.yaml", f"image:\n  {BLOCK.format(chr(10) + '  ')}\n")
    row = "{name: one, description: One, presets: [version/1], charts: {app: [default]}}"
    sample.write("charts/scenarios.yaml", f"scenarios:\n  - {row}\n")
    entry = "  - {image: app, file: charts/presets/version/1.yaml, path: image}\n"
    sample.write("manifests/pins.yaml", (sample.folder / "manifests/pins.yaml").read_text() + entry)
    make(sample, "app")
    scenario = "charts/scenarios/app/one.yaml"
    assert scenario in pin(sample)
    assert digest_of(sample, "app-1") in (sample.folder / scenario).read_text()
    check_pins(sample.session())
    check_pages(sample.session().workspace)
    assert pin(sample) == ()


BLOCK = "registry: r{0}repository: p{0}tag: t{0}digest: d"


def test_many_charts_and_presets_are_pinned_and_the_second_time_no_byte_changes(sample: Sample) -> None:
    """Each file in another shape: line ends, no last one, flow style, a list, a subchart, a preset beside no chart."""
    texts = {
        "charts/one/values.yaml": "image:\r\n  " + BLOCK.format("\r\n  ") + "  # last",
        "charts/two/values.yaml": f"features: {{gpu: {{image: {{{BLOCK.format(', ')}}}}}}}\n",
        "charts/two/charts/sub/values.yaml": "images:\n- name: x\n  " + BLOCK.format("\n  ") + "\n",
        "charts/presets/feature/gpu.yaml": "jupyter:\n    gpuImage:\n        " + BLOCK.format("\n        "),
    }
    paths = ("image", "features.gpu.image", "images.0", "jupyter.gpuImage")
    for file, text in texts.items():
        (sample.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (sample.folder / file).write_bytes(text.encode())
    sample.write("charts/two/Chart.yaml", CHART.replace("name: app\nv", "name: two\nv"))
    pins = zip(texts, paths, ("app", "plain", "app-1", "app"), strict=True)
    lines = [f"  - {{image: {image}, file: {file}, path: {path}}}\n" for file, path, image in pins]
    sample.write("manifests/pins.yaml", "pins:\n" + "".join(lines))
    sample.edit("charts/two/Chart.yaml", "- name: app", "- {name: plain, image: x}\n    - name: app")
    make(sample, "all")
    assert set(pin(sample)) == {*texts, "charts/two/Chart.yaml", LEDGER}
    before = {file: (sample.folder / file).read_bytes() for file in texts}
    for (file, path), text in zip(zip(texts, paths, strict=True), texts.values(), strict=True):
        pinned = read_pin(before[file].decode(), path, file=file)
        assert pinned.digest in {digest_of(sample, "app-1"), digest_of(sample, "plain")}
        assert before[file].count(b"\r\n") == text.count("\r\n")
        assert before[file].endswith(b"\n") is text.endswith("\n")
    assert pin(sample) == ()
    assert {file: (sample.folder / file).read_bytes() for file in texts} == before
    check_pins(sample.session())


GAP = """\
{"lock": 1, "nodes": {"tool": {"jar": {"request": ["maven:org.example:jar:1"], "unlocked": "not found anywhere"}}}}
"""


class TestImagesWhoseSourcesCannotBeHad:
    @pytest.fixture
    def lacking(self, sample: Sample) -> Sample:
        """A project that pins app, whose source nobody has, and plain, which can be built."""
        sample.edit("manifests/layers/tool.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
        sample.write("manifests/buildgraph.lock", GAP)
        sample.write("charts/plain/values.yaml", "image: {" + BLOCK.format(", ") + "}\n")
        sample.edit(
            "manifests/pins.yaml",
            "    path: image\n",
            "    path: image\n  - {image: plain, file: charts/plain/values.yaml, path: image}\n",
        )
        sample.write("charts/app/Chart.yaml", CHART)
        return sample

    NOTE = "note: app-1 is not locked (tool: jar): its pins hold no digest\n"

    def test_they_are_pinned_by_tag_and_named_in_one_line(self, lacking: Sample) -> None:
        make(lacking, "plain")
        done = lacking.call("pin")
        assert (done.code, done.err) == (0, self.NOTE)
        text = (lacking.folder / VALUES).read_text()
        assert read_pin(text, "image", file=VALUES).tag == "1"
        assert read_pin(text, "image", file=VALUES).digest == ""
        assert "      image: registry.example/sample/app:1\n" in (lacking.folder / "charts/app/Chart.yaml").read_text()
        assert set(parse_ledger((lacking.folder / LEDGER).read_text(), LEDGER).entries) == {"base", "extra", "plain"}

    def test_the_check_names_them_and_is_content(self, lacking: Sample) -> None:
        make(lacking, "plain")
        pin(lacking)
        done = lacking.call("pin", "--check")
        assert (done.code, done.out, done.err) == (0, "charts and ledger are up to date\n", self.NOTE)
        assert lacking.call("pin").out == "charts and ledger are up to date\n"

    def test_a_digest_that_stands_there_all_the_same_is_stale(self, lacking: Sample) -> None:
        make(lacking, "plain")
        pin(lacking)
        lacking.edit(VALUES, '""', "sha256:" + "1" * 64)
        assert lacking.call("pin", "--check").code == 4

    def test_what_was_only_not_locked_yet_is_an_error(self, lacking: Sample) -> None:
        lacking.write("manifests/buildgraph.lock", '{"lock": 1, "nodes": {}}\n')
        done = lacking.call("pin", "--check")
        assert (done.code, done.err) == (2, "error: app-1 is not locked: tool: jar; run: buildgraph lock\n")

    def test_what_changed_since_nobody_had_it_is_an_error(self, lacking: Sample) -> None:
        lacking.edit("manifests/layers/tool.yaml", "jar:1", "jar:2")
        assert lacking.call("pin").err == "error: app-1 is not locked: tool: jar; run: buildgraph lock\n"

    def test_nothing_else_may_be_missing_either(self, lacking: Sample) -> None:
        with pytest.raises(BuildFailure, match="nothing is pinned: base is not built"):
            pin(lacking)


def test_an_unlocked_image_cannot_be_checked(sample: Sample) -> None:
    sample.edit("manifests/layers/tool.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
    with pytest.raises(LockError, match="app-1 is not locked: tool: jar; run: buildgraph lock"):
        check_pins(sample.session())


def test_a_ledger_that_is_none_is_told_with_its_place(sample: Sample) -> None:
    sample.write(LEDGER, "{")
    with pytest.raises(ManifestError, match=r"manifests/ledger.json:1"):
        check_pins(sample.session())


def test_a_ledger_that_lacks_a_part_of_an_image_is_refused(sample: Sample) -> None:
    make(sample, "app")
    pin(sample)
    shutil.rmtree(sample.store)
    ledger = parse_ledger((sample.folder / LEDGER).read_text(), LEDGER)
    entries = {name: entry for name, entry in ledger.entries.items() if name != "tool"}
    sample.write(LEDGER, format_ledger(replace(ledger, entries=entries)))
    what = f"{LEDGER}: tool has no entry; remove the file, then build and pin again"
    with pytest.raises(UsageError, match=what):
        find_pin_changes(sample.session())


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
