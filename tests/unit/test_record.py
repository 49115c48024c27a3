"""Records and verdicts: what is written is read back, and anything else is a miss."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from buildgraph.model import Skip, Verdict
from buildgraph.record import (
    Load,
    Record,
    format_load,
    format_record,
    format_verdict,
    parse_load,
    parse_record,
    parse_test_document,
    parse_verdict,
)
from tests.golden_files import check_golden
from tests.samples import make_named, make_world, sha256

BLOB = make_named("tools").blob
DOCUMENT = make_world().keys().keys["tools"].document
LAYER = Record(
    node="tools",
    key=sha256("key"),
    content_key=sha256("content"),
    digest=BLOB.digest,
    size=BLOB.size,
    seconds=1.25,
    layer=BLOB,
    document=DOCUMENT,
)
IMAGE = replace(LAYER, node="shop", content_key="", layer=None, config_digest=f"sha256:{sha256('config')}")
VERDICT = Verdict(
    node="tools",
    test_key=sha256("tests"),
    image=f"sha256:{sha256('image')}",
    passed=3,
    skipped=(Skip(test="test_gpu", reason="no GPU here"),),
    seconds=2.5,
)
MALFORMED = ["", "{", "[]", "null", "1", '"x"', "{}", "[" * 100_000, '{"record": 1}', '{"verdict": 1}']


def without(text: str, key: str) -> str:
    body = json.loads(text)
    del body[key]
    return json.dumps(body)


def with_value(text: str, key: str, value: object) -> str:
    return json.dumps({**json.loads(text), key: value})


@pytest.mark.parametrize("record", [LAYER, IMAGE], ids=["layer", "image"])
def test_a_record_is_written_as_in_its_golden_file_and_read_back(record: Record) -> None:
    text = format_record(record)
    check_golden(f"records/{record.node}.json", text)
    assert parse_record(text) == record


def test_a_verdict_is_written_as_in_its_golden_file_and_read_back() -> None:
    text = format_verdict(VERDICT)
    check_golden("records/verdict.json", text)
    assert parse_verdict(text) == VERDICT


def test_a_verdict_may_hold_what_its_test_key_was_made_of() -> None:
    text = format_verdict(VERDICT, DOCUMENT)
    assert parse_verdict(text) == VERDICT
    assert parse_test_document(text) == DOCUMENT
    assert parse_test_document(format_verdict(VERDICT)) is None


@pytest.mark.parametrize("text", [*MALFORMED, '{"document": 1}', '{"document": null}'])
def test_what_holds_no_document_gives_none(text: str) -> None:
    assert parse_test_document(text) is None


def test_the_key_document_of_a_record_survives_as_it_is() -> None:
    known = parse_record(format_record(LAYER))
    assert known is not None
    assert known.document == DOCUMENT


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_record_and_no_verdict_is_a_miss(text: str) -> None:
    assert parse_record(text) is None
    assert parse_verdict(text) is None


@pytest.mark.parametrize("key", ["record", "node", "key", "content_key", "digest", "size", "seconds", "document"])
@pytest.mark.parametrize("record", [LAYER, IMAGE], ids=["layer", "image"])
def test_a_record_that_lacks_something_is_a_miss(record: Record, key: str) -> None:
    assert parse_record(without(format_record(record), key)) is None


def test_a_record_of_neither_a_layer_nor_an_image_is_a_miss() -> None:
    assert parse_record(without(format_record(IMAGE), "config_digest")) is None
    assert parse_record(without(format_record(LAYER), "layer")) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("record", 2),
        ("record", "1"),
        ("node", 3),
        ("key", None),
        ("digest", ["sha256:x"]),
        ("size", "many"),
        ("size", None),
        ("size", float("inf")),
        ("seconds", "long"),
        ("document", 3),
        ("layer", []),
        ("layer", "x"),
        ("layer", {"diff_id": 3}),
    ],
)
def test_a_record_with_something_of_another_type_is_a_miss(key: str, value: object) -> None:
    text = with_value(format_record(replace(LAYER, config_digest="")), key, value)
    assert parse_record(text) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verdict", 2),
        ("passed", 0),
        ("passed", -1),
        ("passed", "all"),
        ("test_key", None),
        ("image", 3),
        ("skipped", None),
        ("skipped", [{"test": "x"}]),
        ("seconds", None),
    ],
)
def test_a_verdict_that_is_no_pass_or_malformed_is_a_miss(key: str, value: object) -> None:
    assert parse_verdict(with_value(format_verdict(VERDICT), key, value)) is None


def test_what_is_cut_short_is_a_miss_wherever_it_ends() -> None:
    for text, parse in ((format_record(LAYER), parse_record), (format_verdict(VERDICT), parse_verdict)):
        assert not any(parse(text[:end]) for end in range(len(text) - 2))


DIGEST = f"sha256:{'e' * 64}"


@pytest.mark.parametrize("engine", ["", "3de8f31a-87ff-43f8-9594-b3b49315d7a8", "ABCD:EFGH:2345:WXYZ"])
def test_a_load_comes_back_as_it_was(engine: str) -> None:
    assert parse_load(format_load(Load(DIGEST, engine))) == Load(DIGEST, engine)


@pytest.mark.parametrize("engine", ["two words", "line\nbreak", "-", "x" * 200, "ä"])
def test_an_id_that_is_none_is_left_out(engine: str) -> None:
    assert parse_load(format_load(Load(DIGEST, engine))) == Load(DIGEST)


@pytest.mark.parametrize("text", [None, "", "x", DIGEST[:-1], f"{DIGEST}  x", f"{DIGEST} x y", f"{DIGEST}\nx"])
def test_a_load_that_is_malformed_is_a_miss(text: str | None) -> None:
    assert parse_load(text) is None
