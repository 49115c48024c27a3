"""Every YAML block of docs/manifests.md is what the parser accepts; fragments stand in a minimal layer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from buildgraph.manifest import Documents, parse_catalogue

PAGE = (Path(__file__).parents[2] / "docs/manifests.md").read_text(encoding="utf-8")
BLOCKS = re.findall(
    r"^### kind: (\w+)$|```yaml\n(# (a part of )?(manifests/\S+)\n.*?)```", PAGE, re.MULTILINE | re.DOTALL
)
PROJECT = "project: docs\nepoch: 0\nplatform: linux/amd64\n"
SAMPLES = {
    "example": "sources: {dist: 'pypi:pyspark==4.1.1!sdist', driver: 'maven:org.postgresql:postgresql:42.7.*'}\n"
    "variants: {'1': {version: '4.1.1'}}\n"
}


def find_documents() -> list[tuple[str, str]]:
    """(path, text) of each block, fragments completed by the kind whose section they stand in."""
    kind, documents = "", []
    for heading, text, is_part, path in BLOCKS:
        kind = heading or kind
        if text:
            name = Path(path).stem
            head = f"layer: {name}\nkind: {kind}\nstage: base\ndescription: x\n{SAMPLES.get(name, '')}"
            documents.append((path, (head if is_part else "") + text))
    return documents


def test_the_page_has_a_block_for_each_kind_and_each_file() -> None:
    assert len(find_documents()) == PAGE.count("```yaml") == 8


@pytest.mark.parametrize(("path", "text"), find_documents(), ids=[path for path, _ in find_documents()])
def test_block_is_accepted(path: str, text: str) -> None:
    texts = {"manifests/project.yaml": PROJECT, path: text}
    tests = {Path(path).stem: ("test_it.py",)}
    catalogue = parse_catalogue(Documents(texts=texts, tests=tests))
    assert catalogue.nodes or path.endswith(("project.yaml", "pins.yaml"))
