"""The Maven groups of jars that neither hold Maven's notes nor name their group, as Spark's distributions have some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCALA = re.compile(r"_2\.1[23](?:\.[0-9]+)?$")
_LIHAOYI = (
    "fansi fastparse geny mainargs os-lib os-zip pprint requests scalaparse sourcecode "
    "ujson upack upickle upickle-core upickle-implicits"
)
GROUPS: Mapping[str, str] = {
    **dict.fromkeys(_LIHAOYI.split(), "com.lihaoyi"),
    **dict.fromkeys(("class-path-util", "dependency", "dependency-interface", "interface"), "io.get-coursier"),
    **dict.fromkeys(("derby", "derbyshared", "derbytools"), "org.apache.derby"),
    **dict.fromkeys(("libfb303", "libthrift"), "org.apache.thrift"),
    **dict.fromkeys(("jta", "transaction-api"), "javax.transaction"),
    **dict.fromkeys(("jackson-core-asl", "jackson-mapper-asl"), "org.codehaus.jackson"),
    **dict.fromkeys(("RoaringBitmap", "shims"), "org.roaringbitmap"),
    "annotations": "org.jetbrains",
    "arpack_combined_all": "net.sourceforge.f2j",
    "jdo-api": "javax.jdo",
    "jodd-core": "org.jodd",
    "jsr305": "com.google.code.findbugs",
    "lz4-java": "org.lz4",
    "objenesis": "org.objenesis",
    "oro": "oro",
    "rocksdbjni": "org.rocksdb",
    "stax-api": "stax",
    "tink": "com.google.crypto.tink",
}
_FAMILIES = (
    ("ammonite", "com.lihaoyi"),
    ("org.eclipse.lsp4j.", "org.eclipse.lsp4j"),
    ("org.eclipse.xtend.", "org.eclipse.xtend"),
    ("org.eclipse.xtext.", "org.eclipse.xtext"),
)


def find_known_group(artifact: str) -> str:
    """The group of an artifact, with or without its Scala version; nothing where it is not known."""
    plain = _SCALA.sub("", artifact)
    return GROUPS.get(plain) or next((group for start, group in _FAMILIES if plain.startswith(start)), "")
