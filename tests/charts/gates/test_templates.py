"""The check of named templates follows includes, those whose names are put together too."""

from __future__ import annotations

from tests.charts.gates.templates import find_dead, find_defined, find_twice, find_undefined

PARTIALS = {
    "_a.tpl": """
{{/* include "dead" in a comment counts for nothing */}}
{{- define "used" -}}
{{- if .x -}}{{ include "below" . }}{{- else -}}{{ range .y }}{{ . }}{{ end }}{{- end -}}
{{- end -}}
{{- define "below" -}}{{ template "deeper" . }}{{- end -}}
{{- define "deeper" -}}x{{- end -}}
{{- define "dead" -}}{{ include "only.from.dead" . }}{{- end -}}
{{- define "only.from.dead" -}}x{{- end -}}
{{- define "part.one.validate" -}}x{{- end -}}
{{- define "part.two.validate" -}}x{{- end -}}
"""
}
ROOTS = {
    "a.yaml": '{{ include "used" . }}{{ range list "one" "two" }}{{ include (printf "part.%s.validate" .) $ }}{{ end }}'
}


def test_a_template_that_nothing_comes_to_is_seen() -> None:
    assert find_dead(ROOTS, PARTIALS) == ["dead is included nowhere", "only.from.dead is included nowhere"]


def test_a_name_may_be_put_together_before_it_is_included() -> None:
    roots = {"a.yaml": '{{ $name := printf "part.%s.validate" .x }}{{ include $name . }}'}
    dead = find_dead(roots, PARTIALS)
    assert not [each for each in dead if each.startswith("part.")]


def test_a_name_may_be_handed_on_as_a_text() -> None:
    roots = {"a.yaml": '{{ include "used" (dict "parts" (list "dead")) }}'}
    assert find_dead(roots, PARTIALS) == [
        "part.one.validate is included nowhere",
        "part.two.validate is included nowhere",
    ]


def test_a_template_of_an_object_s_own_file_counts() -> None:
    assert find_dead({"a.yaml": '{{ define "mine" }}x{{ end }}{{ include "mine" . }}'}, {}) == []
    assert find_dead({"a.yaml": '{{ define "mine" }}x{{ end }}'}, {}) == ["mine is included nowhere"]


def test_a_name_that_is_not_defined_is_seen() -> None:
    files = {**ROOTS, **PARTIALS}
    assert find_undefined(files) == []
    assert find_undefined({**files, "b.yaml": '{{ include "gone" . }}'}) == ["gone is defined nowhere"]
    assert find_undefined({**files, "b.yaml": '{{ include (printf "no.%s" .) . }}'}) == ["no.* is defined nowhere"]
    assert find_undefined({**files, "b.yaml": '{{ printf "-Dotel.name=%s" . }}'}) == []


def test_a_name_that_is_defined_twice_is_seen() -> None:
    assert find_twice(PARTIALS) == []
    assert find_twice({**PARTIALS, "_b.tpl": '{{ define "used" }}{{ end }}'}) == ["used is defined 2 times"]


def test_all_definitions_are_found() -> None:
    assert len(find_defined(PARTIALS)) == 7
