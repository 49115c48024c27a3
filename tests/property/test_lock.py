"""Locks over generated entries: text and value are one, order and line ends are none, damage is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildgraph.errors import ErrorGroup, LockError
from buildgraph.lock import find_extra, find_unlocked, format_lock, parse_lock, with_entries
from buildgraph.model import Artifact, Lock, LockEntry, LockGap
from tests.samples import make_catalogue, make_layer, make_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Layer

FILE = "buildgraph.lock"
NAMES = st.text("abc0-", max_size=4).map("n{}".format)
VERSIONS = st.text("01a.+~", max_size=4).map("1{}".format)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
COORDINATES = st.one_of(
    st.builds("deb:{}x={}".format, NAMES, VERSIONS),
    st.builds("pypi:{}x==1.{}".format, NAMES, st.integers(0, 99)),
    st.builds("maven:g.{}x:{}x:1.{}".format, NAMES, NAMES, st.integers(0, 99)),
    st.builds("url:https://example.org/{}".format, NAMES),
)
ARTIFACTS = st.builds(
    Artifact,
    coordinate=COORDINATES,
    file=st.text("aZ0_.+~-", max_size=6).map("f{}".format),
    sha256=st.integers(0, (1 << 256) - 1).map("{:064x}".format),
    size=st.integers(1, 1 << 40),
    licence=TEXTS,
    path=st.just("") | NAMES.map("bookworm pool/{}.deb".format),
    redistributable=st.booleans(),
)


@st.composite
def entries(draw: st.DrawFn) -> LockEntry:
    """A set of any artifacts, or one coordinate with its answer."""
    found = draw(st.lists(ARTIFACTS, min_size=1, max_size=3, unique_by=lambda artifact: artifact.coordinate))
    if draw(st.booleans()):
        return LockEntry(request=(found[0].coordinate,), artifacts=(found[0],))
    words = draw(st.lists(NAMES, min_size=1, max_size=3))
    return LockEntry(
        request=tuple(sorted(words)), artifacts=tuple(sorted(found, key=lambda artifact: artifact.coordinate))
    )


LOCKS = st.builds(
    lambda nodes: Lock(entries=nodes),
    st.dictionaries(NAMES, st.dictionaries(NAMES, entries(), min_size=1, max_size=3), max_size=3),
)


GAPS = st.dictionaries(
    NAMES.map("m{}".format),
    st.dictionaries(
        NAMES,
        st.builds(
            LockGap,
            request=st.lists(NAMES, min_size=1, max_size=3).map(sorted).map(tuple),
            reason=TEXTS.map("r{}".format),
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=3,
)


def layers_of(lock: Lock) -> list[Layer]:
    """The layers that ask for just what the lock holds."""
    return [
        make_layer(node, sources=tuple(make_source(name, *entry.request) for name, entry in sources.items()))
        for node, sources in lock.entries.items()
    ]


def scrambled(draw: st.DrawFn, value: object) -> object:
    """JSON of the same meaning: keys, requests and artifacts in another order."""
    if isinstance(value, dict):
        return {key: scrambled(draw, value[key]) for key in draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [scrambled(draw, item) for item in draw(st.permutations(value))]
    return value


@st.composite
def scrambled_texts(draw: st.DrawFn) -> tuple[Lock, str]:
    lock = draw(LOCKS)
    document = scrambled(draw, json.loads(format_lock(lock)))
    text = json.dumps(document, indent=draw(st.sampled_from([None, 0, 3])), ensure_ascii=draw(st.booleans()))
    return lock, text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=40)
@given(LOCKS)
def test_what_is_written_is_read_back(lock: Lock) -> None:
    assert parse_lock(format_lock(lock), FILE) == lock


@settings(max_examples=40)
@given(LOCKS, GAPS)
def test_what_could_not_be_locked_is_read_back_too_and_serves_nobody(
    lock: Lock, gaps: Mapping[str, Mapping[str, LockGap]]
) -> None:
    both = replace(lock, gaps=gaps)
    assert parse_lock(format_lock(both), FILE) == both
    asking = layers_of(lock) + [
        make_layer(node, sources=tuple(make_source(name, *gap.request) for name, gap in sources.items()))
        for node, sources in gaps.items()
    ]
    found = [(item.node, item.source.name) for item in find_unlocked(both, asking) if item.is_known]
    assert found == [(node, name) for node, sources in gaps.items() for name in sources]
    assert with_entries(both, {}, make_catalogue(layers_of(lock))) == lock
    assert (
        with_entries(lock, {(n, s): gap for n, each in gaps.items() for s, gap in each.items()}, make_catalogue(asking))
        == both
    )


@settings(max_examples=40)
@given(scrambled_texts())
def test_order_white_space_and_line_ends_change_no_meaning_and_are_put_right(case: tuple[Lock, str]) -> None:
    lock, text = case
    assert parse_lock(text, FILE) == lock
    assert format_lock(parse_lock(text, FILE)) == format_lock(lock)


@settings(max_examples=60)
@given(LOCKS.filter(lambda lock: bool(lock.entries)), st.data())
def test_a_key_that_is_gone_is_refused(lock: Lock, data: st.DataObject) -> None:
    document = json.loads(format_lock(lock))
    sources = data.draw(st.sampled_from(list(document["nodes"].values())))
    entry = data.draw(st.sampled_from(list(sources.values())))
    artifact = data.draw(st.sampled_from(entry["artifacts"]))
    holder, keys = data.draw(
        st.sampled_from(
            [
                (document, ["lock", "nodes"]),
                (entry, ["request", "artifacts"]),
                (artifact, ["coordinate", "file", "sha256", "size"]),
            ]
        )
    )
    del holder[data.draw(st.sampled_from(keys))]
    with pytest.raises((LockError, ErrorGroup)):
        parse_lock(json.dumps(document), FILE)


@settings(max_examples=60)
@given(LOCKS.filter(lambda lock: bool(lock.entries)), st.data())
def test_a_text_that_is_cut_short_is_refused(lock: Lock, data: st.DataObject) -> None:
    text = format_lock(lock).rstrip()
    with pytest.raises(LockError):
        parse_lock(text[: data.draw(st.integers(0, len(text) - 1))], FILE)


@settings(max_examples=100)
@given(st.text(max_size=40) | st.recursive(st.none() | st.integers() | TEXTS, st.lists).map(json.dumps))
def test_any_other_text_is_refused_in_our_own_words(text: str) -> None:
    with pytest.raises(LockError) as caught:
        parse_lock(text, FILE)
    assert str(caught.value).startswith(f"{FILE}: ")


@settings(max_examples=40)
@given(LOCKS, LOCKS)
def test_a_lock_serves_the_layers_that_it_was_made_for_and_lists_the_others_as_extra(one: Lock, two: Lock) -> None:
    catalogue = make_catalogue(layers_of(one))
    assert list(find_unlocked(one, layers_of(one))) == []
    assert list(find_extra(one, catalogue)) == []
    pairs: Mapping[str, set[tuple[str, str]]] = {
        name: {(node, source) for node, sources in lock.entries.items() for source in sources}
        for name, lock in (("one", one), ("two", two))
    }
    assert set(find_extra(two, catalogue)) == pairs["two"] - pairs["one"]
    answered = {(node, source): one.entries[node][source] for node, source in pairs["one"]}
    assert with_entries(two, answered, catalogue) == one
