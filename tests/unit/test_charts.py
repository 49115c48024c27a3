"""Charts on disk: packages that depend on the tree alone, dependencies put in place, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.chartarchive import make_package
from buildgraph.adapters.charts import MAX_FILE, find_charts, sync_files
from buildgraph.app.charts import package_chart, vendor_chart, write_package
from buildgraph.errors import UsageError
from tests.fakes.charts import CHART, OURS, PACKED, write_charts

if TYPE_CHECKING:
    from tests.fakes.sample import Ended, Sample

EPOCH = 1767225600
NAME = "shop-1.2.3+build.4.tgz"
HELM = """\
#!/bin/sh
test "$1" = template || exit 9
printf '%s\\n' "$@" > "$SEEN"
env | grep '^HELM_' | sort >> "$SEEN"
cat <<'END'
"""


@pytest.fixture
def shop(sample: Sample) -> Sample:
    """The sample with two charts beside its own, which has no Chart.yaml; Chart.lock is there."""
    write_charts(sample.folder / "charts")
    assert sample.call("charts", "vendor", "shop").code == 0
    return sample


def package(sample: Sample, *names: str, output: str = "out") -> dict[str, str]:
    """Package a chart; what the program says of it."""
    done = sample.call("charts", "package", *names, "--output", str(sample.folder / output), "--json")
    assert done.code == 0, done.err
    (one,) = json.loads(done.out)["packages"]
    return dict(one)


def refusal(sample: Sample, *names: str) -> str:
    """What it says when it does not package the chart; nothing is written then."""
    done = sample.call("charts", "package", *(names or ("shop",)), "--output", str(sample.folder / "out"))
    assert (done.code, done.out) == (2, "")
    assert not (sample.folder / "out").exists()
    return done.err


class TestPackages:
    def test_a_package_holds_the_chart_and_what_it_needs(self, shop: Sample) -> None:
        said = package(shop, "shop")
        data = Path(said["file"]).read_bytes()
        assert said == {
            "name": "shop",
            "version": "1.2.3+build.4",
            "file": str(shop.folder / "out" / NAME),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = archive.getmembers()
        assert [member.name for member in members] == [f"shop/{path}" for path in PACKED]
        seen = {(member.mode, member.uid, member.gid, member.uname, member.mtime) for member in members}
        assert seen == {(0o644, 0, 0, "", EPOCH)}

    def test_the_gzip_says_nothing_of_this_machine(self, shop: Sample) -> None:
        data = Path(package(shop, "shop")["file"]).read_bytes()
        assert data[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
        assert gzip.decompress(data).endswith(bytes(1024))

    def test_the_same_tree_gives_the_same_bytes_elsewhere(
        self, shop: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another folder, other times and rights of files, another mask, time zone and language."""
        first = Path(package(shop, "shop")["file"]).read_bytes()
        monkeypatch.setenv("TZ", "Pacific/Kiritimati")
        monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
        time.tzset()
        mask = os.umask(0o077)
        try:
            shutil.copytree(shop.folder / "charts", tmp_path / "charts", copy_function=shutil.copyfile)
            for file in (tmp_path / "charts").rglob("*"):
                file.chmod(0o700)
                os.utime(file, (1, 1))
            package_of_copy = package_chart(tmp_path / "charts", "shop", epoch=EPOCH)
            written = write_package(package_of_copy, tmp_path / "out")
        finally:
            os.umask(mask)
            monkeypatch.undo()
            time.tzset()
        assert written.read_bytes() == first
        assert written.stat().st_mode & 0o777 == 0o644

    def test_what_was_vendored_before_does_not_count(self, shop: Sample) -> None:
        first = package(shop, "shop")["sha256"]
        shop.write("charts/shop/charts/basis/templates/_names.tpl", "something old")
        shop.write("charts/shop/charts/basis/more", "something more")
        assert package(shop, "shop", output="again")["sha256"] == first

    @pytest.mark.parametrize(
        ("path", "old", "new"),
        [
            ("charts/shop/values.yaml", "spark: true", "spark: false"),
            ("charts/basis/README.md", "The library", "A library"),
            ("charts/basis/notes.md", "not for", "for"),
            ("charts/shop/docs/a.txt", "left out", "still left out"),
        ],
    )
    def test_a_change_moves_the_package_unless_it_is_left_out(
        self, shop: Sample, path: str, old: str, new: str
    ) -> None:
        first = package(shop, "shop")["sha256"]
        shop.edit(path, old, new)
        is_moved = package(shop, "shop", output="again")["sha256"] != first
        assert is_moved is (path not in {"charts/basis/notes.md", "charts/shop/docs/a.txt"})

    def test_without_names_what_can_be_installed_is_packaged(self, shop: Sample) -> None:
        assert package(shop)["name"] == "shop"
        assert package(shop, "basis")["name"] == "basis"

    def test_it_says_name_version_file_and_sha256(self, shop: Sample) -> None:
        done = shop.call("charts", "package")
        file = shop.folder / "dist" / NAME
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert done.out == f"shop 1.2.3+build.4  {file}  sha256:{digest}\n"
        assert done.err == ""

    def test_other_rules_of_the_chart_hold_inside_it_too(self, shop: Sample) -> None:
        shop.edit("charts/shop/.helmignore", "/ci/\n", "/ci/\n*.md\n")
        with tarfile.open(package(shop, "shop")["file"]) as archive:
            names = set(archive.getnames())
        assert not [name for name in names if name.endswith(".md")]
        assert "shop/charts/basis/Chart.yaml" in names


