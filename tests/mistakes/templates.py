"""Expressions that are wrong, that look for a way out, or that would never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import described, in_image, in_layer, layer_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

TEMPLATES: Mapping[str, Changes] = {
    "an undefined variable": layer_with("An app", "'{{ version }}'"),
    "a misspelt variable": layer_with("An app", "'{{ versoin }}'", "variants: {v1: {version: '1'}}"),
    "an open expression": layer_with("An app", "'{{ version'"),
    "an escape from the sandbox by a chain": layer_with("An app", '"{{ ().__class__.__mro__ }}"'),
    "an escape from the sandbox by a method": layer_with("An app", '"{{ cycler.__init__.__globals__ }}"'),
    "an endless list": layer_with("An app", "'{{ range(10000000) | list }}'"),
    "a file in an expression": layer_with("An app", "\"{% include '/etc/passwd' %}\""),
    "a division by zero": layer_with("An app", "'{{ 1 / 0 }}'"),
    "an unknown filter": layer_with("An app", "'{{ layer | shout }}'"),
    "a statement": described("{% if layer %}x{% endif %}"),
    "a loop": described("{% for i in range(1000000000) %}x{% endfor %}"),
    "a product": described("{{ 'x' * 10**9 }}"),
    "a power": described("{{ 10 ** 10 ** 10 }}"),
    "a wide format": described("{{ '%1000000000d' % 1 }}"),
    "a call": described("{{ lipsum(n=100000) }}"),
    "an attribute": described("{{ layer.__class__ }}"),
    "an attribute by its name": described("{{ layer['__class__'] }}"),
    "a method that is not called": described("{{ layer.upper }}"),
    "an assignment": described("{% set x = 1 %}{{ x }}"),
    "a macro": described("{% macro m() %}{% endmacro %}"),
    "brackets without end": described("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"),
    "parts without end": described("{{ " + "layer ~ " * 2000 + "1 }}"),
    "replacements of replacements": described("{{ 'x' " + "| replace('x', 'xxxxxxxx')" * 20 + " }}"),
    "an expression that gives no name": in_image("aliases: {latest: \"{{ 'A B' }}\"}"),
    "an expression that gives no size": in_layer('budget: "{{ layer }}"'),
    "a variable of another variant": in_layer("variants: {a: {x: '1'}, b: {}}\nenv: {A: \"{{ x }}\"}"),
}
