from __future__ import annotations

import pytest

from buildgraph.coordinate import Coordinate, Ecosystem, parse_coordinate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "pypi:pyspark==4.1.1!sdist",
            Coordinate(ecosystem=Ecosystem.PYPI, name="pyspark", version="4.1.1", form="sdist"),
        ),
        ("pypi:numpy==2.2.6", Coordinate(ecosystem=Ecosystem.PYPI, name="numpy", version="2.2.6")),
        ("pypi:odd==1!2.0!wheel", Coordinate(ecosystem=Ecosystem.PYPI, name="odd", version="1!2.0", form="wheel")),
        (
            "maven:org.postgresql:postgresql:42.7.*",
            Coordinate(ecosystem=Ecosystem.MAVEN, name="org.postgresql:postgresql", version="42.7.*", form="jar"),
        ),
        (
            "maven:g.x:a_2.13:1.0-0:linux-x86_64@tar.gz",
            Coordinate(
                ecosystem=Ecosystem.MAVEN, name="g.x:a_2.13", version="1.0-0", classifier="linux-x86_64", form="tar.gz"
            ),
        ),
        ("deb:g++", Coordinate(ecosystem=Ecosystem.DEB, name="g++")),
        ("deb:bash=5.2.15-2+b7", Coordinate(ecosystem=Ecosystem.DEB, name="bash", version="5.2.15-2+b7")),
        (
            "deb:login=1:4.13+dfsg1-1~deb12u1",
            Coordinate(ecosystem=Ecosystem.DEB, name="login", version="1:4.13+dfsg1-1~deb12u1"),
        ),
        (
            "go:github.com/kluctl/go-embed-python@v0.0.0-3.10.16-20241219-1",
            Coordinate(
                ecosystem=Ecosystem.GO, name="github.com/kluctl/go-embed-python", version="v0.0.0-3.10.16-20241219-1"
            ),
        ),
        (
            "url:https://example.org/a/b.tar.gz?x=1",
            Coordinate(ecosystem=Ecosystem.URL, name="https://example.org/a/b.tar.gz?x=1"),
        ),
    ],
)
def test_a_coordinate_parses_and_prints_back(text: str, expected: Coordinate) -> None:
    assert parse_coordinate(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it starts with one of"),
        ("npm:left-pad@1", "it starts with one of"),
        ("pyspark", "it starts with one of"),
        ("pypi:pyspark", "no version"),
        ("pypi:pyspark==", "no version"),
        ("pypi:pyspark==4.*!sdist", "is no version"),
        ("pypi:pyspark==4.1!egg", "is no version"),
        ("pypi:../x==1", "is no name"),
        ("maven:g:a", "2 parts"),
        ("maven:g:a:1:c:d", "5 parts"),
        ("maven:g:a:1.*.2", "is no version"),
        ("maven:g:a:*", "is no version"),
        ("maven:g/../x:a:1", "is no group"),
        ("maven:g..x:a:1", "is no group"),
        ("maven:g:a:1@", "no extension"),
        ("maven:g:a:1:", "no classifier"),
        ("deb:Bash", "is no name"),
        ("deb:bash=", "no version"),
        ("deb:-o=x", "is no name"),
        ("go:example.org/m", "no version"),
        ("go:example.org/../m@v1.0.0", "is no module"),
        ("go:example.org/m@latest", "is no version"),
        ("url:ftp://example.org/x", "only https"),
        ("url:http://example.org/x", "only https"),
        ("url:https://example.org/", "no file name"),
        ("url:https://user:pw@example.org/x", "credentials"),
        ("url:https://example.org/a b", "white space"),
    ],
)
def test_a_bad_coordinate_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_coordinate(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_exact"),
    [
        ("deb:bash", False),
        ("deb:bash=5.2", True),
        ("maven:g:a:1.*", False),
        ("maven:g:a:1.0", True),
        ("url:https://example.org/x", True),
    ],
)
def test_exactness_says_whether_one_version_is_named(text: str, is_exact: bool) -> None:
    assert parse_coordinate(text).is_exact is is_exact
