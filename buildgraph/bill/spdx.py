"""Licence names as people, registries and Debian write them → SPDX, where they are known."""

from __future__ import annotations

import re

_NAMES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license v2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license - version 2.0": "Apache-2.0",
    "apache public license 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license 3": "BSD-3-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "the new bsd license": "BSD-3-Clause",
    "revised bsd": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "cddl 1.1": "CDDL-1.1",
    "cddl + gplv2 with classpath exception": "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
    "common development and distribution license (cddl) v1.0": "CDDL-1.0",
    "eclipse distribution license - v 1.0": "BSD-3-Clause",
    "edl 1.0": "BSD-3-Clause",
    "eclipse public license 1.0": "EPL-1.0",
    "eclipse public license 2.0": "EPL-2.0",
    "eclipse public license - v 2.0": "EPL-2.0",
    "eclipse public license v. 2.0": "EPL-2.0",
    "eclipse public license, version 2.0": "EPL-2.0",
    "epl 2.0": "EPL-2.0",
    "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gpl2 w/ cpe": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gnu general public license, version 2 with the gnu classpath exception": (
        "GPL-2.0-only WITH Classpath-exception-2.0"
    ),
    "isc": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "expat": "MIT",
    "modified bsd": "BSD-3-Clause",
    "mit-0": "MIT-0",
    "mozilla public license version 1.1": "MPL-1.1",
    "psf": "PSF-2.0",
    "artistic": "Artistic-1.0-Perl",
}
_APACHE = re.compile(
    r"(?:the )?apache(?: software)?(?: license|-license)?,?(?: version| v\.?|-)? ?2(?:\.0)?(?: license)?"
)
_DEBIAN = re.compile(r"(?P<family>A?L?GPL|GFDL|LGPL)-?(?:v)?(?P<version>[123](?:\.[0-9])?)(?P<later>\+)?")
_PARTS = re.compile(r"\s*,?\s+(and|or)\s+", re.IGNORECASE)
_TEXTS = (
    (re.compile(r"Apache License\s+Version 2\.0"), "Apache-2.0"),
    (re.compile(r"Eclipse Public License(?: -)? v ?2\.0", re.IGNORECASE), "EPL-2.0"),
    (re.compile(r"Eclipse Public License(?: -)? v ?1\.0", re.IGNORECASE), "EPL-1.0"),
    (re.compile(r"Permission is hereby granted, free of charge, to any person obtaining a copy"), "MIT"),
    (re.compile(r"Neither the name of .{1,200}? may be used to endorse", re.DOTALL), "BSD-3-Clause"),
    (re.compile(r"Redistributions in binary form must reproduce"), "BSD-2-Clause"),
)


def to_spdx(name: str) -> str:
    """The name or expression in SPDX's words where they are known, else as it is, on one line."""
    text = " ".join(name.split()).strip("\"' ")
    whole = _find(text)
    if whole != text:
        return whole
    words = _PARTS.split(text)
    if len(words) == 1:
        return text
    return " ".join(_find(word) if index % 2 == 0 else word.upper() for index, word in enumerate(words))


def recognise(text: str) -> str:
    """The licence whose text this is, or nothing where it is not one of the most common."""
    return next((name for form, name in _TEXTS if form.search(text)), "")


def _find(name: str) -> str:
    lower = name.lower()
    if known := _NAMES.get(lower):
        return known
    if _APACHE.fullmatch(lower):
        return "Apache-2.0"
    match = _DEBIAN.fullmatch(name)
    if match is None:
        return name
    version = match["version"] if "." in match["version"] else f"{match['version']}.0"
    return f"{match['family']}-{version}-{'or-later' if match['later'] else 'only'}"
