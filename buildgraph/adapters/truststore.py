"""Java's own format of trusted certificates (JKS), written from a PEM bundle: the same bytes for the same bundle."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct

from buildgraph.errors import EnvironmentFault

PASSWORD = "changeit"  # noqa: S105 - what every Java expects; it guards against damage, not against readers
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED = 2
_SALT = b"Mighty Aphrodite"


def read_certificates(pem: str) -> tuple[bytes, ...]:
    """The certificates of a bundle as DER, each once, in its order."""
    try:
        found = [base64.b64decode("".join(match[1].split()), validate=True) for match in _CERTIFICATE.finditer(pem)]
    except binascii.Error as error:
        raise EnvironmentFault("a certificate of the bundle is not base64") from error
    return tuple(dict.fromkeys(found))


def make_truststore(certificates: tuple[bytes, ...]) -> bytes:
    """A keystore that holds just these; its password is ``changeit``."""
    parts = [struct.pack(">III", _MAGIC, _VERSION, len(certificates))]
    for number, der in enumerate(certificates):
        # The time when a certificate was added means nothing to Java.
        parts += [struct.pack(">I", _TRUSTED), _text(f"ca-{number}"), struct.pack(">Q", 0)]
        parts += [_text("X.509"), struct.pack(">I", len(der)), der]
    data = b"".join(parts)
    guard = hashlib.sha1(PASSWORD.encode("utf-16-be") + _SALT + data, usedforsecurity=False)
    return data + guard.digest()


def _text(text: str) -> bytes:
    data = text.encode("ascii")
    return struct.pack(">H", len(data)) + data
