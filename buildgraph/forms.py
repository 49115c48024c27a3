"""Forms: what a string must look like. Readers check them and schemas quote them, so both say the same.

Patterns keep to what Python and ECMA 262 read alike, because editors run them too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """``pattern`` matches the whole of a sound string; ``what`` completes "'x' is not …", ``hint`` says what to do."""

    what: str
    pattern: str
    hint: str = ""

    def accepts(self, text: str) -> bool:
        """True when the string has this form."""
        return re.fullmatch(self.pattern, text) is not None

    def schema(self, description: str = "") -> dict[str, str]:
        """The JSON Schema of such a string."""
        schema = {"type": "string", "pattern": f"^(?:{self.pattern})$"}
        return {"description": description, **schema} if description else schema


NAME = Form(
    what="a name",
    pattern=r"(?![\s\S]*\.\.)[a-z0-9][a-z0-9.-]{0,99}",
    hint="use lower-case letters, digits, '-' and '.', at most 100",
)
NODE = Form(
    what="the name of a node",
    pattern=r"(?![\s\S]*\.\.)[a-z0-9][a-z0-9.-]{0,200}",  # a name, a dash and a variant's name
    hint="use lower-case letters, digits, '-' and '.'",
)
SOURCE = Form(
    what="the name of a source",
    pattern=r"(?!(?:packages|requirements)$)" + NAME.pattern,
    hint="use lower-case letters, digits, '-' and '.'; packages and requirements are taken",
)
PARAMETER = Form(
    what="a parameter",
    pattern=r"(?!(?:image|layer|name|variant)$)[A-Za-z_][A-Za-z0-9_]{0,99}",
    hint="use letters, digits and '_'; image, layer, name and variant are taken",
)
VARIABLE = Form(
    what="the name of a variable",
    pattern=r"[A-Za-z_][A-Za-z0-9_]*",
    hint="use letters, digits and '_', and no digit first",
)
SECRET = Form(
    what="the name of a secret",
    pattern=r"(?!ca(?:-java|-env)?$)[a-z][a-z0-9-]{0,99}",
    hint="use lower-case letters, digits and '-'; ca, ca-java and ca-env are taken",
)
LABEL = Form(what="the name of a label", pattern=r"[!-<>-~]+", hint="use no white space and no '='")

SIZE = Form(what="a size", pattern=r"[0-9]{1,9}(?:\.[0-9]{1,9})? (?:kB|MB|GB)", hint="write it like 60 MB")
MODE = Form(what="a file mode", pattern=r"0[0-7]{3,4}", hint='write it like "0755", in quotes')
OWNER = Form(what="a numeric owner", pattern=r"[0-9]{1,9}:[0-9]{1,9}", hint='write it like "185:0", in quotes')
USER = Form(what="numeric", pattern=r"[0-9]{1,9}(?::[0-9]{1,9})?", hint='write it like "185:0", in quotes')
SIGNAL = Form(what="a signal", pattern=r"SIG[A-Z]+(?:[0-9+-][0-9]*)?", hint="write it like SIGTERM")

ABSOLUTE = Form(
    what="an absolute path",
    pattern=r"(?![\s\S]*/\.\.(?:/|$))/[^\x00-\x1f\x7f]*",
    hint="begin it with '/', without '..'",
)
INSIDE = Form(
    what="a path inside the layer's folder",
    pattern=r"(?!/)(?![\s\S]*//)(?!(?:[\s\S]*/)?\.{1,2}(?:/|$))[^\x00-\x1f\x7f]+",
    hint="write it relative, without '..'",
)
PROJECT_PATH = Form(
    what="a path inside the project",
    pattern=r"(?![\s\S]*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})*",
    hint="write it relative to the project, without '..'",
)
KEY_PATH = Form(
    what="a path of keys",
    pattern=r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*",
    hint="write it like gpu.image, or images.0 for a list's first entry",
)
REASON = Form(what="a reason", pattern=r"[\x00-\x20]*[^\x00-\x20][\s\S]*", hint="say why")

REPOSITORY = Form(
    what="a repository",
    pattern=r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*",
    hint="use lower-case letters, digits and '/'",
)
REGISTRY = Form(
    what="a registry",
    pattern=r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9][a-z0-9._-]*)*",
    hint="write it like registry.example:5000",
)
TAG = Form(
    what="a tag",
    pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
    hint="letters, digits, '_', '.' and '-', at most 128",
)
DIGEST = Form(what="sha256:<64 hex digits>", pattern=r"sha256:[0-9a-f]{64}")
IMAGE = Form(
    what="a whole reference",
    pattern=(
        r"(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]+(?=:[0-9]))(?::[0-9]{1,5})?/"
        rf"{REPOSITORY.pattern}:{TAG.pattern}@{DIGEST.pattern}"
    ),
    hint="write it like registry.example/name:1.2@sha256:…, with registry, tag and digest",
)
CHART = Form(what="the name of a chart", pattern=NAME.pattern, hint=NAME.hint)
CHART_VERSION = Form(
    what="a version that Helm takes",
    pattern=(
        r"(?=.{1,100}$)(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})"
        r"(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?"
        r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    ),
    hint="write three numbers, like 0.1.0; a dependency is one exact version",
)
SHA256 = Form(what="64 lower-case hexadecimal digits", pattern=r"[0-9a-f]{64}")
FILE = Form(what="a file name", pattern=r"[A-Za-z0-9_][A-Za-z0-9_.+~%!=-]{0,199}")

COORDINATE = Form(
    what="a coordinate",
    pattern=r"(?:pypi|maven|deb|go|url):.+",
    hint="it starts with one of pypi:, maven:, deb:, go:, url:",
)
PACKAGE = Form(what="a Debian package", pattern=r"[a-z0-9][a-z0-9+.-]+", hint="write its name alone")
REQUIREMENT = Form(
    what="a Python requirement", pattern=r"[A-Za-z0-9][^\x00-\x1f\x7f]*", hint="write it like numpy==2.2.6"
)
DISTRIBUTION = Form(
    what="a Python distribution", pattern=r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", hint="write its name alone"
)
PYTHON = Form(what="a Python version", pattern=r"[0-9]+\.[0-9]+", hint='write it like "3.10", in quotes')
PLATFORM = Form(what="a platform of wheels", pattern=r"[a-z0-9][a-z0-9_-]*", hint="write it like x86_64-manylinux_2_28")
LINE = Form(what="one line of text", pattern=r"[^\x00-\x1f\x7f]*")

COMPONENT = Form(
    what="a component",
    pattern=(
        r"maven:[A-Za-z0-9_][A-Za-z0-9_.-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*|pypi:[a-z0-9]+(?:-[a-z0-9]+)*"
        r"|deb:[a-z0-9][a-z0-9+.-]+|go:[A-Za-z0-9][A-Za-z0-9_.~/-]*|[a-z0-9][a-z0-9-]*"
    ),
    hint="write it like maven:GROUP:ARTIFACT or pypi:NAME, without a version",
)
RANGE = Form(
    what="a range of versions",
    pattern=(
        r"\*|(?:(?:[<>]=?)?[0-9][0-9A-Za-z.+_~-]*|[0-9][0-9.]*\.\*)"
        r"(?:,(?:(?:[<>]=?)?[0-9][0-9A-Za-z.+_~-]*|[0-9][0-9.]*\.\*))*"
    ),
    hint='write it like ">=3.5.0,<4", "26.08.*", "4.1.0" or "*"',
)
SENTENCE = Form(
    what="one line of text",
    pattern=r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]*",
    hint="write something, on one line",
)