class TestAttacks:
    @pytest.mark.parametrize("target", ["/etc/passwd", "../basis/README.md", "values.yaml", "nowhere", ".."])
    def test_a_link_is_not_followed(self, shop: Sample, target: str) -> None:
        (shop.folder / "charts/shop/files/link").symlink_to(target)
        assert "charts/shop/files/link: it is a symlink, and a package holds none" in refusal(shop)

    def test_a_link_that_is_left_out_does_no_harm(self, shop: Sample) -> None:
        (shop.folder / "charts/shop/files/link.orig").symlink_to("/etc/passwd")
        package(shop, "shop")

    def test_a_link_of_the_library_is_not_followed_either(self, shop: Sample) -> None:
        (shop.folder / "charts/basis/secret").symlink_to("/etc/passwd")
        assert "charts/basis/secret: it is a symlink" in refusal(shop)

    @pytest.mark.parametrize("name", ["Chart.yaml", ".helmignore", "Chart.lock"])
    def test_what_describes_a_chart_is_no_link(self, shop: Sample, name: str, tmp_path: Path) -> None:
        real = tmp_path / "real"
        (shop.folder / "charts/shop" / name).rename(real)
        (shop.folder / "charts/shop" / name).symlink_to(real)
        assert f"charts/shop/{name}: it is a symlink" in refusal(shop)

    def test_a_folder_that_is_a_link_is_no_chart(self, shop: Sample) -> None:
        (shop.folder / "charts/other").symlink_to("shop")
        assert "there is no chart 'other'; known: basis, shop" in refusal(shop, "other")

    @pytest.mark.parametrize("name", ["../shop", "/etc", "shop/", ".", "", "shop/../shop"])
    def test_a_name_leads_nowhere(self, shop: Sample, name: str) -> None:
        assert f"there is no chart {name!r}" in refusal(shop, name)

    def test_a_misspelt_name_has_a_suggestion(self, shop: Sample) -> None:
        assert "did you mean shop?" in refusal(shop, "shpo")

    def test_a_name_that_escapes_names_no_file(self, shop: Sample) -> None:
        shop.edit("charts/shop/Chart.yaml", "version: 1.2.3+build.4", "version: 1.2.3/../../../x")
        assert "charts/shop/Chart.yaml:3 (version): '1.2.3/../../../x' is not a version" in refusal(shop)

    def test_a_dependency_leads_nowhere_else(self, shop: Sample, tmp_path: Path) -> None:
        shop.edit("charts/shop/Chart.yaml", "file://../basis", f"file://{tmp_path}")
        assert "is not the folder beside this one that is called basis" in refusal(shop)

    def test_a_huge_file_is_refused_without_being_read(self, shop: Sample) -> None:
        with (shop.folder / "charts/shop/files/huge").open("wb") as file:
            file.truncate(1 << 40)
        assert "charts/shop/files/huge: more than the 5 MiB that Helm reads" in refusal(shop)

    def test_a_file_of_the_largest_size_is_taken(self, shop: Sample) -> None:
        (shop.folder / "charts/shop/files/large").write_bytes(bytes(MAX_FILE))
        assert Path(package(shop, "shop")["file"]).stat().st_size > MAX_FILE

    def test_many_large_files_are_too_much(self, shop: Sample) -> None:
        for number in range(21):
            with (shop.folder / f"charts/shop/files/{number}").open("wb") as file:
                file.truncate(MAX_FILE)
        assert "charts/shop: more than 100 MiB" in refusal(shop)

    def test_a_pipe_is_not_waited_for(self, shop: Sample) -> None:
        os.mkfifo(shop.folder / "charts/shop/files/pipe")
        assert "charts/shop/files/pipe: a file is wanted here, and this is something else" in refusal(shop)

    @pytest.mark.parametrize("name", [b"a\\b", b"a\nb", b"\xff\xfe"])
    def test_names_that_no_package_can_hold_are_refused(self, shop: Sample, name: bytes) -> None:
        Path(os.fsdecode(os.fsencode(shop.folder / "charts/shop/files") + b"/" + name)).write_text("x")
        assert "charts/shop/files" in refusal(shop)

    def test_a_deep_tree_is_refused(self, shop: Sample) -> None:
        shop.write("charts/shop/" + "d/" * 40 + "file", "x")
        assert "nested deeper than 32 folders" in refusal(shop)

    def test_a_chart_that_leaves_itself_out_is_refused(self, shop: Sample) -> None:
        shop.write("charts/shop/.helmignore", "*.yaml\n")
        assert "charts/shop/.helmignore: it leaves out Chart.yaml" in refusal(shop)

    def test_bytes_that_are_no_text_are_refused_where_text_is_due(self, shop: Sample) -> None:
        (shop.folder / "charts/shop/Chart.yaml").write_bytes(b"\xff")
        assert "charts/shop/Chart.yaml: not UTF-8 at byte 0" in refusal(shop)

    @pytest.mark.parametrize("what", ["folder", "link"])
    def test_what_stands_in_the_packages_place_stays(self, shop: Sample, what: str) -> None:
        target = shop.folder / "out" / NAME
        target.parent.mkdir()
        if what == "folder":
            target.mkdir()
        else:
            target.symlink_to(shop.folder / "charts/shop/values.yaml")
        done = shop.call("charts", "package", "shop", "--output", str(target.parent))
        assert (done.code, "something other than a file is there" in done.err) == (2, True)
        assert target.is_symlink() is (what == "link")

    def test_an_output_that_is_a_file_is_refused(self, shop: Sample) -> None:
        done = shop.call("charts", "package", "shop", "--output", str(shop.folder / "charts/shop/values.yaml"))
        assert (done.code, "something other than a folder is there" in done.err) == (2, True)

    def test_an_output_below_a_file_is_told(self, shop: Sample) -> None:
        below = shop.folder / "charts/shop/values.yaml/out"
        done = shop.call("charts", "package", "shop", "--output", str(below))
        assert (done.code, done.err) == (3, f"error: {below}: cannot make the folder: Not a directory\n")


