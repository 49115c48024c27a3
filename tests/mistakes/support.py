"""What people get wrong in the table of what fits together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import swap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

SUPPORT_FILE = "manifests/support.yaml"
SUPPORT_TEXT = """\
host: pypi:engine
title: Engine
components:
  - title: Plugin
    names: ["maven:org.example:plugin"]
    rows:
      - versions: ["2.*"]
        with: [">=3.5,<4"]
        verdict: unsupported
        source: release notes
        reason: it stops
"""


def support_with(old: str, new: str) -> Changes:
    return {SUPPORT_FILE: swap(SUPPORT_TEXT, old, new)}


SUPPORT: Mapping[str, Changes] = {
    "a table of nothing": {SUPPORT_FILE: "host: pypi:engine\ntitle: Engine\ncomponents: []\n"},
    "a table without a host": support_with("host: pypi:engine\n", ""),
    "a host with a version": support_with("host: pypi:engine", "host: pypi:engine==3.5.7"),
    "a host with another name than the index gives it": support_with("pypi:engine", "pypi:Engine_X"),
    "a component with a version": support_with("org.example:plugin", "org.example:plugin:2.0"),
    "a component of no ecosystem": support_with("maven:org.example:plugin", "npm:plugin"),
    "a component without names": support_with('names: ["maven:org.example:plugin"]', "names: []"),
    "a component without rows": {SUPPORT_FILE: SUPPORT_TEXT.partition("    rows:")[0]},
    "a component without a title": support_with("- title: Plugin\n    names", "- names"),
    "rows that are no list": support_with("      - versions", "        versions"),
    "a row without versions": support_with('versions: ["2.*"]', "versions: []"),
    "a row without a source": support_with("        source: release notes\n", ""),
    "a row with an empty source": support_with("release notes", '""'),
    "a row without a reason": support_with("        reason: it stops\n", ""),
    "a reason of two lines": support_with("it stops", '"it stops\\nthere"'),
    "an unknown verdict": support_with("verdict: unsupported", "verdict: perhaps"),
    "an unknown key of a row": support_with("verdict:", "verdikt: no\n        verdict:"),
    "an unknown key of a component": support_with("    rows:", "    spark: x\n    rows:"),
    "an unknown key of the table": support_with("title: Engine", "title: Engine\nspark: x"),
    "a range in words": support_with(">=3.5,<4", "3.5 to 4"),
    "a range with spaces": support_with(">=3.5,<4", ">=3.5, <4"),
    "a range with half a condition": support_with(">=3.5,<4", ">=3.5,<"),
    "a range with an operator that nobody knows": support_with(">=3.5,<4", "~=3.5"),
    "a bound with a star": support_with(">=3.5,<4", ">=3.*"),
    "a star in the middle": support_with("2.*", "2.*.1"),
    "an unquoted version in a range": support_with('["2.*"]', "[2.1]"),
    "versions that are no list": support_with('["2.*"]', '"2.*"'),
}
