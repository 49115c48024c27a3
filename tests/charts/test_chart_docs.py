"""Every `helm` line of the documentation renders what it says, and every file that it names is there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.charts import vendor_chart
from tests.charts.rendering import Helm, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("docs/charts*.md")), *sorted(ROOT.glob("charts/*/README.md")))
FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(helm [^`]+)`")
VERBS = {"install", "upgrade", "template"}
LINK = re.compile(r"\]\(([^)#:]+)\)")


def find_lines() -> Iterator[str]:
    """Each command once, with what the shell would join joined."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(FENCED.findall(text)).replace("\\\n", " ")
        for line in (*blocks.splitlines(), *INLINE.findall(text)):
            words = shlex.split(line, comments=True)
            if words[:1] == ["helm"] and words[1] in VERBS and words[3:4] and words[3].startswith("charts/"):
                yield line


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charts with all that they need inside, and what is laid over them."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "charts", folder / "charts")
    for chart in (folder / "charts").glob("*/values.yaml"):
        vendor_chart(folder / "charts", chart.parent.name)
    return folder


@pytest.mark.parametrize("line", sorted(set(find_lines())))
def test_a_documented_line_renders(helm: Helm, project: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    _, _, release, chart, *options = shlex.split(line, comments=True)
    monkeypatch.chdir(project)
    assert parse(Helm(helm.program, Path(chart)).template({}, *options, release=release))


def test_the_documentation_has_lines_to_try() -> None:
    assert len(set(find_lines())) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
