from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from buildgraph.cli.main import cli
from buildgraph.manifest.names import Named, find_names
from tests.fakes.charts import write_charts
from tests.fakes.sample import FILES

if TYPE_CHECKING:
    from tests.fakes.sample import Sample

PROGRAMS = Path(sys.executable).parent
PATIENCE = 30
HEAVY = {"docker", "jinja2", "networkx", "requests", "rich", "zstandard"}

BASH = """
eval "$(buildgraph completion bash)"
COMP_WORDS=({words} "{last}")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_buildgraph_completion buildgraph
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ }}
_describe() {{ print -l -- "${{(@P)3}}" }}
compadd() {{ print -l -- "${{(@P)argv[-1]}}" }}
eval "$(buildgraph completion zsh)"
words=({words} "{last}")
CURRENT=${{#words}}
_buildgraph_completion
"""
FISH = """
buildgraph completion fish | source
complete --do-complete "{words} {last}"
"""
SHELLS = {"bash": ("--norc", BASH), "zsh": ("-f", ZSH), "fish": ("--no-config", FISH)}


def complete(sample: Sample, *words: str, directory: Path | None = None) -> list[str]:
    """What a shell is told for the last of the words."""
    before = ["-C", str(directory or sample.folder), *words[:-1]]
    shell = ShellComplete(cli, {}, "buildgraph", "_BUILDGRAPH_COMPLETE")
    return [item.value for item in shell.get_completions(before, words[-1])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["plan", "ap"], ["app-1", "app", "apps"]),
        (["plan", "--target", "ap"], ["app-1", "app", "apps"]),
        (["build", "base", "-t", "pl"], ["plain"]),
        (["build", "--force", "t"], ["tool"]),
        (["graph", "e"], ["extra"]),
        (["list", "al"], ["all"]),
        (["why", "a"], ["app-1", "app"]),
        (["logs", "to"], ["tool"]),
        (["graph", "--format", "m"], ["mermaid"]),
        (["completion", "z"], ["zsh"]),
        (["plan", "nothing-like-it"], []),
    ],
)
def test_names_are_completed_where_they_may_stand(sample: Sample, words: list[str], expected: list[str]) -> None:
    assert complete(sample, *words) == expected


def test_layers_and_sources_are_completed_for_an_update_of_the_lock(sample: Sample) -> None:
    sample.edit("manifests/layers/extra.yaml", "files:", "sources: {jar: 'maven:org.example:jar:1'}\nfiles:")
    assert complete(sample, "lock", "--update", "") == ["base", "extra", "tool", "jar"]


def test_charts_are_completed_by_their_folders(sample: Sample) -> None:
    write_charts(sample.folder / "charts")
    (sample.folder / "charts/link").symlink_to("shop")
    assert complete(sample, "charts", "package", "") == ["basis", "shop"]
    assert complete(sample, "charts", "images", "basis", "s") == ["shop"]
    assert complete(sample, "charts", "push", "", directory=sample.folder.parent / "nowhere") == []


def test_a_broken_manifest_takes_only_its_own_names_away(sample: Sample) -> None:
    sample.write("manifests/layers/tool.yaml", "layer: [")
    sample.write("manifests/layers/wrong.yaml", "layer: wrong\nkind: nothing\nvariants: {a: {}, b: {}}\n")
    assert complete(sample, "plan", "") == [
        *("app-1", "plain", "app", "all", "apps", "base", "extra", "wrong-a", "wrong-b"),
    ]


@pytest.mark.parametrize("folder", [".", "missing", "~nobody-of-that-name/x"])
def test_outside_a_project_nothing_is_completed_and_nothing_is_said(
    sample: Sample, capfd: pytest.CaptureFixture[str], folder: str
) -> None:
    place = Path(folder) if folder.startswith("~") else sample.folder.parent / folder
    assert complete(sample, "plan", "a", directory=place) == []
    assert capfd.readouterr() == ("", "")


def test_a_project_that_cannot_be_read_completes_nothing(sample: Sample) -> None:
    manifests = sample.folder / "manifests"
    shutil.rmtree(manifests / "layers")
    (manifests / "layers.yaml").symlink_to("nowhere")
    assert complete(sample, "plan", "a") == []


def test_a_home_in_the_project_folder_is_expanded_as_the_shell_would(sample: Sample) -> None:
    home = Path(os.environ["HOME"])
    home.mkdir()
    (home / "project").symlink_to(sample.folder)
    assert complete(sample, "plan", "pl", directory=Path("~/project")) == ["plain"]


def test_completing_loads_no_large_library_and_starts_nothing(sample: Sample) -> None:
    env = {
        "PATH": "",
        "HOME": os.environ["HOME"],
        "_BUILDGRAPH_COMPLETE": "bash_complete",
        "COMP_WORDS": f"buildgraph -C {sample.folder} plan ap",
        "COMP_CWORD": "4",
    }
    with sample.spawn(module="tests.fakes.audited", env=env) as child:
        out, err = child.communicate(timeout=PATIENCE)
    assert "plain,app-1" in out.splitlines()
    report = json.loads(err.splitlines()[-1])
    assert report["calls"] == []
    assert sorted({name.partition(".")[0] for name in report["modules"]} & HEAVY) == []


def test_a_name_of_two_things_is_told_once_as_the_first() -> None:
    found = find_names({**FILES, "manifests/project.yaml": "groups: {app: [], base: []}\n"}, (Named.ALIAS, Named.GROUP))
    assert found == {"app": Named.ALIAS, "base": Named.GROUP}


def test_names_of_variants_are_those_of_nodes() -> None:
    text = 'layer: x\nvariants: {"1": {}, "2": {}}\nsources: {a: 1}\npackages: []\n'
    assert find_names({"manifests/layers/x.yaml": text}, Named) == {
        "x-1": Named.LAYER,
        "x-2": Named.LAYER,
        "a": Named.SOURCE,
        "packages": Named.SOURCE,
    }


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "last", "expected"),
    [("buildgraph plan", "ap", {"app-1", "app", "apps"}), ("buildgraph", "pla", {"plan"})],
)
def test_a_shell_completes(sample: Sample, shell: str, words: str, last: str, expected: set[str]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    option, script = SHELLS[shell]
    done = subprocess.run(
        [program, option, "-c", script.format(words=words, last=last)],
        cwd=sample.folder,
        env={"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    # zsh and fish show what it is behind the name.
    assert {line.split(":")[0].split("\t")[0] for line in done.stdout.splitlines()} == expected, done.stderr
    assert done.stderr == ""
