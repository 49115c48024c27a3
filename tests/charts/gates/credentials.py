"""No credential is written down: not in an object, not in values. They come from Secrets that are named."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, describe, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KNOWN = re.compile(
    r"minioadmin|changeme|change-me|passw0rd|hunter2|admin[:/]admin|(?:hive|spark|airflow|mlflow|postgres|admin|root)123"
    r"|password123|letmein|s3cr3t",
    re.IGNORECASE,
)
SHAPES = {
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
    "a Fernet key": re.compile(r"(?<![\w-])[\w-]{43}=(?![\w=])"),
    "a token of a forge": re.compile(r"\b(?:gh[pousr]_|glpat-|xox[abprs]-|hf_|dckr_pat_)[\w-]{16,}"),
    "a password in an address": re.compile(r"\w+://[^\s/:@]+:[^\s/:@$]+@"),
    "a password in a setting": re.compile(
        r"(?i)(?:password|passwd|pwd|secret[._-]?key|access[._-]?key|auth[._-]?token)\s*[=:]\s*(?![\"']?[$<{(]|(?-i:[A-Z_]+)(?:\s|$)|\s|$)\S+"
    ),
}
SENSITIVE = re.compile(
    r"(?:password|passwd|passphrase|secret|token|credentials?|api_?key|access_?key(?:_?id)?|secret_?key|private_?key"
    r"|fernet_?key|account_?key)$",
    re.IGNORECASE,
)
"""Ends of names whose values open something."""
REFERENCE = re.compile(
    r"(?:existing|pull|tls)_?secret|secret_?name|(?:token|password)_?key$|_?(?:file|path)$", re.IGNORECASE
)
TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
LEAST_ENTROPY = 4.2
_DIGEST = re.compile(r"\b(?:sha\d+:)?[0-9a-f]{40,128}\b")
_WORDS = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def find_in_objects(objects: Iterable[Document]) -> list[str]:
    """Credentials that a rendered object shows."""
    problems = []
    for each in objects:
        where = describe(each)
        if each.get("kind") == "Secret" and any(each.get(group) for group in ("data", "stringData")):
            problems.append(f"{where} holds its data in the release")
        problems += [f"{where}: {problem}" for problem in (*_variables(each), *find_in_values(each))]
    return problems


def find_in_values(values: Document) -> list[str]:
    """Credentials in a tree of values: by the name of the key, by a known word, by shape, and by chance of letters."""
    problems = []
    for path, text in strings(values):
        name = re.sub(r"\[\d+\]$", "", path).rpartition(".")[2]
        if _opens(name, text):
            problems.append(f"{path} is written down")
        problems += [f"{path}: {problem}" for problem in find_in_text(text)]
    return problems


def find_in_text(text: str) -> list[str]:
    """Known words, known shapes, and letters that only chance makes."""
    problems = [f"the known credential {word}" for word in KNOWN.findall(text)]
    problems += [name for name, shape in SHAPES.items() if shape.search(text)]
    problems += [f"{token[:6]}… looks random" for token in TOKEN.findall(_DIGEST.sub("", text)) if _looks_random(token)]
    return problems


def entropy(text: str) -> float:
    """Bits in a letter, by how often each is there."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def _variables(value: object) -> Iterator[str]:
    """Environment variables with a literal value and a name that says what it is."""
    if isinstance(value, dict):
        name, literal = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(literal, str) and _opens(name, literal):
            yield f"{name} has a value of its own"
        for below in value.values():
            yield from _variables(below)
    elif isinstance(value, list):
        for below in value:
            yield from _variables(below)


def _opens(name: str, text: str) -> bool:
    """True when something of this name and with this text is a credential."""
    return bool(text and SENSITIVE.search(name)) and not REFERENCE.search(name) and not _is_reference(name, text)


def _is_reference(name: str, text: str) -> bool:
    """True for the key of a Secret that is called as its value is, a path, or a variable that is filled in later."""
    same = re.sub(r"[^a-z0-9]", "", name.lower()).endswith(re.sub(r"[^a-z0-9]", "", text.lower()))
    return text in {"true", "false"} or text.startswith(("/", "$(", "${")) or (same and bool(_WORDS.fullmatch(text)))


def _looks_random(token: str) -> bool:
    kinds = (re.search(kind, token) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]"))
    return all(kinds) and not re.search(r"[a-z]{5}", token) and entropy(token) >= LEAST_ENTROPY
