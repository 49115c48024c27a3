"""``.helmignore`` as Helm reads it."""

from __future__ import annotations

import pytest

from buildgraph.chart import parse_rules
from buildgraph.errors import ManifestError

FILE = "charts/a/.helmignore"


def ignores(text: str, path: str, *, is_folder: bool = False) -> bool:
    return parse_rules(text, FILE).ignores(path, is_folder=is_folder)


@pytest.mark.parametrize(
    ("rule", "hit", "missed"),
    [
        ("*.orig", "a/b/x.orig", "a/b/x.orig.yaml"),
        ("x", "a/x", "a/xy"),
        ("/x", "x", "a/x"),
        ("a/x", "a/x", "b/a/x"),
        ("a/*", "a/x", "a/b/x"),
        ("a?c", "abc", "ac"),
        ("[a-c]1", "b1", "d1"),
        ("[^a-c]1", "d1", "b1"),
        ("[\\]x]", "]", "y"),
        ("\\*", "*", "x"),
        ("  x  ", "x", " x"),
        ("a.b", "a.b", "axb"),
        ("a[.]b", "a.b", "axb"),
    ],
)
def test_a_line_speaks_of_a_path_or_of_its_last_part(rule: str, hit: str, missed: str) -> None:
    assert ignores(rule, hit)
    assert not ignores(rule, missed)


def test_a_slash_at_the_end_means_folders() -> None:
    assert ignores("docs/", "a/docs", is_folder=True)
    assert not ignores("docs/", "a/docs")
    assert ignores("/ci/", "ci", is_folder=True)
    assert not ignores("/ci/", "a/ci", is_folder=True)


def test_what_a_line_with_an_exclamation_mark_does_not_name_is_ignored() -> None:
    assert ignores("!keep", "other")
    assert not ignores("!keep", "keep")
    assert ignores("!keep/", "keep")
    assert ignores("keep\n!keep", "keep"), "the first line that decides counts"


@pytest.mark.parametrize("text", ["", "# x\n\n   \n", "#x"])
def test_comments_and_blank_lines_ignore_nothing(text: str) -> None:
    assert not ignores(text, "x")
    assert not ignores(text, "#x")


def test_hidden_files_of_templates_are_never_taken() -> None:
    assert ignores("", "templates/.x")
    assert not ignores("", "templates/a/.x")
    assert not ignores("", ".x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a/**", "Helm knows no **"),
        ("[a", "a [ has no end"),
        ("[]", "a [ has no end"),
        ("[^]", "a [ has no end"),
        ("[b-a]", "a [ has no range of characters in it"),
        ("[a-]", "a [ has no range of characters in it"),
        ("x\\", "a \\ has nothing after it"),
    ],
)
def test_what_helm_does_not_take_is_refused_with_its_line(line: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_rules(f"# one\n{line}\n", FILE)
    assert str(caught.value).startswith(f"{FILE}:2: {message}")
