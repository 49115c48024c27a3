"""A certificate authority of a test's own, with one server certificate, made by the openssl program."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """``ca``: its certificate (PEM); ``tls``: what a server needs that shows a certificate of it."""

    ca: Path
    tls: ssl.SSLContext


def make_authority(folder: Path, *addresses: str) -> Authority:
    """An authority, and a certificate for these IP addresses."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, key, request, chain = (folder / name for name in ("ca.pem", "key.pem", "request.pem", "server.pem"))
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Buildgraph Test Authority",
             "-keyout", str(folder / "ca.key"), "-out", str(ca))  # fmt: skip
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", str(key), "-out", str(request))
    (folder / "names").write_text("subjectAltName=" + ",".join(f"IP:{address}" for address in addresses))
    _openssl("x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(folder / "ca.key"), "-days", "2",
             "-extfile", str(folder / "names"), "-out", str(chain))  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    return Authority(ca=ca, tls=tls)


def _openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
