"""Pins over generated values files: the wanted scalars change, no other byte does."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from buildgraph.errors import BuildgraphError
from buildgraph.pin import (
    PIN_KEYS,
    PinValues,
    read_pin,
    splice,
)

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True).filter(lambda name: name not in PIN_KEYS)
WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), codec="utf-8"), max_size=12).filter(
    str.isprintable
)
COMMENTS = WORDS.map(lambda word: f"  # {word}") | st.just("")
DIGESTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True) | st.just("")
PINS = st.builds(PinValues, registry=WORDS, repository=WORDS, tag=WORDS, digest=DIGESTS)


@st.composite
def scalars(draw: st.DrawFn) -> str:
    """A scalar's source in one of the three styles."""
    word = draw(WORDS)
    plain = draw(st.sampled_from(["x", "4.1", "0", "a.b/c", "~", "true", "é-ü", "v1:2"]))
    return draw(st.sampled_from(["'" + word.replace("'", "''") + "'", yaml_double(word), plain]))


def yaml_double(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def block_pins(draw: st.DrawFn) -> str:
    """A block mapping of the four keys and others, with comments, below the key ``image``."""
    indent = " " * draw(st.integers(1, 6))
    keys = draw(st.permutations([*PIN_KEYS, *draw(st.lists(NAMES, max_size=3, unique=True))]))
    lines = [f"image:{draw(COMMENTS)}"]
    for key in keys:
        if draw(st.booleans()):
            lines.append(f"{indent}# {draw(WORDS)}")
        lines.append(f"{indent}{key}:{' ' * draw(st.integers(1, 3))}{draw(scalars())}{draw(COMMENTS)}")
    return "\n".join(lines)


@st.composite
def flow_pins(draw: st.DrawFn) -> str:
    """The same as a flow mapping on one line."""
    keys = draw(st.permutations(PIN_KEYS))
    plain = st.sampled_from(["x", "4.1", "''", '"a, b"', "'{'"])
    body = ", ".join(f"{key}: {draw(plain)}" for key in keys)
    return f"image: {{{body}}}{draw(COMMENTS)}"


@st.composite
def files(draw: st.DrawFn) -> str:
    """A values file with one pin at ``top.image``, whatever stands around it."""
    pin = draw(block_pins() | flow_pins())
    before = [f"{name}0: {draw(scalars())}{draw(COMMENTS)}" for name in draw(st.lists(NAMES, unique=True, max_size=3))]
    after = ["rest:", "  - &a {b: 1}", "  - *a", "  - |", "    tag: text", f"  - {draw(scalars())}"]
    lines = [*before, "top:", *(f"  {line}" for line in pin.split("\n")), *(after if draw(st.booleans()) else [])]
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return (
        draw(st.sampled_from(["", "\ufeff", "---" + newline]))
        + newline.join(lines)
        + draw(st.sampled_from(["", newline, newline * 2]))
    )


@given(files(), PINS)
def test_a_splice_sets_the_pin_and_is_done(text: str, values: PinValues) -> None:
    spliced = splice(text, "top.image", values, file="v")
    assert read_pin(spliced, "top.image", file="v") == values
    assert splice(spliced, "top.image", values, file="v") == spliced


@given(files(), PINS)
def test_all_else_means_what_it_meant(text: str, values: PinValues) -> None:
    after = yaml.safe_load(splice(text, "top.image", values, file="v"))
    wanted = {key: getattr(values, key) for key in PIN_KEYS}
    assert {key: after["top"]["image"].pop(key) for key in PIN_KEYS} == wanted
    before = yaml.safe_load(text)
    for key in PIN_KEYS:
        del before["top"]["image"][key]
    assert after == before


@given(files(), PINS)
def test_only_the_bytes_of_the_scalars_change(text: str, values: PinValues) -> None:
    spliced = splice(text, "top.image", values, file="v")
    assert _frame(spliced) == _frame(text)


@given(files(), PINS)
def test_the_old_values_bring_the_old_meaning_back(text: str, values: PinValues) -> None:
    old = read_pin(text, "top.image", file="v")
    back = splice(splice(text, "top.image", values, file="v"), "top.image", old, file="v")
    assert read_pin(back, "top.image", file="v") == old


@given(st.text(max_size=60), PINS)
def test_any_text_is_pinned_or_refused(text: str, values: PinValues) -> None:
    try:
        spliced = splice(text, "image", values, file="v")
    except BuildgraphError as error:
        refusal = error
    else:
        assert read_pin(spliced, "image", file="v") == values
        return
    assert refusal.where.startswith("v")


def _frame(text: str) -> str:
    """The text without the sources of the four scalars."""
    root = yaml.compose(text, yaml.SafeLoader)
    pin = _child(_child(root, "top"), "image")
    marks = sorted((_child(pin, key).start_mark.index, _child(pin, key).end_mark.index) for key in PIN_KEYS)
    frame, position = "", 0
    for start, end in marks:
        frame += text[position:start] + "\0"
        position = end
    return frame + text[position:]


def _child(node: yaml.Node | None, key: str) -> yaml.Node:
    assert isinstance(node, yaml.MappingNode)
    children: dict[str, yaml.Node] = {name.value: value for name, value in node.value}
    return children[key]
