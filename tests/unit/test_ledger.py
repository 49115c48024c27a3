"""The ledger: one text for one value; whatever else a merge or an editor left is refused with its line."""

from __future__ import annotations

import json

import pytest

from buildgraph.errors import ManifestError
from buildgraph.ledger import MAX_BYTES, Ledger, LedgerEntry, format_ledger, parse_ledger

DIGEST = "sha256:" + "ab" * 32
KEY, OLD = "2" * 64, "1" * 64

LEDGER = Ledger(
    entries={
        "spark-4.1.1-gpu": LedgerEntry(key=KEY, digest=DIGEST, tags=("4.1.1-gpu", "4.1-gpu")),
        "jupyter-4.1": LedgerEntry(key=OLD, digest=DIGEST, tags=()),
    }
)

LEDGER_TEXT = f"""\
{{
  "ledger": 1,
  "nodes": {{
    "jupyter-4.1": {{
      "digest": "{DIGEST}",
      "key": "{OLD}",
      "tags": []
    }},
    "spark-4.1.1-gpu": {{
      "digest": "{DIGEST}",
      "key": "{KEY}",
      "tags": [
        "4.1.1-gpu",
        "4.1-gpu"
      ]
    }}
  }}
}}
"""


def test_the_ledger_is_written_sorted_and_read_back() -> None:
    assert format_ledger(LEDGER) == LEDGER_TEXT
    assert parse_ledger(LEDGER_TEXT, "ledger.json") == LEDGER


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ledger": 1', '"ledger": 2', "1: not a ledger of format 1"),
        ('"ledger": 1', '"ledger": 1.0', "1: not a ledger of format 1"),
        ('"ledger": 1', '"ledger": true', "1: not a ledger of format 1"),
        ('"nodes": {', '"node": {', "1: a ledger holds exactly 'ledger' and 'nodes'"),
        ('"spark-4.1.1-gpu": {', '"../spark": {', "9: '../spark' is not the name of a node"),
        (f'"key": "{KEY}",', "", "9: spark-4.1.1-gpu: an entry holds exactly key, digest and tags"),
        (f'"key": "{KEY}"', '"key": ""', "9: spark-4.1.1-gpu: key is not 64 lower-case hexadecimal digits"),
        (f'"key": "{KEY}"', '"key": null', "9: spark-4.1.1-gpu: key is not 64 lower-case hexadecimal digits"),
        (f'{DIGEST}",\n      "key": "2', 'sha256:1",\n      "key": "2', "9: spark-4.1.1-gpu: digest is not sha256:<"),
        (DIGEST, DIGEST.upper(), "4: jupyter-4.1: digest is not sha256:<64 hex digits>"),
        (DIGEST, f"{DIGEST}0", "4: jupyter-4.1: digest is not sha256:<64 hex digits>"),
        ('"4.1-gpu"', "4.1", "9: spark-4.1.1-gpu: tags is not a list of tags"),
        ('"4.1-gpu"', '"a b"', "9: spark-4.1.1-gpu: tags is not a list of tags"),
        ('"tags": []', '"tags": {}', "4: jupyter-4.1: tags is not a list of tags"),
        (f'"key": "{OLD}"', f'"key": "{OLD}" x', "6: not JSON: Expecting ',' delimiter"),
        (f'"key": "{OLD}"', f'"digest": "{OLD}"', " 'digest' is written more than once"),
        ('    }},\n    "spark'.replace("}}", "}"), '<<<<<<< ours\n    },\n    "spark', "8: not JSON: "),
        ('"tags": []', '"tags": [],', "8: not JSON: "),
        ('"tags": []', '"tags": NaN', "4: jupyter-4.1: tags is not a list of tags"),
        ('"ledger": 1', f'"ledger": {"9" * 5000}', " Exceeds the limit (4300 digits) for integer string conversion"),
        (LEDGER_TEXT, "[" * 100_000, " maximum recursion depth exceeded"),
        (LEDGER_TEXT, "", "1: not JSON: Expecting value"),
        (LEDGER_TEXT, " " * (MAX_BYTES + 1), " more than the limit of 16777216 bytes"),
    ],
)
def test_fault_37_a_ledger_of_another_shape_is_refused(old: str, new: str, message: str) -> None:
    assert old in LEDGER_TEXT
    with pytest.raises(ManifestError) as caught:
        parse_ledger(LEDGER_TEXT.replace(old, new), "ledger.json")
    assert str(caught.value).startswith(f"ledger.json:{message}")
    assert "\n" not in str(caught.value)


def test_fault_37_order_and_line_ends_do_not_matter_and_are_put_right_on_write() -> None:
    document = json.loads(LEDGER_TEXT)
    nodes = dict(reversed(document["nodes"].items()))
    text = json.dumps({"nodes": nodes, "ledger": 1}, indent=1).replace("\n", "\r\n")
    assert format_ledger(parse_ledger(text, "ledger.json")) == LEDGER_TEXT
