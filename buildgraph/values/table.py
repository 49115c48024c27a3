"""The tables of a chart's README: every value with its default and its meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.values.document import Json
    from buildgraph.values.schema import Field, Schema

_SECTION = re.compile(r"(?<=<!-- values -->\n).*(?=<!-- /values -->)", re.DOTALL)
_HEAD = ("| value | default | meaning |", "|---|---|---|")


def insert_tables(page: str, tables: str, file: str) -> str:
    """The page with the tables between its two markers."""
    if not _SECTION.search(page):
        what = "there is no place for the values"
        raise ManifestError(what, where=file, hint="put <!-- values --> and <!-- /values --> on lines of their own")
    return _SECTION.sub(lambda _: f"\n{tables}\n", page)


def render_tables(values: Mapping[str, Json], schema: Schema) -> str:
    """What has no keys below it first, then a part for each key that has, then the blocks that they are made of."""
    fields = schema.root.fields
    alone = {key: field for key, field in fields.items() if not field.set_by and _is_row(field, values.get(key))}
    parts = [_render_part("General", "", _list_rows(values, alone, ""))] if alone else []
    for key, field in fields.items():
        below = values.get(key)
        if key not in alone and isinstance(below, Mapping):
            parts.append(_render_part(f"`{key}`", field.description, _list_rows(below, field.fields, f"{key}.")))
    parts += [_render_block(name, field) for name, field in schema.blocks.items()]
    return "\n".join(parts)


def _is_row(field: Field, value: Json) -> bool:
    """True where a table goes no deeper."""
    return bool(field.block) or not field.fields or not isinstance(value, Mapping) or not value


def _list_rows(values: Mapping[str, Json], fields: Mapping[str, Field], path: str) -> Iterator[str]:
    for key, field in fields.items():
        value = values.get(key)
        if field.set_by:
            continue
        if _is_row(field, value):
            link = f" ([{field.block}](#{field.block}))" if field.block else ""
            yield f"| `{path}{key}` | {_show(value)} | {_explain(field)}{link} |"
        elif isinstance(value, Mapping):
            yield from _list_rows(value, field.fields, f"{path}{key}.")


def _show(value: Json) -> str:
    """A default as it would be written; of an image what it is, without the digest, which every pin moves."""
    if isinstance(value, Mapping) and "repository" in value:
        registry, repository, tag = (str(value.get(key, "")) for key in ("registry", "repository", "tag"))
        return f"`{registry}/{repository}:{tag}`"
    return f"`{_escape(json.dumps(value, ensure_ascii=False))}`"


def _render_part(title: str, description: str, rows: Iterator[str]) -> str:
    about = (description, "") if description else ()
    return "\n".join((f"### {title}", "", *about, *_HEAD, *rows, ""))


def _render_block(name: str, field: Field) -> str:
    rows = (f"| `{key}` | {_explain(each)} |" for key, each in field.fields.items())
    return "\n".join((f"### {name}", "", field.description, "", "| key | meaning |", "|---|---|", *rows, ""))


def _explain(field: Field) -> str:
    """What it means, with the choices where the description does not name each of them."""
    unnamed = any(choice not in field.description for choice in field.choices)
    choices = f" One of {', '.join(f'`{choice}`' for choice in field.choices)}." if unnamed else ""
    return _escape(field.description + choices)


def _escape(text: str) -> str:
    return text.replace("|", r"\|")
