"""Forms: what they accept is what editors accept, whose patterns are of another language."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buildgraph import forms
from buildgraph.forms import Form

FORMS = {name: form for name, form in vars(forms).items() if isinstance(form, Form)}
VALIDATORS = {name: jsonschema_rs.validator_for(form.schema()) for name, form in FORMS.items()}
TEXTS = st.text("aZ09.-_/:=+~@ \n\r\t\u2028\x85é１", max_size=10)  # noqa: RUF001
SAMPLES = {
    "NAME": ["a", "spark-4.1", "x" * 100],
    "NODE": ["spark-4.1.1-gpu", "x" * 201],
    "SIZE": ["60 MB", "1.5 GB"],
    "MODE": ["0755", "01777"],
    "OWNER": ["185:0"],
    "USER": ["185", "185:0"],
    "ABSOLUTE": ["/", "/opt/x", "/..x", "/a..b/"],
    "INSIDE": ["a", "a/b/", "..a", ".hidden/x"],
    "PROJECT_PATH": ["charts/spark-4.1/values.yaml"],
    "REPOSITORY": ["spark-k8s/spark", "a_b/c.d"],
    "REGISTRY": ["docker.io", "registry.example:5000/team"],
    "SIGNAL": ["SIGTERM", "SIGRTMIN+3"],
    "DIGEST": [f"sha256:{'0' * 64}"],
    "REQUIREMENT": ["numpy==2.2.6", "pandas[parquet] >= 2 ; python_version > '3'"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAMPLES.items() for text in texts])
def test_what_is_meant_is_accepted(name: str, text: str) -> None:
    assert FORMS[name].accepts(text)


@pytest.mark.parametrize("name", FORMS)
@given(text=TEXTS)
@example("a\n")
@example("../x")
@example("a..b")
@example("/..")
@example("a\u2028")
@settings(derandomize=True, max_examples=60, deadline=None)
def test_readers_and_editors_accept_the_same(name: str, text: str) -> None:
    assert FORMS[name].accepts(text) == VALIDATORS[name].is_valid(text)


@pytest.mark.parametrize("name", FORMS)
def test_long_texts_are_refused_without_going_back_and_forth(name: str) -> None:
    units = ("a", "a.", "a/", "/", "0", "a-", " ", "A_", "x:")
    accepted = [unit for unit in units if FORMS[name].accepts(unit * 20_000 + "\n")]
    assert accepted == ([unit for unit in units if unit != " "] if name == "REASON" else [])