class TestDependencies:
    def test_they_are_where_helm_looks_and_the_second_time_nothing_is_written(self, shop: Sample) -> None:
        folder = shop.folder / "charts/shop/charts/basis"
        assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == [
            ".helmignore",
            "Chart.yaml",
            "README.md",
            "_names.tpl",
        ]
        done = shop.call("charts", "vendor")
        assert (done.out, done.err) == ("every chart has what it needs\n", "")

    def test_what_is_old_or_foreign_goes(self, shop: Sample) -> None:
        inside = "charts/shop/charts/basis/"
        shop.write(f"{inside}more/deep/file", "x")
        shop.write(f"{inside}README.md", "old")
        (shop.folder / inside / "link").symlink_to(shop.folder / "charts/shop")
        (shop.folder / inside / "templates/_names.tpl").unlink()
        (shop.folder / inside / "templates/_names.tpl").mkdir()
        done = shop.call("charts", "vendor")
        assert done.out == "wrote charts/shop/charts/basis\n"
        assert (shop.folder / "charts/shop/values.yaml").is_file()
        assert not (shop.folder / inside / "more").exists()
        assert not (shop.folder / inside / "link").is_symlink()
        assert (shop.folder / inside / "templates/_names.tpl").is_file()

    def test_a_lock_is_made_right(self, shop: Sample) -> None:
        before = (shop.folder / "charts/shop/Chart.lock").read_text()
        shop.edit("charts/shop/Chart.lock", "0.2.0", "0.1.0")
        assert "Chart.lock: it does not say what Chart.yaml says; run: buildgraph charts vendor shop" in refusal(shop)
        assert shop.call("charts", "vendor").out == "wrote charts/shop/Chart.lock\n"
        assert (shop.folder / "charts/shop/Chart.lock").read_text() == before

    def test_a_lock_of_no_dependencies_is_made_right_once(self, sample: Sample) -> None:
        write_charts(sample.folder / "charts")
        sample.write("charts/basis/Chart.lock", "dependencies: [{name: gone}]\n")
        assert "Chart.lock: it does not say what Chart.yaml says" in refusal(sample, "basis")
        assert sample.call("charts", "vendor", "basis").out == "wrote charts/basis/Chart.lock\n"
        assert sample.call("charts", "vendor", "basis").out == "every chart has what it needs\n"

    def test_a_missing_lock_is_refused_and_written(self, sample: Sample) -> None:
        write_charts(sample.folder / "charts")
        assert "charts/shop/Chart.lock: the file is missing" in refusal(sample)
        document = json.loads(sample.call("charts", "vendor", "--json").out)
        assert document == {
            "charts": [{"name": "shop", "written": ["charts/shop/charts/basis", "charts/shop/Chart.lock"]}]
        }

    def test_a_copy_of_the_charts_can_be_filled_too(self, tmp_path: Path) -> None:
        write_charts(tmp_path)
        assert vendor_chart(tmp_path, "shop") == ("basis",)
        assert vendor_chart(tmp_path, "shop") == ()
        assert vendor_chart(tmp_path, "basis") == ()
        assert (tmp_path / "shop/charts/basis/Chart.yaml").is_file()

    def test_another_version_beside_it_is_refused(self, shop: Sample) -> None:
        shop.edit("charts/basis/Chart.yaml", "version: 0.2.0", "version: 0.3.0")
        assert refusal(shop) == (
            "error: charts/shop/Chart.yaml:17 (dependencies[0]): basis 0.2.0 is wanted, and 0.3.0 is there; "
            "write version: 0.3.0\n"
        )

    def test_a_dependency_that_is_not_there_is_refused(self, shop: Sample) -> None:
        (shop.folder / "charts/basis/Chart.yaml").unlink()
        assert "there is no chart 'basis'" in refusal(shop)

    def test_charts_that_need_each_other_are_refused(self, shop: Sample) -> None:
        needs = "dependencies: [{name: shop, version: 1.2.3+build.4, repository: file://../shop}]\n"
        shop.write("charts/basis/Chart.yaml", (shop.folder / "charts/basis/Chart.yaml").read_text() + needs)
        assert "charts need each other in a circle: shop -> basis -> shop" in refusal(shop)

    def test_a_chart_inside_must_be_written_down(self, shop: Sample) -> None:
        shop.write("charts/shop/charts/stray/Chart.yaml", "apiVersion: v2\nname: stray\nversion: 1.0.0\n")
        assert "charts/shop/charts/stray: Chart.yaml knows of no dependency there" in refusal(shop)

    def test_a_chart_inside_that_is_written_down_is_taken(self, shop: Sample) -> None:
        shop.write("charts/shop/charts/inner/Chart.yaml", "apiVersion: v2\nname: inner\nversion: 1.0.0\n")
        shop.write("charts/shop/Chart.yaml", CHART + "  - {name: inner, version: 1.0.0}\n")
        assert shop.call("charts", "vendor").out == "wrote charts/shop/Chart.lock\n"
        with tarfile.open(package(shop, "shop")["file"]) as archive:
            assert "shop/charts/inner/Chart.yaml" in archive.getnames()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "there is no chart inner inside this one"),
            ("apiVersion: v2\nname: inner\nversion: 2.0.0\n", "inner 1.0.0 is wanted, and 2.0.0 is there"),
            ("apiVersion: v2\nname: other\nversion: 1.0.0\n", "other stands in the folder inner"),
        ],
    )
    def test_a_chart_inside_is_the_one_that_is_meant(self, shop: Sample, text: str | None, message: str) -> None:
        shop.write("charts/shop/Chart.yaml", CHART + "  - {name: inner, version: 1.0.0}\n")
        if text:
            shop.write("charts/shop/charts/inner/Chart.yaml", text)
        done = shop.call("charts", "vendor")
        assert (done.code, message in done.err) == (2, True)

    def test_nothing_is_written_through_a_link(self, sample: Sample, tmp_path: Path) -> None:
        write_charts(sample.folder / "charts")
        (tmp_path / "elsewhere").mkdir()
        (sample.folder / "charts/shop/charts").symlink_to(tmp_path / "elsewhere")
        done = sample.call("charts", "vendor")
        assert (done.code, "symlink" in done.err) == (2, True)
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_folder_that_is_a_link_is_not_filled(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        with pytest.raises(UsageError, match="nothing is written through one"):
            sync_files(tmp_path / "link", {"a": b"x"}, aside=tmp_path)

    def test_several_at_once_help_each_other(self, tmp_path: Path) -> None:
        folder = tmp_path / "inside/it"
        files = {f"{number % 7}/{number}": bytes([number]) for number in range(60)}
        for _ in range(5):
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "old/0").mkdir(parents=True)
            with ThreadPoolExecutor(4) as pool:
                assert any(pool.map(lambda _: sync_files(folder, files, aside=tmp_path), range(4)))
            found = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
            assert (found, (folder / "old").exists()) == (set(files), False)
            assert [file.name for file in tmp_path.iterdir()] == ["inside"]


