"""What the page about charts says of other programs is what the tests do with them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from buildgraph.adapters.charts import MAX_FILE
from buildgraph.chart import parse_chart
from tests.cosign import SIGN, VERIFY

TEXT = (Path(__file__).parents[2] / "docs/charts-publishing.md").read_text(encoding="utf-8")


def options(command: str) -> set[frozenset[str]]:
    """The options that are shown with a command of cosign, but for the key."""
    lines = re.findall(rf"^cosign {command} (.*)$", TEXT, re.MULTILINE)
    words = [shlex.split(line, comments=True) for line in lines]
    return {frozenset(word for word in line if word.startswith("--") and word != "--key") for line in words}


def test_the_options_for_closed_networks_are_those_that_are_tried() -> None:
    assert options("sign") == {frozenset(), frozenset(SIGN)}
    assert options("verify") == {frozenset(), frozenset(VERIFY)}


def test_what_is_signed_is_named_by_digest_and_what_is_installed_too() -> None:
    assert all("@sha256:" in line for line in re.findall(r"^cosign sign .*$", TEXT, re.MULTILINE))
    assert all("@sha256:" in line for line in re.findall(r"^helm install .*$", TEXT, re.MULTILINE))


def test_the_dependency_that_is_shown_is_one() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    chart = parse_chart(f"apiVersion: v2\nname: a\nversion: 1.0.0\n{block}", "Chart.yaml", folder="a")
    assert [one.beside for one in chart.dependencies] == ["spark-base"]


def test_the_limit_that_is_named_is_the_limit() -> None:
    assert f"files above {MAX_FILE >> 20} MiB" in TEXT
