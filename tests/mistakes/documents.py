"""What YAML would take silently, and what is no YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import in_layer, layer_with
from tests.samples import LAYER_FILE, LAYER_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

DOCUMENTS: Mapping[str, Changes] = {
    "a duplicate key": in_layer("kind: rootfs"),
    "an unquoted version": in_layer("variants:\n  v1: {version: 3.10}"),
    "an unquoted date": layer_with("An app", "2026-01-01"),
    "an unquoted boolean": layer_with("An app", "yes"),
    "an empty value": layer_with("An app", ""),
    "an anchor": in_layer("env: {A: &x y}"),
    "an alias": in_layer("env: {A: *x}"),
    "a tag": in_layer("env: {A: !!python/object x}"),
    "a tag on a mapping": in_layer("env: !!set {A: x}"),
    "depth": in_layer(f"env: {'[' * 70}"),
    "broken YAML": in_layer("env: {A: x"),
    "a tab": in_layer("\tenv: x"),
    "two documents": in_layer("---\nlayer: x"),
    "a document that is a list": {LAYER_FILE: "- a\n"},
    "an empty document": {LAYER_FILE: ""},
    "a control character": {LAYER_FILE: "layer: \x00"},
    "a list as a key": in_layer("? [a, b]\n: c"),
    "an unquoted exponent": in_layer("env: {A: 1.0e+3}"),
    "an unquoted number in base sixty": in_layer("env: {A: 1:30}"),
    "an unquoted octal": in_layer("env: {A: 0o17, B: 017}"),
    "an unquoted null": in_layer("env: {A: ~, B: null}"),
    "an unquoted infinity": in_layer("env: {A: .inf}"),
    "a number for a key": in_layer("sources: {3.10: deb:bash, 3.10: deb:bash}"),
    "a merge key": in_layer("env: {<<: {A: x}}"),
    "a merge of an anchor": in_layer("env: &e {A: x}\nprepend: {<<: *e}"),
    "aliases of aliases": {LAYER_FILE: "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"},
    "a tag with an escape": in_layer("env: {A: !<%1b[31m> x}"),
    "a call of Python": in_layer("env: !!python/object/apply:os.system [id]"),
    "binary data": in_layer("env: {A: !!binary eA==}"),
    "a directive of another version": {LAYER_FILE: f"%YAML 3.0\n---\n{LAYER_TEXT}"},
    "an open quote": in_layer("env: {A: 'x}"),
    "an open list": in_layer("test_on: [app"),
    "keys that are not aligned": in_layer("env:\n  A: x\n B: y"),
    "two colons": in_layer("env: {A: b: c}"),
    "an unknown escape": in_layer('env: {A: "\\q"}'),
    "a stray bracket": in_layer("]"),
    "a word": {LAYER_FILE: "layer\n"},
    "notes alone": {LAYER_FILE: "# nothing yet\n"},
    "bytes that are no UTF-8": {LAYER_FILE: LAYER_TEXT.replace("An app", "caf\udce9")},
    "text of another encoding": {LAYER_FILE: "\udcff\udcfel\x00a\x00"},
    "carriage returns alone, and a mistake": {LAYER_FILE: LAYER_TEXT.replace("\n", "\r") + "colour: red\r"},
    "line ends of another system, and a mistake": {LAYER_FILE: LAYER_TEXT.replace("\n", "\r\n") + "colour: red\r\n"},
    "a byte order mark, and a mistake": {LAYER_FILE: "\ufeff" + LAYER_TEXT + "colour: red\n"},
    "a key across lines": in_layer('"a\\nb": x'),
    "conflict marks": in_layer("<<<<<<< ours\nbudget: 1 MB\n=======\nbudget: 2 MB\n>>>>>>> theirs"),
    "a table of support that is no YAML": {"manifests/support.yaml": "host: ["},
    "a huge file": {LAYER_FILE: "#" * (1 << 20) + "\n"},
}
