"""Settings that somebody documents, one file for each product: what ``spark-defaults.conf`` of a chart may hold.

Most files are made by ``python -m tests.charts.documented_keys``: it asks the classes in our own images (Keys.java).
``celeborn.txt`` and ``families.txt`` are written by hand from the pages that their first lines name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FOLDER = Path(__file__).parent
IMAGES = {"3.5": "spark-k8s/spark:3.5.7-iceberg", "4.1": "spark-k8s/spark:4.1.1-gpu-iceberg"}
"""An image of each Spark line that has all the jars."""
GROUPS = {"3.5": ("spark", "hadoop", "hive", "iceberg"), "4.1": ("spark", "hadoop", "hive", "iceberg", "rapids")}
_PROPERTY = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*\.?")
_S3A = re.compile(r"fs\.s3a\.|mapreduce\.(?:file)?outputcommitter\.")
_HIVE = re.compile(r"hive\.(?:metastore|exec)\.")


def write_lists(line: str, answer: str) -> Mapping[str, str]:
    """File name → text, from what Keys.java answers for a Spark line."""
    lists: dict[str, set[str]] = {}
    jars: dict[str, set[str]] = {}
    for group, key, *more in (row.split("\t") for row in answer.splitlines()):
        if key == "from":
            jars.setdefault(group, set()).update(more)
        else:
            lists.setdefault(group, set()).update(_SPELLINGS[group](key))
    return {f"{line}/{group}.txt": _render(sorted(jars[group]), lists[group]) for group in lists}


def read_lists(line: str) -> list[str]:
    """The texts that hold for a Spark line; all of them when it is none of the lines."""
    folders = [FOLDER / line] if line in IMAGES else [FOLDER / each for each in IMAGES]
    # The jar for GPUs is in one image only; its settings are the same for every Spark.
    files = [
        *FOLDER.glob("*.txt"),
        FOLDER / "4.1/rapids.txt",
        *(file for folder in folders for file in folder.glob("*.txt")),
    ]
    return [file.read_text(encoding="utf-8") for file in sorted(set(files))]


def jars_of(text: str) -> list[str]:
    """The jars that a list was read from, by its first line."""
    found = re.match(r"# From (.*\.jar)\.\n", text)
    return found.group(1).split(", ") if found else []


def _render(jars: list[str], keys: set[str]) -> str:
    made = "Made by `python -m tests.charts.documented_keys`; internal settings are left out."
    return f"# From {', '.join(jars)}.\n# {made}\n" + "".join(f"{key}\n" for key in sorted(keys))


def _spell_iceberg(key: str) -> Iterator[str]:
    whole = f"{key}**" if key.endswith(".") else key
    if key.startswith("spark."):
        yield whole
    elif _PROPERTY.fullmatch(key) and not key.startswith("org."):
        yield f"spark.sql.catalog.*.{whole}"


def _spell_hadoop(key: str) -> Iterator[str]:
    if _S3A.match(key):
        yield f"spark.hadoop.{key}**" if key.endswith(".") else f"spark.hadoop.{key}"


def _spell_hive(key: str) -> Iterator[str]:
    if _HIVE.match(key):
        yield f"spark.hadoop.{key}"


def _spell_spark(key: str) -> Iterator[str]:
    yield key


_SPELLINGS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "spark": _spell_spark,
    "hadoop": _spell_hadoop,
    "hive": _spell_hive,
    "iceberg": _spell_iceberg,
    "rapids": _spell_spark,
}
