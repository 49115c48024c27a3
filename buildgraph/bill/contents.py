"""Which files of a layer say what is in it: package databases, metadata, jars, binaries that carry their version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DPKG_STATUS = "var/lib/dpkg/status"
OS_RELEASE = re.compile(r"(?:etc|usr/lib)/os-release")
COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
DIST_INFO = re.compile(r"(?P<folder>(?:.+/)?[^/]+\.dist-info)/METADATA")
JAVA_RELEASE = re.compile(r"(?P<home>.+)/release")
MAX_ARCHIVE = 128 << 20
"""Jars beyond this many bytes are not looked into: what they are is known from the lock."""

# Of jars: what says who made them, and their licence.
MEMBERS = re.compile(
    r"META-INF/(?:MANIFEST\.MF|maven/[^/]+/[^/]+/pom\.(?:properties|xml))|(?:META-INF/)?(?i:licen[cs]e)[^/]*"
)

# Of binaries without a package: path → name → what stands in them. Both are linked into CPython's library.
PATTERNS: Mapping[str, Mapping[str, re.Pattern[bytes]]] = {
    r"(?:.+/)?libpython3\.[0-9]+\.so\.[0-9.]+": {
        "python": re.compile(rb"\0(3\.[1-9][0-9]\.[0-9]+(?:(?:a|b|rc)[0-9]+)?)\0"),
        "openssl": re.compile(rb"\0OpenSSL ([0-9]+\.[0-9]+\.[0-9]+[a-z]?) "),
    },
}
_PLAIN = (OS_RELEASE, COPYRIGHT, DIST_INFO, JAVA_RELEASE)


def is_wanted(path: str) -> bool:
    """True for a text that is read as it is."""
    return path == DPKG_STATUS or any(form.fullmatch(path) for form in _PLAIN)


def is_archive(path: str, size: int) -> bool:
    """True for a jar that is looked into."""
    return path.endswith(".jar") and size <= MAX_ARCHIVE