class TestImages:
    IMAGE = f"registry.example/sample/app:1@{OURS}"
    RENDERED = f"kind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, image: '{IMAGE}'}}]}}\n"

    @pytest.fixture
    def helm(self, shop: Sample, tmp_path: Path) -> Path:
        """A program that renders every chart to one pod, and keeps what it was asked in ``seen``."""
        self.say(tmp_path, self.RENDERED)
        shop.monkeypatch.setenv("HELM", str(tmp_path / "helm"))
        shop.monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
        shop.write("manifests/ledger.json", self.ledger())
        return tmp_path / "helm"

    @staticmethod
    def say(folder: Path, text: str) -> None:
        (folder / "helm").write_text(f"{HELM}{text}END\n")
        (folder / "helm").chmod(0o755)

    @staticmethod
    def ledger() -> str:
        return json.dumps({"ledger": 1, "nodes": {"app-1": {"key": "0" * 64, "digest": OURS, "tags": ["1"]}}})

    def images(self, sample: Sample, *words: str) -> Ended:
        return sample.call("charts", "images", "shop", *words)

    def test_each_image_has_its_parts_its_origin_and_its_places(self, shop: Sample, helm: Path) -> None:
        assert helm.is_file()
        done = self.images(shop, "--json")
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out) == {
            "images": [
                {
                    "reference": self.IMAGE,
                    "registry": "registry.example",
                    "repository": "sample/app",
                    "tag": "1",
                    "digest": OURS,
                    "image": "app-1",
                    "third_party": "",
                    "where": [{"chart": "shop", "object": "Pod/p", "part": "", "container": "a"}],
                }
            ]
        }

    def test_people_see_the_same(self, shop: Sample, helm: Path) -> None:
        assert helm.is_file()
        assert self.images(shop).out == f"{self.IMAGE}  app-1\n  shop: Pod/p a\n"

    def test_helm_gets_values_and_settings_and_none_of_the_users_own_state(self, shop: Sample, helm: Path) -> None:
        for name in ("HELM_DATA_HOME", "HELM_PLUGINS", "HELM_KUBECONTEXT"):
            shop.monkeypatch.setenv(name, "/home/somebody/helm")
        values = shop.folder / "my values.yaml"
        values.write_text("a: 1\n")
        assert self.images(shop, "--values", str(values), "--set", "a=b,c=d", "--set", "e=$(f)").code == 0
        words = (helm.parent / "seen").read_text().splitlines()
        assert words[:2] == ["template", "release"]
        assert words[3:-3] == ["--values", str(values), "--set", "a=b,c=d", "--set", "e=$(f)"]
        assert [word.partition("=")[0] for word in words[-3:]] == [
            "HELM_CACHE_HOME",
            "HELM_CONFIG_HOME",
            "HELM_DATA_HOME",
        ]
        assert not [word for word in words if "somebody" in word]

    def test_an_image_that_nobody_knows_is_an_error_after_the_list(self, shop: Sample, helm: Path) -> None:
        self.say(
            helm.parent, self.RENDERED + "---\n" + self.RENDERED.replace("sample/app", "evil/app").replace("p}", "q}")
        )
        done = self.images(shop, "--json")
        assert done.code == 2
        assert [image["image"] for image in json.loads(done.out)["images"]] == ["", "app-1"]
        assert done.err.startswith("error: shop: Pod/q a: registry.example/evil/app:1@sha256:")
        assert "is neither an image of the catalogue nor listed in manifests/third-party-images.yaml" in done.err

    def test_one_that_is_listed_is_known(self, shop: Sample, helm: Path) -> None:
        reference = f"registry.example/evil/app:1@{OURS}"
        self.say(helm.parent, self.RENDERED.replace("sample/app", "evil/app"))
        entry = f"{{name: evil, reference: '{reference}', licence: MIT, source: 'https://example.org'}}"
        shop.write("manifests/third-party-images.yaml", f"images:\n  - {entry}\n")
        done = self.images(shop)
        assert (done.code, done.out) == (0, f"{reference}  evil (third party)\n  shop: Pod/p a\n")

    @pytest.mark.parametrize("image", ["", "a b", "$(IMAGE)", "a/b:", "sample/app@sha256:0"])
    def test_what_is_no_reference_is_told_with_its_place(self, shop: Sample, helm: Path, image: str) -> None:
        self.say(
            helm.parent, f"kind: Job\nmetadata: {{name: j}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n"
        )
        done = self.images(shop)
        assert done.code == 2
        assert done.err.startswith(f"error: shop: Job/j a: {image!r} is not a reference to an image")

    def test_helms_own_words_are_passed_on(self, shop: Sample, helm: Path) -> None:
        helm.write_text("#!/bin/sh\necho 'Error: values are wrong:\n- a: too small\n- b: unknown' >&2\nexit 1\n")
        done = self.images(shop)
        assert (done.code, done.out) == (1, "")
        assert done.err == "error: charts/shop: Helm refuses it: values are wrong:\n- a: too small\n- b: unknown\n"

    def test_what_it_renders_may_be_no_yaml(self, shop: Sample, helm: Path) -> None:
        self.say(helm.parent, "a: [\n")
        done = self.images(shop)
        assert (done.code, done.err.startswith("error: charts/shop: what Helm renders is not YAML")) == (1, True)

    def test_without_helm_it_says_how_to_get_it(self, shop: Sample, tmp_path: Path) -> None:
        shop.monkeypatch.delenv("HELM", raising=False)
        shop.monkeypatch.setenv("PATH", str(tmp_path))
        done = self.images(shop)
        assert (done.code, done.out) == (3, "")
        assert done.err == (
            "error: there is no Helm here; install Helm 3.17 or newer, or set HELM to the path of one\n"
        )

    def test_a_helm_that_is_none_is_named(self, shop: Sample) -> None:
        shop.monkeypatch.setenv("HELM", "/nowhere/helm")
        done = self.images(shop)
        assert (done.code, "HELM names /nowhere/helm, which is no program" in done.err) == (2, True)

    def test_a_values_file_that_is_not_there_is_named(self, shop: Sample, helm: Path) -> None:
        assert helm.is_file()
        done = self.images(shop, "-f", "nowhere.yaml")
        assert (done.code, done.err) == (2, "error: nowhere.yaml: there is no such file; name a values file\n")


def test_a_project_without_charts_has_none(sample: Sample) -> None:
    done = sample.call("charts", "package")
    assert (done.code, done.err) == (2, "error: charts: there is no chart that can be installed\n")
    assert find_charts(sample.folder / "nowhere") == ()


def test_a_long_path_is_kept_whole() -> None:
    path = "templates/" + "long-" * 40 + "/ü.yaml"
    data = make_package("a", {path: b"x" * 70000}, epoch=EPOCH)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content is not None
        assert (member.name, content.read()) == (f"a/{path}", b"x" * 70000)


def test_an_empty_package_is_still_one() -> None:
    assert gzip.decompress(make_package("a", {}, epoch=EPOCH)) == bytes(1024)


def test_a_folder_where_a_file_is_due_is_refused(sample: Sample) -> None:
    write_charts(sample.folder / "charts")
    (sample.folder / "charts/shop/Chart.yaml").unlink()
    (sample.folder / "charts/shop/Chart.yaml").mkdir()
    with pytest.raises(UsageError, match=r"shop/Chart.yaml: a file is wanted here"):
        vendor_chart(sample.folder / "charts", "shop")
