"""What no package manager knows: a JDK that jlink made, CPython as released, and what is linked into it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packageurl import PackageURL

from buildgraph.bill.contents import JAVA_RELEASE
from buildgraph.bill.values import Component, Sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Name → licence, and what vulnerability databases call it.
_KNOWN = {
    "python": ("PSF-2.0", "python", "python"),
    "openssl": ("Apache-2.0", "openssl", "openssl"),
    "openjdk": ("GPL-2.0-only WITH Classpath-exception-2.0", "oracle", "openjdk"),
}


def find_homes(texts: Mapping[str, str], paths: frozenset[str]) -> Iterator[str]:
    """The folders of JDKs, with a slash at their end; ``paths`` are the files of the layer."""
    for path in sorted(texts):
        release = JAVA_RELEASE.fullmatch(path)
        if release and f"{release['home']}/lib/modules" in paths:
            yield f"{release['home']}/"


def find_runtimes(texts: Mapping[str, str], paths: frozenset[str]) -> Iterator[Component]:
    """The runtimes whose own notes, or whose version in a binary, were read."""
    for home in find_homes(texts, paths):
        version = re.search(r'^JAVA_VERSION="([^"]+)"$', texts[f"{home}release"], re.MULTILINE)
        if version:
            legal = f"/{home}legal" if any(path.startswith(f"{home}legal/") for path in paths) else ""
            yield _make("openjdk", version[1], f"/{home.rstrip('/')}", legal)
    for path, text in sorted(texts.items()):
        file, mark, name = path.rpartition("!")
        if mark and name in _KNOWN:
            beside = re.compile(rf"{re.escape(file.rpartition('/')[0])}/python3[^/]*/LICENSE\.txt")
            licence = min(filter(beside.fullmatch, paths), default="") if name == "python" else ""
            yield _make(name, text, f"/{file}", f"/{licence}" if licence else "")


def _make(name: str, version: str, path: str, text: str) -> Component:
    licence, vendor, product = _KNOWN[name]
    return Component(
        name=name,
        version=version,
        purl=PackageURL("generic", None, name, version).to_string(),
        sort=Sort.APPLICATION if name != "openssl" else Sort.LIBRARY,
        licences=(licence,),
        text=text,
        path=path,
        cpe=f"cpe:2.3:a:{vendor}:{product}:{version}:*:*:*:*:*:*:*",
    )
